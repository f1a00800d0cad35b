"""After a restore: ask each recipient what it knows, and let the withdrawals it knows win.

A backup may be older than a withdrawal. The recipient holds the newest statement the patient signed for it,
so it is asked before anything is sent (guide security 3.5, property P8: a restore revives no grant).

Rules:
1. Nothing goes to a recipient that has not answered since the last restore. Absent means no.
2. The answer counts only with the patient's own signature in it (``sync.head``).
3. A grant of the backup goes on only when all it permits now lies inside the newest statement known there.
   Otherwise it was taken back or narrowed after the backup was made: it is withdrawn here too, in the
   person's name, and the person is told. What was given after the backup has to be given again.
4. A recipient that knows less than it gave us a receipt for, or that answers nothing we can believe, stays
   without anything; so does one that cannot be reached. It is asked again.
5. What only the lost device knew, nobody can bring back: the screens say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pgo.store.backups import AskedRow
from pgo.store.journal import Event
from pgo.store.protocols import VaultStore
from pgo.store.statements import StatementState
from pgo.usecases.cards import party_of
from pgo.usecases.fhir_head import plain_head
from pgo.usecases.queue import queue_push
from pgo.usecases.reconcile_answer import settle
from pgo.usecases.session import Session
from pgo.usecases.statements import pairwise_for
from sync.card import RecipientCard
from sync.errors import SyncError
from sync.fhir_server.server import FhirServer
from sync.head import Head
from sync.runner import Correspondent, fetch_head

ASK_AGAIN = timedelta(minutes=5)
"""As for a withdrawal that could not be delivered (``sync.outbox.LONGEST_WAIT_SECONDS``)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recipient that gets nothing yet.

    Attributes:
        problem: why the last try failed: ``unreachable`` and other codes of ``sync.errors``; '' when it was
            not asked yet.
        asked_at: when the last try was, None for never.
    """

    recipient_id: str
    name: str
    problem: str
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """A recipient that answered, and how many grants were withdrawn because of it."""

    recipient_id: str
    name: str
    outcome: str
    withdrawn: int


@dataclass(frozen=True, slots=True)
class AfterRestore:
    """Where the vault stands after being put back: from a backup made when, who waits, who answered."""

    restored_at: datetime
    made_at: datetime
    waiting: tuple[Waiting, ...]
    settled: tuple[Settled, ...]


def after_restore(session: Session) -> AfterRestore | None:
    """What the screens say about the last restore; None when this vault was never put back."""
    backups = session.store.backups
    restore = backups.last_restore()
    if restore is None:
        return None
    asked, known = backups.asked(), session.store.recipients.all()
    answers = {one.id: asked.get(one.id) for one in known}
    return AfterRestore(
        restored_at=restore.at,
        made_at=restore.made_at,
        waiting=tuple(
            _waiting(one.id, one.name, answers[one.id]) for one in known if not _done(answers[one.id])
        ),
        settled=tuple(
            Settled(one.id, one.name, row.outcome, row.withdrawn)
            for one in known
            if (row := answers[one.id]) is not None and row.done
        ),
    )


def must_wait(session: Session) -> frozenset[str]:
    """Recipients that get nothing now."""
    standing = after_restore(session)
    return frozenset(one.recipient_id for one in standing.waiting) if standing else frozenset()


def ask_waiting(session: Session, *, again: bool = False) -> int:
    """Ask every recipient that waits; one that could not be asked is tried again after a while.

    Args:
        session: the open vault.
        again: the person wants it now.

    Returns:
        How many answered.
    """
    standing = after_restore(session)
    answered = 0
    for one in standing.waiting if standing else ():
        if again or one.asked_at is None or one.asked_at + ASK_AGAIN <= session.now():
            answered += _ask(session, one.recipient_id)
    return answered


def ask_next_at(session: Session) -> datetime | None:
    """When somebody has to be asked next, None when nobody waits."""
    standing = after_restore(session)
    times = [session.now() if one.asked_at is None else one.asked_at + ASK_AGAIN for one in _all(standing)]
    return min(times, default=None)


def _all(standing: AfterRestore | None) -> tuple[Waiting, ...]:
    return standing.waiting if standing else ()


def _done(row: AskedRow | None) -> bool:
    return row is not None and row.done


def _waiting(recipient_id: str, name: str, row: AskedRow | None) -> Waiting:
    return Waiting(recipient_id, name, row.outcome if row else "", row.at if row else None)


def _ask(session: Session, recipient_id: str) -> bool:
    """Ask one recipient, and act on its answer in one transaction. Returns whether it answered."""
    store = session.store
    stored = store.recipients.get(recipient_id)
    party = party_of(stored)
    try:
        head = _head_of(session, party)
    except SyncError as exc:
        _could_not_ask(session, recipient_id, exc.code)
        return False
    at = session.now()
    with store.write(at):
        outcome, withdrawn = settle(store, party, head, at=at)
        if isinstance(party, FhirServer):  # it compares nothing by itself: all that still goes, goes again
            store.deliveries.forget(party.id, store.deliveries.held(party.id))
            queue_push(store, party.id, at=at)
        store.backups.remember_asked(AskedRow(recipient_id, at, outcome, True, withdrawn))
        store.journal.add(
            Event.RECIPIENT_ASKED, at=at, recipient=recipient_id, outcome=outcome, withdrawn=withdrawn
        )
    session.changed()
    return True


def _head_of(session: Session, party: RecipientCard | FhirServer) -> Head:
    known = _acknowledged(session.store, party.id)
    if isinstance(party, FhirServer):
        return plain_head(session, party.id, acknowledged=known)
    keys = pairwise_for(session.store, party.id)
    to = Correspondent(party, keys.signing, keys.opening)
    return fetch_head(session.transport, to, acknowledged=known, at=session.now())


def _could_not_ask(session: Session, recipient_id: str, problem: str) -> None:
    store, at = session.store, session.now()
    with store.write(at):
        store.backups.remember_asked(AskedRow(recipient_id, at, problem, False, 0))
    session.changed()


def _acknowledged(store: VaultStore, recipient_id: str) -> int:
    made = store.statements.of(recipient_id)
    return max((one.sequence for one in made if one.state is StatementState.ACKNOWLEDGED), default=0)
