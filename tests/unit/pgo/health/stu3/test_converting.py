"""One sentence per kind of rule, on the smallest resource that shows it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pgo.health.record.shape import check_resource
from pgo.health.record.stu3 import NotConvertible, convert
from pgo.health.record.stu3.tables import KEPT_URL

ABSENT = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}
WHO = {"display": "De patiënt"}


def made(kind: str, **members: Any) -> dict[str, Any]:
    found = convert({"resourceType": kind, **members})
    assert check_resource(found, raw=b"") is None
    return found


def kept(body: dict[str, Any], path: str) -> list[Any]:
    """The values kept under the path of an STU3 element."""
    found = [one for one in body.get("extension", []) if one["url"] == KEPT_URL + path]
    return [next(value for name, value in one.items() if name != "url") for one in found]


def test_an_element_under_a_new_name_keeps_its_value() -> None:
    body = made("Condition", subject=WHO, assertedDate="2017-03")
    assert body == {"resourceType": "Condition", "subject": WHO, "recordedDate": "2017-03"}


def test_a_code_that_became_a_concept_gets_the_system_of_r4() -> None:
    body = made("Condition", subject=WHO, clinicalStatus="active")
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    assert body["clinicalStatus"] == {"coding": [{"system": system, "code": "active"}]}


def test_a_code_without_counterpart_is_kept_and_nothing_is_made_up_in_its_place() -> None:
    body = made("Condition", subject=WHO, verificationStatus="unknown")
    assert "verificationStatus" not in body
    assert kept(body, "Condition.verificationStatus") == ["unknown"]


def test_a_code_that_only_carries_a_reason_of_absence_keeps_it() -> None:
    body = made("Condition", subject=WHO, _clinicalStatus=ABSENT)
    assert body["clinicalStatus"] == ABSENT


@pytest.mark.parametrize(
    ("before", "after"), [("suspended", "on-hold"), ("cancelled", "revoked"), ("active", "active")]
)
def test_a_renamed_code_gets_its_new_name(before: str, after: str) -> None:
    assert made("CarePlan", subject=WHO, status=before, intent="plan")["status"] == after


def test_one_value_becomes_a_list_of_one() -> None:
    body = made("Location", type={"text": "thuis"})
    assert body["type"] == [{"text": "thuis"}]


def test_words_become_a_note() -> None:
    body = made("Observation", status="final", code={"text": "x"}, comment="na de maaltijd")
    assert body["note"] == [{"text": "na de maaltijd"}]


def test_digits_of_a_number_stay() -> None:
    body = made("Observation", status="final", code={"text": "x"}, valueQuantity={"value": Decimal("1.10")})
    assert str(body["valueQuantity"]["value"]) == "1.10"


def test_related_observations_are_sorted_by_how_they_are_related() -> None:
    related = [
        {"type": "has-member", "target": {"reference": "Observation/a"}},
        {"type": "derived-from", "target": {"reference": "Observation/b"}},
        {"type": "replaces", "target": {"reference": "Observation/c"}},
        {"target": {"reference": "Observation/d"}},
    ]
    body = made("Observation", status="final", code={"text": "x"}, related=related)
    assert body["hasMember"] == [{"reference": "Observation/a"}]
    assert body["derivedFrom"] == [{"reference": "Observation/b"}]
    assert kept(body, "Observation.related") == [
        [
            {"url": "type", "valueCode": "replaces"},
            {"url": "target", "valueReference": {"reference": "Observation/c"}},
        ],
        [{"url": "target", "valueReference": {"reference": "Observation/d"}}],
    ]


def test_a_context_that_is_an_encounter_becomes_one_and_another_is_kept() -> None:
    for reference, named in (
        ("Encounter/1", True),
        ("http://a.example/fhir/Encounter/1", True),
        ("EpisodeOfCare/1", False),
    ):
        body = made("Procedure", status="completed", subject=WHO, context={"reference": reference})
        assert (body.get("encounter") == {"reference": reference}) is named
        assert (kept(body, "Procedure.context") == [{"reference": reference}]) is not named


def test_who_asked_stands_alone_and_for_whom_is_kept() -> None:
    body = made(
        "MedicationRequest",
        intent="order",
        status="active",
        subject=WHO,
        medicationReference=WHO,
        requester={
            "agent": {"display": "Huisarts"},
            "onBehalfOf": {"display": "Praktijk"},
            "id": "r",
            "extension": [{"url": "urn:x", "valueString": "y"}],
        },
    )
    assert body["requester"] == {"display": "Huisarts"}
    assert kept(body, "MedicationRequest.requester.onBehalfOf") == [{"display": "Praktijk"}]
    assert kept(body, "MedicationRequest.requester.id") == ["r"]
    assert kept(body, "MedicationRequest.requester") == [[{"url": "urn:x", "valueString": "y"}]]


def test_dose_and_rate_share_one_place() -> None:
    dosage = {"text": "1 tablet", "doseQuantity": {"value": 1}, "rateRatio": {"numerator": {"value": 2}}}
    body = made(
        "MedicationStatement",
        status="active",
        taken="y",
        subject=WHO,
        medicationReference=WHO,
        dosage=[dosage],
    )
    assert body["dosage"] == [
        {
            "text": "1 tablet",
            "doseAndRate": [{"doseQuantity": {"value": 1}, "rateRatio": {"numerator": {"value": 2}}}],
        }
    ]


@pytest.mark.parametrize(
    ("kind", "flag", "status"),
    [
        ("Procedure", "notDone", "not-done"),
        ("MedicationDispense", "notDone", "declined"),
        ("MedicationAdministration", "notGiven", "not-done"),
    ],
)
def test_not_done_is_said_by_the_status_and_the_word_of_the_source_is_kept(
    kind: str, flag: str, status: str
) -> None:
    rest: dict[str, Any] = {"subject": WHO, "status": "completed", flag: True}
    if kind != "Procedure":
        rest["medicationReference"] = WHO
    body = made(kind, **rest)
    assert body["status"] == status
    assert kept(body, f"{kind}.status") == ["completed"]


def test_done_changes_nothing() -> None:
    body = made("Procedure", status="completed", subject=WHO, notDone=False)
    assert body == {"resourceType": "Procedure", "status": "completed", "subject": WHO}


def test_a_medicine_that_is_not_taken_says_so_and_the_answer_is_always_kept() -> None:
    for taken, status in (("n", "not-taken"), ("y", "active"), ("unk", "active")):
        body = made("MedicationStatement", status="active", taken=taken, subject=WHO, medicationReference=WHO)
        assert (body["status"], kept(body, "MedicationStatement.taken")) == (status, [taken])


def test_an_entry_in_error_that_was_not_done_is_ambiguous() -> None:
    with pytest.raises(NotConvertible) as fault:
        convert({"resourceType": "Procedure", "status": "entered-in-error", "subject": WHO, "notDone": True})
    assert fault.value.code == "stu3_ambiguous"


def test_what_r4_demands_and_stu3_did_not_is_marked_absent() -> None:
    assert made("Encounter", status="finished")["class"] == ABSENT
    vaccinated = made(
        "Immunization",
        status="completed",
        notGiven=False,
        vaccineCode={"text": "x"},
        patient=WHO,
        primarySource=True,
    )
    assert vaccinated["_occurrenceDateTime"] == ABSENT


def test_what_both_demand_is_not_papered_over() -> None:
    body = convert({"resourceType": "Task", "intent": "order"})
    assert check_resource(body, raw=b"") is not None


def test_a_reference_follows_its_target_to_the_new_type() -> None:
    body = made(
        "ProcedureRequest",
        status="active",
        intent="order",
        code={"text": "x"},
        subject=WHO,
        basedOn=[{"reference": "ProcedureRequest/1"}],
    )
    assert body["resourceType"] == "ServiceRequest"
    assert body["basedOn"] == [{"reference": "ServiceRequest/1"}]


def test_the_stu3_profile_is_kept_and_no_longer_claimed() -> None:
    body = made("Patient", meta={"profile": ["http://fhir.nl/fhir/StructureDefinition/nl-core-patient"]})
    assert kept(body["meta"], "Meta.profile") == ["http://fhir.nl/fhir/StructureDefinition/nl-core-patient"]
    assert "profile" not in body["meta"]


def test_contained_resources_are_converted_as_well() -> None:
    inner = {
        "resourceType": "ProcedureRequest",
        "id": "a",
        "status": "active",
        "intent": "order",
        "code": {"text": "x"},
        "subject": WHO,
    }
    body = made("Procedure", status="completed", subject=WHO, contained=[inner])
    assert body["contained"][0]["resourceType"] == "ServiceRequest"


def test_a_questionnaire_gets_its_operators() -> None:
    item = {
        "linkId": "1",
        "type": "choice",
        "option": [{"valueString": "a"}],
        "initialString": "a",
        "enableWhen": [{"question": "0", "hasAnswer": True}, {"question": "0", "answerString": "x"}],
    }
    body = made("Questionnaire", status="active", item=[item])["item"][0]
    assert body["answerOption"] == [{"valueString": "a"}]
    assert body["initial"] == [{"valueString": "a"}]
    assert [one["operator"] for one in body["enableWhen"]] == ["exists", "="]
    assert body["enableBehavior"] == "any"


def test_an_answered_questionnaire_names_its_form_by_address() -> None:
    form = {"reference": "http://a.example/Questionnaire/1", "display": "Klachten"}
    body = made("QuestionnaireResponse", status="completed", questionnaire=form)
    assert body["questionnaire"] == "http://a.example/Questionnaire/1"
    assert body["_questionnaire"]["extension"][0]["valueString"] == "Klachten"


def test_a_form_known_by_its_words_only_is_kept() -> None:
    body = made("QuestionnaireResponse", status="completed", questionnaire={"display": "Klachten"})
    assert kept(body, "QuestionnaireResponse.questionnaire") == [{"display": "Klachten"}]


def test_limits_of_a_treatment_directive_go_to_its_provision() -> None:
    body = made(
        "Consent",
        status="active",
        patient=WHO,
        category=[{"text": "Behandelaanwijzing"}],
        period={"start": "2020"},
        **{"except": [{"type": "deny", "code": [{"code": "a"}]}]},
    )
    assert body["provision"] == {
        "period": {"start": "2020"},
        "provision": [{"type": "deny", "code": [{"coding": [{"code": "a"}]}]}],
    }
    assert body["scope"] == ABSENT


def test_a_goal_says_life_cycle_and_achievement_apart() -> None:
    body = made("Goal", status="achieved", description={"text": "x"}, subject=WHO)
    assert body["lifecycleStatus"] == "completed"
    assert body["achievementStatus"]["coding"][0]["code"] == "achieved"
    late = made("Goal", status="behind-target", description={"text": "x"}, subject=WHO)
    assert (late["lifecycleStatus"], kept(late, "Goal.status")) == ("active", ["behind-target"])


def test_group_and_plan_become_classes_with_their_names() -> None:
    body = made(
        "Coverage",
        status="active",
        beneficiary=WHO,
        payor=[WHO],
        grouping={"plan": "B", "planDisplay": "Basis", "groupDisplay": "G"},
        sequence="1",
    )
    assert [(one["type"]["coding"][0]["code"], one["value"], one.get("name")) for one in body["class"]] == [
        ("plan", "B", "Basis"),
        ("sequence", "1", None),
    ]
    assert kept(body, "Coverage.grouping.groupDisplay") == ["G"]


def test_a_related_document_with_reference_and_number_stays_one() -> None:
    related = [
        {"ref": {"reference": "Observation/1"}, "identifier": {"value": "r"}},
        {"identifier": {"value": "s"}},
    ]
    content = [{"attachment": {"url": "Binary/1"}}]
    body = made(
        "DocumentReference",
        status="current",
        type={"text": "x"},
        indexed="2019-01-01T00:00:00Z",
        content=content,
        context={"related": related},
    )
    assert body["context"]["related"] == [{"reference": "Observation/1"}, {"identifier": {"value": "s"}}]
    assert kept(body["context"], "DocumentReference.context.related.identifier") == [{"value": "r"}]


def test_a_photo_is_an_image() -> None:
    body = made("Media", type="photo", content={"url": "Binary/1"})
    assert body["type"]["coding"][0]["code"] == "image"
    assert body["_status"] == ABSENT


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Patient", "wish": 1},
        {"resourceType": "Patient", "name": {"text": "x"}},
        {"resourceType": "Patient", "active": {"x": 1}},
        {"resourceType": "Patient", "_active": "x"},
        {"resourceType": "Patient", "name": [None]},
        {"resourceType": "Patient", "birthDate": ["1980"]},
        {"resourceType": "Patient", "_name": {}},
        {"resourceType": "DataElement"},
        {"resourceType": 3},
    ],
)
def test_what_is_no_stu3_is_refused_with_its_place_and_not_its_words(body: dict[str, Any]) -> None:
    with pytest.raises(NotConvertible) as fault:
        convert(body)
    assert fault.value.code in ("bad_structure", "unsupported_type")
    assert "wish" not in str(fault.value)


def test_an_animal_is_not_taken_for_a_person() -> None:
    with pytest.raises(NotConvertible, match="stu3_ambiguous"):
        convert({"resourceType": "Patient", "animal": {"species": {"text": "hond"}}})
