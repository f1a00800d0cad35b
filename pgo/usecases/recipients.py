"""Recipients the patient knows: read a card, keep it, forget it.

Rules:
1. A card is checked each time it comes in; a known recipient with another key is refused, never taken over,
   unless the known key itself names the other one (``usecases.renewals``).
2. A recipient that ever got a grant is not forgotten: its history stays readable.
3. A plain FHIR server has no card: its address is what was accepted (``usecases.fhir_servers``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgo.errors import InputRefused
from pgo.store.journal import Event
from pgo.store.recipients import StoredRecipient
from pgo.usecases.cards import card_of, party_of
from pgo.usecases.renewals import keep_card, parse_offered
from pgo.usecases.session import Session
from sync.card import RecipientCard, card_parts, parse_card
from sync.card import card_token as token_of
from sync.errors import RemoteRuleError

_SAID = frozenset({"card_expired", "card_key_changed", "card_older"})


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """A recipient the patient added.

    A plain FHIR server (kind ``fhir``) has no card: no ``fingerprint`` and no end of a card.
    """

    id: str
    name: str
    kind: str
    fingerprint: str
    endpoint: str
    added_at: datetime
    card_expires_at: datetime | None


def recipients(session: Session) -> tuple[RecipientRow, ...]:
    """Recipients added to this vault, by name."""
    return tuple(recipient_row(stored) for stored in session.store.recipients.all())


def recipient(session: Session, recipient_id: str) -> RecipientRow:
    """One recipient.

    Raises:
        NotFound: not added.
    """
    return recipient_row(session.store.recipients.get(recipient_id))


def inspect_card(session: Session, untrusted: str | bytes) -> RecipientCard:
    """Read and check a signed card without keeping it.

    Raises:
        InputRefused: ``card_invalid``, ``card_expired``; ``card_key_changed`` (known recipient, other key
        that the known one does not lead to), ``card_older`` (than the one that is kept).
    """
    try:
        card = parse_card(card_parts(untrusted)[0], at=session.now())
        known = session.store.recipients.find(card.id)
        pinned = None if known is None else card_of(known)
        return parse_offered(untrusted, pinned=pinned, at=session.now())
    except RemoteRuleError as exc:
        raise InputRefused(exc.code if exc.code in _SAID else "card_invalid") from exc


def add_recipient(session: Session, card_token: str | bytes) -> str:
    """Keep a card the patient compared and accepted; adding it again renews it. Returns the recipient's id.

    Raises:
        InputRefused: as ``inspect_card``.
    """
    found = inspect_card(session, card_token)
    store, at = session.store, session.now()
    with store.write(at):
        keep_card(session, found, token_of(card_token), at=at)
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
        store.fhir.remove(recipient_id)
        store.recipients.remove(recipient_id)
        store.journal.add(Event.RECIPIENT_REMOVED, at=at, recipient=recipient_id)
    session.changed()


def recipient_row(stored: StoredRecipient) -> RecipientRow:
    """What the screens show of a recipient."""
    party = party_of(stored)
    card = party if isinstance(party, RecipientCard) else None
    return RecipientRow(
        id=party.id,
        name=party.name,
        kind=party.kind,
        fingerprint=card.fingerprint if card else "",
        endpoint=party.endpoint,
        added_at=stored.added_at,
        card_expires_at=card.expires_at if card else None,
    )
