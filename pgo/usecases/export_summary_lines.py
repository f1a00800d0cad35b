"""The lines of each part of the paper, with the records behind them: joined and worded as on the screens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from consent.codes import Sensitivity
from consent.facts import ResourceFacts
from pgo.health.medication.lines import MedicineLine
from pgo.health.prom.questionnaire import SCORE_SYSTEM
from pgo.health.record.series import Point
from pgo.health.record.status import RecordStatus
from pgo.health.record.words import folded
from pgo.health.summary.words import Words
from pgo.store.record_types import StoredRow
from pgo.usecases.export_tables import without_number
from pgo.usecases.facts import all_facts
from pgo.usecases.medicines import Medicine, medicines
from pgo.usecases.read import DirectiveRow, Profile, RecordRow, profile, series, series_list
from pgo.usecases.session import Session

BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
_EARLIER = 3


class Part(StrEnum):
    """What can stand on the paper, in its order."""

    PERSON = "person"
    NUMBER = "number"
    ALLERGIES = "allergies"
    MEDICATION = "medication"
    PAST_MEDICATION = "past_medication"
    CONDITIONS = "conditions"
    VACCINATIONS = "vaccinations"
    DIRECTIVES = "directives"
    SCORES = "scores"
    MEASUREMENTS = "measurements"


class SummaryWords(Words, Protocol):
    """Words of the paper, medicines among them."""

    def medicine(self, line: MedicineLine) -> str:
        """What was agreed, handed over and taken, in one text."""
        ...

    def value(self, text: str) -> str:
        """A measured value as written, with the decimal mark of the language."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a part with the records behind it."""

    record_ids: tuple[int, ...]
    cells: tuple[str, ...]


def lines_of(
    session: Session, words: SummaryWords, *, sensitive: frozenset[Sensitivity]
) -> dict[Part, list[Line]]:
    """The lines of every part, without those about a sensitive subject that is not named."""
    record, listed = profile(session), medicines(session)
    measured = _measured(session, words)
    everything: dict[Part, list[Line]] = {
        Part.PERSON: _person(record),
        Part.NUMBER: _person(record) if record.person is not None and _has_number(record) else [],
        Part.ALLERGIES: [_problem(row, words) for row in _right(record.allergies)],
        Part.MEDICATION: [_medicine(one, words) for one in listed.current],
        Part.PAST_MEDICATION: [
            _medicine(one, words)
            for one in listed.past
            if one.line.status is not RecordStatus.ENTERED_IN_ERROR
        ],
        Part.CONDITIONS: [_problem(row, words) for row in _right(record.conditions)],
        Part.VACCINATIONS: [
            Line((row.id, *row.others), (row.title, words.day(row.start)))
            for row in _right(record.vaccinations)
        ],
        Part.DIRECTIVES: [_directive(row, words) for row in record.directives],
        **measured,
    }
    facts = dict(all_facts(session))
    return {
        part: [line for line in lines if subjects_of(facts, line.record_ids) <= sensitive]
        for part, lines in everything.items()
    }


def subjects_of(facts: Mapping[int, ResourceFacts], record_ids: Iterable[int]) -> frozenset[Sensitivity]:
    """Sensitive subjects of the records behind a line."""
    found = (facts[number].sensitivity for number in record_ids if number in facts)
    return frozenset[Sensitivity]().union(*found)


def _person(record: Profile) -> list[Line]:
    return [] if record.person is None else [Line((), ())]


def _has_number(record: Profile) -> bool:
    return record.person is not None and any(system == BSN for system, _ in record.person.identifiers)


def _problem(row: RecordRow, words: Words) -> Line:
    """An allergy or condition: what, what is said about it, since when, and whether it still holds."""
    detail = row.detail or row.value_text
    said = f"{detail} ({words.t('paper.own')})".strip() if row.self_authored else detail
    status = words.t(f"paper.status.{row.status.value}")
    return Line((row.id, *row.others), (row.title, said, words.day(row.start), status))


def _right(rows: Iterable[RecordRow]) -> list[RecordRow]:
    """Rows that were not entered by mistake."""
    return [row for row in rows if row.status is not RecordStatus.ENTERED_IN_ERROR]


def _medicine(one: Medicine, words: SummaryWords) -> Line:
    line = one.line
    day = words.day(line.start or one.row.start)
    if line.status is RecordStatus.PAST:
        until = words.day(line.end or one.row.end)
        day = f"{day} – {until}" if day and until else day or until
    return Line(line.record_ids, (one.title, words.medicine(line), day))


def _directive(row: DirectiveRow, words: Words) -> Line:
    decision = row.directive.decision.value
    said = [words.t(f"paper.decision.{decision}")] if decision else []
    text = ". ".join([*said, *row.directive.remarks])
    return Line((row.row.id, *row.row.others), (row.directive.title, text, words.day(row.row.start)))


def _measured(session: Session, words: SummaryWords) -> dict[Part, list[Line]]:
    """The newest value of everything measured, with up to three earlier ones."""
    found: dict[Part, list[Line]] = {Part.SCORES: [], Part.MEASUREMENTS: []}
    for one in series_list(session):
        line = series(session, one.key)
        newest, *earlier = list(reversed(line.points))[: _EARLIER + 1]
        part = Part.SCORES if line.code.startswith(f"{SCORE_SYSTEM}|") else Part.MEASUREMENTS
        before = "\n".join(f"{words.value(point.text)} ({words.day(point.at)})" for point in earlier)
        cells = (line.title, words.value(newest.text), words.day(newest.at), before)
        found[part].append(Line(_records([newest, *earlier]), cells))
    found[Part.MEASUREMENTS] += _in_words(session, words)
    found[Part.MEASUREMENTS].sort(key=lambda line: folded(line.cells[0]))
    return found


def _in_words(session: Session, words: SummaryWords) -> list[Line]:
    """Results without a number: the newest of each name with up to three earlier ones."""
    by_name: dict[str, list[StoredRow]] = {}
    for row in without_number(session):
        if row.columns.value_text and row.columns.status != RecordStatus.ENTERED_IN_ERROR.value:
            by_name.setdefault(row.columns.title, []).append(row)
    found: list[Line] = []
    for name, rows in by_name.items():
        newest, *earlier = rows[: _EARLIER + 1]
        one = newest.columns
        before = "\n".join(
            f"{words.value(row.columns.value_text)} ({words.day(row.columns.start)})" for row in earlier
        )
        cells = (name, words.value(one.value_text), words.day(one.start), before)
        found.append(Line(tuple(row.id for row in (newest, *earlier)), cells))
    return found


def _records(points: Iterable[Point]) -> tuple[int, ...]:
    return tuple(number for point in points for number in (point.record_id, *point.others))
