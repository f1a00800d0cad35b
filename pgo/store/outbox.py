"""The outbox on disk: what waits to be sent, as ``sync.outbox.Outbox`` asks for it.

States, events and waiting times are decided in ``sync.outbox``; this module only keeps entries. Every
change runs inside ``VaultStore.write``, so that a record change and its outbox entry commit together.
``sync`` is imported when the first entry is touched: a vault that shares nothing starts without it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pgo.errors import NotFound
from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Row

if TYPE_CHECKING:
    from sync.outbox import OutboxEntry

_COLUMNS = (
    "id, recipient_id, kind, state, message_id, attempts, next_at, created_at, last_error, payload,"
    " manifest, sequence, doubted"
)
_OPEN = "('queued', 'sending')"


class OutboxTable:
    """The table of outgoing messages; implements ``sync.outbox.Outbox``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, entry: OutboxEntry) -> int:
        """Store a new entry and return its number."""
        marks = ", ".join("?" * 12)
        return self._engine.insert(
            f"INSERT INTO outbox ({_COLUMNS.removeprefix('id, ')}) VALUES ({marks})",  # noqa: S608 - constants
            _values(entry),
        )

    def get(self, entry_id: int) -> OutboxEntry:
        """Return one entry.

        Raises:
            NotFound: no such entry.
        """
        row = self._engine.row(f"SELECT {_COLUMNS} FROM outbox WHERE id = ?", (entry_id,))  # noqa: S608
        if row is None:
            raise NotFound("outbox_entry")
        return _entry(row)

    def save(self, entry: OutboxEntry) -> None:
        """Replace an entry by its next version."""
        names = _COLUMNS.removeprefix("id, ")
        marks = ", ".join("?" * 12)
        self._engine.run(
            f"UPDATE outbox SET ({names}) = ({marks}) WHERE id = ?",  # noqa: S608 - constants
            (*_values(entry), entry.id),
        )

    def state_of(self, message_id: str) -> str | None:
        """The state of the entry with this message id, None when no entry has it (a question has none)."""
        row = self._engine.row("SELECT state FROM outbox WHERE message_id = ?", (message_id,))
        return None if row is None else str(row[0])

    def due(self, at: datetime) -> tuple[OutboxEntry, ...]:
        """Entries to send now, oldest first: queued and no longer waiting, or interrupted."""
        rows = self._engine.rows(
            f"SELECT {_COLUMNS} FROM outbox WHERE state = 'sending' OR (state = 'queued' AND next_at <= ?)"  # noqa: S608
            " ORDER BY created_at, id",
            (to_text(at),),
        )
        return tuple(_entry(row) for row in rows)

    def open_for(self, recipient_id: str) -> tuple[OutboxEntry, ...]:
        """Queued and sending entries for one recipient, oldest first."""
        rows = self._engine.rows(
            f"SELECT {_COLUMNS} FROM outbox WHERE state IN {_OPEN} AND recipient_id = ?"  # noqa: S608
            " ORDER BY created_at, id",
            (recipient_id,),
        )
        return tuple(_entry(row) for row in rows)

    def all_open(self) -> tuple[OutboxEntry, ...]:
        """Queued and sending entries for everybody, oldest first."""
        rows = self._engine.rows(
            f"SELECT {_COLUMNS} FROM outbox WHERE state IN {_OPEN} ORDER BY created_at, id"  # noqa: S608
        )
        return tuple(_entry(row) for row in rows)

    def count_open(self) -> int:
        """How many entries wait or are being sent."""
        row = self._engine.row(f"SELECT count(*) FROM outbox WHERE state IN {_OPEN}")  # noqa: S608 - constant
        return int(row[0]) if row else 0

    def newest(self, recipient_id: str) -> OutboxEntry | None:
        """The entry made last for a recipient, whatever its state; cancelled ones do not count."""
        row = self._engine.row(
            f"SELECT {_COLUMNS} FROM outbox WHERE recipient_id = ? AND state <> 'cancelled'"  # noqa: S608
            " ORDER BY created_at DESC, id DESC LIMIT 1",
            (recipient_id,),
        )
        return None if row is None else _entry(row)

    def ever_sent(self, recipient_id: str) -> frozenset[str]:
        """References of all records that ever were in a message for a recipient, arrived or not."""
        rows = self._engine.rows(
            "SELECT DISTINCT json_extract(value, '$[0]') FROM outbox, json_each(outbox.manifest)"
            " WHERE recipient_id = ?",
            (recipient_id,),
        )
        return frozenset(str(row[0]) for row in rows)

    def unconfirmed(self, recipient_id: str) -> tuple[int, ...]:
        """Numbers of messages that were started and taken back without a receipt, in order."""
        rows = self._engine.rows(
            "SELECT sequence FROM outbox WHERE recipient_id = ? AND state = 'cancelled' AND attempts > 0"
            " AND kind = 'push' ORDER BY sequence",
            (recipient_id,),
        )
        return tuple(int(row[0]) for row in rows)

    def wait_no_longer(self, at: datetime) -> None:
        """Make every waiting entry due."""
        for entry in self.all_open():
            if entry.next_at > at:
                self.save(replace(entry, next_at=at))


def _values(entry: OutboxEntry) -> tuple[str | int | bytes | None, ...]:
    return (
        entry.recipient_id,
        entry.kind.value,
        entry.state.value,
        entry.message_id,
        entry.attempts,
        to_text(entry.next_at),
        to_text(entry.created_at),
        entry.last_error,
        entry.payload,
        json.dumps(entry.manifest),
        entry.sequence,
        entry.doubted,
    )


def _entry(row: Row) -> OutboxEntry:
    from sync.outbox import OutboxEntry, State
    from sync.wire import Kind

    return OutboxEntry(
        id=row[0],
        recipient_id=row[1],
        kind=Kind(row[2]),
        state=State(row[3]),
        message_id=row[4],
        attempts=row[5],
        next_at=from_text(row[6]),
        created_at=from_text(row[7]),
        last_error=row[8],
        payload=row[9],
        manifest=tuple((str(record_id), str(digest)) for record_id, digest in json.loads(row[10])),
        sequence=row[11],
        doubted=row[12],
    )
