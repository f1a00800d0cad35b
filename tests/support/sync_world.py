"""Two ends of a line for tests: fixed keys, a card, and a recipient that opens, stores and signs for real.

`RecipientSimulator` is not a mock: it goes through `open_message`, keeps what it stored, answers with
signed receipts, and can be told to fail in the ways that networks and servers fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crypto.keys import OpeningKey, SealingKey, SigningKey, derive_pairwise
from sync import outbox
from sync.access import NO_HEAD, AccessEntry, AccessHead, next_entry, parse_access_request, sign_access_log
from sync.card import RecipientCard
from sync.envelope import OpenedMessage, open_message, peek_message_id, refuse_conflict, seal_reply
from sync.errors import RemoteRuleError, Unreachable
from sync.fhir_server.deliver import Outcome
from sync.outbox import OutboxEntry, State
from sync.receipt import Receipt, ReceiptState, sign_receipt
from sync.runner import Cancelled, Correspondent, Preparation, Prepared
from sync.wire import REFUSALS, Kind, new_message_id, sign_time

AT = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
CLINIC_ID = "ura:00000123"
CLINIC_SIGNING = SigningKey.from_seed(b"c" * 32)
CLINIC_OPENING = OpeningKey.from_seed(b"o" * 32)
PATIENT = derive_pairwise(b"p" * 32, CLINIC_ID)
MESSAGE_ID = "AAECAwQFBgcICQoLDA0ODw"


def a_card(**changes: Any) -> RecipientCard:
    card = RecipientCard(
        version=1,
        id=CLINIC_ID,
        kind="clinic",
        name="Praktijk De Test (fictief)",
        identifiers=(("http://fhir.nl/fhir/NamingSystem/ura", "00000123"),),
        endpoint="https://clinic.example",
        verify_key=CLINIC_SIGNING.public,
        sealing_key=CLINIC_OPENING.public,
        issued_at=AT - timedelta(days=1),
        expires_at=AT + timedelta(days=365),
    )
    return replace(card, **changes)


def a_correspondent(**changes: Any) -> Correspondent:
    return Correspondent(card=a_card(**changes), signing=PATIENT.signing, reply=PATIENT.opening)


def an_entry(**changes: Any) -> OutboxEntry:
    entry = OutboxEntry(
        id=1,
        recipient_id=CLINIC_ID,
        kind=Kind.PUSH,
        state=State.QUEUED,
        message_id=MESSAGE_ID,
        attempts=0,
        next_at=AT,
        created_at=AT,
    )
    return replace(entry, **changes)


@dataclass
class RecipientSimulator:
    """One recipient; also a `Transport` that carries messages straight to it."""

    reply_key: SealingKey = PATIENT.opening.public
    clock: Callable[[], datetime] = lambda: AT
    stored: dict[str, OpenedMessage] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    log: list[AccessEntry] = field(default_factory=list)
    faults: list[Callable[[bytes], bytes | None]] = field(default_factory=list)
    refuse_with: Exception | None = None

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        self.bodies.append(body)
        fault = self.faults.pop(0) if self.faults else None
        if self.refuse_with is not None:
            raise self.refuse_with
        if fault is lost_on_the_way:
            raise Unreachable
        answer = self._answer(path, body)
        if fault is answer_lost:
            raise Unreachable
        replaced = fault(answer) if fault else None
        return answer if replaced is None else replaced

    def _answer(self, path: str, body: bytes) -> bytes:
        try:
            opened = open_message(
                body,
                opening_keys={CLINIC_OPENING.public.id: CLINIC_OPENING},
                audience=CLINIC_ID,
                at=self.clock(),
                already_received=lambda _sender, message_id: message_id in self.stored,
            )
            content = self._effect(opened, path)
        except RemoteRuleError as refusal:
            proof = None
            if refusal.code == "clock":
                proof = sign_time(CLINIC_SIGNING, message_id=peek_message_id(body), at=self.clock())
            raise RemoteRuleError(refusal.code, status=REFUSALS[refusal.code], proof=proof) from refusal
        return seal_reply(
            content.encode(), to=self.reply_key, signer=CLINIC_SIGNING, message_id=opened.message_id
        )

    def _effect(self, opened: OpenedMessage, path: str) -> str:
        if opened.kind is Kind.ACCESS:
            assert path == "/v1/access"
            after = parse_access_request(opened.content).after
            return sign_access_log(
                self.log[after:],
                subject=opened.sender.text,
                total=len(self.log),
                key=CLINIC_SIGNING,
                at=self.clock(),
            )
        assert path == "/v1/inbox"
        known = self.stored.get(opened.message_id)
        if known is not None:
            refuse_conflict(opened, stored_payload_hash=known.payload_hash)
            return self.receipts[opened.message_id]
        self.stored[opened.message_id] = opened
        self.receipts[opened.message_id] = sign_receipt(a_receipt(opened), CLINIC_SIGNING)
        return self.receipts[opened.message_id]

    def look(self, user: str = "dr. Test") -> None:
        head = AccessHead(self.log[-1].sequence, self.log[-1].hash) if self.log else NO_HEAD
        self.log.append(
            next_entry(
                head,
                at=self.clock(),
                user=user,
                role="huisarts",
                action="view",
                categories=["medications"],
                purpose="TREAT",
            )
        )


def a_receipt(opened: OpenedMessage) -> Receipt:
    return Receipt(
        message_id=opened.message_id,
        subject=opened.sender.text,
        kind=opened.kind,
        payload_hash=opened.payload_hash,
        statement_sequence=1,
        stored_at=AT,
        stored=3 if opened.kind is Kind.PUSH else 0,
        state=ReceiptState.STORED if opened.kind is Kind.PUSH else ReceiptState.STOPPED,
    )


def lost_on_the_way(_: bytes) -> None:
    """The message never arrives."""


def answer_lost(_: bytes) -> None:
    """The message arrives and has its effect, the answer does not come back."""


@dataclass
class MemoryPort:
    """A `DeliveryPort` over a dict; what may be sent now is `permitted`, by recipient."""

    entries: dict[int, OutboxEntry] = field(default_factory=dict)
    permitted: dict[str, bytes | None] = field(default_factory=dict)
    correspondents: Mapping[str, Correspondent] = field(
        default_factory=lambda: {CLINIC_ID: a_correspondent()}
    )
    receipts: dict[int, Receipt] = field(default_factory=dict)
    before_send: Callable[[OutboxEntry], None] = lambda _: None

    def add(self, entry: OutboxEntry) -> OutboxEntry:
        stored = replace(entry, id=len(self.entries) + 1, sequence=len(self.entries) + 1)
        self.entries[stored.id] = stored
        return stored

    def open_entries(self) -> tuple[OutboxEntry, ...]:
        return tuple(entry for entry in self.entries.values() if entry.state in (State.QUEUED, State.SENDING))

    def supersede(self, entry: OutboxEntry, *, at: datetime) -> None:
        self._save(outbox.cancel(entry))

    def prepare(self, entry: OutboxEntry, *, at: datetime) -> Preparation:
        content = self.permitted.get(entry.recipient_id)
        if content is None:
            self._save(outbox.cancel(entry))
            return Cancelled("no_permit")
        if outbox.needs_new_entry(entry, content):
            self._save(outbox.cancel(entry))
            fresh = replace(
                entry,
                state=State.QUEUED,
                message_id=new_message_id(),
                attempts=0,
                payload=None,
            )
            self.add(fresh)
            return Cancelled("replaced")
        started = outbox.start(entry, payload=content)
        self._save(started)
        self.before_send(started)
        return Prepared(entry=started, content=content, to=self.correspondents[entry.recipient_id])

    def record(self, entry: OutboxEntry, receipt: Receipt, token: str, *, at: datetime) -> None:
        self.receipts[entry.id] = receipt
        self._save(outbox.acknowledge(self.entries[entry.id]))

    def record_read_back(self, entry: OutboxEntry, outcome: Outcome, *, at: datetime) -> None:
        self._save(outbox.read_back(self.entries[entry.id]))

    def postpone(self, entry: OutboxEntry, *, error: str, next_at: datetime, at: datetime) -> None:
        self._save(outbox.postpone(self.entries[entry.id], error=error, next_at=next_at))

    def refuse(self, entry: OutboxEntry, *, error: str, at: datetime) -> None:
        self._save(outbox.refuse(self.entries[entry.id], error=error))

    def _save(self, entry: OutboxEntry) -> None:
        self.entries[entry.id] = entry
