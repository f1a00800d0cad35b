"""The store's side of sending: ``sync.runner.DeliveryPort`` over one vault.

Rules:
1. ``prepare`` decides with the ledger of this moment and marks the entry as sending in the same transaction.
2. A push carries permitted records the recipient does not have in their present form, redacted over
   everything it may see; what it may no longer see is forgotten here, so that it is sent again should it be
   permitted again.
3. A push that was sent before goes out again unchanged, as long as its statement is the present one and
   every record in it is still permitted; else it is cancelled and a new one takes its place.
4. What was thrown away is asked back (``removals``) before the next push.
5. Records travel under a number of this vault (``Type/r<number>``): stable, and saying nothing about the
   source.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import datetime

from consent.decision import grants_in_force
from consent.ledger import Ledger
from crypto.canonical import sha256_id
from pgo.store.deliveries import Delivered, StoredReceipt
from pgo.store.journal import Event
from pgo.store.statements import StoredStatement
from pgo.usecases.cards import card_of, is_plain
from pgo.usecases.consenting import load_ledger
from pgo.usecases.fhir_delivering import PlainPort
from pgo.usecases.holding import holds
from pgo.usecases.parcels import Parcel, permitted
from pgo.usecases.queue import queue_push, queue_removal, queue_statement
from pgo.usecases.removals import gone_for, remove_there
from pgo.usecases.session import Session
from pgo.usecases.statements import (
    acknowledged,
    current_statement,
    is_acknowledged,
    pairwise_for,
    try_another_head,
)
from sync.bundle import build_push, build_statement_content, build_transaction, split
from sync.card import RecipientCard
from sync.fhir_server.deliver import Outcome
from sync.outbox import OutboxEntry, State, acknowledge, cancel, needs_new_entry, postpone, refuse, start
from sync.receipt import Receipt, ReceiptState
from sync.removal import MAX_GONE, build_removal
from sync.runner import Cancelled, Correspondent, Preparation, Prepared
from sync.wire import MAX_CONTENT_BYTES, Kind

MAX_RECORDS_PER_PUSH = 400
MAX_PUSH_BYTES = 1 << 20
"""Small enough for a slow line to finish within the transport's deadline, and a retry repeats little."""

MAX_RECORD_BYTES = MAX_CONTENT_BYTES - 256 * 1024
"""What one record may measure beside its statement and wrapping."""


_AGAIN = {Kind.STATEMENT: queue_statement, Kind.REMOVAL: queue_removal, Kind.PUSH: queue_push}


