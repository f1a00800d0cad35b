"""Cards are kept fresh: fetched from where they came, followed to a new key, or laid before the person.

Rules:
1. A card is fetched when the pinned one ends within `RENEW_BEFORE`, and when the recipient's answers do not
   prove anything any more (it may have a new key): once a day at most, from the pinned address only.
2. A newer card with the pinned key takes its place. So does one with a key that the pinned one leads to
   (`sync.succession`). Both are in the journal; nobody has to do anything.
3. A card with any other key is laid before the person. Until the fingerprint was compared, no record goes
   there (`usecases.holding`); after a "no" the pinned card stays.
4. A card that was issued before the pinned one never takes its place: an old card may carry a key or an
   address that was given up.
5. A card of another recipient is no card of this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pgo.errors import InputRefused, NotFound
from pgo.store.journal import Event
from pgo.store.recipients import StoredRecipient
from pgo.usecases.cards import card_of, is_plain
from pgo.usecases.session import Session
from sync.card import RecipientCard, card_file, card_parts, parse_card
from sync.errors import RemoteRuleError, SyncError
from sync.succession import follow
from sync.transport import CardSource

RENEW_BEFORE = timedelta(days=30)
ASK_AGAIN = timedelta(days=1)
_DOUBTS = frozenset({"no_proof", "unknown_key", "bad_receipt", "bad_reply"})
"""Failures that a new key of the recipient explains."""


@dataclass(frozen=True, slots=True)
class OtherKey:
    """A card that shows another key than the one that was compared."""

    recipient_id: str
    name: str
    known: str
    shown: str
    seen_at: datetime


def parse_offered(untrusted: str | bytes, *, pinned: RecipientCard | None, at: datetime) -> RecipientCard:
    """Check a card against the pinned one of the same recipient (rules 2 and 4).

    Raises:
        RemoteRuleError: as `parse_card`; `card_key_changed`, `card_older`.
    """
    token, successions = card_parts(untrusted)
    found = parse_card(token, at=at)
    if pinned is None or pinned.id != found.id:
        return found
    follow(pinned.verify_key, found, successions)
    if found.issued_at < pinned.issued_at:
        raise RemoteRuleError("card_older")
    return found


def keep_card(session: Session, card: RecipientCard, token: str, *, at: datetime) -> None:
    """Put a checked card in the place of the pinned one, inside the caller's transaction."""
    store = session.store
    known = store.recipients.find(card.id)
    store.recipients.keep(card.id, name=card.name, card=token, at=at)
    store.recipients.drop_offer(card.id)
    if known is None:
        event = Event.RECIPIENT_ADDED
    elif card_of(known).verify_key != card.verify_key:
        event = Event.RECIPIENT_NEW_KEY
    else:
        event = Event.RECIPIENT_RENEWED
    store.journal.add(event, at=at, recipient=card.id)


def renew_cards(session: Session) -> None:
    """Fetch the card of every recipient for which rule 1 says so."""
    source = session.transport
    if not isinstance(source, CardSource):
        return
    for stored in session.store.recipients.all():
        if not is_plain(stored) and _wants_renewal(session, stored):
            _renew(session, source, stored)


def other_keys(session: Session) -> tuple[OtherKey, ...]:
    """Cards that wait for the person, by name of the recipient."""
    recipients, found = session.store.recipients, []
    for recipient_id, (offered, seen_at) in recipients.offers().items():
        pinned = card_of(recipients.get(recipient_id))
        shown = parse_card(card_parts(offered)[0], at=seen_at)
        found.append(OtherKey(pinned.id, pinned.name, pinned.fingerprint, shown.fingerprint, seen_at))
    return tuple(sorted(found, key=lambda one: (one.name, one.recipient_id)))


def accept_other_key(session: Session, recipient_id: str) -> None:
    """The person compared the fingerprint: the offered card is pinned.

    Raises:
        NotFound: no card waits for this recipient.
        InputRefused: ``card_expired``.
    """
    store, at = session.store, session.now()
    offered = store.recipients.offers().get(recipient_id)
    if offered is None:
        raise NotFound("card_offer")
    try:
        card = parse_card(card_parts(offered[0])[0], at=at)
    except RemoteRuleError as exc:
        raise InputRefused("card_expired") from exc
    with store.write(at):
        keep_card(session, card, card_parts(offered[0])[0], at=at)
        store.outbox.wait_no_longer(at)
    session.changed()


def refuse_other_key(session: Session, recipient_id: str) -> None:
    """The fingerprint is another one: the offered card is dropped, the pinned one stays."""
    store, at = session.store, session.now()
    with store.write(at):
        store.recipients.drop_offer(recipient_id)
        store.journal.add(Event.RECIPIENT_KEY_REFUSED, at=at, recipient=recipient_id)
    session.changed()


def _wants_renewal(session: Session, stored: StoredRecipient) -> bool:
    store, at = session.store, session.now()
    asked_at = store.recipients.card_asked_at(stored.id)
    if asked_at is not None and at < asked_at + ASK_AGAIN:
        return False
    if card_of(stored).expires_at - at <= RENEW_BEFORE:
        withdrawn = store.ledger.withdrawals()
        rows = (row for row in store.ledger.grants() if row.recipient_id == stored.id)
        return any(row.grant_id not in withdrawn for row in rows)
    return any(entry.last_error in _DOUBTS for entry in store.outbox.open_for(stored.id))


def _renew(session: Session, source: CardSource, stored: StoredRecipient) -> None:
    store, pinned = session.store, card_of(stored)
    with store.write(session.now()):
        store.recipients.asked_for_card(stored.id, session.now())
    try:
        answer = source.fetch_card(pinned)
    except SyncError:
        return  # not reached; the pinned card still holds
    at = session.now()
    try:
        found = parse_offered(answer, pinned=pinned, at=at)
    except RemoteRuleError as exc:
        if exc.code == "card_key_changed":
            _lay_before_person(session, stored, answer, at=at)
        return
    if found.id == pinned.id and found.issued_at > pinned.issued_at:  # rule 5
        with store.write(at):
            keep_card(session, found, card_parts(answer)[0], at=at)
            store.outbox.wait_no_longer(at)
        session.changed()


def _lay_before_person(session: Session, stored: StoredRecipient, answer: bytes, *, at: datetime) -> None:
    token, successions = card_parts(answer)
    with session.store.write(at):
        session.store.recipients.lay_before(stored.id, card_file(token, successions), at=at)
        session.store.journal.add(Event.RECIPIENT_OTHER_KEY, at=at, recipient=stored.id)
    session.changed()
