"""Share with a recipient, see what that means beforehand, and take it back.

Rules:
1. What the patient sees before signing is computed by the consent engine from the very grant that is signed after.
2. Signing writes grant, journal line and outbox entry in one transaction; withdrawing writes the withdrawal, cancels
   queued sends and queues the new statement in one transaction.
3. Nothing here touches the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pgo.usecases.read import RecordRow
from pgo.usecases.session import Session

if TYPE_CHECKING:
    from consent.codes import Category, Sensitivity
    from consent.decision import GrantState, Reason
    from sync.card import RecipientCard


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """A recipient whose card the patient added."""

    id: str
    name: str
    kind: str
    fingerprint: str
    endpoint: str
    added_at: datetime
    card_expires_at: datetime


@dataclass(frozen=True, slots=True)
class ShareChoice:
    """What the patient ticked.

    Attributes:
        recipient_id: whom.
        categories: kinds of data; empty is refused.
        sensitivity: sensitive clusters opted in, empty for none.
        purpose: v3-ActReason code such as ``TREAT``.
        period: first and last day on which the grant works, both included.
        data_from: only data from this day on; None for all.
        keep_text: also send narrative and free text.
    """

    recipient_id: str
    categories: frozenset[Category]
    sensitivity: frozenset[Sensitivity]
    purpose: str
    period: tuple[date, date]
    data_from: date | None = None
    keep_text: bool = False


@dataclass(frozen=True, slots=True)
class SharePreview:
    """What a choice would show the recipient today.

    Attributes:
        total: records looked at, without the trash.
        permitted: of those, how many the recipient would see.
        held_back: reason to number.
        by_category: category to (permitted, total).
        sample: up to five permitted records, newest first.
    """

    total: int
    permitted: int
    held_back: Mapping[Reason, int]
    by_category: Mapping[Category, tuple[int, int]]
    sample: tuple[RecordRow, ...]


class DeliveryState(StrEnum):
    """How far the newest message about one grant has come."""

    NOTHING_YET = "nothing_yet"
    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    WITHDRAWN_WAITING = "withdrawn_waiting"
    WITHDRAWN_CONFIRMED = "withdrawn_confirmed"


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A verified receipt: when the recipient stored, how many it took and refused, and what it says it did."""

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
    """

    state: DeliveryState
    delivered_count: int
    refused_count: int
    last_at: datetime | None
    attempts: int
    next_at: datetime | None
    last_error: str
    receipts: tuple[ReceiptView, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One grant: whom, what, whether it works now, and how far its delivery is."""

    grant_id: str
    recipient: RecipientRow
    choice: ShareChoice
    state: GrantState
    signed_at: datetime
    withdrawn_at: datetime | None
    delivery: DeliveryView


@dataclass(frozen=True, slots=True)
class Preset:
    """A starting point for a choice: text key suffix, categories, purpose, days it lasts."""

    key: str
    categories: frozenset[Category]
    sensitivity: frozenset[Sensitivity]
    purpose: str
    days: int


def recipients(session: Session) -> tuple[RecipientRow, ...]:
    """Recipients added to this vault, by name."""
    raise NotImplementedError


def recipient(session: Session, recipient_id: str) -> RecipientRow:
    """One recipient.

    Raises:
        NotFound: not added.
    """
    raise NotImplementedError


def inspect_card(session: Session, card: str | bytes) -> RecipientCard:
    """Read and check a signed card without keeping it.

    Raises:
        InputRefused: ``card_invalid``, ``card_expired``, or ``card_key_changed`` (known recipient, other key).
    """
    raise NotImplementedError


def add_recipient(session: Session, card_token: str | bytes) -> str:
    """Keep a card the patient compared and accepted; adding it again renews it. Returns the recipient's id.

    Raises:
        InputRefused: as ``inspect_card``.
    """
    raise NotImplementedError


def remove_recipient(session: Session, recipient_id: str) -> None:
    """Forget a recipient that never got anything.

    Raises:
        InputRefused: ``recipient_in_use`` (there are grants; withdraw them, the history stays).
        NotFound: not added.
    """
    raise NotImplementedError


def presets(kind: str) -> tuple[Preset, ...]:
    """Starting points for a kind of recipient (``clinic`` or ``registry``), the narrowest first."""
    raise NotImplementedError


def preview(session: Session, choice: ShareChoice) -> SharePreview:
    """What this choice alone would show the recipient.

    Raises:
        InputRefused: ``choice_invalid`` with ``fields``.
        NotFound: unknown recipient.
    """
    raise NotImplementedError


def sign_share(session: Session, choice: ShareChoice, *, lang: str, shown_text: str) -> str:
    """Sign the grant and queue its first delivery. Returns the grant id.

    Args:
        session: the open vault.
        choice: what was previewed.
        lang: language of the text shown.
        shown_text: the exact words the patient read; only their hash goes into the grant.

    Raises:
        InputRefused: ``choice_invalid`` with ``fields``, ``card_expired``.
        NotFound: unknown recipient.
    """
    raise NotImplementedError


def shares(session: Session) -> tuple[ShareRow, ...]:
    """All grants ever signed here, newest first."""
    raise NotImplementedError


def share(session: Session, grant_id: str) -> ShareRow:
    """One grant.

    Raises:
        NotFound: no such grant.
    """
    raise NotImplementedError


def withdraw(session: Session, grant_id: str) -> None:
    """Take a grant back: at once here, and queued for the recipient. Doing it twice changes nothing.

    Raises:
        NotFound: no such grant.
    """
    raise NotImplementedError
