"""Who looked: the recipient's signed access log of this patient, fetched and verified.

The full form is asked for (``sync.access_full``). A recipient of before it answers in short form; once one
has answered in full it is never taken for an older one again. A list that we know in short form only is
continued in full when that proves to tell of the same looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pgo.store.access import Newest, StoredLook
from pgo.store.journal import Event
from pgo.store.recipients import StoredRecipient
from pgo.usecases.cards import card_of, is_plain
from pgo.usecases.session import Session
from pgo.usecases.statements import pairwise_for
from sync.access import NO_HEAD, REFUSED, AccessEntry, AccessHead, AccessLog
from sync.access_full import check_short_chain, parse_line
from sync.errors import RemoteRuleError
from sync.runner import Correspondent
from sync.runner import fetch_access as ask

_WRONG_LOG = frozenset(
    {
        "bad_access_log",
        "access_log_gap",
        "access_log_broken",
        "access_log_rolled_back",
        "access_log_rewritten",
    }
)
_REASONED = "reason"
_FORM_UNKNOWN = "malformed"
"""What a recipient of before the full form says to a question for it."""


@dataclass(frozen=True, slots=True)
class AccessView:
    """The access log as last fetched.

    Attributes:
        recipient_id: whose log.
        entries: newest first.
        verified: signature and chain were right, and it continues the log fetched before.
        fetched_at: when, None when never fetched.
        problem: what was wrong with the last answer, '' for nothing.
        signed_head: the recipient's signed word where its log ended at the last right answer, '' for none.
    """

    recipient_id: str
    entries: tuple[AccessEntry, ...]
    verified: bool
    fetched_at: datetime | None
    problem: str = ""
    signed_head: str = ""

    @property
    def reasons(self) -> int:
        """How many times somebody outside the treating relation gave a reason."""
        return sum(1 for one in self.entries if one.action == _REASONED)

    @property
    def refused(self) -> int:
        """How many looks were refused."""
        return sum(1 for one in self.entries if one.details is not None and one.details.outcome == REFUSED)


def fetch_access(session: Session, recipient_id: str) -> AccessView:
    """Ask the recipient and verify; what was fetched before stays when this fails.

    Raises:
        sync.errors.Unreachable: no connection; the stored copy is still there through ``access``.
        sync.errors.RemoteRuleError: the recipient refused or its log does not hold
            (``access_log_rolled_back``, ...); ``no_access_log``, a plain FHIR server keeps none for us.
        NotFound: unknown recipient.
    """
    store = session.store
    stored = store.recipients.get(recipient_id)
    if is_plain(stored):
        raise RemoteRuleError("no_access_log")
    card = card_of(stored)
    keys = pairwise_for(store, recipient_id)
    known = store.access.newest(recipient_id)
    try:
        log = _ask(session, Correspondent(card, keys.signing, keys.opening), known)
    except RemoteRuleError as exc:
        if exc.code in _WRONG_LOG:  # kept, so that the screen goes on warning
            with store.write(session.now()):
                at = session.now()
                store.access.fetched(recipient_id, problem=exc.code, at=at)
                store.journal.add(Event.ACCESS_DOUBTED, at=at, recipient=recipient_id, problem=exc.code)
            session.changed()
        raise
    _keep(session, stored, log, known)
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
        problem="" if fetch is None else fetch.problem,
        signed_head="" if fetch is None else fetch.head,
    )


def _ask(session: Session, to: Correspondent, known: Newest | None) -> AccessLog:
    """Ask in full, from where our copy in full ends; in short form only those who never knew another."""
    at = session.now()
    head = AccessHead(known.sequence, known.hash) if known else NO_HEAD
    in_full = known is not None and known.in_full
    try:
        log = ask(session.transport, to, known_head=head if in_full else NO_HEAD, at=at, full=True)
    except RemoteRuleError as exc:
        if exc.code != _FORM_UNKNOWN or in_full:
            raise
        return ask(session.transport, to, known_head=head, at=at)
    if known is not None and not in_full:
        if log.total < head.sequence:
            raise RemoteRuleError("access_log_rolled_back")
        check_short_chain(log.entries, head)
    return log


def _keep(session: Session, recipient: StoredRecipient, log: AccessLog, known: Newest | None) -> None:
    store, at, recipient_id = session.store, session.now(), recipient.id
    last = known.sequence if known else 0
    looks = [_look(entry) for entry in log.entries]
    new = [look for look in looks if look.sequence > last]
    with store.write(at):
        store.access.tell_in_full(recipient_id, [look for look in looks if look.sequence <= last])
        store.access.add(recipient_id, new)
        store.access.fetched(recipient_id, problem="", at=at, head=log.signed_head, card=recipient.card)
        if new:
            store.journal.add(
                Event.ACCESS_FETCHED,
                at=at,
                recipient=recipient_id,
                entries=len(new),
                first=new[0].sequence,
                head=new[-1].hash,
            )


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
        line=entry.line,
    )


def _entry(look: StoredLook) -> AccessEntry:
    if look.line:
        return replace(parse_line(look.line), previous=look.previous, hash=look.hash, line=look.line)
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
