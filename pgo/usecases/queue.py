"""Put work for recipients into the outbox, inside the transaction of the change that causes it.

Rules:
1. A record change makes at most one waiting push per recipient, however many changes come before it goes:
   what it carries, each record once in its present form, is decided when it is sent. So it is with removals.
2. Only recipients with a grant in force get a push; a statement goes out whenever a grant was signed or
   withdrawn.
3. What goes to a registry waits a random time of at most `LONGEST_RESEARCH_DELAY`, so that who watches the
   line cannot tell by the moment that it belongs to what a clinic gets (guide security 3.20). No statement
   waits. Each message has a connection of its own (``sync.transport``).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pgo.store.protocols import VaultStore

if TYPE_CHECKING:
    from sync.outbox import OutboxEntry
    from sync.wire import Kind

LONGEST_RESEARCH_DELAY = timedelta(minutes=15)
_RANDOM = secrets.SystemRandom()


def records_changed(store: VaultStore, *, at: datetime) -> None:
    """Queue one push for every recipient with a grant in force."""
    if not store.ledger.head()[0]:
        return  # nobody was ever given anything: consent need not even be loaded
    from pgo.usecases.consenting import recipients_in_force

    for recipient_id in recipients_in_force(store, at=at):
        queue_push(store, recipient_id, at=at)


def queue_push(
    store: VaultStore,
    recipient_id: str,
    *,
    at: datetime,
    follows: bool = False,
    spread: Callable[[], float] = _RANDOM.random,
) -> None:
    """Queue a push unless one waits already that was never sent (rule 1).

    Args:
        store: the open vault.
        recipient_id: whom it is for.
        at: not before this instant.
        follows: it goes on with one that just arrived, so it waits no more (rule 3).
        spread: random numbers in [0, 1).
    """
    from sync.wire import Kind

    longest = timedelta(0) if follows else _longest_delay(store, recipient_id)
    if not _waits(store, recipient_id, Kind.PUSH, until=at + longest):
        entry = _new_entry(recipient_id, Kind.PUSH, at=at)
        store.outbox.add(replace(entry, next_at=at + longest * spread()))


def queue_removal(store: VaultStore, recipient_id: str, *, at: datetime) -> None:
    """Queue the wish that what was thrown away goes there too, unless one waits that was never sent."""
    from sync.wire import Kind

    if not _waits(store, recipient_id, Kind.REMOVAL, until=at):
        store.outbox.add(_new_entry(recipient_id, Kind.REMOVAL, at=at))


def queue_statement(store: VaultStore, recipient_id: str, *, at: datetime) -> None:
    """Queue the statement of what is in force now."""
    from sync.wire import Kind

    store.outbox.add(_new_entry(recipient_id, Kind.STATEMENT, at=at))


def cancel_pushes(store: VaultStore, recipient_id: str) -> None:
    """Take back every push that waits or is under way."""
    from sync.outbox import cancel
    from sync.wire import Kind

    for entry in store.outbox.open_for(recipient_id):
        if entry.kind is Kind.PUSH:
            store.outbox.save(cancel(entry))


def _longest_delay(store: VaultStore, recipient_id: str) -> timedelta:
    from pgo.usecases.cards import card_of, is_plain

    stored = store.recipients.get(recipient_id)
    research = not is_plain(stored) and card_of(stored).kind == "registry"
    return LONGEST_RESEARCH_DELAY if research else timedelta(0)


def _waits(store: VaultStore, recipient_id: str, kind: Kind, *, until: datetime) -> bool:
    """Whether an entry that was never sent goes by then; one for a grant that begins later is no help now."""
    return any(
        entry.kind is kind and entry.payload is None and entry.next_at <= until
        for entry in store.outbox.open_for(recipient_id)
    )


def _new_entry(recipient_id: str, kind: Kind, *, at: datetime) -> OutboxEntry:
    from sync.outbox import OutboxEntry, State
    from sync.wire import new_message_id

    return OutboxEntry(
        id=0,
        recipient_id=recipient_id,
        kind=kind,
        state=State.QUEUED,
        message_id=new_message_id(),
        attempts=0,
        next_at=at,
        created_at=at,
    )
