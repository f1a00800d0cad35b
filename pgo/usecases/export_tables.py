"""Measurements and medication as tables (CSV), for a spreadsheet or another program.

Every number that is on a chart of the app is a line; a measurement without a number is a line with its words.
What lies in the trash is not in a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pgo.health.record.kinds import RecordKind
from pgo.health.summary.tables import csv_bytes
from pgo.health.summary.words import Words
from pgo.store.journal import Event
from pgo.store.record_types import StoredRow
from pgo.usecases.read import record_row
from pgo.usecases.session import Session

Table = Literal["measurements", "medication"]

_MEASUREMENTS = ("date", "name", "value", "unit", "as_written", "code", "source", "record")
_MEDICATION = ("name", "use", "start", "end", "status", "code", "by_patient", "source", "record")
_VALUE, _RECORD_OF_MEASUREMENT, _RECORD_OF_MEDICINE = 2, 7, 8


def export_table(session: Session, table: Table, words: Words) -> bytes:
    """One table as CSV; the journal says that it was made."""
    store, at = session.store, session.now()
    with store.read():
        data, lines = build_table(session, table, words)
    with store.write(at):
        store.journal.add(Event.EXPORTED, at=at, form="csv", table=table, lines=lines)
    session.changed()
    return data


def build_table(session: Session, table: Table, words: Words) -> tuple[bytes, int]:
    """The CSV of one table, and how many lines it has; writes nothing."""
    if table == "measurements":
        rows = [*_numbers(session, words), *_without_number(session, words)]
        rows.sort(key=lambda row: (row[0], row[1], int(row[_RECORD_OF_MEASUREMENT])))
        header = [words.t(f"paper.csv.{name}") for name in _MEASUREMENTS]
        return csv_bytes(header, rows, numbers={_VALUE, _RECORD_OF_MEASUREMENT}), len(rows)
    rows = list(_medicines(session, words))
    header = [words.t(f"paper.csv.{name}") for name in _MEDICATION]
    return csv_bytes(header, rows, numbers={_RECORD_OF_MEDICINE}), len(rows)


def _numbers(session: Session, words: Words) -> Iterator[tuple[str, ...]]:
    store, sources = session.store, _sources(session, words)
    for _, line in store.measures.lines():
        for record_id, number in store.measures.line(line.key):
            yield (
                number.at,
                number.title,
                number.value,
                number.unit,
                number.shown,
                number.code,
                sources.get(record_id, ""),
                str(record_id),
            )


def without_number(session: Session) -> list[StoredRow]:
    """Measurements on no chart, newest first: they say something in words, or their number has no day."""
    store = session.store
    charted = {number for _, line in store.measures.lines() for number, _ in store.measures.line(line.key)}
    return [row for row in store.records.of_kinds((RecordKind.MEASUREMENT.value,)) if row.id not in charted]


def _without_number(session: Session, words: Words) -> Iterator[tuple[str, ...]]:
    sources = _sources(session, words)
    for row in without_number(session):
        one = row.columns
        source = sources.get(row.id, "")
        yield (one.start, one.title, "", one.unit, one.value_text, one.code, source, str(row.id))


def _medicines(session: Session, words: Words) -> Iterator[tuple[str, ...]]:
    sources, today = _sources(session, words), session.today()
    for stored in session.store.records.of_kinds((RecordKind.MEDICATION.value,)):
        row = record_row(stored, today=today)
        yield (
            row.title,
            row.detail,
            row.start,
            row.end,
            words.t(f"paper.status.{row.status.value}"),
            stored.columns.code,
            words.t("paper.yes" if row.self_authored else "paper.no"),
            sources.get(row.id, ""),
            str(row.id),
        )


def _sources(session: Session, words: Words) -> dict[int, str]:
    """Record number to where it came from: the name of a file, or the patient."""
    own = words.t("paper.source.self")
    return {number: name or own for number, name in session.store.holdings.source_names().items()}
