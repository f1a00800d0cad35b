"""The journal: what happened to this vault, one hash-chained line per event (named constants, no free text).

A line holds an event name, an instant, counts and opaque ids; it is data of the patient, encrypted like the
rest, and never a log line. A changed, dropped or moved line breaks the chain at its position
(``crypto.chain``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crypto.canonical import canonical_bytes
from crypto.chain import GENESIS, link
from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine


class Event(StrEnum):
    """Everything the journal can say."""

    VAULT_CREATED = "vault_created"
    PASSPHRASE_CHANGED = "passphrase_changed"  # noqa: S105 - the name of an event
    RECOVERY_RENEWED = "recovery_renewed"
    RECOVERY_USED = "recovery_used"
    FILE_COLLECTED = "file_collected"
    RECORD_SAVED = "record_saved"
    RECORD_REMOVED = "record_removed"
    RECORD_RESTORED = "record_restored"
    QUESTIONNAIRE_FINISHED = "questionnaire_finished"
    RECIPIENT_ADDED = "recipient_added"
    RECIPIENT_REMOVED = "recipient_removed"
    GRANT_SIGNED = "grant_signed"
    GRANT_WITHDRAWN = "grant_withdrawn"
    OBJECTION_SIGNED = "objection_signed"
    OBJECTION_LIFTED = "objection_lifted"
    REQUEST_RECEIVED = "request_received"
    REQUEST_ANSWERED = "request_answered"
    SENT = "sent"
    RECEIPT = "receipt"
    REFUSED = "refused"
    ACCESS_FETCHED = "access_fetched"
    EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One event with its counts and ids."""

    position: int
    at: datetime
    event: Event
    details: Mapping[str, str | int]


class Journal:
    """The journal table; ``add`` runs inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, event: Event, *, at: datetime, **details: str | int) -> None:
        """Append one line; details are counts and opaque ids only."""
        row = self._engine.row("SELECT position, link FROM journal ORDER BY position DESC LIMIT 1")
        position, before = (int(row[0]) + 1, str(row[1])) if row else (0, GENESIS)
        body = canonical_bytes({"at": to_text(at), "event": event.value, "details": dict(details)})
        self._engine.insert(
            "INSERT INTO journal (position, link, body) VALUES (?, ?, ?)",
            (position, link(before, body), body),
        )

    def pairs(self) -> Iterator[tuple[bytes, str]]:
        """(body, link) oldest first, for ``crypto.chain.verify_links``."""
        for body, chained in self._engine.rows("SELECT body, link FROM journal ORDER BY position"):
            yield bytes(body), str(chained)

    def lines(self) -> tuple[JournalLine, ...]:
        """All lines, oldest first."""
        found = []
        for position, body in self._engine.rows("SELECT position, body FROM journal ORDER BY position"):
            value = json.loads(body)
            found.append(
                JournalLine(position, from_text(value["at"]), Event(value["event"]), value["details"])
            )
        return tuple(found)
