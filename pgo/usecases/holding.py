"""What waits although it is due, and why.

Rules:
1. Nothing goes to a recipient that was not asked since the last restore (``usecases.reconcile``).
2. Records wait for a recipient that shows another key than the one the person compared
   (``usecases.renewals``). Statements and removals go on: they are sealed to the key that was compared, give
   nothing, and a withdrawal must never wait for a question.
3. Records wait on a connection that costs money per byte, if the person wants that; again nothing else does.
   Not knowing whether it costs money is taken as: it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from pgo.store.journal import Event
from pgo.usecases.session import Session
from sync.outbox import OutboxEntry
from sync.wire import Kind

_KEY = "metered"
_SEND = "send"


class Hold(StrEnum):
    """Why an entry waits."""

    NOT_ASKED = "not_asked"
    OTHER_KEY = "other_key"
    METERED = "metered"


def holds(session: Session, *, anyway: bool = False) -> Callable[[OutboxEntry], Hold | None]:
    """Return what says of an entry why it waits, None when it may go.

    Args:
        session: the open vault.
        anyway: the person asked to send now, whatever it costs.
    """
    store = session.store
    changed = frozenset(store.recipients.offers())
    costly = not anyway and waits_on_metered(session) and session.app.metered()

    def hold(entry: OutboxEntry) -> Hold | None:
        if not store.backups.may_send(entry.recipient_id):
            return Hold.NOT_ASKED
        if entry.kind is not Kind.PUSH:
            return None
        if entry.recipient_id in changed:
            return Hold.OTHER_KEY
        return Hold.METERED if costly else None

    return hold


def waits_on_metered(session: Session) -> bool:
    """Whether the person wants records to wait on a connection that costs money; the default."""
    return bool(session.store.settings.get(_KEY) != _SEND)


def set_waits_on_metered(session: Session, waits: bool) -> None:
    """Keep that choice."""
    store, at = session.store, session.now()
    with store.write(at):
        store.settings.put(_KEY, "wait" if waits else _SEND)
        store.journal.add(Event.SETTINGS_CHANGED, at=at)
    session.changed()


def is_held_by_cost(session: Session) -> bool:
    """Whether records wait at this moment only because the connection costs money."""
    hold = holds(session)
    return any(hold(entry) is Hold.METERED for entry in session.store.outbox.all_open())
