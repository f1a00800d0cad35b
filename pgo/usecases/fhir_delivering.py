"""The store's side of sending to a plain FHIR server; a part of ``usecases.delivering``.

Such a server keeps no terms and erases nothing by itself. So every message carries the whole difference
between what may lie there now and what may lie there by all we know:

1. Decided with the ledger of this moment, in the transaction that marks the entry as sending.
2. What may not lie there any more is deleted, whatever ended it: a withdrawal, the last day, an objection,
   the trash. What may be there unsurely counts as there.
3. New and changed records go in parts, what is referred to first.
4. The terms (Consent) go again whenever the statement changed.
5. What the server shows when it is read back is written down as that, never as a receipt.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consent.decision import grants_in_force
from consent.ledger import Ledger
from consent.statement import reread_statement
from crypto.naming import Names, pairwise_names
from pgo.store.deliveries import Delivered, StoredReceipt
from pgo.store.fhir_servers import FhirItem
from pgo.store.journal import Event
from pgo.store.statements import StatementState, StoredStatement
from pgo.usecases.consenting import load_ledger
from pgo.usecases.fhir_parcels import Goods, Shaped, goods_for
from pgo.usecases.fhir_servers import destination
from pgo.usecases.queue import queue_push
from pgo.usecases.session import Session
from pgo.usecases.statements import acknowledged, current_statement, pairwise_for
from sync.fhir_server.controls import controls
from sync.fhir_server.deliver import STILL_THERE, Outcome
from sync.fhir_server.names import name_of, references_of, type_of
from sync.fhir_server.parcel import Parcel, parcel_bytes, read_parcel
from sync.fhir_server.server import FhirServer
from sync.fhir_server.transport import FhirDestination
from sync.outbox import OutboxEntry, cancel, needs_new_entry, read_back, start
from sync.runner import Cancelled, Preparation, Prepared
from sync.wire import Kind

MAX_RECORDS: Final = 200
MAX_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Moment:
    """Everything a message is made from."""

    to: FhirDestination
    names: Names
    statement: StoredStatement
    goods: Goods
    items: dict[str, FhirItem]


class PlainPort:
    """Prepares and records messages to FHIR servers; inside the transactions of ``VaultPort``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._store = session.store
        self._goods: dict[Hashable, Goods] = {}

    def prepare(self, entry: OutboxEntry, *, at: datetime) -> Preparation:
        """Decide now; mark sending with the content, or cancel."""
        store, rid = self._store, entry.recipient_id
        moment = self._moment(rid, at=at)
        parcel, records = self._parcel(moment, kind=entry.kind)
        if not (parcel.controls or parcel.records or parcel.gone):
            store.outbox.save(cancel(entry))
            return Cancelled("nothing_to_send")
        content = parcel_bytes(parcel)
        if needs_new_entry(entry, content):
            store.outbox.save(cancel(entry))
            queue_push(store, rid, at=at)
            return Cancelled("replaced")
        numbers: dict[str, int | None] = {name_of(body): None for body in parcel.controls}
        store.fhir.sending(rid, numbers | {name: one.number for name, one in records.items()})
        manifest = tuple((f"{type_of(name)}/r{one.number}", one.sha256) for name, one in records.items())
        number = entry.sequence or store.recipients.next_sequence(rid)
        started = start(entry, payload=content, manifest=manifest, sequence=number)
        store.outbox.save(started)
        if entry.payload is None:
            store.journal.add(
                Event.SENT,
                at=at,
                recipient=rid,
                message=entry.message_id,
                kind=entry.kind.value,
                records=len(manifest),
            )
        return Prepared(started, content, moment.to)

    def record(self, entry: OutboxEntry, outcome: Outcome, *, at: datetime) -> None:
        """Write down what the server showed; runs in the caller's transaction.

        Args:
            entry: as it was sent, with its content; it may have been taken back since.
            outcome: what was shown.
            at: now.
        """
        store, rid = self._store, entry.recipient_id
        parcel = read_parcel(entry.payload or b"")
        acknowledged(store, rid, entry.payload or b"")
        store.fhir.lies(rid, outcome.stored | outcome.lying)
        store.fhir.stays(rid, outcome.kept)
        items = store.fhir.items(rid)
        removed = {items[name].record_id for name in outcome.removed if name in items}
        store.fhir.gone(rid, outcome.removed)
        store.deliveries.forget(rid, [number for number in removed if number])
        by_number = {
            str(items[name].record_id): why
            for name, why in outcome.refused.items()
            if name in items and items[name].record_id is not None
        }
        store.deliveries.remember(
            rid,
            [
                Delivered(int(number), digest, entry.message_id, by_number.get(number, ""))
                for reference, digest in entry.manifest
                for number in [reference.rpartition("/r")[2]]
            ],
            at=at,
        )
        stored, refused = len(parcel.records), len(by_number)
        shown = _shown(entry, parcel, outcome, stored=stored - refused, refused=refused, at=at)
        store.deliveries.keep_receipt(shown)
        store.outbox.save(read_back(store.outbox.get(entry.id)))
        store.journal.add(
            Event.READ_BACK,
            at=at,
            recipient=rid,
            message=entry.message_id,
            stored=stored - refused,
            refused=refused,
            removed=len(outcome.removed),
            kept=len(outcome.kept),
        )
        queue_push(store, rid, at=at)  # the next part, or found to be empty and cancelled

    def _moment(self, recipient_id: str, *, at: datetime) -> _Moment:
        store = self._store
        to = destination(store, recipient_id)
        ledger = load_ledger(store)
        names = pairwise_names(store.identity_seed(), recipient_id)
        statement = current_statement(store, to.server, ledger, at=at)
        goods = self._goods_for(to.server, ledger, names, at=at)
        return _Moment(to, names, statement, goods, store.fhir.items(recipient_id))

    def _goods_for(self, server: FhirServer, ledger: Ledger, names: Names, *, at: datetime) -> Goods:
        """Decide now; kept for the next part of this delivery as long as nothing it rests on moved."""
        in_force = frozenset(str(grant.id) for grant in grants_in_force(ledger, at))
        key = (server.id, in_force, ledger.head_hash, self._store.records.stamp())
        if key not in self._goods:
            subject = pairwise_for(self._store, server.id).signing.public.text
            self._goods.clear()
            self._goods[key] = goods_for(self._session, server, ledger, names, subject=subject, at=at)
        return self._goods[key]

    def _parcel(self, moment: _Moment, *, kind: Kind) -> tuple[Parcel, dict[str, Shaped]]:
        items, goods = moment.items, moment.goods
        gone = [
            name
            for name, item in items.items()
            if item.record_id is not None
            and name not in goods.records
            # What could not be deleted is asked for again with each new statement, not with each message.
            and (not item.kept or kind is Kind.STATEMENT)
        ]
        told = moment.statement.state is StatementState.ACKNOWLEDGED
        never = not items and not goods.records
        beside = () if told or never else self._controls(moment)
        records = self._part(moment)
        bodies = [one.body for one in records.values()]
        wanted = {*gone, *records, *(name_of(one) for one in beside)}.union(
            *(references_of(body) for body in (*beside, *bodies))
        )
        known = {
            name: item.there
            for name, item in items.items()
            if name in wanted and item.there and item.there != name
        }
        return Parcel(moment.statement.token, tuple(beside), tuple(bodies), tuple(gone), known), records

    def _controls(self, moment: _Moment) -> tuple[dict[str, Any], ...]:
        statement = reread_statement(moment.statement.token)
        before = sum(
            type_of(name) == "Consent" and one.record_id is None for name, one in moment.items.items()
        )
        return controls(statement, moment.statement.token, moment.names, consents_before=before)

    def _part(self, moment: _Moment) -> dict[str, Shaped]:
        """As many new or changed records as go into one message, what is referred to first."""
        held = self._store.deliveries.held(moment.to.server.id)
        part: dict[str, Shaped] = {}
        size = 0
        for group in moment.goods.order:
            news = {name: moment.goods.records[name] for name in group}
            news = {n: one for n, one in news.items() if _is_new(one, held)}
            size += sum(one.size_bytes for one in news.values())
            if part and (len(part) + len(news) > MAX_RECORDS or size > MAX_BYTES):
                break
            part |= news
        return part


def _is_new(one: Shaped, held: dict[int, Delivered]) -> bool:
    return one.number not in held or held[one.number].sha256 != one.sha256


def _shown(
    entry: OutboxEntry, parcel: Parcel, outcome: Outcome, *, stored: int, refused: int, at: datetime
) -> StoredReceipt:
    """What was shown, kept where receipts are; its token is empty, for nobody signed it."""
    statement = reread_statement(parcel.statement)
    state = "stored" if statement.scope else ("cannot" if outcome.kept else "erased")
    reasons = sorted(set(outcome.kept.values()))
    return StoredReceipt(
        message_id=entry.message_id,
        recipient_id=entry.recipient_id,
        kind=entry.kind.value,
        state=state,
        stored=stored,
        refused=refused,
        stored_at=at,
        statement_sequence=statement.sequence,
        reason=STILL_THERE if STILL_THERE in reasons else "".join(reasons[:1]),
        token="",
    )
