"""Who looked: the recipient's signed access log of this patient, fetched and verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgo.store.access import StoredLook
from pgo.store.journal import Event
from pgo.usecases.recipients import card_of
from pgo.usecases.session import Session
from pgo.usecases.statements import pairwise_for
from sync.access import NO_HEAD, AccessEntry, AccessHead
from sync.errors import RemoteRuleError
from sync.runner import Correspondent
from sync.runner import fetch_access as ask

_MAX_PARTS = 100
_WRONG_LOG = ("bad_access_log", "access_log_rolled_back", "access_log_rewritten")


@dataclass(frozen=True, slots=True)
class AccessView:
    """The access log as last fetched.

    Attributes:
        recipient_id: whose log.
        entries: newest first.
        verified: signature and chain were right, and it continues the log fetched before.
        fetched_at: when, None when never fetched.
    """

    recipient_id: str
    entries: tuple[AccessEntry, ...]
    verified: bool
    fetched_at: datetime | None


def fetch_access(session: Session, recipient_id: str) -> AccessView:
    """Ask the recipient and verify; what was fetched before stays when this fails.

    Raises:
        sync.errors.Unreachable: no connection; the stored copy is still there through ``access``.
        sync.errors.RemoteRuleError: the recipient refused or its log does not hold
        (``access_log_rolled_back``, ...). NotFound: unknown recipient.
    """
    store = session.store
    card = card_of(store.recipients.get(recipient_id))
    keys = pairwise_for(store, recipient_id)
    to = Correspondent(card, keys.signing, keys.opening)
    try:
        for _ in range(_MAX_PARTS):
            if not _fetch_part(session, to):
                break
    except RemoteRuleError as exc:
        if exc.code in _WRONG_LOG:  # kept, so that the screen goes on warning
            with store.write(session.now()):
                at = session.now()
                store.access.fetched(recipient_id, problem=exc.code, at=at)
                store.journal.add(Event.ACCESS_DOUBTED, at=at, recipient=recipient_id, problem=exc.code)
            session.changed()
        raise
    session.changed()
    return access(session, recipient_id)


def access(session: Session, recipient_id: str) -> AccessView:
    """The log as last fetched, without network.

    Raises:
        NotFound: unknown recipient.
    """
    store = session.store
    store.recipients.get(recipient_id)
    fetch = store.access.last_fetch(recipient_id)
    return AccessView(
        recipient_id=recipient_id,
        entries=tuple(_entry(look) for look in store.access.looks(recipient_id)),
        verified=fetch is not None and not fetch.problem,
        fetched_at=None if fetch is None else fetch.fetched_at,
    )


def _fetch_part(session: Session, to: Correspondent) -> bool:
    """Ask for what follows the newest entry we have. Returns whether there is more."""
    store, at = session.store, session.now()
    known = store.access.head(to.card.id)
    log = ask(session.transport, to, known_head=AccessHead(*known) if known else NO_HEAD, at=at)
    with store.write(at):
        store.access.add(to.card.id, [_look(entry) for entry in log.entries])
        store.access.fetched(to.card.id, problem="", at=at)
        if log.entries:
            store.journal.add(
                Event.ACCESS_FETCHED,
                at=at,
                recipient=to.card.id,
                entries=len(log.entries),
                first=log.entries[0].sequence,
                head=log.entries[-1].hash,
            )
    return bool(log.entries) and log.head.sequence < log.total


def _look(entry: AccessEntry) -> StoredLook:
    return StoredLook(
        sequence=entry.sequence,
        at=entry.at,
        user=entry.user,
        role=entry.role,
        action=entry.action,
        categories=entry.categories,
        purpose=entry.purpose,
        previous=entry.previous,
        hash=entry.hash,
    )


def _entry(look: StoredLook) -> AccessEntry:
    return AccessEntry(
        sequence=look.sequence,
        at=look.at,
        user=look.user,
        role=look.role,
        action=look.action,
        categories=look.categories,
        purpose=look.purpose,
        previous=look.previous,
        hash=look.hash,
    )