class VaultPort:
    """``DeliveryPort`` of one session; every call is one transaction."""

    def __init__(self, session: Session, *, anyway: bool = False) -> None:
        self._session = session
        self._anyway = anyway
        self._store = session.store
        self._parcels: dict[Hashable, tuple[Parcel, ...]] = {}
        self._plain = PlainPort(session)

    def open_entries(self) -> Sequence[OutboxEntry]:
        """All queued and sending entries that nothing holds back (``holding``), oldest first."""
        hold = holds(self._session, anyway=self._anyway)
        return [one for one in self._store.outbox.all_open() if hold(one) is None]

    def supersede(self, entry: OutboxEntry, *, at: datetime) -> None:
        """Cancel a statement that a newer one replaces."""
        with self._store.write(at):
            self._store.outbox.save(cancel(self._store.outbox.get(entry.id)))

    def prepare(self, entry: OutboxEntry, *, at: datetime) -> Preparation:
        """Decide now; mark sending with the content, or cancel."""
        preparation = self._decide(entry, at=at)
        if isinstance(preparation, Cancelled):
            self._session.changed()  # what a screen showed as waiting does not wait any more
        return preparation

    def _decide(self, entry: OutboxEntry, *, at: datetime) -> Preparation:
        store = self._store
        with store.write(at):
            entry = store.outbox.get(entry.id)
            if entry.state not in (State.QUEUED, State.SENDING):
                return Cancelled("withdrawn")
            held = holds(self._session, anyway=True)(entry)  # what it costs was asked for the whole round
            if held is not None:
                return Cancelled(held)  # the entry stays: what holds it back lets it go on
            stored = store.recipients.get(entry.recipient_id)
            if is_plain(stored):
                return self._plain.prepare(entry, at=at)
            card = card_of(stored)
            ledger = load_ledger(store)
            statement = current_statement(store, card, ledger, at=at)
            if entry.kind is Kind.STATEMENT:
                return self._prepare_statement(entry, card, statement, at=at)
            if entry.kind is Kind.REMOVAL:
                return self._prepare_removal(entry, card, at=at)
            return self._prepare_push(entry, card, ledger, statement, at=at)

    def record(self, entry: OutboxEntry, receipt: Receipt, token: str, *, at: datetime) -> None:
        """Keep a verified receipt; the entry is delivered."""
        store = self._store
        with store.write(at):
            entry = store.outbox.get(entry.id)
            acknowledged(store, entry.recipient_id, entry.payload or b"")
            if entry.kind is Kind.REMOVAL:
                gone = [number for _, (number, _) in self._named(entry)]
                store.deliveries.removed(entry.recipient_id, gone, at=at)
            else:
                self._note_held(entry, receipt, at=at)
            store.deliveries.keep_receipt(_stored(entry, receipt, token))
            store.outbox.save(acknowledge(entry))
            store.journal.add(
                Event.RECEIPT,
                at=at,
                recipient=entry.recipient_id,
                message=entry.message_id,
                stored=receipt.stored,
                refused=len(receipt.refused),
            )
            if entry.kind is Kind.PUSH:
                # The next part, or found to be empty and cancelled.
                queue_push(store, entry.recipient_id, at=at, follows=True)
            remove_there(store, entry.recipient_id, at=at)  # thrown away while this was under way
        self._session.changed()

    def _note_held(self, entry: OutboxEntry, receipt: Receipt, *, at: datetime) -> None:
        """Keep what a receipt says about each record that was in the message."""
        deliveries, refused = self._store.deliveries, dict(receipt.refused)
        items = [
            Delivered(number, digest, entry.message_id, refused.get(reference, ""))
            for reference, (number, digest) in self._named(entry)
        ]
        deliveries.remember(entry.recipient_id, items, at=at)
        if receipt.state in (ReceiptState.ERASED, ReceiptState.STOPPED):
            # A new grant starts from nothing.
            deliveries.forget(entry.recipient_id, deliveries.held(entry.recipient_id))
        if receipt.state is ReceiptState.ERASED:
            sent = {record_number(name) for name in self._store.outbox.ever_sent(entry.recipient_id)}
            deliveries.removed(entry.recipient_id, sent, at=at)

    def record_read_back(self, entry: OutboxEntry, outcome: Outcome, *, at: datetime) -> None:
        """Keep what a plain FHIR server showed; no receipt."""
        with self._store.write(at):
            self._plain.record(entry, outcome, at=at)
        self._session.changed()

    def postpone(self, entry: OutboxEntry, *, error: str, next_at: datetime, at: datetime) -> None:
        """Put the entry back in the queue."""
        with self._store.write(at):
            self._store.outbox.save(postpone(self._store.outbox.get(entry.id), error=error, next_at=next_at))
        self._session.changed()

    def refuse(self, entry: OutboxEntry, *, error: str, at: datetime) -> None:
        """Record a final refusal; one that tells which statement arrived leads to a new try."""
        store = self._store
        with store.write(at):
            entry = store.outbox.get(entry.id)
            store.outbox.save(refuse(entry, error=error))
            store.journal.add(
                Event.REFUSED, at=at, recipient=entry.recipient_id, message=entry.message_id, error=error
            )
            if self._learnt(entry, error):
                store.outbox.save(cancel(store.outbox.get(entry.id)))
                _AGAIN[entry.kind](store, entry.recipient_id, at=at)
        self._session.changed()

    def _learnt(self, entry: OutboxEntry, error: str) -> bool:
        """Whether the refusal tells something that makes another message worth trying."""
        if error == "late":  # our counter is behind: this vault was put back from a backup
            return self._store.recipients.leap(entry.recipient_id)
        if error not in ("statement_rolled_back", "statement_refused"):
            return False
        return try_another_head(
            self._store,
            entry.recipient_id,
            entry.payload or b"",
            rolled_back=error == "statement_rolled_back",
        )

    def _prepare_statement(
        self, entry: OutboxEntry, card: RecipientCard, statement: StoredStatement, *, at: datetime
    ) -> Preparation:
        content = build_statement_content(statement.token)
        if needs_new_entry(entry, content):
            self._store.outbox.save(cancel(entry))
            queue_statement(self._store, entry.recipient_id, at=at)
            return Cancelled("replaced")
        return self._start(entry, card, content, manifest=(), at=at)

    def _prepare_removal(self, entry: OutboxEntry, card: RecipientCard, *, at: datetime) -> Preparation:
        if entry.payload is not None:  # it may have arrived: again as it was, whatever came back since
            return self._start(entry, card, entry.payload, manifest=entry.manifest, at=at)
        gone = gone_for(self._store, card.id)[:MAX_GONE]
        if not gone:
            self._store.outbox.save(cancel(entry))
            return Cancelled("nothing_to_send")
        manifest = tuple((reference, "") for reference in gone)
        return self._start(entry, card, build_removal(gone), manifest=manifest, at=at)

    def _prepare_push(
        self,
        entry: OutboxEntry,
        card: RecipientCard,
        ledger: Ledger,
        statement: StoredStatement,
        *,
        at: datetime,
    ) -> Preparation:
        store = self._store
        parcels = self._permitted(card, ledger, at=at)
        if entry.payload is not None:
            if self._still_right(entry, statement, parcels):
                return self._start(entry, card, entry.payload, manifest=entry.manifest, at=at)
            store.outbox.save(cancel(entry))
            queue_push(store, entry.recipient_id, at=at)
            return Cancelled("replaced")
        held = store.deliveries.held(card.id)
        allowed = {number for parcel in parcels for number, _, _ in parcel.records.values()}
        # What is in the trash is asked back by a removal, and known as held until then.
        store.deliveries.forget(card.id, store.records.reading.present_among(held.keys() - allowed))
        store.recipients.set_to_send(card.id, len(allowed))
        for parcel in parcels:
            news = self._news(entry, parcel, held, at=at)
            if news:
                return self._start_push(entry, card, statement, parcel, news, at=at)
        store.outbox.save(cancel(entry))
        if not is_acknowledged(store, card.id, ledger_length=len(ledger.records)):
            queue_statement(
                store, card.id, at=at
            )  # nothing to send, but the recipient must know the new terms
        return Cancelled("nothing_to_send")

    def _news(
        self, entry: OutboxEntry, parcel: Parcel, held: Mapping[int, Delivered], *, at: datetime
    ) -> list[tuple[str, bytes]]:
        """Records the recipient does not have in this form; what fits into no message is noted as refused."""
        news: list[tuple[str, bytes]] = []
        for reference, (number, raw, _) in parcel.records.items():
            digest = sha256_id(raw)
            if number in held and held[number].sha256 == digest:
                continue
            if len(raw) > MAX_RECORD_BYTES:
                note = Delivered(number, digest, entry.message_id, "too_large")
                self._store.deliveries.remember(entry.recipient_id, [note], at=at)
            else:
                news.append((reference, raw))
        return sorted(news, key=lambda one: _urgency(one[0], held))

    def _permitted(self, card: RecipientCard, ledger: Ledger, *, at: datetime) -> tuple[Parcel, ...]:
        """Decide now; kept for the next part of this delivery as long as nothing it rests on moved."""
        in_force = frozenset(str(grant.id) for grant in grants_in_force(ledger, at))
        key = (card.id, in_force, ledger.head_hash, self._store.records.stamp())
        if key not in self._parcels:
            self._parcels.clear()
            self._parcels[key] = tuple(permitted(self._session, card, ledger, at=at))
        return self._parcels[key]

    def _start_push(
        self,
        entry: OutboxEntry,
        card: RecipientCard,
        statement: StoredStatement,
        parcel: Parcel,
        news: Sequence[tuple[str, bytes]],
        *,
        at: datetime,
    ) -> Preparation:
        batch = _first_part(news)
        keys = pairwise_for(self._store, card.id)
        urls = {ref: parcel.records[ref][2] for ref, _ in batch if parcel.records[ref][2]}
        bundle = build_transaction(batch, subject_id=keys.signing.public.text, full_urls=urls)
        content = build_push(
            statement=statement.token, transaction=bundle, purpose=parcel.purpose, actions=[parcel.action]
        )
        manifest = tuple((ref, sha256_id(raw)) for ref, raw in batch)
        return self._start(entry, card, content, manifest=manifest, at=at)

    def _start(
        self,
        entry: OutboxEntry,
        card: RecipientCard,
        content: bytes,
        *,
        manifest: tuple[tuple[str, str], ...],
        at: datetime,
    ) -> Preparation:
        number = entry.sequence or self._store.recipients.next_sequence(card.id)
        started = start(entry, payload=content, manifest=manifest, sequence=number)
        self._store.outbox.save(started)
        if entry.kind is Kind.PUSH:
            self._store.deliveries.sent_again(card.id, (record_number(ref) for ref, _ in manifest))
        if entry.payload is None:  # the same message going out again is no second sharing
            self._store.journal.add(
                Event.SENT,
                at=at,
                recipient=card.id,
                message=entry.message_id,
                kind=entry.kind.value,
                records=len(manifest),
            )
        keys = pairwise_for(self._store, card.id)
        return Prepared(started, content, Correspondent(card, keys.signing, keys.opening))

    def _still_right(self, entry: OutboxEntry, statement: StoredStatement, parcels: Sequence[Parcel]) -> bool:
        now = {
            (reference, sha256_id(raw))
            for parcel in parcels
            for reference, (_, raw, _) in parcel.records.items()
        }
        carries = statement.token.encode("ascii") in (entry.payload or b"")
        return carries and set(entry.manifest) <= now

    def _named(self, entry: OutboxEntry) -> Iterator[tuple[str, tuple[int, str]]]:
        for reference, digest in entry.manifest:
            yield reference, (record_number(reference), digest)


