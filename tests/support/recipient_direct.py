"""A recipient without a network: a patient's messages go straight into its inbox, receipts are verified."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from crypto.canonical import sha256_id
from recipient import audit
from recipient.accounts import Account, add_account
from recipient.identity import build_card, create_identity, load_identity
from recipient.inbox import Inbox
from recipient.reading import Reader
from recipient.store import Store
from sync.envelope import open_reply
from sync.receipt import Receipt, verify_receipt
from sync.wire import Kind, new_message_id
from tests.support.patient_side import PatientSide

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "vier losse woorden tafel"
ENDPOINT = "https://share.example.org"


def found(store: Store, *, at: datetime = AT) -> Account:
    """Give an empty store its identity and one reader."""
    create_identity(
        store, recipient_id="ura:00000123", name="Praktijk Zuid", kind="clinic", url=ENDPOINT, at=at
    )
    return add_account(store, name="dewit", display="S. de Wit", role="internist", password=PASSWORD, at=at)


def a_patient_of(store: Store, number: int = 1, *, at: datetime = AT, **grant: Any) -> PatientSide:
    """A patient with a grant for this recipient; nothing is sent yet."""
    card, _ = build_card(load_identity(store), endpoint=ENDPOINT, at=at)
    side = PatientSide(card, number.to_bytes(32, "big"))
    side.grant(at=at, **grant)
    return side


def deliver(
    inbox: Inbox,
    patient: PatientSide,
    content: bytes,
    *,
    kind: Kind = Kind.PUSH,
    at: datetime = AT,
    message_id: str | None = None,
) -> Receipt:
    """Hand one message to the inbox and verify the receipt as the patient's app does."""
    message_id = message_id or new_message_id()
    reply = inbox.receive(patient.envelope(kind, content, at=at, message_id=message_id), at=at)
    token = open_reply(
        reply, key=patient.pairwise.opening, signer=patient.card.verify_key, message_id=message_id
    ).decode("ascii")
    return verify_receipt(
        token,
        patient.card.verify_key,
        message_id=message_id,
        subject=patient.sub,
        kind=kind,
        payload_hash=sha256_id(content),
    )


def push(
    store: Store, patient: PatientSide, resources: Sequence[dict[str, Any] | bytes], *, at: datetime = AT
) -> Receipt:
    """Deliver resources under the statement in force."""
    inbox = Inbox(store, load_identity(store))
    return deliver(inbox, patient, patient.push_content(resources), at=at)


def withdraw(store: Store, patient: PatientSide, *, at: datetime = AT, **said: Any) -> Receipt:
    """Withdraw and tell the recipient."""
    patient.withdraw(at=at, **said)
    inbox = Inbox(store, load_identity(store))
    return deliver(inbox, patient, patient.statement_content(), kind=Kind.STATEMENT, at=at)


def look(store: Store, account: Account, patient: PatientSide, *, at: datetime = AT) -> tuple[str, ...]:
    """Open a patient's page; return the references that were shown."""
    row = store.row("SELECT handle FROM sender WHERE sub = ?", (patient.sub,))
    assert row is not None
    shown = Reader(store, load_identity(store)).open_record(account, row[0], at=at)
    assert audit.head(store, patient.sub).sequence > 0
    return tuple(item.reference for item in shown.items)
