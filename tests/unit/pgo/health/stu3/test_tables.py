"""The tables of the converter are complete and point at things that exist: nothing is lost by forgetting."""

from __future__ import annotations

import pytest

from pgo.health.assets import load_table
from pgo.health.record.stu3.tables import (
    Spec,
    moved_system,
    r4_type,
    resource_targets,
    rules_of,
    stu3_type,
    target_type,
)

TYPES = sorted(load_table("fhir/stu3-elements.json")["types"])
# An element may travel without a rule when R4 knows it by the same name, with one of these changes at most.
WIDENED = {("string", "markdown"), ("uri", "url"), ("uri", "canonical"), ("positiveInt", "unsignedInt"),
           ("unsignedInt", "decimal"), ("integer", "positiveInt")}  # fmt: skip
# Spread over their parent: their elements must exist there, not in a type of their own.
SPREAD = {
    "CoverageGrouping": "Coverage", "DiagnosticReportPerformer": "DiagnosticReport",
    "DocumentManifestContent": "DocumentManifest",
    "DocumentReferenceContextRelated": "DocumentReferenceContext",
    "ImmunizationExplanation": "Immunization", "MedicationPackage": "Medication",
    "ImmunizationRecommendationRecommendationProtocol": "ImmunizationRecommendationRecommendation",
    "MedicationRequestRequester": "MedicationRequest", "ProcedureRequestRequester": "ServiceRequest",
    "ReferralRequestRequester": "ServiceRequest", "TaskRequester": "Task",
}  # fmt: skip
SPLIT = {"ObservationRelated"}  # taken apart by the rule of Observation.related
KEPT_WHOLE = {"MedicationPackageContent", "PatientAnimal", "ObservationRelated"}


def travels(mine: Spec, theirs: Spec | None) -> bool:
    if theirs is None:
        return False
    same = target_type(mine.kind) == theirs.kind or (mine.kind, theirs.kind) in WIDENED
    return same and mine.primitive == theirs.primitive


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind not in KEPT_WHOLE])
def test_every_element_travels_or_has_a_rule_that_leads_somewhere(kind: str) -> None:
    made = r4_type(SPREAD.get(kind, target_type(kind)))
    assert made, kind
    for name, spec in stu3_type(kind).items():
        rule = rules_of(kind).get(name)
        if kind in SPREAD and name in ("id", "extension", "modifierExtension"):
            continue  # about the part itself: kept under its path, see test_converting.py
        if rule is None:
            assert name in made, f"{kind}.{name} has no rule"
            assert travels(spec, made[name]), f"{kind}.{name} changed its form"
        elif rule.into:
            assert rule.to in r4_type(made[rule.into].kind), f"{kind}.{name}"
        elif not (rule.keep or rule.flag or rule.spread or rule.split or rule.coverage_class):
            assert rule.to in made, f"{kind}.{name}"


@pytest.mark.parametrize("kind", sorted(load_table("fhir/stu3-rules.json")["types"]))
def test_no_rule_is_about_an_element_that_stu3_does_not_have(kind: str) -> None:
    assert set(rules_of(kind)) <= set(stu3_type(kind))


def test_every_status_an_override_sets_is_an_element_of_r4() -> None:
    for kind in resource_targets():
        for rule in rules_of(kind).values():
            assert set(rule.flag or {}) <= set(r4_type(resource_targets()[kind]))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("http://hl7.org/fhir/v3/ActCode", "http://terminology.hl7.org/CodeSystem/v3-ActCode"),
        ("http://hl7.org/fhir/v2/0203", "http://terminology.hl7.org/CodeSystem/v2-0203"),
        ("http://hl7.org/fhir/observation-category", "http://terminology.hl7.org/CodeSystem/observation-category"),
        ("http://hl7.org/fhir/administrative-gender", "http://hl7.org/fhir/administrative-gender"),
        ("http://hl7.org/fhir/sid/icpc-1-nl", "http://hl7.org/fhir/sid/icpc-1-nl"),
        ("http://snomed.info/sct", "http://snomed.info/sct"),
        ("http://hl7.org/fhir/v3/", "http://hl7.org/fhir/v3/"),
    ],
)  # fmt: skip
def test_a_code_system_gets_its_new_address_only_when_it_moved(before: str, after: str) -> None:
    assert moved_system(before) == after