def record_number(reference: str) -> int:
    """Number in this vault of a record named ``Type/r<number>``."""
    return int(reference.rpartition("/r")[2])


def _urgency(reference: str, held: Mapping[int, Delivered]) -> tuple[bool, bool, int]:
    """What goes first: who it is about, then what changed since the recipient got it, then the newest.

    So what was typed today does not wait behind the tail of a record of thousands that is on its way.
    """
    number = record_number(reference)
    return not reference.startswith("Patient/"), number not in held, -number


def _first_part(news: Sequence[tuple[str, bytes]]) -> tuple[tuple[str, bytes], ...]:
    """As much as goes into one message; the rest follows in the next."""
    first = news[:MAX_RECORDS_PER_PUSH]
    largest = max(len(raw) for _, raw in first[:1])
    return split(first, max_bytes=max(MAX_PUSH_BYTES, largest + 4096))[0]


def _stored(entry: OutboxEntry, receipt: Receipt, token: str) -> StoredReceipt:
    return StoredReceipt(
        message_id=entry.message_id,
        recipient_id=entry.recipient_id,
        kind=receipt.kind.value,
        state=receipt.state.value,
        stored=receipt.stored,
        refused=len(receipt.refused),
        stored_at=receipt.stored_at,
        statement_sequence=receipt.statement_sequence,
        reason=receipt.reason,
        token=token,
    )
