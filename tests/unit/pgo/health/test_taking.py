"""Which release a resource is read as, and what is demanded of what we make ourselves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pgo.health.fhir_r4 import validate
from pgo.health.record.reader import read_records
from pgo.health.record.resource import Resource

WHO = {"display": "x"}
DUTCH = {"profile": ["http://fhir.nl/fhir/StructureDefinition/nl-core-patient"]}
OLD_FORM: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "status": "active",
    "item": [{"linkId": "1", "type": "choice", "option": [{"valueString": "a"}]}],
}


def taken(*bodies: dict[str, Any]) -> list[Resource]:
    entries = [{"resource": body} for body in bodies]
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    intake = read_records(data, name="x")
    assert intake.set_aside == ()
    return list(intake.resources)


def test_a_resource_without_a_mark_follows_the_file_it_came_in() -> None:
    plain = {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": "x"},
        "subject": WHO,
        "category": {"text": "y"},
    }
    unmarked = {"resourceType": "Encounter", "status": "finished"}
    _, flag, encounter = taken({"resourceType": "Patient", "meta": DUTCH}, plain, unmarked)
    assert flag.body["category"] == [{"text": "y"}]
    assert (encounter.original_format, encounter.original) == ("stu3_json", json.dumps(unmarked).encode())


def test_in_such_a_file_what_is_certainly_r4_stays_as_it_came() -> None:
    newer = {"resourceType": "Condition", "subject": WHO, "recordedDate": "2020"}
    _, condition = taken({"resourceType": "Patient", "meta": DUTCH}, newer)
    assert (condition.original, condition.raw) == (None, json.dumps(newer).encode())


def test_a_form_of_stu3_is_known_by_the_inside_of_its_questions() -> None:
    (form,) = taken(OLD_FORM)
    assert form.body["item"][0]["answerOption"] == [{"valueString": "a"}]
    xml = (
        '<Questionnaire xmlns="http://hl7.org/fhir"><status value="active"/><item><linkId value="1"/>'
        '<type value="choice"/><option><valueString value="a"/></option></item></Questionnaire>'
    )
    (from_xml,) = read_records(xml.encode(), name="x").resources
    assert from_xml.body == form.body


def test_r4_with_an_element_nobody_knows_is_taken_as_it_came() -> None:
    (one,) = taken({"resourceType": "Patient", "name": [{"family": "x", "wish": 1}]})
    assert one.original_format == "json"


def test_what_we_make_is_r4_to_the_letter_or_set_aside() -> None:
    good = {"resourceType": "Condition", "subject": WHO, "assertedDate": "2017"}
    assert validate(taken(good)[0].body) == ()
    bad = json.dumps({**good, "assertedDate": "gisteren"}).encode()
    intake = read_records(b"\n".join((bad, json.dumps(good).encode())), name="x")
    assert [(one.code, one.detail) for one in intake.set_aside] == [
        ("bad_structure", "Condition.recordedDate: bad_text")
    ]


@pytest.mark.parametrize("profile", ["valueUri", "valueString"])
def test_an_export_of_ours_is_not_taken_for_stu3_again(profile: str) -> None:
    kept = {
        "url": "http://hl7.org/fhir/3.0/StructureDefinition/extension-Meta.profile",
        profile: DUTCH["profile"][0],
    }
    body = {"resourceType": "Patient", "meta": {"extension": [kept]}}
    assert taken(body)[0].raw == json.dumps(body).encode()
