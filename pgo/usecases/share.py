"""Share with a recipient, see what that means beforehand, and take it back.

Rules:
1. What the patient sees before signing is computed by the consent engine from the very grant that is signed
   after.
2. Signing writes grant, journal line and outbox entry in one transaction; withdrawing writes the
   withdrawal, cancels queued sends and queues the new statement in one transaction.
3. Nothing here touches the network.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from consent.codes import Erase
from consent.decision import GrantState, grant_state
from consent.document import SignedRecord
from consent.ledger import Ledger
from consent.records import By, RecordHash, Target, Withdrawal
from crypto.keys import SigningKey
from pgo.errors import InputRefused, NotFound
from pgo.store.journal import Event
from pgo.store.ledger import LedgerRow
from pgo.store.protocols import VaultStore
from pgo.usecases import requests
from pgo.usecases.cards import is_plain, party_of
from pgo.usecases.choices import (
    GrantFrame,
    Preset,
    ShareChoice,
    check_choice,
    choice_from,
    choice_text,
    grant_of,
    presets,
)
from pgo.usecases.consenting import (
    by_this_device,
    load_ledger,
    recipients_in_force,
    sign,
    subject_of,
)
from pgo.usecases.delivery_view import DeliveryState, DeliveryView, ReceiptView, delivery_of
from pgo.usecases.holding import holds
from pgo.usecases.picking import Named, names_in
from pgo.usecases.preview import Conflict, Draft, SharePreview, count, held_page
from pgo.usecases.queue import cancel_pushes, queue_push, queue_statement
from pgo.usecases.recipients import (
    RecipientRow,
    add_recipient,
    inspect_card,
    recipient,
    recipient_row,
    recipients,
    remove_recipient,
)
from pgo.usecases.session import Session
from sync.card import RecipientCard

__all__ = [
    "Conflict",
    "DeliveryState",
    "DeliveryView",
    "Preset",
    "ReceiptView",
    "RecipientRow",
    "ShareChoice",
    "SharePreview",
    "ShareRow",
    "add_recipient",
    "held_page",
    "inspect_card",
    "presets",
    "preview",
    "recipient",
    "recipients",
    "remove_recipient",
    "share",
    "shares",
    "sign_share",
    "withdraw",
]


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One grant: whom, what, whether it works now, and how far its delivery is.

    ``names`` holds the name of every single record and author in the choice.
    """

    grant_id: str
    recipient: RecipientRow
    choice: ShareChoice
    state: GrantState
    signed_at: datetime
    withdrawn_at: datetime | None
    delivery: DeliveryView
    names: Mapping[str, Named] = field(default_factory=dict)


def preview(session: Session, choice: ShareChoice) -> SharePreview:
    """What this choice would show the recipient, objections in force included.

    Raises:
        InputRefused: ``choice_invalid`` with ``fields``.
        NotFound: unknown recipient.
    """
    check_choice(choice, today=session.today())
    store = session.store
    card = party_of(store.recipients.get(choice.recipient_id))
    key = SigningKey.generate()  # signs the draft for the engine only
    frame = _frame(session, choice, by=replace(by_this_device(store), kid=key.public.id), seen=frozenset())
    grant = grant_of(choice, frame, actor=card.actor)
    return count(session, Draft(grant, key, card.actor, choice, load_ledger(store)))


def sign_share(
    session: Session, choice: ShareChoice, *, lang: str, shown_text: str, answers: str | None = None
) -> str:
    """Sign the grant and queue its first delivery. Returns the grant id.

    Args:
        session: the open vault.
        choice: what was previewed.
        lang: language of the text shown.
        shown_text: the exact words the patient read; only their hash goes into the grant.
        answers: id of the request this is the answer to; it leaves the inbox.

    Raises:
        InputRefused: ``choice_invalid`` with ``fields``, ``card_expired``, ``answer_too_wide``,
            ``research_not_here`` (a plain FHIR server).
        NotFound: unknown recipient or request.
    """
    check_choice(choice, today=session.today())
    store, at = session.store, session.now()
    stored = store.recipients.get(choice.recipient_id)
    card = party_of(stored)
    if isinstance(card, RecipientCard) and card.expires_at <= at:
        raise InputRefused("card_expired")
    if choice.is_research and is_plain(stored):
        raise InputRefused("research_not_here")  # docs/adr/0023
    with store.write(at):
        ledger = load_ledger(store)
        frame = _frame(
            session,
            choice,
            by=by_this_device(store),
            seen=frozenset(ledger.heads),
            words=(lang, shown_text),
        )
        grant = grant_of(choice, replace(frame, answers=answers), actor=card.actor)
        if answers is not None:
            requests.answered(session, answers, grant.rules)
        signed = sign(store, grant, ledger)
        _append(store, signed, grant_id=frame.grant_id, recipient_id=stored.id, choice=choice)
        store.journal.add(Event.GRANT_SIGNED, at=at, grant=frame.grant_id, recipient=stored.id)
        queue_push(store, stored.id, at=max(at, frame.period[0]))
    session.changed()
    return frame.grant_id


