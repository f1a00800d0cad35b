"""The pieces every record of the demonstration patient is made of: who, codes, quantities, days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from pgo.health.demo_data import YEAR, Code
from pgo.health.record.words import LOINC, SNOMED, UCUM
from pgo.health.record.writer import Authored

SYSTEMS: Mapping[str, str] = {
    "snomed": SNOMED,
    "icpc": "http://hl7.org/fhir/sid/icpc-1-nl",
    "atc": "http://www.whocc.no/atc",
    "loinc": LOINC,
}
HTEST: Authored = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
BASE = "https://demo.example/fhir/"
PATIENT = "Patient/demo-patient"
HISTORY_DAYS = 6 * YEAR

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
WHO: Authored = {"reference": PATIENT, "display": "Sanne Voorbeeld"}
DOCTOR: Authored = {"reference": "Practitioner/demo-huisarts", "display": "H. Arts"}
PRACTICE: Authored = {
    "reference": "Organization/demo-praktijk",
    "display": "Huisartsenpraktijk Het Voorbeeld",
}
Body = dict[str, Authored]


def day_before(today: date, days_ago: int) -> str:
    """Give the day so many days ago, as ISO text."""
    return (today - timedelta(days=days_ago)).isoformat()


def observation(identity: str, category: str, words: str, loinc: str, at: str) -> Body:
    """Give the members every Observation starts with."""
    return {
        "resourceType": "Observation",
        "id": f"demo-{identity}",
        "status": "final",
        "category": [hl7("observation-category", category)],
        "code": concept(words, (("loinc", loinc),)),
        "subject": WHO,
        "effectiveDateTime": at,
    }


def quantity(value: Decimal, unit: str, ucum: str) -> Body:
    """Give a Quantity in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": ucum}


def concept(words: str, codes: tuple[Code, ...]) -> Body:
    """Give a concept in Dutch words with its codes."""
    return {"coding": [{"system": SYSTEMS[system], "code": code} for system, code in codes], "text": words}


def hl7(system: str, code: str) -> Body:
    """Give a concept of one of HL7's own code systems."""
    return {"coding": [{"system": f"{TERMINOLOGY}{system}", "code": code}]}
