"""The journal: what happened to this vault, one hash-chained line per event (named constants, no free text).

A line holds an event name, an instant, counts and opaque ids; it is data of the patient, encrypted like the
rest, and never a log line. A changed, dropped or moved line breaks the chain at its position
(``crypto.chain``). Lines are only ever added: the database itself refuses to change, remove or squeeze in a
line (triggers in ``pgo.store.migrations``), whatever a program asks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crypto.canonical import canonical_bytes
from crypto.chain import GENESIS, link
from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Row, Value


class Event(StrEnum):
    """Everything the journal can say."""

    OTHER = "other"
    """Stands for an event that a newer program wrote and this one has no name for."""
    VAULT_CREATED = "vault_created"
    UNLOCKED = "unlocked"
    PASSPHRASE_CHANGED = "passphrase_changed"  # noqa: S105 - the name of an event
    RECOVERY_CONFIRMED = "recovery_confirmed"
    RECOVERY_RENEWED = "recovery_renewed"
    RECOVERY_USED = "recovery_used"
    VAULT_KEY_RENEWED = "vault_key_renewed"
    KEYRING_ON = "keyring_on"
    KEYRING_OFF = "keyring_off"
    SETTINGS_CHANGED = "settings_changed"
    FILE_COLLECTED = "file_collected"
    QUARANTINE_RETRIED = "quarantine_retried"
    QUARANTINE_DISCARDED = "quarantine_discarded"
    RECORD_SAVED = "record_saved"
    RECORD_REMOVED = "record_removed"
    RECORD_RESTORED = "record_restored"
    QUESTIONNAIRE_FINISHED = "questionnaire_finished"
    ANNOTATED = "annotated"
    SAID_DIFFERENT = "said_different"
    SAID_DIFFERENT_UNDONE = "said_different_undone"
    CORRECTION_ASKED = "correction_asked"
    RECIPIENT_ADDED = "recipient_added"
    RECIPIENT_REMOVED = "recipient_removed"
    RECIPIENT_RENEWED = "recipient_renewed"
    RECIPIENT_NEW_KEY = "recipient_new_key"
    RECIPIENT_OTHER_KEY = "recipient_other_key"
    RECIPIENT_KEY_REFUSED = "recipient_key_refused"
    GRANT_SIGNED = "grant_signed"
    GRANT_WITHDRAWN = "grant_withdrawn"
    OBJECTION_SIGNED = "objection_signed"
    OBJECTION_LIFTED = "objection_lifted"
    REQUEST_RECEIVED = "request_received"
    REQUEST_ANSWERED = "request_answered"
    SENT = "sent"
    RECEIPT = "receipt"
    READ_BACK = "read_back"
    SERVER_ASKED = "server_asked"
    SERVER_LOGIN_CHANGED = "server_login_changed"
    REFUSED = "refused"
    ACCESS_FETCHED = "access_fetched"
    ACCESS_DOUBTED = "access_doubted"
    EXPORTED = "exported"
    JOURNAL_EXPORTED = "journal_exported"
    BACKUP_MADE = "backup_made"
    BACKUP_PROVED = "backup_proved"
    BACKUP_RESTORED = "backup_restored"
    BACKUP_REMOVED = "backup_removed"
    BACKUP_PLANNED = "backup_planned"
    RECIPIENT_ASKED = "recipient_asked"


_KNOWN = frozenset(event.value for event in Event)


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One event with its counts and ids."""

    position: int
    at: datetime
    event: Event
    details: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """Which lines to look at; the default is all of them.

    Attributes:
        events: only these, None for all.
        from_at: not before this instant.
        until_at: before this instant.
    """

    events: Collection[Event] | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None


class Journal:
    """The journal table; ``add`` runs inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, event: Event, *, at: datetime, **details: str | int) -> None:
        """Append one line; details are counts and opaque ids only."""
        length, before = self.head()
        body = canonical_bytes({"at": to_text(at), "event": event.value, "details": dict(details)})
        self._engine.insert(
            "INSERT INTO journal (position, link, body) VALUES (?, ?, ?)",
            (length, link(before, body), body),
        )

    def head(self) -> tuple[int, str]:
        """How many lines there are, and the link of the last (``GENESIS`` for none)."""
        row = self._engine.row("SELECT position, link FROM journal ORDER BY position DESC LIMIT 1")
        return (int(row[0]) + 1, str(row[1])) if row else (0, GENESIS)

    def link_at(self, length: int) -> str:
        """Link of the last of the first ``length`` lines: ``GENESIS`` for 0, '' when there are fewer now."""
        if length == 0:
            return GENESIS
        row = self._engine.row("SELECT link FROM journal WHERE position = ?", (length - 1,))
        return str(row[0]) if row else ""

    def pairs(self) -> Iterator[tuple[bytes, str]]:
        """(body, link) oldest first, for ``crypto.chain.verify_links``."""
        for _, body, chained in self.rows():
            yield body, chained

    def rows(self) -> Iterator[tuple[int, bytes, str]]:
        """(position, body, link) oldest first, as they lie there."""
        for position, body, chained in self._engine.rows(
            "SELECT position, body, link FROM journal ORDER BY position"
        ):
            raw = body.encode("utf-8") if isinstance(body, str) else bytes(body)
            yield int(position), raw, str(chained)

    def lines(self) -> tuple[JournalLine, ...]:
        """All lines, oldest first."""
        return tuple(_line(row) for row in self._engine.rows("SELECT position, body FROM journal ORDER BY 1"))

    def newest(self, wanted: JournalFilter, *, offset: int = 0, limit: int = -1) -> tuple[JournalLine, ...]:
        """A window on the lines of a filter, newest first; a negative limit means all."""
        clause, values = _clause(wanted)
        rows = self._engine.rows(
            f"SELECT position, body FROM journal{clause} ORDER BY position DESC LIMIT ? OFFSET ?",  # noqa: S608
            (*values, limit, offset),
        )
        return tuple(_line(row) for row in rows)

    def count(self, wanted: JournalFilter) -> int:
        """How many lines a filter lets through."""
        clause, values = _clause(wanted)
        row = self._engine.row(f"SELECT count(*) FROM journal{clause}", values)  # noqa: S608 - constant
        return int(row[0]) if row else 0


def _clause(wanted: JournalFilter) -> tuple[str, list[Value]]:
    """The WHERE of a filter; ``event`` and ``at`` are columns the database computes from the body."""
    where: list[str] = []
    values: list[Value] = []
    if wanted.events is not None:
        where.append(f"event IN ({','.join('?' * len(wanted.events))})")
        values += sorted(event.value for event in wanted.events)
    if wanted.from_at is not None:
        where.append("at >= ?")
        values.append(to_text(wanted.from_at))
    if wanted.until_at is not None:
        where.append("at < ?")
        values.append(to_text(wanted.until_at))
    return (f" WHERE {' AND '.join(where)}" if where else ""), values


def _line(row: Row) -> JournalLine:
    value = json.loads(row[1])
    event = Event(value["event"]) if value["event"] in _KNOWN else Event.OTHER
    return JournalLine(int(row[0]), from_text(value["at"]), event, value["details"])
