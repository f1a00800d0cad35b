"""Small synthetic FHIR R4 resources for recipient tests; invented people, marked as test data (HTEST)."""

from __future__ import annotations

from typing import Any

_TAG = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}
_ACTIVE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
}


def patient(name: str = "Voorbeeld", given: str = "Sanne", born: str = "1972-05-14") -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "meta": _TAG,
        "name": [{"family": name, "given": [given]}],
        "birthDate": born,
        "gender": "female",
    }


def condition(id_: str, text: str, *, code: str = "44054006", start: str = "2018-03-01") -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": id_,
        "meta": _TAG,
        "clinicalStatus": _ACTIVE,
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}], "text": text},
        "subject": {"reference": "Patient/p1"},
        "onsetDateTime": start,
    }


def icd10(id_: str, code: str, text: str) -> dict[str, Any]:
    found = condition(id_, text)
    found["code"] = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}], "text": text}
    return found


def allergy(id_: str, text: str) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": id_,
        "meta": _TAG,
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "91936005"}], "text": text},
        "patient": {"reference": "Patient/p1"},
        "recordedDate": "2015-06-01",
        "reaction": [{"manifestation": [{"text": "Huiduitslag"}]}],
    }


def medication(
    id_: str, text: str, *, status: str = "active", dose: str = "2 x per dag 1 tablet"
) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": id_,
        "meta": _TAG,
        "status": status,
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": "A10BA02"}],
            "text": text,
        },
        "subject": {"reference": "Patient/p1"},
        "effectivePeriod": {"start": "2024-01-10"},
        "dosage": [{"text": dose}],
    }


def lab(
    id_: str, day: str, value: str, *, code: str = "4548-4", text: str = "HbA1c", unit: str = "mmol/mol"
) -> bytes:
    """A laboratory result as bytes, so that the number stays exactly as written."""
    return (
        f'{{"resourceType":"Observation","id":"{id_}","status":"final","category":[{{"coding":[{{"system":'
        f'"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}}]}}],"code":'
        f'{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}],"text":"{text}"}},"subject":'
        f'{{"reference":"Patient/p1"}},"effectiveDateTime":"{day}","valueQuantity":{{"value":{value},'
        f'"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{unit}"}}}}'
    ).encode()


def score(id_: str, day: str, value: int) -> dict[str, Any]:
    """A questionnaire score."""
    return {
        "resourceType": "Observation",
        "id": id_,
        "meta": _TAG,
        "status": "final",
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}
                ]
            }
        ],
        "code": {"coding": [{"system": "urn:pgo:codes:prom-score", "code": "pain"}], "text": "Pijn (0-10)"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": day,
        "valueInteger": value,
    }


def small_record() -> list[dict[str, Any] | bytes]:
    """One patient with a bit of everything."""
    return [
        patient(),
        condition("c1", "Diabetes mellitus type 2"),
        condition("c2", "Hypertensie", code="38341003", start="2020-09-12"),
        allergy("a1", "Penicilline"),
        medication("m1", "Metformine 500 mg"),
        medication("m2", "Atorvastatine 20 mg", status="stopped", dose="1 x per dag 1 tablet"),
        lab("l1", "2025-03-01", "58"),
        lab("l2", "2025-09-01", "53.50"),
        lab("l3", "2026-02-01", "51.0"),
        score("s1", "2026-01-05", 6),
        score("s2", "2026-01-19", 4),
        score("s3", "2026-02-02", 3),
    ]
