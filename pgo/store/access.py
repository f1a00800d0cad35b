"""Who looked: the verified entries of each recipient's access log, for a screen without network.

Only verified entries come in, each once; what was seen stays, whatever a recipient says later.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Value


@dataclass(frozen=True, slots=True)
class StoredLook:
    """One look, as ``sync.access.AccessEntry`` describes it; ``line`` is its text in the full chain.

    ``line`` is '' for a look that came in short form only: then ``previous`` and ``hash`` are of the short
    chain, otherwise of the full one.
    """

    sequence: int
    at: datetime
    user: str
    role: str
    action: str
    categories: tuple[str, ...]
    purpose: str
    previous: str
    hash: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class FetchedAt:
    """When a log was last asked for, what was wrong with the answer ('' for nothing), and its signed end.

    ``head`` is the recipient's own signed word where its log ended at the last right answer, '' for none: a
    log that is shorter or other later contradicts it. ``card`` is the recipient's card whose key signed it,
    '' for none or for an end that was kept before cards were kept beside it.
    """

    fetched_at: datetime
    problem: str
    head: str = ""
    card: str = ""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest entry we have: its number, its link, and whether that is of the full chain."""

    sequence: int
    hash: str
    in_full: bool


class AccessCopies:
    """The tables of looks; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, recipient_id: str, looks: Sequence[StoredLook]) -> None:
        """Keep new entries; they follow the ones that are there."""
        self._engine.run_many(
            "INSERT INTO access_entry (recipient_id, sequence, at, user, role, action, categories,"
            " purpose, previous, hash, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(recipient_id, *_row(look)) for look in looks],
        )

    def tell_in_full(self, recipient_id: str, looks: Sequence[StoredLook]) -> None:
        """Put the full form beside entries that came in short form; they are proved to be the same looks."""
        self._engine.run_many(
            "UPDATE access_entry SET previous = ?, hash = ?, line = ?"
            " WHERE recipient_id = ? AND sequence = ? AND line = ''",
            [(look.previous, look.hash, look.line, recipient_id, look.sequence) for look in looks],
        )

    def fetched(
        self, recipient_id: str, *, problem: str, at: datetime, head: str = "", card: str = ""
    ) -> None:
        """Remember that the log was asked for, and how it went; the last signed end stays until the next.

        Args:
            recipient_id: whose log.
            problem: what was wrong with the answer, '' for nothing.
            at: now.
            head: the signed end in the answer, '' for none.
            card: the card whose key signed that end.
        """
        self._engine.run(
            "INSERT INTO access_log (recipient_id, fetched_at, problem, head, card) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (recipient_id) DO UPDATE SET fetched_at = excluded.fetched_at,"
            " problem = excluded.problem, head = iif(excluded.head = '', head, excluded.head),"
            " card = iif(excluded.head = '', card, excluded.card)",
            (recipient_id, to_text(at), problem, head, card if head else ""),
        )

    def last_fetch(self, recipient_id: str) -> FetchedAt | None:
        """When and how the log was last asked for."""
        row = self._engine.row(
            "SELECT fetched_at, problem, head, card FROM access_log WHERE recipient_id = ?", (recipient_id,)
        )
        return None if row is None else FetchedAt(from_text(row[0]), row[1], row[2], row[3])

    def looks(self, recipient_id: str) -> tuple[StoredLook, ...]:
        """All entries of a recipient, newest first."""
        rows = self._engine.rows(
            "SELECT sequence, at, user, role, action, categories, purpose, previous, hash, line"
            " FROM access_entry WHERE recipient_id = ? ORDER BY sequence DESC",
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
                line=row[9],
            )
            for row in rows
        )

    def newest(self, recipient_id: str) -> Newest | None:
        """Where our copy ends, None when there is none."""
        row = self._engine.row(
            "SELECT sequence, hash, line FROM access_entry WHERE recipient_id = ?"
            " ORDER BY sequence DESC LIMIT 1",
            (recipient_id,),
        )
        return None if row is None else Newest(int(row[0]), str(row[1]), in_full=row[2] != "")


def _row(look: StoredLook) -> tuple[Value, ...]:
    return (
        look.sequence,
        to_text(look.at),
        look.user,
        look.role,
        look.action,
        json.dumps(look.categories),
        look.purpose,
        look.previous,
        look.hash,
        look.line,
    )
