"""Redaction: nothing outside the set is spoken of, and untouched bytes stay the very same."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from consent.classify import classify_all
from consent.decision import Permit
from consent.model import Action, Category
from consent.plan import compile_plan
from consent.redaction import Redacted, redact
from tests.support.consent_builders import CLINIC, NOW, a_grant, a_ledger, a_permit


def raw_of(body: dict[str, Any]) -> bytes:
    return json.dumps(body, indent=1).encode()


def item(body: dict[str, Any], raw: bytes | None = None) -> tuple[bytes, dict[str, Any], tuple[str, ...]]:
    names = (f"{body['resourceType']}/{body['id']}",) if "id" in body else ()
    return raw or raw_of(body), body, names


def one(body: dict[str, Any], *others: dict[str, Any], keep_text: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(redact([item(body), *map(item, others)], keep_text=keep_text)[0].raw)
    return found


PATIENT = {"resourceType": "Patient", "id": "p"}


def test_untouched_resource_keeps_the_same_bytes_object() -> None:
    raw = b'{ "resourceType":"Observation","id":"o" ,"subject":{"reference":"Patient/p"},"value":1.10}'
    result = redact([item(json.loads(raw), raw), item(PATIENT)])[0]
    assert result == Redacted(raw, changed=False)
    assert result.raw is raw


def test_numbers_keep_their_digits_when_something_else_goes() -> None:
    raw = (
        b'{"resourceType":"Observation","id":"o","note":[{"text":"x"}],"a":1.10,"b":1e2,"c":-0.0,'
        b'"d":12345678901234567890,"e":"\\u00e9","f":null,"g":[true,false]}'
    )
    body = json.loads(raw, parse_float=Decimal)
    result = redact([(raw, body, ())])[0]
    assert result.changed
    assert result.raw.decode() == (
        '{"resourceType":"Observation","id":"o","a":1.10,"b":1e2,"c":-0.0,"d":12345678901234567890,'
        '"e":"é","f":null,"g":[true,false]}'
    )


def test_reference_outside_the_set_goes_with_its_display() -> None:
    body = {
        "resourceType": "Encounter",
        "id": "e",
        "reasonReference": [{"reference": "Condition/hiv", "display": "HIV"}, {"reference": "Condition/ok"}],
        "partOf": {"display": "Infectious diseases"},
        "episodeOfCare": [{"identifier": {"system": "s", "value": "v"}}],
    }
    found = one(body, {"resourceType": "Condition", "id": "ok"})
    assert found == {
        "resourceType": "Encounter",
        "id": "e",
        "reasonReference": [{"reference": "Condition/ok"}],
    }


def test_required_subject_is_masked_not_dropped() -> None:
    found = one(
        {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p", "display": "Name"}}
    )
    assert found["subject"] == {
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
        ]
    }


def test_required_list_is_masked_when_nothing_is_left() -> None:
    found = one({"resourceType": "Provenance", "id": "v", "target": [{"reference": "Condition/hiv"}]})
    assert len(found["target"]) == 1
    assert "reference" not in found["target"][0]


def test_list_entry_that_only_pointed_outside_goes_as_a_whole() -> None:
    body = {
        "resourceType": "List",
        "id": "l",
        "entry": [
            {"date": "2024-01-01", "item": {"reference": "Condition/hiv"}},
            {"date": "2024-01-02", "item": {"reference": "Condition/ok"}},
        ],
    }
    assert [entry["date"] for entry in one(body, {"resourceType": "Condition", "id": "ok"})["entry"]] == [
        "2024-01-02"
    ]


def test_identifier_survives_when_its_assigner_goes() -> None:
    body = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": "bsn", "value": "1", "assigner": {"display": "Clinic"}}],
        "managingOrganization": {"reference": "Organization/o"},
    }
    assert one(body) == {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": "bsn", "value": "1"}],
    }


def test_contained_resource_stays_and_is_cleaned_too() -> None:
    body = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "contained": [
            {
                "resourceType": "Medication",
                "id": "c",
                "text": {"div": "<div>secret</div>"},
                "manufacturer": {"reference": "Organization/o"},
            }
        ],
        "medicationReference": {"reference": "#c", "display": "own"},
    }
    assert one(body) == {
        "resourceType": "MedicationRequest",
        "id": "m",
        "contained": [{"resourceType": "Medication", "id": "c"}],
        "medicationReference": {"reference": "#c", "display": "own"},
    }


TEXTS: dict[str, Any] = {
    "text": {"status": "generated", "div": "<div>canary</div>"},
    "note": [{"text": "canary"}],
    "conclusion": "canary",
    "comment": "canary",
    "_comment": {"extension": [{"valueString": "canary"}]},
    "description": "canary",
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_free_text_goes_unless_it_is_permitted(name: str) -> None:
    body = {"resourceType": "DiagnosticReport", "id": "d", name: TEXTS[name]}
    assert one(body) == {"resourceType": "DiagnosticReport", "id": "d"}
    assert one(body, keep_text=True) == body


def test_values_in_words_stay() -> None:
    body = {
        "resourceType": "MedicationStatement",
        "id": "m",
        "medicationCodeableConcept": {"text": "paracetamol"},
        "dosage": [{"text": "1 tablet"}],
        "valueString": "positive",
        "item": [{"linkId": "1", "text": "Pain?", "answer": [{"valueString": "a bit"}]}],
        "code": {"coding": [{"display": "only a display"}]},
    }
    assert one(body) == body


def test_address_of_a_file_outside_the_set_goes() -> None:
    body = {
        "resourceType": "DocumentReference",
        "id": "d",
        "content": [
            {"attachment": {"url": "Binary/b", "title": "t"}},
            {"attachment": {"url": "https://x.example"}},
        ],
    }
    found = one(body)
    assert found["content"] == [{"attachment": {"title": "t"}}, {"attachment": {"url": "https://x.example"}}]


def test_versioned_reference_into_the_set_stays() -> None:
    body = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p/_history/2"}}
    assert one(body, PATIENT) == body


def test_extension_that_lost_its_value_goes() -> None:
    body = {
        "resourceType": "Patient",
        "id": "p",
        "extension": [{"url": "u", "valueReference": {"reference": "Condition/hiv"}}],
        "contact": [{"gender": "female", "organization": {"reference": "Organization/o"}}],
        "hospitalization": {"origin": {"reference": "Location/l"}},
    }
    assert one(body) == {"resourceType": "Patient", "id": "p", "contact": [{"gender": "female"}]}


def test_remarks_of_stu3_that_r4_has_no_element_for_go_like_other_free_text() -> None:
    kept = "http://hl7.org/fhir/3.0/StructureDefinition/extension-"
    description = {"url": f"{kept}ReferralRequest.description", "valueString": "vertrouwelijk"}
    inner = {"url": "comment", "valueString": "ook dit"}
    taken = {"url": f"{kept}MedicationStatement.taken", "valueCode": "y"}
    foreign = {"url": "https://a.example/note", "valueString": "een waarde"}
    parts = {"url": f"{kept}DiagnosticReport.image", "extension": [inner, {"url": "link", "valueCode": "x"}]}
    body = {
        "resourceType": "ServiceRequest",
        "extension": [description, taken, parts, foreign, {"valueCode": "x"}],
    }
    gone = {"url": parts["url"], "extension": [{"url": "link", "valueCode": "x"}]}
    assert one(body)["extension"] == [taken, gone, foreign, {"valueCode": "x"}]
    assert one(body, keep_text=True) == body


def synthetic_bundle(rng: random.Random) -> list[dict[str, Any]]:
    """Random records that refer to each other; the withheld ones carry the canary everywhere."""
    found: list[dict[str, Any]] = [dict(PATIENT)]
    for number in range(rng.randint(3, 9)):
        secret = rng.random() < 0.4
        word = "canary" if secret else "plain"
        body: dict[str, Any] = {
            "resourceType": rng.choice(["Condition", "Observation", "Encounter"]),
            "id": f"{word}-{number}",
            "code": {
                "coding": [
                    {"system": "http://snomed.info/sct", "code": "86406008" if secret else "38341003"}
                ],
                "text": word,
            },
            "subject": {"reference": "Patient/p"},
            "note": [{"text": "canary"}],
            "category": [{"coding": [{"system": "observation-category", "code": "laboratory"}]}],
            "valueQuantity": {"value": number / 10},
        }
        links = [
            {"reference": f"{r['resourceType']}/{r['id']}", "display": r["id"]}
            for r in found
            if rng.random() < 0.5
        ]
        body[rng.choice(["reasonReference", "hasMember", "related", "basedOn"])] = links
        found.append(body)
    rng.shuffle(found)
    return found


def released(bundle: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[bytes]]:
    facts = classify_all(bundle)
    ledger = a_ledger(a_grant(a_permit(category=list(Category))))
    plan = compile_plan(ledger, actor=[CLINIC], purpose=["TREAT"], action=[Action.VIEW], at=NOW)
    kept = [body for body, fact in zip(bundle, facts, strict=True) if isinstance(plan.decide(fact), Permit)]
    return kept, [result.raw for result in redact([item(body) for body in kept])]


@pytest.mark.parametrize("seed", range(60))
def test_l16_filtering_equals_never_having_had_the_denied(seed: int) -> None:
    bundle = synthetic_bundle(random.Random(seed))
    kept, out = released(bundle)
    assert released(kept) == (kept, out)
    assert not any(b"canary" in raw for raw in out)


def test_l16_the_canary_test_can_fail() -> None:
    bundles = [synthetic_bundle(random.Random(seed)) for seed in range(60)]
    assert sum(len(released(bundle)[0]) > 1 for bundle in bundles) > 30
    assert any("canary" in json.dumps(body) for bundle in bundles for body in released(bundle)[0])
