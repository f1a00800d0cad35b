"""Recipients whose signed card the patient accepted."""

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
        checked_at: when this card was verified; an expired card still says whom to tell about a withdrawal.
        added_at: when the patient accepted the recipient first.
    """

    id: str
    name: str
    card: str
    checked_at: datetime
    added_at: datetime


_HIGHEST_LEAP = 1 << 48
_COLUMNS = "id, name, card, checked_at, added_at"


class Recipients:
    """The table of recipients; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, recipient_id: str, *, name: str, card: str, at: datetime) -> None:
        """Add a recipient, or renew its card."""
        self._engine.run(
            f"INSERT INTO recipient ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"  # noqa: S608
            " name = excluded.name, card = excluded.card, checked_at = excluded.checked_at",
            (recipient_id, name, card, to_text(at), to_text(at)),
        )

    def remove(self, recipient_id: str) -> bool:
        """Forget a recipient. Returns False when there is none."""
        return self._engine.run("DELETE FROM recipient WHERE id = ?", (recipient_id,)) == 1

    def get(self, recipient_id: str) -> StoredRecipient:
        """One recipient.

        Raises:
            NotFound: not added.
        """
        found = self.find(recipient_id)
        if found is None:
            raise NotFound("recipient")
        return found

    def find(self, recipient_id: str) -> StoredRecipient | None:
        """One recipient, None when not added."""
        row = self._engine.row(f"SELECT {_COLUMNS} FROM recipient WHERE id = ?", (recipient_id,))  # noqa: S608
        return None if row is None else _recipient(row)

    def all(self) -> tuple[StoredRecipient, ...]:
        """All recipients, by name."""
        sql = f"SELECT {_COLUMNS} FROM recipient ORDER BY name COLLATE NOCASE, id"  # noqa: S608 - constant
        return tuple(_recipient(row) for row in self._engine.rows(sql))

    def next_sequence(self, recipient_id: str) -> int:
        """Count one message up and return its number (from 1)."""
        self._engine.run("UPDATE recipient SET sequence = sequence + 1 WHERE id = ?", (recipient_id,))
        row = self._engine.row("SELECT sequence FROM recipient WHERE id = ?", (recipient_id,))
        if row is None:
            raise NotFound("recipient")
        return int(row[0])

    def leap(self, recipient_id: str) -> bool:
        """Jump ahead with the counter, because the recipient knows a higher number. False when it cannot be.

        Doubling finds any counter in a few messages; the bound keeps a recipient that always says so from
        taking the counter to where JSON has no whole numbers (2^53).
        """
        changed = self._engine.run(
            "UPDATE recipient SET sequence = sequence * 2 + 1000 WHERE id = ? AND sequence < ?",
            (recipient_id, _HIGHEST_LEAP),
        )
        return changed == 1


def _recipient(row: Row) -> StoredRecipient:
    return StoredRecipient(row[0], row[1], row[2], from_text(row[3]), from_text(row[4]))
