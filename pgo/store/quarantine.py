"""Entries that were not taken: kept with bytes and reason, so that a later version can try again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pgo.store.instants import from_text
from pgo.store.protocols import Engine

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One entry that was set aside.

    Attributes:
        entry: where in the file it stood.
        raw: its bytes; None for what is about somebody else, which is told and not kept.
        full_url: ``Bundle.entry.fullUrl``, '' for none.
        reader: version of the reader that did not take it.
    """

    entry: str
    type: str | None
    resource_id: str | None
    code: str
    detail: str
    raw: bytes | None
    full_url: str = ""
    reader: int = 1


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kept entry, without its bytes, and the file it came with."""

    id: int
    source_id: int
    source_name: str
    collected_at: datetime
    entry: str
    type: str | None
    resource_id: str | None
    code: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class WaitingBytes:
    """The bytes of one kept entry, and what is needed to read them again."""

    id: int
    source_id: int
    entry: str
    full_url: str
    raw: bytes


class Quarantine:
    """The table of set-aside entries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, source_id: int, entries: list[Quarantined]) -> None:
        """Keep the entries of one file."""
        self._engine.run_many(
            "INSERT INTO quarantine (source_id, entry, type, resource_id, code, detail, raw, full_url,"
            " reader) VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (source_id, e.entry, e.type, e.resource_id, e.code, e.detail, e.raw, e.full_url, e.reader)
                for e in entries
            ],
        )

    def count(self) -> int:
        """How many entries wait here."""
        row = self._engine.row("SELECT count(*) FROM quarantine")
        return int(row[0]) if row else 0

    def holds(self, source_sha256: str) -> bool:
        """Whether the entries of a file with this content are here already."""
        row = self._engine.row(
            "SELECT 1 FROM quarantine q JOIN source s ON s.id = q.source_id WHERE s.sha256 = ? LIMIT 1",
            (source_sha256,),
        )
        return row is not None

    def waiting(self) -> list[Waiting]:
        """What is kept with its bytes, newest file first, in file order."""
        rows = self._engine.rows(
            "SELECT q.id, q.source_id, s.name, s.collected_at, q.entry, q.type, q.resource_id, q.code,"
            " length(q.raw) FROM quarantine q JOIN source s ON s.id = q.source_id"
            " WHERE q.raw IS NOT NULL ORDER BY q.source_id DESC, q.id"
        )
        return [Waiting(r[0], r[1], r[2], from_text(r[3]), r[4], r[5], r[6], r[7], int(r[8])) for r in rows]

    def read_before(self, reader: int) -> list[int]:
        """Numbers of kept entries that no reader of this version or later has tried."""
        rows = self._engine.rows(
            "SELECT id FROM quarantine WHERE raw IS NOT NULL AND reader < ? ORDER BY id", (reader,)
        )
        return [int(row[0]) for row in rows]

    def bytes_of(self, ids: Sequence[int]) -> list[WaitingBytes]:
        """The bytes of these entries, in their order; unknown numbers are left out."""
        found: dict[int, WaitingBytes] = {}
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            rows = self._engine.rows(
                "SELECT id, source_id, entry, full_url, raw FROM quarantine"  # noqa: S608 - marks only
                f" WHERE raw IS NOT NULL AND id IN ({','.join('?' * len(part))})",
                part,
            )
            found |= {int(row[0]): WaitingBytes(*row) for row in rows}
        return [found[number] for number in ids if number in found]

    def tried(self, outcomes: Iterable[tuple[int, str, str]], *, reader: int) -> None:
        """Note the newest (number, code, detail) of entries that still wait."""
        self._engine.run_many(
            "UPDATE quarantine SET code = ?, detail = ?, reader = ? WHERE id = ?",
            [(code, detail, reader, number) for number, code, detail in outcomes],
        )

    def remove(self, ids: Iterable[int]) -> None:
        """Forget entries: they were taken, or the person threw them away."""
        self._engine.run_many("DELETE FROM quarantine WHERE id = ?", [(number,) for number in ids])
