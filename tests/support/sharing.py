"""Everything a test of sharing starts from: a signed card, a small record, an open vault."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crypto.keys import OpeningKey, SigningKey
from pgo.usecases import share
from pgo.usecases.choices import ShareChoice
from pgo.usecases.collect import collect
from pgo.usecases.session import Session
from pgo.usecases.unlock import create_vault
from sync.card import CARD_VERSION, RecipientCard, sign_card
from tests.support.applications import PASSPHRASE, an_application

CLINIC_ID = "ura:00000123"
CLINIC_NAME = "Oefenkliniek De Linde"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ATC = "http://www.whocc.no/atc"
LOINC = "http://loinc.org"


def a_card(
    key: SigningKey | None = None,
    *,
    name: str = CLINIC_NAME,
    kind: str = "clinic",
    recipient_id: str = CLINIC_ID,
    days: float = 365,
    at: datetime | None = None,
) -> str:
    """Sign a card as a recipient would; nobody listens at its address."""
    key = key or SigningKey.generate()
    issued = (at or datetime.now(UTC)).replace(microsecond=0) - timedelta(days=1)
    card = RecipientCard(
        version=CARD_VERSION,
        id=recipient_id,
        kind=kind,
        name=name,
        identifiers=(("http://fhir.nl/fhir/NamingSystem/ura", ura),) if (ura := _ura(recipient_id)) else (),
        endpoint="http://127.0.0.1:9",
        verify_key=key.public,
        sealing_key=OpeningKey.generate().public,
        issued_at=issued,
        expires_at=issued + timedelta(days=days),
    )
    return sign_card(card, key)


def _ura(recipient_id: str) -> str:
    scheme, _, value = recipient_id.partition(":")
    return value if scheme == "ura" else ""


def a_record() -> bytes:
    """A synthetic patient with eight records, one of them sensitive (ICD-10 B24, cluster hiv)."""
    patient = "Patient/p1"
    subject = {"reference": patient}
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": "p1",
            "name": [{"text": "Test Persoon", "family": "Persoon", "given": ["Test"]}],
            "birthDate": "1970-01-01",
            "gender": "female",
        },
        _medication("m1", "L04AX03", "Methotrexaat", subject),
        _medication("m2", "B03BB01", "Foliumzuur", subject),
        {
            "resourceType": "AllergyIntolerance",
            "id": "a1",
            "code": {"coding": [{"system": ATC, "code": "J01CE"}], "text": "Penicilline"},
            "patient": subject,
            "recordedDate": "2020-02-02",
        },
        _condition("c1", "M06.9", "Reumatoïde artritis", subject),
        _condition("c2", "B24", "Hiv", subject),
        _measurement("o1", "718-7", "Hemoglobine", 8.1, "mmol/L", "laboratory", subject),
        _measurement("o2", "29463-7", "Gewicht", 71, "kg", "vital-signs", subject),
    ]
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def _medication(record_id: str, code: str, name: str, subject: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": record_id,
        "status": "active",
        "medicationCodeableConcept": {"coding": [{"system": ATC, "code": code}], "text": name},
        "subject": subject,
        "effectivePeriod": {"start": "2025-03-01"},
    }


def _condition(record_id: str, code: str, name: str, subject: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": record_id,
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
            ]
        },
        "code": {"coding": [{"system": ICD10, "code": code}], "text": name},
        "subject": subject,
        "onsetDateTime": "2015-05-05",
    }


def _measurement(
    record_id: str, code: str, name: str, value: float, unit: str, category: str, subject: dict[str, str]
) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": record_id,
        "status": "final",
        "category": [{"coding": [{"system": system, "code": category}]}],
        "code": {"coding": [{"system": LOINC, "code": code}], "text": name},
        "subject": subject,
        "effectiveDateTime": "2026-10-01",
        "valueQuantity": {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def an_open_vault(folder: Path, *, with_records: bool = True) -> Session:
    """Make a vault with the small record in it."""
    session = create_vault(an_application(folder), folder / "vault", PASSPHRASE).session
    if with_records:
        result = collect(session, a_record(), name="test.json")
        assert result.imported == 8, result
    return session


def choice_of(session: Session, *, keep_text: bool = False) -> ShareChoice:
    """The usual for care, to the one recipient there is."""
    (recipient,) = share.recipients(session)
    care, today = share.presets(recipient.kind)[0], session.today()
    return ShareChoice(
        recipient_id=recipient.id,
        categories=care.categories,
        sensitivity=care.sensitivity,
        purpose=care.purpose,
        period=(today, today + timedelta(days=care.days)),
        keep_text=keep_text,
    )
