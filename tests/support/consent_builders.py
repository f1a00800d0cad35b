"""Builders for consent tests: records with every member said, and facts of invented resources."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any

from consent.dates import DateInterval
from consent.document import SignedRecord, record_hash, sign_record
from consent.fhir import denies_to_fhir, grant_to_fhir
from consent.ledger import Ledger
from consent.model import (
    Action,
    ActorRef,
    By,
    Category,
    Grant,
    GrantId,
    KeyRecord,
    Period,
    Record,
    RecordHash,
    ResourceFacts,
    Rule,
    Shown,
    Target,
    Withdrawal,
    permit_rule,
)
from crypto.chain import GENESIS
from crypto.keys import SigningKey

SUBJECT = "synthetic-person"
CLINIC = ActorRef("org", "ura:00000123")
OTHER = ActorRef("org", "ura:00000456")
DOCTOR = ActorRef("person", "big:19012345601")
REGISTRY = ActorRef("registry", "dm-regio")
KEY = SigningKey.from_seed(bytes(range(32)))
SECOND_KEY = SigningKey.from_seed(bytes(range(1, 33)))
SHOWN = Shown("en", "sha256:" + "a" * 64)


def instant(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


NOW = instant(2026, 6)
YEAR = Period(instant(2026), instant(2027))


def a_permit(**members: Any) -> Rule:
    """A treatment permit for labs to the clinic, changed by members."""
    said: dict[str, Any] = {
        "actor": [CLINIC],
        "purpose": ["TREAT"],
        "action": [Action.COPY],
        "category": [Category.LABS],
    }
    return permit_rule(**(said | members))


def a_grant(*rules: Rule, grant_id: str = "g1", **members: Any) -> Grant:
    said: dict[str, Any] = {
        "id": GrantId(grant_id),
        "subject": SUBJECT,
        "by": By(KEY.public.id),
        "at": instant(2026),
        "period": YEAR,
        "rules": rules or (a_permit(),),
        "shown": SHOWN,
    }
    return Grant(**(said | members))


def key_record(action: Any, key: SigningKey, signer: SigningKey, **members: Any) -> KeyRecord:
    text = None if action == "revoke" else key.public.text
    return KeyRecord(
        action=action,
        kid=key.public.id,
        key=text,
        subject=SUBJECT,
        by=By(signer.public.id),
        at=instant(2026),
        **members,
    )


def exported(grant: Grant) -> list[dict[str, Any]]:
    """Every Consent a grant is exported as."""
    return [*grant_to_fhir(grant), *denies_to_fhir(grant)]


def a_withdrawal(target: Target, **members: Any) -> Withdrawal:
    said: dict[str, Any] = {
        "target": target,
        "subject": SUBJECT,
        "by": By(KEY.public.id),
        "at": instant(2026, 2),
    }
    return Withdrawal(**(said | members))


def chained(*records: Record, key: SigningKey = KEY) -> list[SignedRecord]:
    """Really sign records one after the other with one key; what each has seen is left as it is."""
    signed: list[SignedRecord] = []
    previous: str = GENESIS
    for position, record in enumerate(records):
        signed.append(sign_record(record, key, position=position, previous=previous))
        previous = signed[-1].hash
    return signed


def a_ledger(*records: Record) -> Ledger:
    """A verified ledger of one device."""
    tokens = [signed.token for signed in chained(*records)]
    return Ledger.of(tokens, keys=[KEY.public], subject=SUBJECT)


def unsigned(
    record: Record, name: str, *, kid: str, position: int = 0, previous: str = GENESIS
) -> SignedRecord:
    """A record as if verified, for tests of what comes after verification; the name gives its hash."""
    return SignedRecord(name, record_hash(name + ".x"), kid, position, previous, record)


def hash_of(name: str) -> RecordHash:
    return record_hash(name + ".x")


def facts(
    categories: Collection[Category] = (Category.LABS,),
    *,
    days: Sequence[tuple[date | None, date | None]] = ((date(2025, 5, 1), date(2025, 5, 1)),),
    **members: Any,
) -> ResourceFacts:
    """Facts of a coded laboratory result in 2025, changed by members."""
    said: dict[str, Any] = {
        "resource_type": "Observation",
        "reference": "Observation/o1",
        "categories": frozenset(categories),
        "codes": frozenset({"http://loinc.org|4548-4"}),
        "dates": tuple(DateInterval(first, last) for first, last in days),
        "author": frozenset({"Practitioner/p1"}),
        "encounter": frozenset({"Encounter/e1"}),
    }
    return ResourceFacts(**(said | members))
