"""Lines of the journal with names: recipients, records, files and who looked, as they are called now.

A line holds numbers and ids only. A recipient or record that is not there any more shows without a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pgo.store.journal import Event, JournalLine
from pgo.usecases.journal_kinds import KIND_OF, JournalKind
from pgo.usecases.session import Session


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One line, ready to be said.

    Attributes:
        position: number of the line, from 0.
        at: when.
        event: what happened, the key of its words.
        kind: what it is about.
        name: who or what it is about, '' when it is about nothing with a name or that is gone.
        count: records, entries or looks; 0 where that says nothing.
        details: the line's own counts and ids.
        looked_by: for a fetched access log, who looked, each once.
        record_id: the record it is about, None for none.
    """

    position: int
    at: datetime
    event: str
    kind: JournalKind
    name: str
    count: int
    details: Mapping[str, str | int]
    looked_by: tuple[str, ...]
    record_id: int | None


def journal_rows(session: Session, lines: Sequence[JournalLine]) -> tuple[JournalRow, ...]:
    """Give lines the names of what they are about, looked up once for all of them."""
    names = _Names(session, lines)
    return tuple(
        JournalRow(
            position=line.position,
            at=line.at,
            event=line.event.value,
            kind=KIND_OF[line.event],
            name=names.of(line),
            count=_count(line),
            details=line.details,
            looked_by=names.looked_by(line),
            record_id=names.record(line),
        )
        for line in lines
    )


def _count(line: JournalLine) -> int:
    for name in ("imported", "records", "entries", "stored", "lines"):
        if isinstance(value := line.details.get(name), int):
            return value
    return 0


class _Names:
    """What the numbers of some lines are called now; read once for all of them."""

    def __init__(self, session: Session, lines: Sequence[JournalLine]) -> None:
        store = session.store
        self._store = store
        self._recipients = {one.id: one.name for one in store.recipients.all()}
        numbers = {line.details["record"] for line in lines if "record" in line.details}
        self._records = store.records.rows(int(number) for number in numbers)
        self._sources = store.records.source_names()
        self._looks: dict[str, dict[int, str]] = {}

    def of(self, line: JournalLine) -> str:
        """Name of what a line is about."""
        details = line.details
        if "recipient" in details:
            return self._recipients.get(str(details["recipient"]), str(details["recipient"]))
        if "source" in details:
            return self._sources.get(int(details["source"]), "")
        record = self._records.get(int(details["record"])) if "record" in details else None
        return "" if record is None else record.columns.title

    def record(self, line: JournalLine) -> int | None:
        """The record a line is about, while it is there."""
        number = line.details.get("record")
        return int(number) if number is not None and int(number) in self._records else None

    def looked_by(self, line: JournalLine) -> tuple[str, ...]:
        """Who looked, for a fetched access log that said where it begins."""
        if line.event is not Event.ACCESS_FETCHED or "first" not in line.details:
            return ()
        recipient = str(line.details["recipient"])
        if recipient not in self._looks:
            looks = self._store.access.looks(recipient)
            self._looks[recipient] = {look.sequence: look.user for look in looks}
        first = int(line.details["first"])
        numbers = range(first, first + int(line.details["entries"]))
        users = (self._looks[recipient].get(number, "") for number in numbers)
        return tuple(dict.fromkeys(filter(None, users)))
