"""Recipients whose signed card the patient accepted, and the counters of what was said to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgo.errors import NotFound
from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Row


@dataclass(frozen=True, slots=True)
class StoredRecipient:
    """One recipient.

    Attributes:
        id: identifier on its card.
        name: name on its card, for sorting.
        card: the signed card.
        added_at: when the patient accepted it first.
        sequence: number of the last message made for it.
        statement_hash: hash of the last statement made for it, None before the first.
        statement_sequence: number of that statement, 0 before the first.
    """

    id: str
    name: str
    card: str
    added_at: datetime
    sequence: int
    statement_hash: str | None
    statement_sequence: int


_COLUMNS = "id, name, card, added_at, sequence, statement_hash, statement_sequence"


class Recipients:
    """The table of recipients; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, recipient_id: str, *, name: str, card: str, at: datetime) -> None:
        """Add a recipient, or renew its card; counters stay."""
        self._engine.run(
            "INSERT INTO recipient (id, name, card, added_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, card = excluded.card",
            (recipient_id, name, card, to_text(at)),
        )

    def remove(self, recipient_id: str) -> bool:
        """Forget a recipient. Returns False when there is none."""
        return self._engine.run("DELETE FROM recipient WHERE id = ?", (recipient_id,)) == 1

    def get(self, recipient_id: str) -> StoredRecipient:
        """One recipient.

        Raises:
            NotFound: not added.
        """
        row = self._engine.row(f"SELECT {_COLUMNS} FROM recipient WHERE id = ?", (recipient_id,))  # noqa: S608
        if row is None:
            raise NotFound("recipient")
        return _stored(row)

    def find(self, recipient_id: str) -> StoredRecipient | None:
        """One recipient, None when not added."""
        try:
            return self.get(recipient_id)
        except NotFound:
            return None

    def all(self) -> tuple[StoredRecipient, ...]:
        """All recipients, by name."""
        sql = f"SELECT {_COLUMNS} FROM recipient ORDER BY name COLLATE NOCASE, id"  # noqa: S608 - constant
        return tuple(_stored(row) for row in self._engine.rows(sql))

    def next_sequence(self, recipient_id: str) -> int:
        """Count one message up and return its number (from 1)."""
        self._engine.run("UPDATE recipient SET sequence = sequence + 1 WHERE id = ?", (recipient_id,))
        return self.get(recipient_id).sequence

    def remember_statement(self, recipient_id: str, *, sequence: int, statement_hash: str) -> None:
        """Keep number and hash of the statement just made; the next one points to it."""
        self._engine.run(
            "UPDATE recipient SET statement_sequence = ?, statement_hash = ? WHERE id = ?",
            (sequence, statement_hash, recipient_id),
        )


def _stored(row: Row) -> StoredRecipient:
    return StoredRecipient(row[0], row[1], row[2], from_text(row[3]), row[4], row[5], row[6])
