"""Receipts: after every change, what the person agreed to or ended, in one plain record.

1. Every signed record gives a receipt; the receipt names the record by hash and adds no authority.
2. The fields follow ISO/IEC TS 27560 (consent record structure) as far as they apply to a grant the
   person signs at home; names of fields are those of the standard, in snake_case. Words for people
   belong to the screens.
3. Codes only, no free text of the person: the reason of a withdrawal is not repeated.
4. The bytes are canonical, so equal receipts are equal files.

Source: ISO/IEC TS 27560:2023, consent record information structure; states as in the Data Privacy
Vocabulary, ConsentStatus (https://w3id.org/dpv#ConsentStatus); guide consent.md section 2.8.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from consent.codes import ANY, Effect
from consent.dates import as_utc, instant_text
from consent.decision_json import ENGINE_VERSION
from consent.document import SignedRecord
from consent.facts import TABLE_VERSION
from consent.floors import floor_for
from consent.ledger import Ledger
from consent.records import Authority, Cosignature, Grant, KeyRecord, Withdrawal
from consent.research import use_duties
from consent.rule_json import rule_to_json
from consent.rules import Rule, is_research
from crypto.canonical import canonical_bytes, sha256_id

SCHEMA: Final = "urn:pgo:consent:receipt:1"
_ID_TAG: Final = b"pgo/1/consent-receipt\n"


class ReceiptState(StrEnum):
    """What the change did, in the words of the Data Privacy Vocabulary where it has one."""

    GIVEN = "consent_given"
    RENEWED = "renewed_consent_given"
    OBJECTED = "objected"
    WITHDRAWN = "consent_withdrawn"
    LIFTED = "objection_lifted"
    AUTHORITY = "authority_changed"
    KEY = "key_changed"
    COSIGNED = "co_signed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One change, ready to keep or hand over.

    Attributes:
        id: hash over the content.
        state: what the change did.
        record_hash: the signed record it is about.
        content: the fields, JSON values only.
    """

    id: str
    state: ReceiptState
    record_hash: str
    content: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Give the JSON value, the receipt's own id among it."""
        return {"receipt_id": self.id, **self.content}

    def to_bytes(self) -> bytes:
        """Write canonical bytes (RFC 8785)."""
        return canonical_bytes(self.to_json())


def build_receipt(signed: SignedRecord, *, ledger: Ledger, at: datetime) -> Receipt:
    """Build the receipt of one signed record.

    Args:
        signed: the record, as verified.
        ledger: the log with the record in it; tells a first grant from a renewal.
        at: when the receipt is made.
    """
    state = _state(signed, ledger)
    record = signed.record
    content: dict[str, Any] = {
        "schema_version": SCHEMA,
        "record_id": signed.hash,
        "pii_principal_id": record.subject,
        "event": {
            "state": state.value,
            "time": instant_text(record.at),
            "entity": _entity(signed),
            "acknowledged_records": len(ledger.past.get(signed.hash, ())),
        },
        "receipt_time": instant_text(as_utc(at)),
        "software": {"engine": ENGINE_VERSION, "table": TABLE_VERSION},
    }
    content |= _about(signed, ledger)
    return Receipt(sha256_id(_ID_TAG + canonical_bytes(content)), state, signed.hash, content)


def _state(signed: SignedRecord, ledger: Ledger) -> ReceiptState:
    record = signed.record
    match record:
        case Grant():
            if all(rule.effect is Effect.DENY for rule in record.rules):
                return ReceiptState.OBJECTED
            return ReceiptState.RENEWED if _earlier(record, signed, ledger) else ReceiptState.GIVEN
        case Withdrawal():
            return ReceiptState.LIFTED if record.target.kind == "lift" else ReceiptState.WITHDRAWN
        case Authority():
            return ReceiptState.AUTHORITY
        case KeyRecord():
            return ReceiptState.KEY
        case Cosignature():  # pragma: no branch (mypy: nothing else is left)
            return ReceiptState.COSIGNED


def _earlier(grant: Grant, signed: SignedRecord, ledger: Ledger) -> list[str]:
    """Hashes of earlier versions of this grant that the signer had seen."""
    past = ledger.past.get(signed.hash, frozenset())
    return sorted(
        r.hash
        for r in ledger.records
        if r.hash in past and isinstance(r.record, Grant) and r.record.id == grant.id
    )


