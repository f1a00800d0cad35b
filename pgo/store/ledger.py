"""The consent ledger on disk: signed tokens in their order, and beside each what the screens need to show it.

The truth is the token; ``consent.ledger.Ledger.of`` verifies the whole list whenever it is used. The
columns beside it only find a grant's token, recipient and ticked choice again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Row


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One signed record; ``choice`` only for grants, ``grant_id`` also for their withdrawals."""

    position: int
    hash: str
    token: str
    grant_id: str | None
    recipient_id: str | None
    choice: str | None
    signed_at: datetime


_COLUMNS = "position, hash, token, grant_id, recipient_id, choice, signed_at"


class LedgerTable:
    """The table of signed consent records; ``add`` runs inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, row: LedgerRow) -> None:
        """Append a signed record."""
        self._engine.insert(
            f"INSERT INTO ledger ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant
            (
                row.position,
                row.hash,
                row.token,
                row.grant_id,
                row.recipient_id,
                row.choice,
                to_text(row.signed_at),
            ),
        )

    def tokens(self) -> tuple[str, ...]:
        """All tokens, oldest first."""
        return tuple(str(row[0]) for row in self._engine.rows("SELECT token FROM ledger ORDER BY position"))

    def head(self) -> tuple[int, str]:
        """How many records there are, and the hash of the last ('' for none)."""
        row = self._engine.row(
            "SELECT count(*), (SELECT hash FROM ledger ORDER BY position DESC LIMIT 1) FROM ledger"
        )
        return (int(row[0]), str(row[1] or "")) if row else (0, "")

    def hash_at(self, length: int) -> str:
        """Hash of the last record of the first ``length``: '' for 0, 'missing' when there are fewer now."""
        if length == 0:
            return ""
        row = self._engine.row("SELECT hash FROM ledger ORDER BY position LIMIT 1 OFFSET ?", (length - 1,))
        return str(row[0]) if row else "missing"

    def grants(self) -> tuple[LedgerRow, ...]:
        """All grants, newest first."""
        sql = f"SELECT {_COLUMNS} FROM ledger WHERE choice IS NOT NULL ORDER BY position DESC"  # noqa: S608
        return tuple(_row(row) for row in self._engine.rows(sql))

    def grant(self, grant_id: str) -> LedgerRow | None:
        """The grant of that id."""
        sql = f"SELECT {_COLUMNS} FROM ledger WHERE choice IS NOT NULL AND grant_id = ?"  # noqa: S608
        row = self._engine.row(sql, (grant_id,))
        return None if row is None else _row(row)

    def withdrawals(self) -> dict[str, LedgerRow]:
        """Grant id to its first withdrawal."""
        rows = self._engine.rows(
            f"SELECT {_COLUMNS} FROM ledger WHERE choice IS NULL AND grant_id IS NOT NULL"  # noqa: S608
            " ORDER BY position DESC"
        )
        return {str(row[3]): _row(row) for row in rows}


def _row(row: Row) -> LedgerRow:
    return LedgerRow(row[0], row[1], row[2], row[3], row[4], row[5], from_text(row[6]))
