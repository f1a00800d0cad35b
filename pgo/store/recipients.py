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
        self.drop_offer(recipient_id)
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

    def lay_before(self, recipient_id: str, card: str, *, at: datetime) -> None:
        """Keep a card that shows another key, until the person compared it."""
        self._engine.run(
            "INSERT INTO card_offer (recipient_id, card, seen_at) VALUES (?, ?, ?) ON CONFLICT (recipient_id)"
            " DO UPDATE SET card = excluded.card, seen_at = excluded.seen_at",
            (recipient_id, card, to_text(at)),
        )

    def offers(self) -> dict[str, tuple[str, datetime]]:
        """Cards that wait for the person: recipient to (card, when it was seen)."""
        rows = self._engine.rows("SELECT recipient_id, card, seen_at FROM card_offer")
        return {str(row[0]): (str(row[1]), from_text(row[2])) for row in rows}

    def drop_offer(self, recipient_id: str) -> None:
        """Forget a card that waited."""
        self._engine.run("DELETE FROM card_offer WHERE recipient_id = ?", (recipient_id,))

    def card_asked_at(self, recipient_id: str) -> datetime | None:
        """When the recipient was asked for its card last, None for never."""
        row = self._engine.row("SELECT card_asked_at FROM recipient WHERE id = ?", (recipient_id,))
        return None if row is None or row[0] is None else from_text(row[0])

    def asked_for_card(self, recipient_id: str, at: datetime) -> None:
        """Note that the recipient was asked for its card."""
        self._engine.run("UPDATE recipient SET card_asked_at = ? WHERE id = ?", (to_text(at), recipient_id))

    def set_to_send(self, recipient_id: str, count: int) -> None:
        """Note how many records the recipient may have in all."""
        self._engine.run("UPDATE recipient SET to_send = ? WHERE id = ?", (count, recipient_id))

    def to_send(self, recipient_id: str) -> int:
        """How many records the recipient may have in all, as counted at the last message."""
        row = self._engine.row("SELECT to_send FROM recipient WHERE id = ?", (recipient_id,))
        return 0 if row is None else int(row[0])

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
