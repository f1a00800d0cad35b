"""Make the demonstration patient: an invented Dutch person with some 300 records in FHIR R4.

Rules:

1. Deterministic: the same day gives the same bytes. There is no clock and no chance in here; small wiggles in
   the values come from a hash of their name and date.
2. Every resource carries the tag HTEST (v3-ActReason, "test health data"), so that nobody takes it for a
   person.
3. The answers of the weekly check and their scores are made by the same code that patients use.
4. One condition is sensitive, so that the preview of a share has something to hold back.

Source: https://hl7.org/fhir/R4/; HTEST: https://terminology.hl7.org/CodeSystem-v3-ActReason.html.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from pgo.health.demo_data import (
    LAB_TESTS,
    MEDICINES,
    PROBLEMS,
    PROCEDURES,
    VACCINATIONS,
    VISITS,
    YEAR,
    Code,
    Event,
    Medicine,
    Problem,
    Test,
)
from pgo.health.prom.questionnaire import Questionnaire, own_questionnaires, scores
from pgo.health.prom.response import response_body, score_body
from pgo.health.record.words import LOINC, SNOMED, UCUM
from pgo.health.record.writer import Authored, write_json

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
WEEKS = 26

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_WHO: Authored = {"reference": PATIENT, "display": "Sanne Voorbeeld"}
_DOCTOR: Authored = {"reference": "Practitioner/demo-huisarts", "display": "H. Arts"}
_PRACTICE: Authored = {
    "reference": "Organization/demo-praktijk",
    "display": "Huisartsenpraktijk Het Voorbeeld",
}
Body = dict[str, Authored]


def demo_bundle(today: date) -> bytes:
    """Make the whole record as a FHIR Bundle of type collection.

    Args:
        today: The day of the demonstration; everything lies before it.

    Returns:
        JSON bytes, the same for the same day.
    """
    entries: list[Authored] = []
    for body in _resources(today):
        tagged: Body = {
            "resourceType": body["resourceType"],
            "id": body["id"],
            "meta": {"tag": [HTEST]},
            **body,
        }
        entries.append({"fullUrl": f"{BASE}{body['resourceType']}/{body['id']}", "resource": tagged})
    return write_json(
        {
            "resourceType": "Bundle",
            "id": "demo-patient-record",
            "meta": {"tag": [HTEST]},
            "type": "collection",
            "timestamp": f"{today.isoformat()}T00:00:00Z",
            "entry": entries,
        }
    )


def _resources(today: date) -> Iterator[Body]:
    yield from _people(today)
    yield from (_problem(problem, today) for problem in PROBLEMS)
    yield from _allergies(today)
    yield from (_medicine(medicine, today) for medicine in MEDICINES)
    yield from (_vaccination(event, today) for event in VACCINATIONS)
    yield from (_procedure(event, today) for event in PROCEDURES)
    yield from (_visit(event, today) for event in VISITS)
    for test in LAB_TESTS:
        yield from _lab_results(test, today)
    yield from _vital_signs(today)
    yield from _family_and_plans(today)
    yield from _weekly_checks(today)


def _people(today: date) -> Iterator[Body]:
    own_name: Authored = {
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/humanname-own-name",
                "valueString": "Voorbeeld",
            }
        ]
    }
    yield {
        "resourceType": "Patient",
        "id": "demo-patient",
        "identifier": [{"system": "urn:pgo:demo:patient", "value": "demo-1"}],
        "name": [{"use": "official", "family": "Voorbeeld", "_family": own_name, "given": ["Sanne"]}],
        "telecom": [{"system": "phone", "value": "010 000 00 00", "use": "home"}],
        "gender": "female",
        "birthDate": f"{today.year - 54}-03-14"
        if (today.month, today.day) >= (3, 14)
        else f"{today.year - 55}-03-14",
        "address": [
            {
                "use": "home",
                "line": ["Voorbeeldstraat 1"],
                "city": "Utrecht",
                "postalCode": "1234 AB",
                "country": "NL",
            }
        ],
    }
    yield {
        "resourceType": "Organization",
        "id": "demo-praktijk",
        "identifier": [{"system": "urn:pgo:demo:organization", "value": "demo-praktijk"}],
        "name": "Huisartsenpraktijk Het Voorbeeld",
    }
    yield {
        "resourceType": "Practitioner",
        "id": "demo-huisarts",
        "identifier": [{"system": "urn:pgo:demo:practitioner", "value": "demo-huisarts"}],
        "name": [{"text": "H. Arts", "family": "Arts", "given": ["H."]}],
    }


def _problem(problem: Problem, today: date) -> Body:
    over = problem.ended is not None
    return {
        "resourceType": "Condition",
        "id": f"demo-problem-{problem.id}",
        "clinicalStatus": _hl7("condition-clinical", "resolved" if over else "active"),
        "verificationStatus": _hl7("condition-ver-status", "confirmed"),
        "category": [_hl7("condition-category", "problem-list-item")],
        "code": _concept(problem.words, problem.codes),
        "subject": _WHO,
        "onsetDateTime": _day(today, problem.began),
        "abatementDateTime": _day(today, problem.ended) if problem.ended is not None else None,
        "recordedDate": _day(today, problem.began),
        "recorder": _DOCTOR,
    }


def _allergies(today: date) -> Iterator[Body]:
    rows = (
        (
            "penicillin",
            "764146007",
            "Penicilline",
            "medication",
            "high",
            "Huiduitslag",
            "moderate",
            20 * YEAR,
        ),
        (
            "grass",
            "256277009",
            "Graspollen",
            "environment",
            "low",
            "Niezen en tranende ogen",
            "mild",
            25 * YEAR,
        ),
    )
    for key, code, words, category, criticality, reaction, severity, began in rows:
        yield {
            "resourceType": "AllergyIntolerance",
            "id": f"demo-allergy-{key}",
            "clinicalStatus": _hl7("allergyintolerance-clinical", "active"),
            "verificationStatus": _hl7("allergyintolerance-verification", "confirmed"),
            "type": "allergy",
            "category": [category],
            "criticality": criticality,
            "code": _concept(words, (("snomed", code),)),
            "patient": _WHO,
            "onsetDateTime": _day(today, began)[:4],
            "recorder": _DOCTOR,
            "reaction": [{"manifestation": [{"text": reaction}], "severity": severity}],
        }


def _medicine(medicine: Medicine, today: date) -> Body:
    concept = _concept(medicine.words, (("atc", medicine.atc),))
    start = _day(today, medicine.first)
    end = _day(today, medicine.last) if medicine.last is not None else None
    if medicine.over_the_counter:
        return {
            "resourceType": "MedicationStatement",
            "id": f"demo-medication-{medicine.id}",
            "status": "completed" if end else "active",
            "medicationCodeableConcept": concept,
            "subject": _WHO,
            "effectivePeriod": {"start": start, "end": end},
            "dateAsserted": start,
            "informationSource": _WHO,
            "reasonCode": [{"text": medicine.reason}],
            "dosage": [{"text": medicine.dosage}],
        }
    return {
        "resourceType": "MedicationRequest",
        "id": f"demo-medication-{medicine.id}",
        "status": "completed" if end else "active",
        "intent": "order",
        "medicationCodeableConcept": concept,
        "subject": _WHO,
        "authoredOn": start,
        "requester": _DOCTOR,
        "reasonCode": [{"text": medicine.reason}],
        "dosageInstruction": [{"text": medicine.dosage}],
        "dispenseRequest": {"validityPeriod": {"start": start, "end": end}},
    }


def _vaccination(event: Event, today: date) -> Body:
    return {
        "resourceType": "Immunization",
        "id": f"demo-vaccination-{event.id}",
        "status": "completed",
        "vaccineCode": _concept(event.words, event.codes),
        "patient": _WHO,
        "occurrenceDateTime": _day(today, event.days_ago),
        "primarySource": True,
        "lotNumber": event.detail,
        "performer": [{"actor": _PRACTICE}],
    }


def _procedure(event: Event, today: date) -> Body:
    return {
        "resourceType": "Procedure",
        "id": f"demo-procedure-{event.id}",
        "status": "completed",
        "code": _concept(event.words, event.codes),
        "subject": _WHO,
        "performedDateTime": _day(today, event.days_ago),
    }


def _visit(event: Event, today: date) -> Body:
    day = _day(today, event.days_ago)
    return {
        "resourceType": "Encounter",
        "id": f"demo-visit-{event.id}",
        "status": "finished",
        "class": {"system": f"{_TERMINOLOGY}v3-ActCode", "code": "AMB", "display": "Spreekuur"},
        "type": [_concept(event.words, event.codes)],
        "subject": _WHO,
        "participant": [{"individual": _DOCTOR}],
        "period": {"start": f"{day}T09:00:00Z", "end": f"{day}T09:15:00Z"},
        "reasonReference": [{"reference": f"Condition/demo-problem-{event.detail}"}],
        "serviceProvider": _PRACTICE,
    }


def _lab_results(test: Test, today: date) -> Iterator[Body]:
    for days_ago in range(HISTORY_DAYS, 0, -test.every):
        day = _day(today, days_ago)
        bounds: Body = {
            "low": _quantity(Decimal(test.low), test.unit, test.ucum) if test.low else None,
            "high": _quantity(Decimal(test.high), test.unit, test.ucum) if test.high else None,
        }
        yield {
            **_observation(f"lab-{test.id}-{day}", "laboratory", test.words, test.loinc, f"{day}T07:30:00Z"),
            "performer": [_PRACTICE],
            "valueQuantity": _quantity(_between(test, days_ago), test.unit, test.ucum),
            "referenceRange": [bounds],
        }
    if test.id == "hba1c":  # one value below what the method can measure, as laboratories report it
        day = _day(today, 4 * YEAR + 89)
        yield {
            **_observation(f"lab-crp-{day}", "laboratory", "CRP", "1988-5", f"{day}T10:00:00Z"),
            "valueQuantity": {"comparator": "<", **_quantity(Decimal("4.0"), "mg/l", "mg/L")},
        }


def _vital_signs(today: date) -> Iterator[Body]:
    for days_ago in range(HISTORY_DAYS, 0, -91):
        day = _day(today, days_ago)
        upper = 132 + days_ago // 180 + int(_wiggle(f"upper-{day}") * 6)
        lower = 80 + days_ago // 360 + int(_wiggle(f"lower-{day}") * 4)
        parts = (("Bovendruk", "8480-6", upper), ("Onderdruk", "8462-4", lower))
        yield {
            **_observation(f"pressure-{day}", "vital-signs", "Bloeddruk", "85354-9", f"{day}T09:05:00Z"),
            "component": [
                {
                    "code": _concept(words, (("loinc", code),)),
                    "valueQuantity": _quantity(Decimal(value), "mmHg", "mm[Hg]"),
                }
                for words, code, value in parts
            ],
        }
    for days_ago in range(HISTORY_DAYS, 0, -182):
        day = _day(today, days_ago)
        weight = Decimal("81.5") + Decimal(days_ago) / 500 + _wiggle(f"weight-{day}")
        yield {
            **_observation(f"weight-{day}", "vital-signs", "Gewicht", "29463-7", f"{day}T09:06:00Z"),
            "valueQuantity": _quantity(weight.quantize(Decimal("0.1")), "kg", "kg"),
        }
    day = _day(today, HISTORY_DAYS)
    yield {
        **_observation("height", "vital-signs", "Lengte", "8302-2", f"{day}T09:06:00Z"),
        "valueQuantity": _quantity(Decimal(168), "cm", "cm"),
    }


def _family_and_plans(today: date) -> Iterator[Body]:
    yield {
        "resourceType": "FamilyMemberHistory",
        "id": "demo-family-mother",
        "status": "completed",
        "patient": _WHO,
        "date": _day(today, 9 * YEAR),
        "relationship": {
            "coding": [{"system": f"{_TERMINOLOGY}v3-RoleCode", "code": "MTH", "display": "moeder"}],
            "text": "Moeder",
        },
        "condition": [{"code": {"text": "Diabetes mellitus type 2"}}],
    }
    yield {
        "resourceType": "CarePlan",
        "id": "demo-plan-diabetes",
        "status": "active",
        "intent": "plan",
        "title": "Zorgplan diabetes",
        "subject": _WHO,
        "period": {"start": _day(today, YEAR)},
        "author": _DOCTOR,
        "addresses": [{"reference": "Condition/demo-problem-diabetes"}],
        "activity": [{"detail": {"status": "in-progress", "description": "Elke dag een half uur lopen"}}],
    }


def _weekly_checks(today: date) -> Iterator[Body]:
    check = next(q for q in own_questionnaires() if q.id == "weekly-check")
    for week in range(WEEKS, 0, -1):
        at = datetime.combine(today - timedelta(days=7 * week - 3), time(19, 30), UTC)
        identity = f"demo-check-{at.date().isoformat()}"
        answers = _answers(check, week)
        yield response_body(
            check, answers, id=identity, at=at, patient_reference=PATIENT, lang=check.language
        )
        for score in scores(check, answers):
            yield score_body(
                score,
                id=f"{identity}-{score.code.rpartition('.')[2]}",
                response_id=identity,
                at=at,
                patient_reference=PATIENT,
                lang=check.language,
            )


def _answers(check: Questionnaire, week: int) -> dict[str, object]:
    """Answer as somebody whose knee hurt half a year ago and slowly gets better."""
    answers: dict[str, object] = {}
    for question in check.walk():
        better = Decimal(WEEKS - week) / WEEKS + _wiggle(f"{question.link_id}-{week}") / 3
        if question.options:
            best = sorted(question.options, key=lambda option: option.ordinal or Decimal(0), reverse=True)
            if question.link_id == "pain-burden":
                best.reverse()
            place = int((1 - better) * 3)
            answers[question.link_id] = best[max(0, min(place, len(best) - 1))].key
        elif question.minimum is not None and question.maximum is not None:
            answers[question.link_id] = max(1, min(8, int(7 - better * 5)))
    return answers


def _between(test: Test, days_ago: int) -> Decimal:
    """Give a value on the way from the first to the last, with its wiggle, rounded as laboratories do."""
    first, last = Decimal(test.first), Decimal(test.last)
    passed = Decimal(HISTORY_DAYS - days_ago) / HISTORY_DAYS
    value = first + (last - first) * passed + _wiggle(f"{test.id}-{days_ago}") * Decimal(test.wiggle)
    return value.quantize(Decimal(1).scaleb(-test.digits))


def _wiggle(name: str) -> Decimal:
    """Give a number between -1 and 1 that always belongs to this name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big")
    return (Decimal(number) / 32768) - 1


def _day(today: date, days_ago: int) -> str:
    return (today - timedelta(days=days_ago)).isoformat()


def _observation(identity: str, category: str, words: str, loinc: str, at: str) -> Body:
    return {
        "resourceType": "Observation",
        "id": f"demo-{identity}",
        "status": "final",
        "category": [_hl7("observation-category", category)],
        "code": _concept(words, (("loinc", loinc),)),
        "subject": _WHO,
        "effectiveDateTime": at,
    }


def _quantity(value: Decimal, unit: str, ucum: str) -> Body:
    return {"value": value, "unit": unit, "system": UCUM, "code": ucum}


def _concept(words: str, codes: tuple[Code, ...]) -> Body:
    return {"coding": [{"system": SYSTEMS[system], "code": code} for system, code in codes], "text": words}


def _hl7(system: str, code: str) -> Body:
    return {"coding": [{"system": f"{_TERMINOLOGY}{system}", "code": code}]}
