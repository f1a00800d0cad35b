"""Research gets codes, numbers and months; nothing that was not listed goes along."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgo.health.record.deidentify import KINDS, deidentify, is_deidentified

TODAY = date(2026, 11, 22)
CANARY = "Kanarie 06-12345678"
MASKED = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    ]
}


def observation(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "r7",
        "status": "final",
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "4548-4", "display": CANARY}],
            "text": CANARY,
        },
        "subject": {"reference": "Patient/r1", "display": CANARY},
        "effectiveDateTime": "2025-03-14T08:15:00+01:00",
        "valueQuantity": {"value": 53, "unit": "mmol/mol", "code": "mmol/mol"},
        **more,
    }


def test_what_stays_of_a_measurement() -> None:
    assert deidentify(observation(note=[{"text": CANARY}]), today=TODAY) == {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "subject": {"reference": "Patient/r1"},
        "effectiveDateTime": "2025-03",
        "valueQuantity": {"value": 53, "unit": "mmol/mol", "code": "mmol/mol"},
        "id": "r7",
    }


@pytest.mark.parametrize(
    ("born", "said"), [("1958-04-02", "1955"), ("1960", "1960"), ("1936-01-01", None), ("1937-12-31", "1935")]
)
def test_of_the_patient_stay_sex_and_five_years(born: str, said: str | None) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "r1",
        "name": [{"family": CANARY}],
        "gender": "female",
        "birthDate": born,
        "deceasedDateTime": "2026-01-02",
        "maritalStatus": {"coding": [{"code": "M"}]},
    }
    kept = deidentify(patient, today=TODAY)
    wanted: dict[str, Any] = {
        "resourceType": "Patient",
        "id": "r1",
        "gender": "female",
        "deceasedBoolean": True,
    }
    assert kept == (wanted | {"birthDate": said} if said else wanted)


@pytest.mark.parametrize("kind", ["DocumentReference", "Practitioner", "Binary", "Composition", "Nonsense"])
def test_a_document_or_a_person_is_not_made(kind: str) -> None:
    assert deidentify({"resourceType": kind, "status": "current"}, today=TODAY) is None


def test_what_loses_something_required_is_not_made() -> None:
    assert deidentify(observation() | {"code": CANARY}, today=TODAY) is None


def test_a_masked_reference_stays_and_a_foreign_one_goes() -> None:
    body = observation(subject=MASKED, performer=[{"reference": "Practitioner/r9"}, {"display": CANARY}])
    kept = deidentify(body, today=TODAY)
    assert kept is not None
    assert kept["subject"] == MASKED
    assert "performer" not in kept


def everything(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from everything(item)
    elif isinstance(value, list):
        for item in value:
            yield from everything(item)
    elif isinstance(value, str):
        yield value


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, item in members:
        if isinstance(item, str):
            yield (*at, name)
        yield from paths(item, (*at, name))


def plant(body: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(body)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = CANARY
    return changed


RICH = observation(
    component=[{"code": {"text": "x"}, "valueString": "x"}],
    extension=[{"url": "x", "valueString": "x"}],
    contained=[{"resourceType": "Patient", "id": "p", "name": [{"text": "x"}]}],
    performer=[{"reference": "#p", "display": "x"}],
    identifier=[{"value": "x"}],
    bodySite={"text": "x", "coding": [{"display": "x", "userSelected": "x"}]},
    referenceRange=[{"text": "x", "low": {"unit": "x y"}}],
    text={"status": "generated", "div": "x"},
)
CODES = {"resourceType", "id"}


@given(st.sampled_from([path for path in paths(RICH) if path[-1] not in CODES]))
def test_a_sentence_goes_along_nowhere_not_even_in_place_of_a_code(path: tuple[Any, ...]) -> None:
    kept = deidentify(plant(RICH, path), today=TODAY)
    assert kept is None or CANARY not in set(everything(kept))


@pytest.mark.data
def test_over_real_records_names_go_and_a_second_time_changes_nothing(shared_data: Path) -> None:
    made = tried = 0
    for path in sorted((shared_data / "synthea").rglob("*.json"))[:3]:
        resources = [entry["resource"] for entry in json.loads(path.read_bytes())["entry"]]
        people = [one for one in resources if one["resourceType"] in ("Patient", "Practitioner")]
        names = {text for one in people for text in everything(one["name"]) if len(text) > 4}
        for one in resources:
            tried += 1
            kept = deidentify(one, today=TODAY)
            if kept is None:
                continue
            made += 1
            assert kept["resourceType"] in KINDS
            assert is_deidentified(kept, today=TODAY)
            said = set(everything(kept))
            assert not names & said
            assert not [text for text in said if text.count("-") == 2 and text[:2] in ("19", "20")]
    assert made > tried / 4
