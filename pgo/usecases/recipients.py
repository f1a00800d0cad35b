"""Recipients the patient knows: read a card, keep it, forget it.

Rules:
1. A card is checked each time it comes in; a known recipient with another key is refused, never taken over.
2. A recipient that ever got a grant is not forgotten: its history stays readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgo.errors import InputRefused
from pgo.store.journal import Event
from pgo.store.recipients import StoredRecipient
from pgo.usecases.session import Session
from sync.card import RecipientCard, parse_card
from sync.card import card_token as token_of
from sync.errors import RemoteRuleError


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


def recipients(session: Session) -> tuple[RecipientRow, ...]:
    """Recipients added to this vault, by name."""
    return tuple(recipient_row(stored) for stored in session.store.recipients.all())


def recipient(session: Session, recipient_id: str) -> RecipientRow:
    """One recipient.

    Raises:
        NotFound: not added.
    """
    return recipient_row(session.store.recipients.get(recipient_id))


def inspect_card(session: Session, card: str | bytes) -> RecipientCard:
    """Read and check a signed card without keeping it.

    Raises:
        InputRefused: ``card_invalid``, ``card_expired``, or ``card_key_changed`` (known recipient, other
        key).
    """
    try:
        found = parse_card(card, at=session.now())
    except RemoteRuleError as exc:
        raise InputRefused("card_expired" if exc.code == "card_expired" else "card_invalid") from exc
    known = session.store.recipients.find(found.id)
    if known is not None and card_of(known).verify_key != found.verify_key:
        raise InputRefused("card_key_changed")
    return found


def add_recipient(session: Session, card_token: str | bytes) -> str:
    """Keep a card the patient compared and accepted; adding it again renews it. Returns the recipient's id.

    Raises:
        InputRefused: as ``inspect_card``.
    """
    found = inspect_card(session, card_token)
    store, at = session.store, session.now()
    with store.write(at):
        store.recipients.keep(found.id, name=found.name, card=token_of(card_token), at=at)
        store.journal.add(Event.RECIPIENT_ADDED, at=at, recipient=found.id)
    session.changed()
    return found.id


def remove_recipient(session: Session, recipient_id: str) -> None:
    """Forget a recipient that never got anything.

    Raises:
        InputRefused: ``recipient_in_use`` (there are grants; withdraw them, the history stays).
        NotFound: not added.
    """
    store, at = session.store, session.now()
    store.recipients.get(recipient_id)
    if any(row.recipient_id == recipient_id for row in store.ledger.grants()):
        raise InputRefused("recipient_in_use")
    with store.write(at):
        store.recipients.remove(recipient_id)
        store.journal.add(Event.RECIPIENT_REMOVED, at=at, recipient=recipient_id)
    session.changed()


def card_of(stored: StoredRecipient) -> RecipientCard:
    """The card of a recipient, as it was verified when the patient accepted it."""
    return parse_card(stored.card, at=stored.checked_at)


def recipient_row(stored: StoredRecipient) -> RecipientRow:
    """What the screens show of a recipient."""
    card = card_of(stored)
    return RecipientRow(
        id=card.id,
        name=card.name,
        kind=card.kind,
        fingerprint=card.fingerprint,
        endpoint=card.endpoint,
        added_at=stored.added_at,
        card_expires_at=card.expires_at,
    )
