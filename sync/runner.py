"""The one loop with effects: ask what is due, decide, send, check the proof, record.

The loop itself knows no store, no ledger and no clock. It asks a `DeliveryPort`; the port answers each
call in one transaction. `prepare` is where consent is asked *again, now*: it decides, builds the content
and marks the entry as sending, all in one transaction, or it cancels the entry. So nothing is ever
sent under a permit that was gone when it left.

For each entry, in the order of `sync.plan`:

1. `prepare` (decision at sending time), or cancelled;
2. a fresh envelope around the prepared content, same message id at every attempt;
3. send;
4. open the sealed reply and verify the receipt in it: `record`;
5. otherwise `postpone` (not reached, nothing proved, or refused for what damage on the way does too:
   `wire.MAY_BE_DAMAGE`) or `refuse` (the recipient said why).

To a plain FHIR server (`sync.fhir_server`) steps 2 to 4 are: bring it, read it back, `record_read_back`.

A refusal because of the clock comes with the recipient's signed time; the envelope is then made once more
with that time, which is used for envelopes only.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeAlias

from crypto.canonical import sha256_id
from crypto.keys import OpeningKey, SigningKey
from sync.access import AccessEntry, AccessHead, AccessLog, build_access_request, verify_access_log
from sync.access_full import build_full_request, verify_full_log
from sync.card import RecipientCard
from sync.envelope import open_reply, seal_message
from sync.errors import LocalRuleError, RemoteRuleError, Unreachable
from sync.fhir_server.deliver import Outcome
from sync.fhir_server.transport import FhirDestination
from sync.head import Head, build_head_request, verify_head
from sync.outbox import OutboxEntry, when_again
from sync.plan import hold, plan
from sync.receipt import Receipt, verify_receipt
from sync.transport import Transport
from sync.wire import MAY_BE_DAMAGE, PATHS, SURE_AFTER_REFUSALS, Kind, new_message_id, verify_time


@dataclass(frozen=True, slots=True)
class Correspondent:
    """The two ends of a line: the pinned card of the recipient and our pairwise keys for it."""

    card: RecipientCard
    signing: SigningKey
    reply: OpeningKey


@dataclass(frozen=True, slots=True)
class Prepared:
    """Permit: this content goes out now. `entry` is already marked sending, in the store too.

    `to` decides which way: sealed to a recipient with a card, or to a plain FHIR server.
    """

    entry: OutboxEntry
    content: bytes = field(repr=False)
    to: Correspondent | FhirDestination = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """No permit now: the entry was cancelled (or replaced by a new one), nothing goes out."""

    reason: str


Preparation: TypeAlias = Prepared | Cancelled

MAX_ACCESS_PIECES = 100
"""Pieces of a log that one question fetches: half a million looks, and an end to a log without end."""

_RANDOM = secrets.SystemRandom()
_OUTCOMES = ("delivered", "stored", "later", "refused", "cancelled")


class PlainLine(Protocol):
    """Brings the content of one message to a plain FHIR server."""

    def deliver(self, to: FhirDestination, content: bytes, *, message_id: str) -> Outcome:
        """Bring it, look whether it is so; as `sync.fhir_server.transport.FhirTransport.deliver`."""
        ...


class DeliveryPort(Protocol):
    """What the loop needs from the side that owns store and consent; every call is one transaction."""

    def open_entries(self) -> Sequence[OutboxEntry]:
        """Return all queued and sending entries, due or not."""
        ...

    def supersede(self, entry: OutboxEntry, *, at: datetime) -> None:
        """Cancel a statement that a newer one replaces."""
        ...

    def prepare(self, entry: OutboxEntry, *, at: datetime) -> Preparation:
        """Decide with the ledger of this moment; mark sending and keep the content, or cancel.

        An entry that was sent before and may still be sent with the same content goes out again as it
        was; when the content would differ (`outbox.needs_new_entry`), it is cancelled and a new entry
        takes its place.
        """
        ...

    def record(self, entry: OutboxEntry, receipt: Receipt, token: str, *, at: datetime) -> None:
        """Keep a verified receipt with its token; the entry is delivered."""
        ...

    def record_read_back(self, entry: OutboxEntry, outcome: Outcome, *, at: datetime) -> None:
        """Keep what a plain FHIR server showed when it was read back; the entry is stored there."""
        ...

    def postpone(self, entry: OutboxEntry, *, error: str, next_at: datetime, at: datetime) -> None:
        """Put the entry back in the queue."""
        ...

    def refuse(self, entry: OutboxEntry, *, error: str, at: datetime) -> None:
        """Record a final refusal."""
        ...


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one round did; entry numbers, in the order they were handled.

    Attributes:
        delivered: With a signed receipt.
        stored: At a plain FHIR server, which signs nothing; read back.
    """

    delivered: tuple[int, ...] = ()
    stored: tuple[int, ...] = ()
    later: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    cancelled: tuple[int, ...] = ()


