"""What the patient decided, as files: the signed records, the same as FHIR Consent, receipts, recipients.

The signed records are the proof; the FHIR form is for programs that read FHIR, and says less where FHIR has
no place for a rule (``consent.fhir``). No keys are in any of these files.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from consent.dates import instant_text
from consent.errors import InvalidDocument
from consent.fhir import signed_to_fhir
from consent.ledger import Ledger
from consent.records import Grant
from pgo.errors import StoreDamaged
from pgo.store.deliveries import StoredReceipt
from pgo.store.recipients import StoredRecipient
from pgo.usecases.consenting import device_key, load_ledger
from pgo.usecases.session import Session

SIGNED, KEY = "consents/signed-records.jsonl", "consents/key.json"


def consent_members(session: Session) -> dict[str, bytes]:
    """Name to content; files without anything in them are left out."""
    recipients = session.store.recipients.all()
    return {
        **_signed(session),
        **_member("recipients.jsonl", [_recipient(one) for one in recipients]),
        **_member("receipts.jsonl", [_receipt(r) for one in recipients for r in _receipts(session, one)]),
    }


def _signed(session: Session) -> dict[str, bytes]:
    """The signed records, the key that proves them, and their FHIR form.

    The tokens go out as they are, also when the list as a whole does not hold any more: a person must be able
    to take it along and show it. The FHIR form is made only of a list that was verified.
    """
    store = session.store
    tokens = store.ledger.tokens()
    if not tokens:
        return {}
    key = device_key(store).public
    found = {
        SIGNED: json_lines({"token": token} for token in tokens),
        KEY: _json({"kid": key.id, "key": key.text, "subject": store.vault_id}),
    }
    with contextlib.suppress(StoreDamaged):
        found["consents/consents.json"] = _json(_fhir(load_ledger(store)))
    return found


def _receipts(session: Session, one: StoredRecipient) -> tuple[StoredReceipt, ...]:
    return session.store.deliveries.receipts(one.id)


def _recipient(one: StoredRecipient) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "card": one.card, "added_at": instant_text(one.added_at)}


def _receipt(one: StoredReceipt) -> dict[str, Any]:
    return {
        "recipient": one.recipient_id,
        "message": one.message_id,
        "kind": one.kind,
        "state": one.state,
        "stored": one.stored,
        "refused": one.refused,
        "stored_at": instant_text(one.stored_at),
        "token": one.token,
    }


def _member(name: str, values: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    return {f"consents/{name}": json_lines(values)} if values else {}


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


def json_lines(values: Iterable[Mapping[str, Any]]) -> bytes:
    """Write objects as lines, members in order of name."""
    lines = (json.dumps(value, ensure_ascii=False, sort_keys=True) for value in values)
    return "".join(f"{line}\n" for line in lines).encode("utf-8")
