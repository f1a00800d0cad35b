"""Pairs of records of which the patient said: these are not the same.

A pair is kept until the patient takes it back; it has no direction. What is in the trash keeps its pairs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pgo.store.instants import to_text
from pgo.store.protocols import Engine

Pair = frozenset[int]


class Apart:
    """The table of pairs; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, pairs: Iterable[Pair], *, at: datetime) -> int:
        """Keep pairs of two different records. Returns how many are new."""
        return sum(
            self._engine.run(
                "INSERT OR IGNORE INTO apart (one, other, said_at) VALUES (?, ?, ?)",
                (min(pair), max(pair), to_text(at)),
            )
            for pair in pairs
        )

    def remove(self, pairs: Iterable[Pair]) -> int:
        """Forget pairs. Returns how many were there."""
        return sum(
            self._engine.run("DELETE FROM apart WHERE one = ? AND other = ?", (min(pair), max(pair)))
            for pair in pairs
        )

    def all(self) -> frozenset[Pair]:
        """Every pair."""
        return frozenset(frozenset(row) for row in self._engine.rows("SELECT one, other FROM apart"))

    def of(self, record_id: int) -> frozenset[Pair]:
        """The pairs with this record."""
        rows = self._engine.rows(
            "SELECT one, other FROM apart WHERE one = ? OR other = ?", (record_id, record_id)
        )
        return frozenset(frozenset(row) for row in rows)