def _entity(signed: SignedRecord) -> dict[str, Any]:
    by = signed.record.by
    value: dict[str, Any] = {"key": by.kid, "role": by.role}
    return value if by.authority is None else value | {"authority": by.authority}


def _about(signed: SignedRecord, ledger: Ledger) -> dict[str, Any]:
    record = signed.record
    match record:
        case Grant():
            return _grant(record, _earlier(record, signed, ledger))
        case Withdrawal():
            return {
                "withdrawal": {"target": [record.target.kind, *record.target.values]},
                "pii_controllers": _named(_ended(record, ledger)),
                "storage": {"erase": record.erase.value},
            }
        case Authority():
            period = [instant_text(record.period.from_at), instant_text(record.period.until_at)]
            return {
                "representation": {
                    "authority": record.id,
                    "basis": record.basis.value,
                    "key": record.representative,
                    "period": period,
                }
            }
        case KeyRecord():
            return {"key": {"action": record.action, "key": record.kid}}
        case Cosignature():  # pragma: no branch (mypy: nothing else is left)
            return {"co_signed_record": record.target}


def _ended(withdrawal: Withdrawal, ledger: Ledger) -> Iterable[Rule]:
    """Rules of the grants a withdrawal is about; for a lift the denies that end."""
    kind, values = withdrawal.target.kind, withdrawal.target.values
    for signed in ledger.records:
        if isinstance(signed.record, Grant):
            grant = signed.record
            named = kind == "all" or (kind in ("grant", "lift") and values == (grant.id,))
            for rule in grant.rules:
                by_actor = kind == "actor" and any((r.kind, r.value) == values for r in rule.actor or ())
                by_purpose = kind == "purpose" and values[0] in (rule.purpose or ())
                if named or by_actor or by_purpose:
                    yield rule


def _grant(grant: Grant, replaces: list[str]) -> dict[str, Any]:
    permits = [rule for rule in grant.rules if rule.effect is Effect.PERMIT]
    value: dict[str, Any] = {
        "consent_id": grant.id,
        "replaces": replaces,
        "consent_type": "explicit",
        "pii_controllers": _named(grant.rules),
        "processing": [_processing(rule) for rule in permits],
        "objections": [_limits(rule) for rule in grant.rules if rule.effect is Effect.DENY],
        "validity": {
            "from": instant_text(grant.period.from_at),
            "until": instant_text(grant.period.until_at),
            "review_by": None if grant.review_by is None else instant_text(grant.review_by),
            "after_death": grant.after_death,
        },
        "withdrawal_method": {"record": "withdrawal", "target": ["grant", grant.id], "offline": True},
        "answers_request": grant.answers,
    }
    if grant.shown is not None:
        value["privacy_notice"] = {"language": grant.shown.lang, "hash": grant.shown.text_hash}
    return value


def _named(rules: Iterable[Rule]) -> list[list[str]]:
    """Who is named, each once: the recipients that become controllers."""
    return [[ref.kind, ref.value] for ref in sorted({ref for rule in rules for ref in rule.actor or ()})]


def _processing(rule: Rule) -> dict[str, Any]:
    purpose = rule.purpose or frozenset()
    floor = floor_for(purpose)
    research = use_duties(rule.research_use) if is_research(purpose) else frozenset[str]()
    level = max(floor.deidentification, rule.deidentification or floor.deidentification, key=lambda d: d.rank)
    return {
        "pii_controllers": _named([rule]),
        "purposes": sorted(purpose),
        "operations": sorted(rule.action or ()),
        "pii_categories": _list(rule.category),
        "special_categories": _list(rule.sensitivity),
        "de_identification": level.value,
        "duties": sorted(rule.obligation | floor.obligations | research),
        "limits": _limits(rule),
    }


def _list(values: Any) -> list[str]:
    if values is None:
        return []
    return [ANY] if values == ANY else sorted(str(value) for value in values)


def _limits(rule: Rule) -> dict[str, Any]:
    """The rule as written; one of a newer version only names what could not be read."""
    unread = _unread(rule)
    return {"unread": sorted(unread)} if unread else rule_to_json(rule)


def _unread(rule: Rule) -> frozenset[str]:
    return rule.unknown.union(*(_unread(child) for child in rule.exception))
