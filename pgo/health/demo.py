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

from collections.abc import Iterator
from datetime import date

from pgo.health.demo_data import (
    LAB_TESTS,
    MEDICINES,
    PROBLEMS,
    PROCEDURES,
    VACCINATIONS,
    VISITS,
    YEAR,
    Event,
    Medicine,
    Problem,
)
from pgo.health.demo_parts import (
    BASE,
    DOCTOR,
    HTEST,
    PRACTICE,
    TERMINOLOGY,
    WHO,
    Body,
    concept,
    day_before,
    hl7,
)
from pgo.health.demo_results import lab_results, vital_signs, weekly_checks
from pgo.health.record.writer import Authored, write_json


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
        yield from lab_results(test, today)
    yield from vital_signs(today)
    yield from _family_and_plans(today)
    yield from weekly_checks(today)


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
        "clinicalStatus": hl7("condition-clinical", "resolved" if over else "active"),
        "verificationStatus": hl7("condition-ver-status", "confirmed"),
        "category": [hl7("condition-category", "problem-list-item")],
        "code": concept(problem.words, problem.codes),
        "subject": WHO,
        "onsetDateTime": day_before(today, problem.began),
        "abatementDateTime": day_before(today, problem.ended) if problem.ended is not None else None,
        "recordedDate": day_before(today, problem.began),
        "recorder": DOCTOR,
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
            "clinicalStatus": hl7("allergyintolerance-clinical", "active"),
            "verificationStatus": hl7("allergyintolerance-verification", "confirmed"),
            "type": "allergy",
            "category": [category],
            "criticality": criticality,
            "code": concept(words, (("snomed", code),)),
            "patient": WHO,
            "onsetDateTime": day_before(today, began)[:4],
            "recorder": DOCTOR,
            "reaction": [{"manifestation": [{"text": reaction}], "severity": severity}],
        }


def _medicine(medicine: Medicine, today: date) -> Body:
    named = concept(medicine.words, (("atc", medicine.atc),))
    start = day_before(today, medicine.first)
    end = day_before(today, medicine.last) if medicine.last is not None else None
    if medicine.over_the_counter:
        return {
            "resourceType": "MedicationStatement",
            "id": f"demo-medication-{medicine.id}",
            "status": "completed" if end else "active",
            "medicationCodeableConcept": named,
            "subject": WHO,
            "effectivePeriod": {"start": start, "end": end},
            "dateAsserted": start,
            "informationSource": WHO,
            "reasonCode": [{"text": medicine.reason}],
            "dosage": [{"text": medicine.dosage}],
        }
    return {
        "resourceType": "MedicationRequest",
        "id": f"demo-medication-{medicine.id}",
        "status": "completed" if end else "active",
        "intent": "order",
        "medicationCodeableConcept": named,
        "subject": WHO,
        "authoredOn": start,
        "requester": DOCTOR,
        "reasonCode": [{"text": medicine.reason}],
        "dosageInstruction": [{"text": medicine.dosage}],
        "dispenseRequest": {"validityPeriod": {"start": start, "end": end}},
    }


def _vaccination(event: Event, today: date) -> Body:
    return {
        "resourceType": "Immunization",
        "id": f"demo-vaccination-{event.id}",
        "status": "completed",
        "vaccineCode": concept(event.words, event.codes),
        "patient": WHO,
        "occurrenceDateTime": day_before(today, event.days_ago),
        "primarySource": True,
        "lotNumber": event.detail,
        "performer": [{"actor": PRACTICE}],
    }


def _procedure(event: Event, today: date) -> Body:
    return {
        "resourceType": "Procedure",
        "id": f"demo-procedure-{event.id}",
        "status": "completed",
        "code": concept(event.words, event.codes),
        "subject": WHO,
        "performedDateTime": day_before(today, event.days_ago),
    }


def _visit(event: Event, today: date) -> Body:
    day = day_before(today, event.days_ago)
    return {
        "resourceType": "Encounter",
        "id": f"demo-visit-{event.id}",
        "status": "finished",
        "class": {"system": f"{TERMINOLOGY}v3-ActCode", "code": "AMB", "display": "Spreekuur"},
        "type": [concept(event.words, event.codes)],
        "subject": WHO,
        "participant": [{"individual": DOCTOR}],
        "period": {"start": f"{day}T09:00:00Z", "end": f"{day}T09:15:00Z"},
        "reasonReference": [{"reference": f"Condition/demo-problem-{event.detail}"}],
        "serviceProvider": PRACTICE,
    }


def _family_and_plans(today: date) -> Iterator[Body]:
    yield {
        "resourceType": "FamilyMemberHistory",
        "id": "demo-family-mother",
        "status": "completed",
        "patient": WHO,
        "date": day_before(today, 9 * YEAR),
        "relationship": {
            "coding": [{"system": f"{TERMINOLOGY}v3-RoleCode", "code": "MTH", "display": "moeder"}],
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
        "subject": WHO,
        "period": {"start": day_before(today, YEAR)},
        "author": DOCTOR,
        "addresses": [{"reference": "Condition/demo-problem-diabetes"}],
        "activity": [{"detail": {"status": "in-progress", "description": "Elke dag een half uur lopen"}}],
    }
