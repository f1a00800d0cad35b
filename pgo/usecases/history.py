"""The history of sharing: every change as a line, with its receipt, and all of it as a file.

Rules:
1. What the patient decided comes from the signed ledger, what recipients did from the journal; both are
   checked chains, so nothing can be left out of the list without being noticed.
2. Each decision has a receipt with the fields of ISO/IEC TS 27560, made from the signed record.
3. The file is for the patient to keep or hand over; it holds no clinical data, only rules, names and times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from consent.dates import instant_text
from consent.ledger import Ledger
from consent.receipt import Receipt, ReceiptState, build_receipt
from consent.records import Grant, Withdrawal
from pgo.errors import NotFound
from pgo.store.journal import Event, JournalLine
from pgo.usecases.choices import ShareChoice, choice_from
from pgo.usecases.consenting import load_ledger
from pgo.usecases.objections import ObjectionRow, objection_row
from pgo.usecases.session import Session

SCHEMA = "urn:pgo:sharing-history:1"


class ChangeKind(StrEnum):
    """What happened."""

    SHARED = "shared"
    STOPPED = "stopped"
    OBJECTED = "objected"
    LIFTED = "lifted"
    RECIPIENT_ADDED = "recipient_added"
    RECIPIENT_REMOVED = "recipient_removed"
    RECEIVED = "received"
    REFUSED = "refused"
    LOOKED = "looked"
    OTHER = "other"


_EVENTS: Mapping[Event, ChangeKind] = {
    Event.RECIPIENT_ADDED: ChangeKind.RECIPIENT_ADDED,
    Event.RECIPIENT_REMOVED: ChangeKind.RECIPIENT_REMOVED,
    Event.RECEIPT: ChangeKind.RECEIVED,
    Event.REFUSED: ChangeKind.REFUSED,
    Event.ACCESS_FETCHED: ChangeKind.LOOKED,
}
"""Signed decisions stand in the ledger; their journal lines would say them twice."""

_STATES: Mapping[ReceiptState, ChangeKind] = {
    ReceiptState.GIVEN: ChangeKind.SHARED,
    ReceiptState.RENEWED: ChangeKind.SHARED,
    ReceiptState.WITHDRAWN: ChangeKind.STOPPED,
    ReceiptState.OBJECTED: ChangeKind.OBJECTED,
    ReceiptState.LIFTED: ChangeKind.LIFTED,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history.

    Attributes:
        at: when.
        kind: what happened.
        name: the recipient's name, its id when it is no longer known, '' when it is about nobody.
        share_id: the share it is about, None for none.
        choice: what was agreed, for shares.
        objection: what was objected to or lifted.
        count: records or looks, 0 where that says nothing.
        receipt_id: id of the receipt, '' for what recipients did.
    """

    at: datetime
    kind: ChangeKind
    name: str = ""
    share_id: str | None = None
    choice: ShareChoice | None = None
    objection: ObjectionRow | None = None
    count: int = 0
    receipt_id: str = ""


def history(session: Session) -> tuple[Change, ...]:
    """Every change, newest first."""
    store = session.store
    names = {one.id: one.name for one in store.recipients.all()}
    done = [_done(line, names) for line in store.journal.lines() if line.event in _EVENTS]
    decided = _decisions(session, load_ledger(store), names)
    return tuple(sorted((*decided, *done), key=lambda change: change.at, reverse=True))


def receipt(session: Session, receipt_id: str) -> Receipt:
    """The receipt of one decision.

    Raises:
        NotFound: no such receipt.
    """
    found = next((one for one in _receipts(load_ledger(session.store)) if one.id == receipt_id), None)
    if found is None:
        raise NotFound("receipt")
    return found


def export_history(session: Session) -> bytes:
    """The receipts of all decisions and what recipients did, as indented JSON."""
    store = session.store
    ledger = load_ledger(store)
    recipients = [{"id": one.id, "name": one.name} for one in store.recipients.all()]
    events = [
        {"at": instant_text(line.at), "event": line.event.value, **line.details}
        for line in store.journal.lines()
        if line.event in _EVENTS
    ]
    value: dict[str, Any] = {
        "schema": SCHEMA,
        "made_at": instant_text(session.now()),
        "recipients": recipients,
        "receipts": [one.to_json() for one in _receipts(ledger)],
        "events": events,
    }
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8")


def _receipts(ledger: Ledger) -> tuple[Receipt, ...]:
    # Made for the moment of the decision itself: the same decision gives the same receipt for ever.
    return tuple(build_receipt(one, ledger=ledger, at=one.record.at) for one in ledger.records)


def _decisions(session: Session, ledger: Ledger, names: Mapping[str, str]) -> list[Change]:
    grants = {row.grant_id: row for row in session.store.ledger.grants()}
    signed_by_id = {str(one.record.id): one for one in ledger.records if isinstance(one.record, Grant)}
    found: list[Change] = []
    for signed, made in zip(ledger.records, _receipts(ledger), strict=True):
        record = signed.record
        if isinstance(record, Grant):
            about = str(record.id)
        elif isinstance(record, Withdrawal) and record.target.values:
            about = record.target.values[0]
        else:
            about = ""
        row = grants.get(about)
        kind = _STATES.get(made.state, ChangeKind.OTHER)
        objected = kind in (ChangeKind.OBJECTED, ChangeKind.LIFTED) and about in signed_by_id
        recipient_id = "" if row is None else row.recipient_id or ""
        found.append(
            Change(
                at=record.at,
                kind=kind,
                name=names.get(recipient_id, recipient_id),
                share_id=None if row is None else about,
                choice=None if row is None else choice_from(row.choice or ""),
                objection=objection_row(session, signed_by_id[about]) if objected else None,
                receipt_id=made.id,
            )
        )
    return found


def _done(line: JournalLine, names: Mapping[str, str]) -> Change:
    recipient_id = str(line.details.get("recipient", ""))
    count = line.details.get("stored", line.details.get("entries", 0))
    return Change(
        at=line.at,
        kind=_EVENTS[line.event],
        name=names.get(recipient_id, recipient_id),
        count=int(count),
    )
