"""The R4 validator beside real data, and beside another validator.

1. Every R4 resource of the shared data goes through it. What it says is held per folder: nothing, but for a
   few files that are wrong, each explained here. The fast way and the walk are held together on all of it.
2. Where it disagrees with the R4B models of ``fhir.resources`` is an explained list.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from pgo.health.fhir_r4 import Issue, validate
from pgo.health.fhir_r4.quick import certainly_fine
from pgo.health.fhir_r4.walk import Walk
from pgo.health.record.reader import Refused, read_records
from pgo.health.record.resource import Resource
from tests.support.health_data import files_of, filled
from tests.support.r4_defects import DEFECTS, GOOD, UNUSUAL, Body

pytestmark = pytest.mark.data

# What Dutch providers and the other sources of R4 in the shared data send: nothing to say about any of it.
CLEAN = (
    "bulk-ndjson",
    "consent-and-labels",
    "hl7-r4-examples",
    "nl/hl7-mappings/lab-3.0-r4-bundles",
    "nl/hl7-mappings/lab-to-patient-1.0-r4-bundles",
    "nl/hl7-mappings/mp9-3.0-r4-bundles",
    "nl/hl7-mappings/mp9-3.0-r4-examples",
    "nl/iknl-pzp-acp-r4",
    "nl/medmij-testscripts/MedMij-R4-Aanbiedersmodule",
    "nl/medmij-testscripts/MedMij-R4-DentalCare",
    "nl/medmij-testscripts/MedMij-R4-ImageAvailability",
    "nl/medmij-testscripts/MedMij-R4-Pathology",
    "nl/nictiz-vaccination-r4-examples",
    "nl/nictiz-zib2020-r4-examples",
    "nl/testscripts/cio-2.0-r4",
    "nl/testscripts/immunization-2.0-r4-test",
    "nl/testscripts/laboratoryresults-3.0-r4-test",
    "nl/testscripts/mp9-3.0-r4-test",
    "nl/testscripts/mp9-3.0-r4-test-resources",
    "nl/testscripts/patientcorrections-1.0-r4",
    "questionnaires/prom-instruments-jmandel",
    "synthea/bulk-data-server-r4",
    "synthea/generated-sample-data-r4",
    "synthea/pathling-r4",
    "synthea/pathling-r4-json-xml-pairs",
    "terminology/hl7-r4-codesystems-valuesets",
)
TWO_MOMENTS = {"Specimen.collection.collected[x]: two_choices"}
# Truly wrong, and kept all the same: not one of these is fatal.
REMARKS: dict[str, set[str]] = {
    # A moment and a period of taking the sample; R4 allows one of them.
    "nl/hl7-mappings/lab-3.0-r4-bundles/lr-blr-TEST-l2z-1Maximaal-bericht-3KCLOINC.xml": TWO_MOMENTS,
    "nl/hl7-mappings/lab-3.0-r4-bundles/lr-blr-TEST-l2z-1Maximaal-bericht-4KCNHG.xml": TWO_MOMENTS,
    "nl/hl7-mappings/lab-3.0-r4-bundles/lr-blr-TEST-l2z-3CorrectMaximaal-bericht-3KCLOINC.xml": TWO_MOMENTS,
    # Written from a database that puts its key into every record, beside what is left of STU3.
    "synthea/sphr-ig-personas/TimmySmart-FosterCareTimeline.phr": {
        "CarePlan: unknown_element",
        "Immunization.expirationDate: bad_text",
        "Observation.issued: wrong_type",
        "Patient._birthDate: twin",
        "Patient.address: unknown_element",
        "Patient.contact.name: unknown_element",
        "Patient.contact.telecom: unknown_element",
        "Patient.name: unknown_element",
        "Patient.telecom: unknown_element",
        "Practitioner.name: unknown_element",
        "Procedure: unknown_element",
    },
    "synthea/sphr-ig-personas/JohnDoe.phr": {
        "Condition.clinicalStatus: unknown_code",
        "Condition.verificationStatus: unknown_code",
        "Observation.issued: wrong_type",
    },
    "synthea/sphr-ig-personas/WilliamSim.ndjson": {"Patient.name.given: wrong_form"},
}
_DATABASE_KEY = "._id: twin"


def resources(path: Path) -> tuple[Resource, ...]:
    try:
        return read_records(filled(path.read_bytes()), name=path.name).resources
    except Refused:
        return ()


def said(path: Path) -> tuple[int, list[Issue]]:
    """Number of resources of a file, and all issues; the fast way and the walk must agree on the way."""
    found: list[Issue] = []
    taken = resources(path)
    for resource in taken:
        issues = Walk(validate).resource(resource.body)
        assert not (issues and certainly_fine(resource.type, resource.raw)), (path.name, issues[:3])
        found.extend(issues)
    return len(taken), found


def test_real_r4_has_no_issue_but_those_explained(shared_data: Path) -> None:
    total, wrong = 0, {}
    for folder in CLEAN:
        for path in files_of(shared_data / folder):
            count, found = said(path)
            total += count
            name = str(path.relative_to(shared_data))
            if {issue.detail for issue in found} != REMARKS.get(name, set()):
                wrong[name] = found[:3]
    assert wrong == {}
    assert total > 15_000


@pytest.mark.parametrize("name", sorted(REMARKS))
def test_what_is_wrong_in_real_files_is_a_remark(shared_data: Path, name: str) -> None:
    _, found = said(shared_data / name)
    assert {issue.detail for issue in found if not issue.detail.endswith(_DATABASE_KEY)} == REMARKS[name]
    assert not any(issue.fatal for issue in found)


def test_most_real_resources_take_the_fast_way(shared_data: Path) -> None:
    fast: Counter[bool] = Counter()
    for path in files_of(shared_data / "nl/nictiz-zib2020-r4-examples"):
        fast.update(certainly_fine(one.type, one.raw) for one in resources(path))
    assert fast[True] > 0.95 * fast.total()


# --- beside fhir.resources ---

# fhir.resources 8.3 accepts each of these; R4 does not. It checks no required binding, turns texts into
# numbers and dates, and does not look for emptiness.
THEY_ACCEPT = {
    *("status", "status in capitals", "gender", "name use", "provision type", "item type"),
    *("telecom system", "bound concept", "bound concept of another system", "text status"),
    *("decimal as text", "boolean as text", "boolean as number", "date as number"),
    *("empty list", "empty object", "null", "null in a list without its twin", "twins of another number"),
    *("twins of nothing", "empty base64", "a value and the twin of another"),
    *("extension with value and extensions", "extension with nothing", "extension with nothing but an id"),
    *("id of 65 characters", "address with a blank"),
    *("contained is wrong", "contained in contained", "resource in an entry is wrong"),
}
# Extension of fhir.resources knows no ``_value[x]``, although R4 has it in every primitive.
THEY_REFUSE = {"an extension has its value in the twin"}
# Resources of the shared data about which the two disagree, with who refuses and why.
DISAGREED = {
    # Its only time of vaccination is a twin with the reason of absence; R4 counts that as a value.
    "imm-Vaccination-event-carenetwork-example-2.xml": "they",
    # ``Duration.value`` is a text there.
    "editableCalcExp.json": "we",
    "multipleCodes.json": "we",
    "ussg-fhp.json": "we",
    "weightHeightQuestionnaire.json": "we",
    # Empty lists.
    "questionnaire-data-control.json": "we",
    "questionnaire-hidden-extension-wo.json": "we",
    # A blank in an address.
    "questionnaire-extract-complex-template.json": "we",
}
COMPARED = (
    "hl7-r4-examples",
    "nl/nictiz-vaccination-r4-examples",
    "nl/nictiz-zib2020-r4-examples",
    "questionnaires/lforms-r4",
)


def they_refuse(body: Body) -> bool:
    try:
        get_fhir_model_class(body["resourceType"]).model_validate(json.loads(json.dumps(body)))
    except (ValueError, LookupError):
        return True
    return False


def disagreements(folder: Path) -> Iterator[tuple[str, str]]:
    for path in files_of(folder):
        for resource in resources(path):
            ours = bool(validate(resource.body, raw=resource.raw))
            if they_refuse(json.loads(resource.raw)) is not ours:
                yield path.name, "we" if ours else "they"


def test_planted_defects_that_only_we_find() -> None:
    accepted = {defect.name for defect in DEFECTS if not they_refuse(defect.body)}
    assert accepted == THEY_ACCEPT
    assert not any(they_refuse(body) for body in GOOD)


def test_valid_and_unusual_r4_that_only_they_refuse() -> None:
    assert {name for name, body in UNUSUAL if they_refuse(body)} == THEY_REFUSE


def test_real_resources_about_which_the_two_disagree(shared_data: Path) -> None:
    found = dict(pair for folder in COMPARED for pair in disagreements(shared_data / folder))
    assert found == DISAGREED
