"""The short line of a record: titles, dates, status, values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pgo.health.record.index import RecordKind, RecordStatus, build_index
from pgo.health.record.resolve import nothing, resolver
from pgo.health.record.status import status_on
from pgo.health.record.words import concept_text, folded, quantity_text
from tests.unit.pgo.health.make import coded, observation, resource

ZIB_PERIOD = "http://nictiz.nl/fhir/StructureDefinition/ext-TimeInterval.Period"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
SUBJECT: dict[str, Any] = {"subject": {"display": "x"}}


def request(**members: Any) -> Any:
    medicine = {"medicationCodeableConcept": {"text": "Metformine"}, **SUBJECT}
    if "medicationReference" in members:
        del medicine["medicationCodeableConcept"]
    return resource("MedicationRequest", **{"status": "active", "intent": "order", **medicine, **members})


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ({"text": "Suikerziekte", **coded("s", "1", display="Diabetes")}, "Suikerziekte"),
        (coded("s", "1", display="Diabetes mellitus type 2 (disorder)"), "Diabetes mellitus type 2"),
        ({"coding": [{"display": "a"}, {"display": "b", "userSelected": True}]}, "b"),
        (coded("s", "E11"), "E11"),
        ({}, ""),
        ({"coding": "broken"}, ""),
    ],
)
def test_words_of_a_concept(concept: dict[str, Any], expected: str) -> None:
    assert concept_text(concept) == expected


def test_a_value_keeps_its_digits_and_its_comparator() -> None:
    low = observation(valueQuantity={"value": 0.41, "comparator": "<", "unit": "mmol/L"})
    index = build_index(low, resolve=nothing)
    assert (index.value, index.value_text, index.unit) == ("0.41", "<0.41 mmol/L", "mmol/L")


def test_trailing_zero_of_a_decimal_survives() -> None:
    raw = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":7.50}}'
    )
    from pgo.health.record.reader import read_records

    (one,) = read_records(raw, name="x.json").resources
    assert build_index(one, resolve=nothing).value == "7.50"


def _pressure(*parts: tuple[str, str, int]) -> Any:
    rows = [
        {
            "code": {"coding": [{"system": system, "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg"},
        }
        for system, code, value in parts
    ]
    return observation(code={"text": "Bloeddruk"}, component=rows)


def test_blood_pressure_reads_as_one_value() -> None:
    index = build_index(_pressure((LOINC, "8480-6", 128), (LOINC, "8462-4", 82)), resolve=nothing)
    assert (index.title, index.value_text, index.value) == ("Bloeddruk", "128/82 mmHg", "")


def test_the_upper_pressure_comes_first_in_whatever_order_it_was_sent() -> None:
    loinc = _pressure((LOINC, "8462-4", 82), (LOINC, "8480-6", 128))
    zib = _pressure((SNOMED, "271650006", 82), (SNOMED, "271649006", 128))
    assert build_index(loinc, resolve=nothing).value_text == "128/82 mmHg"
    assert build_index(zib, resolve=nothing).value_text == "128/82 mmHg"


def test_two_numbers_that_are_no_blood_pressure_keep_their_names() -> None:
    parts = [
        {"code": {"text": name}, "valueQuantity": {"value": value, "unit": "dpt"}}
        for name, value in (("Links", 1), ("Rechts", 2))
    ]
    index = build_index(observation(code={"text": "Oog"}, component=parts), resolve=nothing)
    assert index.value_text == "Links 1 dpt, Rechts 2 dpt"


def test_annotation_units_are_not_shown() -> None:
    assert quantity_text({"value": 4, "unit": "{score}"}) == "4"


def test_loinc_is_the_code_of_choice() -> None:
    code = {"coding": [{"system": "http://local", "code": "a"}, {"system": LOINC, "code": "29463-7"}]}
    assert build_index(observation(code=code), resolve=nothing).code == f"{LOINC}|29463-7"


def test_medicine_behind_a_reference_is_looked_up() -> None:
    medicine = resource("Medication", id="m1", code={"text": "Lisinopril 10 mg"})
    order = request(medicationReference={"reference": "Medication/m1", "display": "?"})
    assert build_index(order, resolve=resolver([medicine])).title == "Lisinopril 10 mg"
    assert build_index(order, resolve=nothing).title == "?"


def test_contained_medicine_and_ingredients_are_found() -> None:
    inside = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [
            {"itemCodeableConcept": {"text": "Zink"}},
            {"itemCodeableConcept": {"text": "Vaseline"}},
        ],
    }
    order = request(medicationReference={"reference": "#m"}, contained=[inside])
    assert build_index(order, resolve=nothing).title == "Zink, Vaseline"


def test_references_are_found_by_address_and_by_type_and_id() -> None:
    body = {"status": "active", "intent": "order", "medicationReference": {}}
    medicine = resource("Medication", id="m1", code={"text": "A"})
    look_up = resolver([medicine])
    for text in ("Medication/m1", "https://x.example/fhir/Medication/m1", "Medication/m1/_history/2"):
        assert look_up(text) is medicine
    for text in ("Medication/m2", "Medication?identifier=m1", "#m1", ""):
        assert look_up(text) is None
    assert body["medicationReference"] == {}


@pytest.mark.parametrize(
    ("kind", "members", "expected"),
    [
        ("Condition", {"clinicalStatus": coded(CLINICAL, "active"), **SUBJECT}, RecordStatus.CURRENT),
        ("Condition", {"clinicalStatus": coded(CLINICAL, "resolved"), **SUBJECT}, RecordStatus.PAST),
        ("Condition", {"abatementDateTime": "2020", **SUBJECT}, RecordStatus.PAST),
        ("Condition", SUBJECT, RecordStatus.UNKNOWN),
        (
            "Condition",
            {"verificationStatus": coded("s", "entered-in-error"), **SUBJECT},
            RecordStatus.ENTERED_IN_ERROR,
        ),
        (
            "Condition",
            {
                "clinicalStatus": coded(CLINICAL, "active"),
                "verificationStatus": coded("s", "refuted"),
                **SUBJECT,
            },
            RecordStatus.PAST,
        ),
        ("Procedure", {"status": "in-progress", **SUBJECT}, RecordStatus.CURRENT),
        ("Procedure", {"status": "preparation", **SUBJECT}, RecordStatus.PLANNED),
        (
            "Goal",
            {"lifecycleStatus": "active", "description": {"text": "x"}, **SUBJECT},
            RecordStatus.CURRENT,
        ),
        ("DocumentReference", {"status": "current", "content": [{"attachment": {}}]}, RecordStatus.PAST),
        ("Procedure", {"status": "entered-in-error", **SUBJECT}, RecordStatus.ENTERED_IN_ERROR),
    ],
)
def test_status_comes_from_the_words_of_the_source(
    kind: str, members: dict[str, Any], expected: RecordStatus
) -> None:
    if kind == "DocumentReference":
        members = {**members, "content": [{"attachment": {"title": "x"}}]}
    assert build_index(resource(kind, **members), resolve=nothing).status is expected


def test_a_running_agreement_stays_open_and_a_stopped_one_is_past() -> None:
    period = {"extension": [{"url": ZIB_PERIOD, "valuePeriod": {"start": "2023-11-02", "end": "2024-08-08"}}]}
    running = build_index(request(status="completed", **period), resolve=nothing)
    assert (running.status, running.start, running.end) == (RecordStatus.UNKNOWN, "2023-11-02", "2024-08-08")
    assert build_index(request(status="stopped", **period), resolve=nothing).status is RecordStatus.PAST


def test_a_request_to_supply_is_an_event() -> None:
    category = [coded("http://snomed.info/sct", "52711000146108", display="verstrekkingsverzoek")]
    index = build_index(request(status="unknown", category=category), resolve=nothing)
    assert (index.status, index.detail) == (RecordStatus.PAST, "verstrekkingsverzoek")


@pytest.mark.parametrize(
    ("status", "start", "end", "expected"),
    [
        ("unknown", "2024-01-01", "2024-06-30", "past"),
        ("unknown", "2024-01-01", "", "current"),
        ("unknown", "2027-01-01", "", "planned"),
        ("unknown", "2025", "2025", "current"),
        ("unknown", "", "", "unknown"),
        ("current", "", "2024-06-30T23:59:59+02:00", "past"),
        ("current", "", "2025-06-15", "current"),
        ("past", "2027", "", "past"),
        ("entered_in_error", "2024", "", "entered_in_error"),
    ],
)
def test_the_day_decides_what_the_source_left_open(status: str, start: str, end: str, expected: str) -> None:
    found = status_on(RecordStatus(status), start, end, on=date(2025, 6, 15))
    assert found == RecordStatus(expected)


@pytest.mark.parametrize(
    ("kind", "members", "start", "end"),
    [
        ("Observation", {"effectivePeriod": {"start": "2020-01", "end": "2020-02"}}, "2020-01", "2020-02"),
        ("Observation", {"effectiveInstant": "2020-01-01T10:00:00Z"}, "2020-01-01T10:00:00Z", ""),
        ("Observation", {"issued": "2020-01-01T10:00:00Z"}, "2020-01-01T10:00:00Z", ""),
        ("Observation", {"effectiveDateTime": "last spring"}, "", ""),
        ("Observation", {}, "", ""),
        (
            "Condition",
            {"onsetDateTime": "2019", "abatementDateTime": "2021-03", **SUBJECT},
            "2019",
            "2021-03",
        ),
        ("Condition", {"recordedDate": "2018-05-04", **SUBJECT}, "2018-05-04", ""),
    ],
)
def test_dates_stay_as_precise_as_the_source(
    kind: str, members: dict[str, Any], start: str, end: str
) -> None:
    one = observation(**members) if kind == "Observation" else resource(kind, **members)
    index = build_index(one, resolve=nothing)
    assert (index.start, index.end) == (start, end)


@pytest.mark.parametrize(
    ("kind", "members", "record_kind", "title"),
    [
        ("Patient", {"name": [{"family": "Bos", "given": ["Jo"]}]}, RecordKind.PERSON, "Jo Bos"),
        ("Immunization", {"status": "completed", "vaccineCode": {"text": "Griep"}, "patient": {"display":
        "x"},
                          "occurrenceDateTime": "2020"}, RecordKind.VACCINATION, "Griep"),
        ("AllergyIntolerance", {"code": {"text": "Pinda"}, "patient": {"display": "x"}},
         RecordKind.ALLERGY, "Pinda"),
        ("FamilyMemberHistory", {"status": "completed", "patient": {"display": "x"},
                                 "relationship": {"text": "Vader"},
                                 "condition": [{"code": {"text": "Astma"}}]},
         RecordKind.FAMILY_HISTORY, "Vader: Astma"),
        ("QuestionnaireResponse", {"status": "completed", "questionnaire":
        "http://x.example/Questionnaire/abc|2"},
         RecordKind.QUESTIONNAIRE, "abc"),
        ("Organization", {"name": "Praktijk"}, RecordKind.OTHER, "Praktijk"),
        ("Basic", {"code": {"coding": [{"version": "1"}]}}, RecordKind.OTHER, "Basic"),
    ],
)  # fmt: skip
def test_titles_are_what_a_person_would_say(
    kind: str, members: dict[str, Any], record_kind: RecordKind, title: str
) -> None:
    index = build_index(resource(kind, **members), resolve=nothing)
    assert (index.kind, index.title) == (record_kind, title)


def test_search_text_is_folded_and_knows_the_codes() -> None:
    one = observation(code={"text": "Kreatinine (é)", **coded(LOINC, "14682-9", display="Creatinine")})
    words = build_index(one, resolve=nothing).search.split()
    assert {"kreatinine", "(e)", "creatinine", "14682-9"} <= set(words)
    assert len(words) == len(set(words))
    assert folded("  ÉÈ  Ab ") == "ee ab"
