"""What the patient decided, as files: the signed records, the same as FHIR Consent, receipts, who looked.

The signed records are the proof; the FHIR form is for programs that read FHIR, and says less where FHIR has
no place for a rule (``consent.fhir``). No keys are in any of these files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from consent.dates import instant_text
from consent.errors import InvalidDocument
from consent.fhir import signed_to_fhir
from consent.ledger import Ledger
from consent.records import Grant
from pgo.usecases.consenting import device_key, load_ledger
from pgo.usecases.session import Session


def consent_members(session: Session) -> dict[str, bytes]:
    """Name to content; files without anything in them are left out."""
    store = session.store
    ledger = load_ledger(store)
    recipients = store.recipients.all()
    found: dict[str, bytes] = {}
    if ledger.records:
        found["consents/signed-records.jsonl"] = _lines(
            {"hash": one.hash, "kid": one.kid, "token": one.token} for one in ledger.records
        )
        found["consents/key.json"] = _json(
            {"kid": device_key(store).public.id, "key": device_key(store).public.text}
        )
        found["consents/consents.json"] = _json(_fhir(ledger))
    if recipients:
        found["consents/recipients.jsonl"] = _lines(
            {"id": one.id, "name": one.name, "card": one.card, "added_at": instant_text(one.added_at)}
            for one in recipients
        )
    receipts = [receipt for one in recipients for receipt in store.deliveries.receipts(one.id)]
    if receipts:
        found["consents/receipts.jsonl"] = _lines(
            {
                "recipient": one.recipient_id,
                "message": one.message_id,
                "kind": one.kind,
                "state": one.state,
                "stored": one.stored,
                "refused": one.refused,
                "stored_at": instant_text(one.stored_at),
                "token": one.token,
            }
            for one in receipts
        )
    looks = [(one.id, look) for one in recipients for look in reversed(store.access.looks(one.id))]
    if looks:
        found["consents/who-looked.jsonl"] = _lines(
            {
                "recipient": recipient,
                "sequence": look.sequence,
                "at": instant_text(look.at),
                "user": look.user,
                "role": look.role,
                "action": look.action,
                "categories": list(look.categories),
                "purpose": look.purpose,
                "previous": look.previous,
                "hash": look.hash,
            }
            for recipient, look in looks
        )
    return found


def _fhir(ledger: Ledger) -> dict[str, Any]:
    """One collection of all grants as Consents, each with its signature."""
    entries: list[Any] = []
    for signed in ledger.records:
        if isinstance(signed.record, Grant):
            try:
                entries += signed_to_fhir(signed)["entry"]
            except InvalidDocument:
                continue  # of a newer program; the signed record itself is in the other file
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8") + b"\n"


def _lines(values: Iterable[Mapping[str, Any]]) -> bytes:
    lines = (json.dumps(value, ensure_ascii=False, sort_keys=True) for value in values)
    return "".join(f"{line}\n" for line in lines).encode("utf-8")
