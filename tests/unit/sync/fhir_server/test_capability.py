"""The capability statement: read strictly, and turned into what goes and what cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.errors import RemoteRuleError
from sync.fhir_server.capability import Lack, Way, check, parse_capability
from tests.support.fhir_memory import Habits, MemoryFhir

WANTED = ("Observation", "Condition", "Binary")


def said(**changes: Any) -> dict[str, Any]:
    return MemoryFhir().capability() | changes


def parsed(body: dict[str, Any]) -> Any:
    return parse_capability(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>", "fhir_no_statement"),
        (b"[]", "fhir_no_statement"),
        (b'{"resourceType":"Bundle"}', "fhir_no_statement"),
        (json.dumps(said(rest=[])).encode(), "fhir_no_statement"),
        (json.dumps(said(rest=[{"mode": "client"}])).encode(), "fhir_no_statement"),
        (json.dumps(said(fhirVersion="5.0.0")).encode(), "fhir_version"),
        (json.dumps(said(fhirVersion="3.0.2")).encode(), "fhir_version"),
        (json.dumps(said(format=["xml"])).encode(), "fhir_no_json"),
        (json.dumps(said(format="json")).encode(), "fhir_no_json"),
    ],
)
def test_what_is_no_statement_of_an_r4_server_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        parse_capability(body)
    assert refusal.value.code == code


def test_what_is_not_said_is_not_assumed() -> None:
    body = said()
    for resource in body["rest"][0]["resource"]:
        del resource["updateCreate"], resource["conditionalCreate"]
    found = check(parsed(body), WANTED)
    assert not found.usable
    assert found.takes == ()
    assert [lack for lack, _ in found.lacks][:2] == [Lack.PATIENT, Lack.CONSENT]


@pytest.mark.parametrize(
    "strange", [{"updateCreate": "true"}, {"updateCreate": 1}, {"interaction": "update"}]
)
def test_a_value_of_another_form_is_no_yes(strange: dict[str, Any]) -> None:
    body = said()
    for resource in body["rest"][0]["resource"]:
        resource.update({"conditionalCreate": False} | strange)
    assert not check(parsed(body), WANTED).usable


@pytest.mark.parametrize(
    ("habits", "way"),
    [(Habits(), Way.PUT), (Habits(own_ids=True), Way.POST), (Habits(types=("Patient",)), None)],
)
def test_the_way_of_a_type_follows_from_what_is_said(habits: Habits, way: Way | None) -> None:
    assert parsed(MemoryFhir(habits).capability()).way("Observation") is way


def test_a_good_server_lacks_nothing() -> None:
    found = check(parsed(said()), ("Observation", "Condition"))
    assert found.usable
    assert found.lacks == ()
    assert found.takes == ("Condition", "Observation")


@pytest.mark.parametrize(
    ("habits", "lack"),
    [
        (Habits(bundles=()), Lack.BUNDLE),
        (Habits(bundles=("batch",)), Lack.TRANSACTION),
        (Habits(types=("Consent", "Observation")), Lack.PATIENT),
        (Habits(types=("Patient", "Observation")), Lack.CONSENT),
        (Habits(types=("Patient", "Consent", "Observation")), Lack.PROVENANCE),
        (Habits(deletes=False), Lack.DELETE),
        (Habits(own_ids=True), Lack.OWN_IDS),
    ],
)
def test_each_lack_is_named(habits: Habits, lack: Lack) -> None:
    found = check(parsed(MemoryFhir(habits).capability()), ("Observation",))
    assert lack in dict(found.lacks)
    assert found.usable is (lack not in (Lack.BUNDLE, Lack.PATIENT, Lack.CONSENT))


def test_a_vault_without_records_may_name_a_server() -> None:
    assert check(parsed(said()), ()).usable
