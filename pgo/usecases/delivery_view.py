"""How far the messages about one share have come, put together from outbox, receipts and statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pgo.store.ledger import LedgerRow
from pgo.store.protocols import VaultStore
from pgo.usecases.cards import is_plain
from pgo.usecases.holding import Hold
from pgo.usecases.statements import is_acknowledged
from sync.outbox import OutboxEntry, State

_MAX_RECEIPTS = 20


class DeliveryState(StrEnum):
    """How far the newest message about one grant has come.

    ``STORED_THERE``, ``WITHDRAWN_GONE_THERE`` and ``WITHDRAWN_STILL_THERE`` are of plain FHIR servers: what
    one showed when it was read back. Nobody signed it, so it is never called delivered or confirmed.
    """

    NOTHING_YET = "nothing_yet"
    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    WITHDRAWN_WAITING = "withdrawn_waiting"
    WITHDRAWN_CONFIRMED = "withdrawn_confirmed"
    STORED_THERE = "stored_there"
    WITHDRAWN_GONE_THERE = "withdrawn_gone_there"
    WITHDRAWN_STILL_THERE = "withdrawn_still_there"


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A verified receipt: when it was stored, how many were taken and refused, what the recipient did."""

    stored_at: datetime
    kind: str
    stored: int
    refused: int
    state: str


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """State of the delivery of one share.

    Attributes:
        state: see ``DeliveryState``.
        delivered_count: records the recipient confirmed to hold.
        refused_count: records the recipient refused.
        last_at: time of the newest receipt.
        attempts: tries of the message that waits now.
        next_at: when it is tried again.
        last_error: code of the last failed try, '' for none.
        receipts: newest first.
        to_send: records the recipient may have in all, as counted at the last message; 0 for not yet counted.
        unconfirmed: numbers of messages that left and were taken back before anybody confirmed them: the
            recipient may have them.
        hold: why the message that waits does not go although it is due, None when nothing holds it back.
    """

    state: DeliveryState
    delivered_count: int
    refused_count: int
    last_at: datetime | None
    attempts: int
    next_at: datetime | None
    last_error: str
    receipts: tuple[ReceiptView, ...] = field(default=())
    to_send: int = 0
    unconfirmed: tuple[int, ...] = field(default=())
    hold: Hold | None = None


def delivery_of(
    store: VaultStore,
    row: LedgerRow,
    *,
    withdrawn_length: int | None,
    hold: Callable[[OutboxEntry], Hold | None],
) -> DeliveryView:
    """State of the delivery of one grant.

    Args:
        store: the open vault.
        row: the grant.
        withdrawn_length: length of the ledger with its withdrawal in it, None while it was not withdrawn.
        hold: says of a waiting message why it waits (``holding.holds``).
    """
    recipient_id = row.recipient_id or ""
    waiting = store.outbox.open_for(recipient_id)
    newest = store.outbox.newest(recipient_id)
    current = next((entry for entry in waiting if entry.state is State.SENDING), None)
    current = current or min(waiting, key=lambda entry: entry.next_at, default=None)
    stored, refused = store.deliveries.counts(recipient_id)
    receipts = tuple(
        ReceiptView(one.stored_at, one.kind, one.stored, one.refused, one.state)
        for one in store.deliveries.receipts(recipient_id)[:_MAX_RECEIPTS]
    )
    shown = current or newest
    state = _state(store, row, current=current, newest=newest, withdrawn_length=withdrawn_length)
    if is_plain(store.recipients.get(recipient_id)):
        state = _as_shown(state, receipts)
    return DeliveryView(
        state=state,
        delivered_count=stored,
        refused_count=refused,
        last_at=receipts[0].stored_at if receipts else None,
        attempts=current.attempts if current is not None else 0,
        next_at=current.next_at if current is not None and current.state is State.QUEUED else None,
        last_error=(shown.last_error or "") if shown is not None else "",
        receipts=receipts,
        to_send=store.recipients.to_send(recipient_id),
        unconfirmed=store.outbox.unconfirmed(recipient_id),
        hold=None if current is None else hold(current),
    )


def _as_shown(state: DeliveryState, shown: tuple[ReceiptView, ...]) -> DeliveryState:
    """The same for a server that signs nothing."""
    match state:
        case DeliveryState.DELIVERED:
            return DeliveryState.STORED_THERE
        case DeliveryState.WITHDRAWN_CONFIRMED:
            kept = bool(shown) and shown[0].state == "cannot"
            return DeliveryState.WITHDRAWN_STILL_THERE if kept else DeliveryState.WITHDRAWN_GONE_THERE
        case _:
            return state


def _state(
    store: VaultStore,
    row: LedgerRow,
    *,
    current: OutboxEntry | None,
    newest: OutboxEntry | None,
    withdrawn_length: int | None,
) -> DeliveryState:
    recipient_id = row.recipient_id or ""
    if withdrawn_length is not None:
        if is_acknowledged(store, recipient_id, ledger_length=withdrawn_length):
            return DeliveryState.WITHDRAWN_CONFIRMED
        told = bool(store.statements.of(recipient_id))
        # Nothing ever left for this recipient: there is nobody to confirm anything.
        return DeliveryState.WITHDRAWN_WAITING if told or current is not None else DeliveryState.NOTHING_YET
    if current is not None:
        return DeliveryState.SENDING if current.state is State.SENDING else DeliveryState.WAITING
    if newest is not None and newest.state is State.REFUSED:
        return DeliveryState.REFUSED
    known = is_acknowledged(store, recipient_id, ledger_length=row.position + 1)
    return DeliveryState.DELIVERED if known else DeliveryState.NOTHING_YET
