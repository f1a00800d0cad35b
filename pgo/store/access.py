"""Who looked: the verified entries of each recipient's access log, for a screen without network.

Only verified entries come in, each once; what was seen stays, whatever a recipient says later.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine


@dataclass(frozen=True, slots=True)
class StoredLook:
    """One look, as ``sync.access.AccessEntry`` describes it."""

    sequence: int
    at: datetime
    user: str
    role: str
    action: str
    categories: tuple[str, ...]
    purpose: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class FetchedAt:
    """When a log was last asked for, and what was wrong with the answer ('' for nothing)."""

    fetched_at: datetime
    problem: str


class AccessCopies:
    """The tables of looks; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, recipient_id: str, looks: Sequence[StoredLook]) -> None:
        """Keep new entries; they follow the ones that are there."""
        self._engine.run_many(
            "INSERT INTO access_entry (recipient_id, sequence, at, user, role, action, categories,"
            " purpose, previous,"
            " hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    recipient_id,
                    look.sequence,
                    to_text(look.at),
                    look.user,
                    look.role,
                    look.action,
                    json.dumps(look.categories),
                    look.purpose,
                    look.previous,
                    look.hash,
                )
                for look in looks
            ],
        )

    def fetched(self, recipient_id: str, *, problem: str, at: datetime) -> None:
        """Remember that the log was asked for, and how it went."""
        self._engine.run(
            "INSERT OR REPLACE INTO access_log (recipient_id, fetched_at, problem) VALUES (?, ?, ?)",
            (recipient_id, to_text(at), problem),
        )

    def last_fetch(self, recipient_id: str) -> FetchedAt | None:
        """When and how the log was last asked for."""
        row = self._engine.row(
            "SELECT fetched_at, problem FROM access_log WHERE recipient_id = ?", (recipient_id,)
        )
        return None if row is None else FetchedAt(from_text(row[0]), row[1])

    def looks(self, recipient_id: str) -> tuple[StoredLook, ...]:
        """All entries of a recipient, newest first."""
        rows = self._engine.rows(
            "SELECT sequence, at, user, role, action, categories, purpose, previous, hash FROM access_entry"
            " WHERE recipient_id = ? ORDER BY sequence DESC",
            (recipient_id,),
        )
        return tuple(
            StoredLook(
                sequence=row[0],
                at=from_text(row[1]),
                user=row[2],
                role=row[3],
                action=row[4],
                categories=tuple(json.loads(row[5])),
                purpose=row[6],
                previous=row[7],
                hash=row[8],
            )
            for row in rows
        )

    def head(self, recipient_id: str) -> tuple[int, str] | None:
        """Number and hash of the newest entry, None when there is none."""
        row = self._engine.row(
            "SELECT sequence, hash FROM access_entry WHERE recipient_id = ? ORDER BY sequence DESC LIMIT 1",
            (recipient_id,),
        )
        return None if row is None else (int(row[0]), str(row[1]))