def shares(session: Session) -> tuple[ShareRow, ...]:
    """All grants ever signed here, newest first."""
    store = session.store
    ledger, withdrawn = load_ledger(store), store.ledger.withdrawals()
    return tuple(
        _share_row(session, row, ledger, withdrawn.get(row.grant_id or "")) for row in store.ledger.grants()
    )


def share(session: Session, grant_id: str) -> ShareRow:
    """One grant.

    Raises:
        NotFound: no such grant.
    """
    store = session.store
    row = store.ledger.grant(grant_id)
    if row is None:
        raise NotFound("grant")
    return _share_row(session, row, load_ledger(store), store.ledger.withdrawals().get(grant_id))


def withdraw(session: Session, grant_id: str) -> None:
    """Take a grant back: at once here, and queued for the recipient. Doing it twice changes nothing.

    Raises:
        NotFound: no such grant.
    """
    store, at = session.store, session.now()
    row = store.ledger.grant(grant_id)
    if row is None or row.recipient_id is None:
        raise NotFound("grant")
    if grant_id in store.ledger.withdrawals():
        return
    with store.write(at):
        ledger = load_ledger(store)
        withdrawal = Withdrawal(
            target=Target("grant", (grant_id,)),
            subject=subject_of(store),
            by=by_this_device(store),
            at=at,
            erase=Erase.DELETE,
            seen=frozenset(ledger.heads),
        )
        _append(store, sign(store, withdrawal, ledger), grant_id=grant_id, recipient_id=row.recipient_id)
        store.journal.add(Event.GRANT_WITHDRAWN, at=at, grant=grant_id, recipient=row.recipient_id)
        cancel_pushes(store, row.recipient_id)
        queue_statement(store, row.recipient_id, at=at)
        if row.recipient_id in recipients_in_force(store, at=at):
            queue_push(
                store, row.recipient_id, at=at
            )  # another grant goes on; what was cancelled is decided anew
    session.changed()


def _frame(
    session: Session,
    choice: ShareChoice,
    *,
    by: By,
    seen: frozenset[RecordHash],
    words: tuple[str, str] = ("", ""),
) -> GrantFrame:
    """Everything of the grant that is not ticked; the period runs from midnight to midnight."""
    at = session.now()
    first, last = choice.period
    starts = session.day_start(first)
    # A grant that begins today begins now: before it was signed nothing was permitted.
    return GrantFrame(
        grant_id=str(uuid.uuid4()),
        subject=subject_of(session.store),
        by=by,
        at=at,
        period=(max(starts, at), session.day_start(last + timedelta(days=1))),
        seen=seen,
        lang=words[0] or "nl",
        shown_text=words[1],
    )


def _append(
    store: VaultStore,
    signed: SignedRecord,
    *,
    grant_id: str,
    recipient_id: str,
    choice: ShareChoice | None = None,
) -> None:
    store.ledger.add(
        LedgerRow(
            position=store.ledger.head()[0],
            hash=signed.hash,
            token=signed.token,
            grant_id=grant_id,
            recipient_id=recipient_id,
            choice=None if choice is None else choice_text(choice),
            signed_at=signed.record.at,
        )
    )


def _share_row(session: Session, row: LedgerRow, ledger: Ledger, withdrawal: LedgerRow | None) -> ShareRow:
    store = session.store
    recipient_id = row.recipient_id or ""
    choice = choice_from(row.choice or "")
    single = choice.only or choice.left_out or choice.without_authors
    return ShareRow(
        grant_id=row.grant_id or "",
        recipient=recipient_row(store.recipients.get(recipient_id)),
        choice=choice,
        state=grant_state(ledger, row.grant_id or "", session.now()),
        signed_at=row.signed_at,
        withdrawn_at=None if withdrawal is None else withdrawal.signed_at,
        delivery=delivery_of(
            store,
            row,
            withdrawn_length=None if withdrawal is None else withdrawal.position + 1,
            hold=holds(session),
        ),
        names=names_in(session, choice) if single else {},
    )
