"""What each recipient holds or refused, by record and hash, and the signed receipts that prove it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A verified receipt with the token that proves it."""

    message_id: str
    recipient_id: str
    kind: str
    state: str
    stored: int
    refused: int
    stored_at: datetime
    statement_sequence: int
    reason: str
    token: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """One record as a recipient has it: hash of the bytes sent; why it was refused ('' when stored)."""

    record_id: int
    sha256: str
    message_id: str
    refused: str


class Deliveries:
    """The tables of deliveries; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remember(self, recipient_id: str, items: list[Delivered], *, at: datetime) -> None:
        """Keep what a receipt said about each record sent."""
        self._engine.run_many(
            "INSERT OR REPLACE INTO delivered (recipient_id, record_id, sha256, message_id, refused, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(recipient_id, i.record_id, i.sha256, i.message_id, i.refused, to_text(at)) for i in items],
        )

    def held(self, recipient_id: str) -> dict[int, Delivered]:
        """What a recipient was sent and answered for, by record number."""
        rows = self._engine.rows(
            "SELECT record_id, sha256, message_id, refused FROM delivered WHERE recipient_id = ?",
            (recipient_id,),
        )
        return {int(row[0]): Delivered(row[0], row[1], row[2], row[3]) for row in rows}

    def counts(self, recipient_id: str) -> tuple[int, int]:
        """(stored, refused) records of a recipient."""
        row = self._engine.row(
            "SELECT count(*) FILTER (WHERE refused = ''), count(*) FILTER (WHERE refused <> '') FROM"
            " delivered"
            " WHERE recipient_id = ?",
            (recipient_id,),
        )
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def forget(self, recipient_id: str, record_ids: Iterable[int]) -> None:
        """The recipient may no longer show these: should they be permitted again, they are sent again."""
        self._engine.run_many(
            "DELETE FROM delivered WHERE recipient_id = ? AND record_id = ?",
            [(recipient_id, record_id) for record_id in record_ids],
        )

    def removed(self, recipient_id: str, record_ids: Iterable[int], *, at: datetime) -> None:
        """Keep that a recipient confirmed to have erased these, because they were thrown away here."""
        numbers = tuple(record_ids)
        self.forget(recipient_id, numbers)
        self._engine.run_many(
            "INSERT OR REPLACE INTO removed_there (recipient_id, record_id, at) VALUES (?, ?, ?)",
            [(recipient_id, number, to_text(at)) for number in numbers],
        )

    def sent_again(self, recipient_id: str, record_ids: Iterable[int]) -> None:
        """These are on their way again: what was confirmed as erased may be there once more."""
        self._engine.run_many(
            "DELETE FROM removed_there WHERE recipient_id = ? AND record_id = ?",
            [(recipient_id, number) for number in record_ids],
        )

    def confirmed_gone(self, recipient_id: str) -> frozenset[int]:
        """Records that a recipient confirmed to have erased."""
        rows = self._engine.rows(
            "SELECT record_id FROM removed_there WHERE recipient_id = ?", (recipient_id,)
        )
        return frozenset(int(row[0]) for row in rows)

    def keep_receipt(self, receipt: StoredReceipt) -> None:
        """Keep a verified receipt; the same one twice is one."""
        self._engine.run(
            "INSERT OR IGNORE INTO receipt (message_id, recipient_id, kind, state, stored, refused,"
            " stored_at,"
            " statement_sequence, reason, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                receipt.message_id,
                receipt.recipient_id,
                receipt.kind,
                receipt.state,
                receipt.stored,
                receipt.refused,
                to_text(receipt.stored_at),
                receipt.statement_sequence,
                receipt.reason,
                receipt.token,
            ),
        )

    def has_answered(self, recipient_id: str) -> bool:
        """Whether a recipient ever gave us a receipt."""
        return self._engine.row("SELECT 1 FROM receipt WHERE recipient_id = ?", (recipient_id,)) is not None

    def receipts(self, recipient_id: str) -> tuple[StoredReceipt, ...]:
        """All receipts of a recipient, newest first; of one second, in the order of our messages."""
        rows = self._engine.rows(
            "SELECT message_id, recipient_id, kind, state, stored, refused, stored_at, statement_sequence,"
            " reason, token FROM receipt r WHERE recipient_id = ? ORDER BY stored_at DESC,"
            " (SELECT o.id FROM outbox o WHERE o.message_id = r.message_id) DESC",
            (recipient_id,),
        )
        return tuple(
            StoredReceipt(
                row[0], row[1], row[2], row[3], row[4], row[5], from_text(row[6]), row[7], row[8], row[9]
            )
            for row in rows
        )