def run_once(
    port: DeliveryPort,
    transport: Transport,
    *,
    at: datetime,
    clock: Callable[[], datetime] | None = None,
    jitter: Callable[[], float] = _RANDOM.random,
    plain: PlainLine | None = None,
) -> RunReport:
    """Do one round of work.

    Args:
        port: Store and consent.
        transport: The way out to recipients with a card.
        at: Now, at the start of the round.
        clock: Asked before each entry, for rounds that take minutes; without it `at` counts throughout.
        jitter: Random numbers in [0, 1) for the waiting times.
        plain: The way out to plain FHIR servers; without it nothing goes to one.
    """
    now = clock or (lambda: at)
    work = plan(port.open_entries(), at=at)
    ways = _Ways(transport, plain)
    outcomes: dict[str, list[int]] = {name: [] for name in _OUTCOMES}
    for entry in work.superseded:
        port.supersede(entry, at=now())
        outcomes["cancelled"].append(entry.id)
    send = work.send
    while send:
        entry, send = send[0], send[1:]
        outcome = _handle(port, ways, entry, now=now, jitter=jitter)
        outcomes[outcome].append(entry.id)
        if outcome == "later":
            send = hold(send, entry.recipient_id)
    return RunReport(**{name: tuple(ids) for name, ids in outcomes.items()})


def fetch_access(
    transport: Transport, to: Correspondent, *, known_head: AccessHead, at: datetime, full: bool = False
) -> AccessLog:
    """Ask a recipient who looked, after what we know already; verified or raised.

    A long log comes in pieces; each is asked for after the last entry of the one before.

    Args:
        transport: the way out.
        to: whom to ask.
        known_head: what we saw last, in the chain of the form that is asked for.
        at: now.
        full: ask for the form that tells everything; a recipient that does not know it refuses (`malformed`).

    Returns:
        All entries after `known_head`, oldest first.

    Raises:
        Unreachable, RemoteRuleError, LocalRuleError: as `Transport.send`, and the codes of
            `verify_access_log` or `verify_full_log` from the verification.
    """
    entries: tuple[AccessEntry, ...] = ()
    head = known_head
    for _ in range(MAX_ACCESS_PIECES):
        log = _ask_access(transport, to, known_head=head, at=at, full=full)
        entries += tuple(entry for entry in log.entries if entry.sequence > head.sequence)
        if log.head.sequence == log.total:
            return replace(log, entries=entries)
        if log.head.sequence <= head.sequence:  # more is promised and nothing new is given
            break
        head = log.head
    raise RemoteRuleError("bad_access_log")


def _ask_access(
    transport: Transport, to: Correspondent, *, known_head: AccessHead, at: datetime, full: bool
) -> AccessLog:
    content = build_full_request(known_head) if full else build_access_request(known_head)
    message = _Message(Kind.ACCESS, content, new_message_id(), 0, to)
    token = _ask(transport, message, at=at)
    verify = verify_full_log if full else verify_access_log
    return verify(token, to.card.verify_key, subject=to.signing.public.text, known_head=known_head)


def fetch_head(transport: Transport, to: Correspondent, *, acknowledged: int, at: datetime) -> Head:
    """Ask a recipient for the newest statement it holds of us; verified or raised.

    Args:
        transport: the way out.
        to: whom to ask.
        acknowledged: number of the newest statement it gave us a receipt for, as far as we know.
        at: now.

    Raises:
        Unreachable, RemoteRuleError, LocalRuleError: as `Transport.send`, and `bad_head`,
            `head_rolled_back` from the verification.
    """
    message = _Message(Kind.HEAD, build_head_request(to.reply.public), new_message_id(), 0, to)
    token = _ask(transport, message, at=at)
    return verify_head(
        token, to.card.verify_key, own=to.signing.public, audience=to.card.id, acknowledged=acknowledged
    )


