"""Rows that need knowledge: why a value is missing, what a laboratory says, extensions, cautions."""

from __future__ import annotations

from typing import Any

import pytest

from pgo.health.record.resolve import nothing
from pgo.health.record.views import Detail, details
from tests.unit.pgo.health.make import coded, observation, resource

_NICTIZ = "http://nictiz.nl/fhir/StructureDefinition/"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def _rows(one: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in details(one, nothing):
        found.setdefault(row.label_key.removeprefix("health.label."), []).append(row.value_key or row.value)
    return found


@pytest.mark.parametrize(
    ("code", "words"), [("masked", "masked"), ("unknown", "unknown"), ("asked-declined", "asked_unknown")]
)
def test_a_missing_value_says_why_it_is_missing(code: str, words: str) -> None:
    shadow = {"extension": [{"url": _ABSENT, "valueCode": code}]}
    one = resource("Patient", name=[{"family": "Test"}], _birthDate=shadow)

    assert _rows(one)["birth_date"] == [f"health.absent.{words}"]


def test_a_value_that_is_there_needs_no_reason() -> None:
    shadow = {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}
    one = resource("Patient", birthDate="1980", _birthDate=shadow)

    assert _rows(one)["birth_date"] == ["1980"]


def test_a_reference_that_is_only_a_reason_says_the_reason() -> None:
    one = observation(performer=[{"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}])

    assert _rows(one)["by"] == ["health.absent.unknown"]


@pytest.mark.parametrize(
    ("system", "code", "words"),
    [
        ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "H", "high"),
        ("http://terminology.hl7.org/CodeSystem/v2-0078", "LL", "very_low"),
        ("http://snomed.info/sct", "281300000", "low"),
    ],
)
def test_what_a_laboratory_says_is_in_plain_words(system: str, code: str, words: str) -> None:
    one = observation(interpretation=[coded(system, code, display="as sent")])

    assert _rows(one)["judgement"] == [f"health.judgement.{words}"]


def test_a_letter_of_another_code_system_stays_as_it_is() -> None:
    assert _rows(observation(interpretation=[coded("urn:own", "H", display="Hartslag")]))["judgement"] == [
        "Hartslag"
    ]


def test_an_extension_we_know_shows_under_its_label() -> None:
    one = resource(
        "MedicationStatement",
        status="active",
        subject={"display": "Test"},
        medicationCodeableConcept={"text": "X"},
        extension=[
            {"url": f"{_NICTIZ}ext-AsAgreedIndicator", "valueBoolean": False},
            {"url": f"{_NICTIZ}ext-Comment", "valueString": "bij het eten"},
            {"url": f"{_NICTIZ}ext-SomethingTechnical", "valueString": "zzz"},
        ],
    )

    rows = _rows(one)
    assert (rows["as_agreed"], rows["note"]) == (["✗"], ["bij het eten"])
    assert "zzz" not in str(rows)


def test_a_modifier_we_do_not_know_is_a_caution_and_never_left_out() -> None:
    one = observation(modifierExtension=[{"url": "https://example.org/turned-around", "valueBoolean": True}])

    assert _rows(one)["caution"] == ["✓"]


def test_a_person_behind_a_reference_is_named_without_the_name_of_a_profile() -> None:
    who = "Healthcare professional (role), Jan van Harten, Chirurgie"

    assert _rows(observation(performer=[{"display": who}]))["by"] == ["Jan van Harten, Chirurgie"]


def test_bounds_keep_their_sign_and_their_digits() -> None:
    quantity = {"value": 0.41, "comparator": "<", "unit": "mmol/L"}
    one = observation(valueQuantity=quantity, referenceRange=[{"high": {"value": 1.0, "unit": "mmol/L"}}])

    assert Detail("health.label.value", "<0.41 mmol/L") in details(one, nothing)
    assert _rows(one)["normal_range"] == ["≤ 1.0 mmol/L"]
