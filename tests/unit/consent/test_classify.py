"""Classification, case by case; the whole table runs over real data next door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consent.classify import classify, classify_all, links_of
from consent.codes import Category as C
from consent.codes import Sensitivity as S
from consent.dates import DateInterval, parse_fhir_date
from consent.elements import short_reference
from consent.errors import InvalidDocument
from consent.facts import TABLE_VERSION, ResourceFacts
from consent.sensitive_codes import clusters_in_text, clusters_of, read_labels

ICD, SNOMED, LOINC = "http://hl7.org/fhir/sid/icd-10", "http://snomed.info/sct", "http://loinc.org"


def coded(resource_type: str, system: str = SNOMED, code: str = "38341003", **members: Any) -> dict[str, Any]:
    return {
        "resourceType": resource_type,
        "id": "x",
        "code": {"coding": [{"system": system, "code": code}]},
        **members,
    }


def category(
    code: str, system: str = "http://terminology.hl7.org/CodeSystem/observation-category"
) -> list[Any]:
    return [{"coding": [{"system": system, "code": code}]}]


def labelled(*codes: str) -> dict[str, Any]:
    return {"meta": {"security": [{"system": "s", "code": code} for code in codes]}}


PATIENT = [{"reference": "Patient/p"}]
CATEGORIES: list[tuple[dict[str, Any], set[C]]] = [
    (coded("Condition"), {C.PROBLEMS}),
    (coded("Observation", category=category("laboratory")), {C.LABS}),
    (coded("Observation", category=category("survey")), {C.QUESTIONNAIRES}),
    (coded("Observation", LOINC, "8867-4"), {C.VITALS}),
    (coded("Observation", LOINC, "72166-2"), {C.SOCIAL}),
    (coded("Observation", LOINC, "8867-4", performer=PATIENT), {C.VITALS, C.SELF_MEASURED}),
    (coded("Observation", category=category("survey"), performer=PATIENT), {C.QUESTIONNAIRES}),
    (coded("Observation", performer=PATIENT), {C.SELF_MEASURED}),
    (coded("Observation", LOINC, "47403-1"), {C.GENETICS}),
    (coded("Observation", meta={"profile": ["http://x/zib-BloodPressure"]}), {C.VITALS}),
    (coded("Observation", category=category("49581000146104", SNOMED)), {C.LABS}),
    (coded("DiagnosticReport"), {C.LABS}),
    (
        coded("DiagnosticReport", category=category("GE", "http://terminology.hl7.org/CodeSystem/v2-0074")),
        {C.GENETICS},
    ),
    (
        coded("DiagnosticReport", presentedForm=[{"contentType": "text/plain", "data": "eA=="}]),
        {C.LABS, C.DOCUMENTS},
    ),
    ({"resourceType": "Media"}, {C.DOCUMENTS, C.IMAGING}),
    (
        {"resourceType": "Consent", "scope": {"coding": [{"system": "s", "code": "treatment"}]}},
        {C.DIRECTIVES},
    ),
    ({"resourceType": "Consent", "meta": {"profile": ["http://x/zib-AdvanceDirective"]}}, {C.DIRECTIVES}),
    ({"resourceType": "Consent"}, {C.DIRECTIVES, C.ADMIN}),
    ({"resourceType": "QuestionnaireResponse"}, {C.QUESTIONNAIRES}),
    ({"resourceType": "MolecularSequence"}, {C.GENETICS}),
]


@pytest.mark.parametrize(("resource", "categories"), CATEGORIES)
def test_categories(resource: dict[str, Any], categories: set[C]) -> None:
    facts = classify(resource)
    assert facts.categories == categories
    if C.GENETICS in categories:
        assert S.GENETIC in facts.sensitivity


def test_an_observation_of_no_known_kind_may_be_several_things() -> None:
    facts = classify(coded("Observation"))
    assert facts.categories == frozenset()
    assert {C.LABS, C.VITALS, C.GENETICS} <= facts.possible_categories
    assert C.MEDICATIONS not in facts.possible_categories
    assert not facts.sensitivity_unknown


@pytest.mark.parametrize(
    "resource", [{}, {"resourceType": 3}, {"resourceType": "Basic"}, {"resourceType": "Bundle"}]
)
def test_an_unknown_type_may_be_anything(resource: dict[str, Any]) -> None:
    facts = classify(resource)
    assert (facts.possible_categories, facts.opaque, facts.sensitivity_unknown) == (frozenset(C), True, True)
    assert facts.reference is None


CLUSTERS: list[tuple[dict[str, Any], set[S]]] = [
    (coded("Condition", ICD, "B20.1"), {S.HIV}),
    (coded("Condition", "http://hl7.org/fhir/sid/icd-10-cm", "F1020"), {S.SUBSTANCE}),
    (coded("Condition", ICD, "F32.1"), {S.MENTAL}),
    (coded("Condition", ICD, "F84.0"), {S.DISABILITY}),
    (coded("Condition", ICD, "X95"), {S.VIOLENCE}),
    (coded("Condition", ICD, "Y08"), {S.VIOLENCE}),
    (coded("Condition", ICD, "Y10"), set()),
    (coded("Condition", ICD, "E11"), set()),
    (coded("Condition", ICD, "I10"), set()),
    (coded("Condition", "http://hl7.org/fhir/sid/icpc-1-nl", "P15.01"), {S.SUBSTANCE}),
    (coded("Condition", "http://hl7.org/fhir/sid/icpc-1-nl", "T90.02"), set()),
    (coded("Condition", SNOMED, "706893006"), {S.VIOLENCE}),
    (coded("Condition", "urn:unknown", "B20"), set()),
    (coded("Observation", LOINC, "44261-6"), {S.MENTAL}),
    (coded("Medication", "http://www.whocc.no/atc", "J05AR02"), {S.HIV}),
    (coded("Medication", "http://www.whocc.no/atc", "J05AF10"), set()),  # entecavir: hepatitis B
    (coded("Medication", "http://www.whocc.no/atc", "C09AA02"), set()),
    ({"resourceType": "Condition", "code": {"text": "HIV infection"}}, {S.HIV}),
    ({"resourceType": "QuestionnaireResponse", "item": [{"linkId": "/44249-1/44250-9"}]}, {S.MENTAL}),
    (coded("Condition") | labelled("PSY"), {S.MENTAL}),
    (coded("Condition") | {"contained": [labelled("HIV")]}, {S.HIV}),
    (coded("Condition") | labelled("HIV", "N"), {S.HIV}),
    (coded("Condition", ICD, "B20") | labelled("N"), {S.HIV}),
]


@pytest.mark.parametrize(("resource", "clusters"), CLUSTERS)
def test_clusters(resource: dict[str, Any], clusters: set[S]) -> None:
    assert classify(resource).sensitivity == clusters


OPAQUE: list[tuple[dict[str, Any], bool]] = [
    ({"resourceType": "DocumentReference"}, True),
    ({"resourceType": "Condition", "code": {"text": "see letter"}}, True),
    ({"resourceType": "Condition"}, True),
    (coded("Condition"), False),
    ({"resourceType": "MedicationStatement", "medicationCodeableConcept": {"text": "pill"}}, True),
    (
        {
            "resourceType": "MedicationStatement",
            "medicationCodeableConcept": {"text": "pill"},
            "informationSource": {"reference": "Patient/p"},
        },
        False,
    ),
    ({"resourceType": "MedicationRequest", "medicationReference": {"reference": "Medication/m"}}, False),
    (
        {"resourceType": "Medication", "ingredient": [{"itemCodeableConcept": category("x", "s")[0]}]},
        False,
    ),
    ({"resourceType": "Patient", "photo": [{"contentType": "image/png", "data": "eA=="}]}, False),
    ({"resourceType": "Consent"}, True),
    ({"resourceType": "QuestionnaireResponse"}, False),
    ({"resourceType": "Encounter"}, False),
    ({"resourceType": "RelatedPerson", "photo": [{"contentType": "image/png", "url": "x"}]}, True),
]


@pytest.mark.parametrize(("resource", "opaque"), OPAQUE)
def test_what_a_table_cannot_read_is_opaque(resource: dict[str, Any], opaque: bool) -> None:
    facts = classify(resource)
    assert (facts.opaque, facts.sensitivity_unknown) == (opaque, opaque)


def test_content_too_deep_to_visit_counts_as_unread() -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"a": [deep]}
    assert classify(coded("Condition", extra=deep)).opaque


@pytest.mark.parametrize(
    ("labels", "clusters", "unknown"),
    [
        ([], set(), False),
        (["N"], set(), False),
        (["R"], set(), True),
        (["R", "HIV"], {S.HIV}, False),
        (["SPI"], set(), True),
        (["PRS"], set(), True),
        (["XYZ", "HIV"], {S.HIV}, True),
        (["PERSISTLABEL", "TREAT"], set(), False),
        (["SDV"], {S.VIOLENCE, S.SEXUAL}, False),
    ],
)
def test_labels_only_add(labels: list[str], clusters: set[S], unknown: bool) -> None:
    assert read_labels(labels) == (frozenset(clusters), unknown)


def test_labels_that_cannot_be_read_are_unknown() -> None:
    for security in ({"code": 3}, [{"display": "secret"}], ["R"]):
        assert classify(coded("Condition", meta={"security": security})).sensitivity_unknown
    assert not classify(coded("Condition", meta=[1], contained="x")).sensitivity_unknown


def test_links_bring_clusters_along_chains() -> None:
    hiv = coded("Condition", ICD, "B20") | {"id": "hiv"}
    visit = {"resourceType": "Encounter", "id": "e", "reasonReference": [{"reference": "urn:uuid:hiv"}]}
    plan = {
        "resourceType": "CarePlan",
        "id": "c",
        "addresses": [{"reference": "http://x/fhir/Condition/hiv/_history/1"}],
    }
    bill = {
        "resourceType": "Claim",
        "id": "b",
        "diagnosis": [{"diagnosisReference": {"reference": "Condition/hiv"}}],
    }
    note = {
        "resourceType": "Goal",
        "id": "g",
        "addresses": [{"reference": "CarePlan/c"}, {"display": "no link"}],
    }
    plain = coded("Condition", id="ok")
    found = classify_all([note, visit, plan, bill, plain, hiv])
    assert [S.HIV in facts.sensitivity for facts in found] == [True, True, True, True, False, True]
    assert not any(facts.sensitivity_unknown for facts in found)


def test_an_unread_medicine_makes_its_prescription_unread() -> None:
    medicine = {"resourceType": "Medication", "id": "m", "code": {"text": "?"}}
    order = {
        "resourceType": "MedicationRequest",
        "id": "r",
        "medicationReference": {"reference": "Medication/m"},
    }
    assert [facts.sensitivity_unknown for facts in classify_all([order, medicine])] == [True, True]
    linked = {"Medication/m": classify(medicine)}
    assert classify(order, linked=linked).sensitivity_unknown
    assert links_of(order) == {"Medication/m"}


def test_dates_are_all_the_clinical_ones() -> None:
    condition = coded("Condition", onsetDateTime="2019", recordedDate="2024-05-01")
    assert set(classify(condition).dates) == {parse_fhir_date("2019"), parse_fhir_date("2024-05-01")}
    open_end = coded("Procedure", performedPeriod={"start": "2024-05-01"})
    assert classify(open_end).dates == (DateInterval(parse_fhir_date("2024-05-01").first, None),)
    timing = {"resourceType": "DeviceUseStatement", "timingTiming": {"event": ["2024-01-01", 5]}}
    assert set(classify(timing).dates) == {parse_fhir_date("2024-01-01"), DateInterval(None, None)}
    for unreadable in ("${DATE, T, D, -1}", 5):
        assert classify(coded("Condition", recordedDate=unreadable)).dates == (DateInterval(None, None),)
    fallback = {"resourceType": "MedicationStatement", "dateAsserted": "2024-01-01"}
    assert classify(fallback).dates == (parse_fhir_date("2024-01-01"),)


def test_authors_and_encounters_are_named() -> None:
    visit = {
        "resourceType": "Encounter",
        "participant": [{"individual": {"reference": "Practitioner/1"}}, "x"],
        "encounter": {"reference": "Encounter/e"},
        "author": {"identifier": {"system": "agb", "value": "1"}},
        "recorder": {"identifier": {"system": "agb"}},
    }
    facts = classify(visit)
    assert facts.author == {"Practitioner/1", "agb|1"}
    assert facts.encounter == {"Encounter/e"}
    assert short_reference("#c") == "#c"


def test_facts_are_kept_as_json_and_refused_when_stale() -> None:
    facts = classify(coded("Condition", ICD, "B20", onsetDateTime="2019", recordedDate="x") | labelled("R"))
    text = facts.to_json()
    assert ResourceFacts.from_json(text) == facts
    with pytest.raises(InvalidDocument, match="stale_table"):
        ResourceFacts.from_json(text.replace(TABLE_VERSION, "cat-2025.1"))
    for wrong in ("", "[]", json.dumps({"table": TABLE_VERSION})):
        with pytest.raises(InvalidDocument, match="facts"):
            ResourceFacts.from_json(wrong)


ZIB = "http://nictiz.nl/fhir/StructureDefinition/"


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("nl-core-AbilityToEat.EatingLimitations", C.PROBLEMS),
        ("zib-AbilityToPerformMouthcareActivities", C.PROBLEMS),
        ("zib-BladderFunction", C.PROBLEMS),
        ("nl-core-DevelopmentChild.DevelopmentSocial", C.PROBLEMS),
        ("nl-core-FeedingPatternInfant", C.PROBLEMS),
        ("nl-core-Refraction", C.PROBLEMS),
        ("zib-FLACCPainScale", C.VITALS),
        ("nl-core-ChecklistPainBehavior", C.VITALS),
        ("zib-ComfortScale", C.VITALS),
        ("nl-core-Education", C.SOCIAL),
        ("nl-core-LifeStance", C.SOCIAL),
    ],
)
def test_dutch_zib_observations_have_a_kind_also_when_read_from_stu3(profile: str, expected: C) -> None:
    old = {"url": "http://hl7.org/fhir/3.0/StructureDefinition/extension-Meta.profile"}
    for meta in ({"profile": [ZIB + profile]}, {"extension": [old | {"valueUri": ZIB + profile}]}):
        facts = classify(coded("Observation", meta=meta))
        assert (facts.categories, facts.possible_categories) == ({expected}, frozenset())
    assert classify(coded("Observation", meta={"profile": 5, "extension": [5, old]})).possible_categories


def test_a_list_of_images_is_about_images_and_any_other_list_may_be_about_anything() -> None:
    images, other = (
        {"resourceType": "List", "meta": {"profile": [ZIB + name]}} for name in ("images-List", "x")
    )
    one, two = classify_all([images, other])
    assert (one.categories, one.possible_categories) == ({C.IMAGING}, frozenset())
    assert two.possible_categories == frozenset(C)
    assert one.reference is None


def test_a_line_of_a_consultation_note_is_a_document_that_nobody_has_read() -> None:
    by_profile = coded("Observation", meta={"profile": [ZIB + "nl-core-SOAPReport.SOAPLine"]})
    by_code = coded("Observation", "http://fhir.nl/fhir/NamingSystem/journaalregeltypen", "S")
    for line in (by_profile, by_code):
        facts = classify(line | {"valueString": "hoest sinds maart"})
        assert facts.categories == {C.DOCUMENTS}
        assert facts.sensitivity_unknown
    assert not classify(coded("Observation", valueString="x")).sensitivity_unknown


def test_what_somebody_believes_is_in_a_cluster() -> None:
    assert classify(coded("Observation", SNOMED, "160538000")).sensitivity == {S.TABOO}


def test_the_tables_of_code_and_data_are_of_one_version() -> None:
    data = json.loads(Path("assets/codes/sensitivity.json").read_text(encoding="utf-8"))
    assert data["version"] == TABLE_VERSION


def test_names_of_people_and_places_are_not_mistaken_for_clusters() -> None:
    assert clusters_in_text(["Archives", "trapezius", "Rapenburg"]) == frozenset()
    assert clusters_in_text(["Patient uses Methadone daily"]) == {S.SUBSTANCE}
    assert clusters_of("urn:unknown", "B20").sensitivity == frozenset()


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, [[]], {"coding": 3}, {"coding": [3, {"code": 1}]}])
@pytest.mark.parametrize(
    "member",
    ["code", "category", "meta", "scope", "recorder", "contained", "onsetPeriod", "medicationReference"],
)
def test_odd_content_never_raises(member: str, value: object) -> None:
    for resource_type in ("Condition", "Observation", "Consent", "MedicationRequest", "DiagnosticReport"):
        assert (
            classify({"resourceType": resource_type, "id": "x", member: value}).resource_type == resource_type
        )