@dataclass(frozen=True, slots=True)
class _Message:
    kind: Kind
    content: bytes = field(repr=False)
    message_id: str
    sequence: int
    to: Correspondent


@dataclass(frozen=True, slots=True)
class _Ways:
    sealed: Transport
    plain: PlainLine | None


def _handle(
    port: DeliveryPort,
    ways: _Ways,
    entry: OutboxEntry,
    *,
    now: Callable[[], datetime],
    jitter: Callable[[], float],
) -> str:
    prepared = port.prepare(entry, at=now())  # step 1
    if isinstance(prepared, Cancelled):
        return "cancelled"
    sending = prepared.entry
    try:
        proof = _bring(ways, prepared, at=now())  # steps 2 to 4
    except Unreachable as exc:  # step 5
        again = when_again(sending, at=now(), jitter=jitter(), retry_after_seconds=exc.retry_after_seconds)
        port.postpone(sending, error=exc.code, next_at=again, at=now())
        return "later"
    except (RemoteRuleError, LocalRuleError) as exc:  # step 5
        if exc.code in MAY_BE_DAMAGE and sending.doubted + 1 < SURE_AFTER_REFUSALS:
            again = when_again(sending, at=now(), jitter=jitter())
            port.postpone(sending, error=exc.code, next_at=again, at=now())
            return "later"
        port.refuse(sending, error=exc.code, at=now())
        return "refused"
    if isinstance(proof, Outcome):
        port.record_read_back(sending, proof, at=now())
        return "stored"
    port.record(sending, *proof, at=now())  # step 4
    return "delivered"


def _bring(ways: _Ways, prepared: Prepared, *, at: datetime) -> tuple[Receipt, str] | Outcome:
    if isinstance(prepared.to, FhirDestination):
        if ways.plain is None:
            raise Unreachable
        return ways.plain.deliver(prepared.to, prepared.content, message_id=prepared.entry.message_id)
    return _deliver(ways.sealed, prepared, prepared.to, at=at)


def _deliver(
    transport: Transport, prepared: Prepared, to: Correspondent, *, at: datetime
) -> tuple[Receipt, str]:
    entry = prepared.entry
    message = _Message(entry.kind, prepared.content, entry.message_id, entry.sequence, to)
    token = _ask(transport, message, at=at)
    try:
        receipt = verify_receipt(
            token,
            to.card.verify_key,
            message_id=entry.message_id,
            subject=to.signing.public.text,
            kind=entry.kind,
            payload_hash=sha256_id(prepared.content),
        )
    except RemoteRuleError as exc:
        raise Unreachable("no_proof") from exc
    return receipt, token


def _ask(transport: Transport, message: _Message, *, at: datetime) -> str:
    body = _send_with_their_clock(transport, message, at=at)
    to = message.to
    try:
        content = open_reply(body, key=to.reply, signer=to.card.verify_key, message_id=message.message_id)
        return content.decode("ascii")
    except (RemoteRuleError, UnicodeDecodeError) as exc:
        # Not a refusal: a proxy or a sign-in page said "200 OK", and that proves nothing.
        raise Unreachable("no_proof") from exc


def _send_with_their_clock(transport: Transport, message: _Message, *, at: datetime) -> bytes:
    try:
        return _send(transport, message, at=at)
    except RemoteRuleError as exc:
        if exc.code != "clock":
            raise
        their_time = _their_time(message, exc.proof)
    try:
        return _send(transport, message, at=their_time)
    except RemoteRuleError as exc:
        if exc.code != "clock":
            raise
        raise Unreachable("clock") from exc  # clocks get set right; not final


def _their_time(message: _Message, proof: str | None) -> datetime:
    try:
        return verify_time(proof or "", message.to.card.verify_key, message_id=message.message_id)
    except RemoteRuleError as exc:
        raise Unreachable("clock") from exc


def _send(transport: Transport, message: _Message, *, at: datetime) -> bytes:
    body = seal_message(
        kind=message.kind,
        content=message.content,
        sender=message.to.signing,
        to=message.to.card,
        message_id=message.message_id,
        sequence=message.sequence,
        at=at,
    )
    return transport.send(message.to.card, PATHS[message.kind], body)
