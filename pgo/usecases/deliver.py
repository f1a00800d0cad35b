"""Send what the grants in force permit, as decided at the moment of sending.

Rules:
1. Withdrawals go first.
2. Permit is decided in the same transaction that marks the entry as sending.
3. Only a verified signed receipt counts as delivered.
4. Unreachable means later, by itself; the person is told, nothing is lost.
5. After a restore each recipient is asked first what it knows (``usecases.reconcile``).
"""

from __future__ import annotations

from datetime import datetime

from pgo.usecases.delivering import VaultPort
from pgo.usecases.guarded_line import GuardedLine, GuardedPlainLine
from pgo.usecases.holding import holds
from pgo.usecases.queue import queue_statement
from pgo.usecases.reconcile import ask_next_at, ask_waiting
from pgo.usecases.renewals import renew_cards
from pgo.usecases.session import Session
from pgo.usecases.statements import needs_refresh
from sync.outbox import is_due
from sync.runner import RunReport, run_once
from sync.wire import Kind

_MAX_ROUNDS = 200
"""A delivery goes in parts, one round each; far more than any vault needs, so that a fault cannot spin."""


def deliver(session: Session) -> RunReport:
    """Try everything that is due, until nothing is left or nobody answers.

    A pass already running makes this an empty report.
    """
    with session.one_delivery() as mine:
        return _deliver(session) if mine else RunReport()


def send_now(session: Session) -> RunReport:
    """Make all waiting entries due and deliver, whatever the connection costs: the person asked for it."""
    ask_waiting(session, again=True)
    store, at = session.store, session.now()
    if store.outbox.count_open():
        with store.write(at):
            store.outbox.wait_no_longer(at)
    with session.one_delivery() as mine:
        return _deliver(session, anyway=True) if mine else RunReport()


def next_try_at(session: Session) -> datetime | None:
    """When there is something to send or to ask next, None when nothing waits."""
    hold = holds(session)
    waits = [one.next_at for one in session.store.outbox.all_open() if hold(one) is None]
    asking = ask_next_at(session)
    return min(waits if asking is None else [*waits, asking], default=None)


def _deliver(session: Session, *, anyway: bool = False) -> RunReport:
    ask_waiting(session)
    renew_cards(session)
    _refresh_statements(session)
    total, port = RunReport(), VaultPort(session, anyway=anyway)
    for _ in range(_MAX_ROUNDS):
        if session.closed or not any(is_due(one, session.now()) for one in port.open_entries()):
            break
        report = _round(session, port)
        total = RunReport(
            delivered=total.delivered + report.delivered,
            stored=total.stored + report.stored,
            later=total.later + report.later,
            refused=total.refused + report.refused,
            cancelled=total.cancelled + report.cancelled,
        )
        if not (report.delivered or report.stored or report.cancelled or report.refused):
            break
    return total


def _round(session: Session, port: VaultPort) -> RunReport:
    plain = GuardedPlainLine(session) if session.store.fhir.any() else None
    return run_once(port, GuardedLine(session), at=session.now(), clock=session.now, plain=plain)


def _refresh_statements(session: Session) -> None:
    """Tell recipients in time that their statement still holds, or that a grant has ended."""
    store, at = session.store, session.now()
    stale = [
        stored.id
        for stored in store.recipients.all()
        if needs_refresh(store, stored.id, at=at) and not _carries_statement(session, stored.id, at=at)
    ]
    if stale:
        with store.write(at):
            for recipient_id in stale:
                queue_statement(store, recipient_id, at=at)


def _carries_statement(session: Session, recipient_id: str, *, at: datetime) -> bool:
    """Whether a statement goes to this recipient already, by itself or in records that nothing holds back."""
    hold = holds(session)
    return any(
        one.kind is Kind.STATEMENT or (one.kind is Kind.PUSH and is_due(one, at) and hold(one) is None)
        for one in session.store.outbox.open_for(recipient_id)
    )
