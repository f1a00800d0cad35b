"""Statements made for each recipient, and what is known about which of them arrived.

A recipient takes statement N + 1 only when it names statement N. Until a receipt comes, we cannot know
whether a statement that was sent arrived, so several may carry the same number; ``pgo.usecases.statements``
decides which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Row


class StatementState(StrEnum):
    """What is known about a statement."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ASSUMED = "assumed"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A statement made for a recipient.

    Attributes:
        id: number in the store, 0 before it is stored.
        sequence: its number for the recipient, from 1.
        hash: its hash; the next one names it.
        token: the signed statement.
        ledger_length: records in the ledger it was built from.
        refresh_at: when a fresh one must follow even if nothing changed.
        state: what is known about it.
    """

    id: int
    sequence: int
    hash: str
    token: str
    ledger_length: int
    refresh_at: datetime
    state: StatementState


_COLUMNS = "id, sequence, hash, token, ledger_length, refresh_at, state"


class Statements:
    """The table of statements; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, recipient_id: str, statement: StoredStatement) -> None:
        """Keep a statement just made."""
        self._engine.insert(
            "INSERT INTO statement (recipient_id, sequence, hash, token, ledger_length, refresh_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                recipient_id,
                statement.sequence,
                statement.hash,
                statement.token,
                statement.ledger_length,
                to_text(statement.refresh_at),
                statement.state.value,
            ),
        )

    def set_state(self, statement_id: int, state: StatementState) -> None:
        """Write down what became known."""
        self._engine.run("UPDATE statement SET state = ? WHERE id = ?", (state.value, statement_id))

    def of(self, recipient_id: str) -> tuple[StoredStatement, ...]:
        """All statements made for a recipient, newest first."""
        rows = self._engine.rows(
            f"SELECT {_COLUMNS} FROM statement WHERE recipient_id = ? ORDER BY id DESC",  # noqa: S608 - constant
            (recipient_id,),
        )
        return tuple(_statement(row) for row in rows)


def _statement(row: Row) -> StoredStatement:
    return StoredStatement(row[0], row[1], row[2], row[3], row[4], from_text(row[5]), StatementState(row[6]))
