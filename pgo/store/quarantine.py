"""Entries that were not taken: kept with bytes and reason, so that a later version can try again."""

from __future__ import annotations

from dataclasses import dataclass

from pgo.store.protocols import Engine


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One entry that was set aside; ``entry`` says where in the file it stood."""

    entry: str
    type: str | None
    resource_id: str | None
    code: str
    detail: str
    raw: bytes | None


class Quarantine:
    """The table of set-aside entries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, source_id: int, entries: list[Quarantined]) -> None:
        """Keep the entries of one file."""
        self._engine.run_many(
            "INSERT INTO quarantine (source_id, entry, type, resource_id, code, detail, raw) VALUES"
            " (?,?,?,?,?,?,?)",
            [(source_id, e.entry, e.type, e.resource_id, e.code, e.detail, e.raw) for e in entries],
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
