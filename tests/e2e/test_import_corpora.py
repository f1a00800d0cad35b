"""Read everything there is: every file of the shared data ends in a counted, typed outcome.

The numbers are held per folder, so that a change in what is taken or set aside shows as a changed line here.
Each resource is also indexed, shown and charted; an exception anywhere is a failure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from pgo.health.prom.questionnaire import QuestionnaireError, parse_questionnaire
from pgo.health.record.reader import Refused, read_records
from pgo.health.record.resource import REASON_CODES, Resource
from tests.support.health_data import files_of, filled, tally, use

pytestmark = pytest.mark.data

Row = tuple[int, int, dict[str, int], dict[str, int]]

# folder: (files, resources taken, set aside by code, files refused by code)
FHIR_R4: dict[str, Row] = {
    "synthea/bulk-data-server-r4": (2, 2318, {}, {}),
    "synthea/generated-sample-data-r4": (13, 2486, {}, {}),
    "synthea/pathling-r4": (1, 154, {}, {}),
    "synthea/pathling-r4-json-xml-pairs": (2, 352, {}, {}),
    # Wrong in every release (``"_id": "..."``); leftovers of a file system in the zip.
    "synthea/sphr-ig-personas": (6, 695, {"bad_structure": 29, "unknown_format": 5}, {}),
    "bulk-ndjson/pathling-encoders": (3, 1582, {}, {}),
    "bulk-ndjson/sample-bulk-10-patients": (13, 5945, {"no_resource_type": 4}, {}),
    "hl7-r4-examples": (254, 770, {"empty": 16}, {}),
    "nl/hl7-mappings/lab-3.0-r4-bundles": (14, 60, {}, {}),
    "nl/hl7-mappings/lab-to-patient-1.0-r4-bundles": (7, 68, {}, {}),
    "nl/hl7-mappings/mp9-3.0-r4-bundles": (28, 824, {}, {}),
    "nl/hl7-mappings/mp9-3.0-r4-examples": (6, 46, {}, {}),
    "nl/iknl-pzp-acp-r4": (3, 3, {}, {}),
    "nl/medmij-testscripts/MedMij-R4-Aanbiedersmodule": (7, 7, {}, {}),
    "nl/medmij-testscripts/MedMij-R4-DentalCare": (35, 35, {}, {}),
    "nl/medmij-testscripts/MedMij-R4-ImageAvailability": (35, 35, {}, {}),
    "nl/medmij-testscripts/MedMij-R4-Pathology": (16, 16, {}, {}),
    "nl/nictiz-vaccination-r4-examples": (12, 12, {}, {}),
    "nl/nictiz-zib2020-r4-examples": (115, 115, {}, {}),
    "nl/testscripts/cio-2.0-r4": (56, 56, {}, {}),
    "nl/testscripts/immunization-2.0-r4-test": (29, 29, {}, {}),
    "nl/testscripts/laboratoryresults-3.0-r4-test": (14, 90, {}, {}),
    "nl/testscripts/mp9-3.0-r4-test": (88, 733, {}, {}),
    "nl/testscripts/mp9-3.0-r4-test-resources": (162, 202, {}, {}),
    "nl/testscripts/patientcorrections-1.0-r4": (9, 13, {}, {}),
    "consent-and-labels/hl7-ds4p-security-labels": (5, 5, {}, {}),
    "consent-and-labels/mii-broad-consent": (4, 4, {}, {}),
}
STU3: dict[str, Row] = {
    "nl/hl7-mappings/ketenzorg-3.0.2-stu3-bundles": (5, 25, {}, {}),
    "nl/hl7-mappings/mp9-0.7-stu3-bundles": (3, 117, {}, {}),
    "nl/hl7-mappings/vragenlijsten-1.0-stu3": (4, 4, {}, {}),
    "nl/medmij-testscripts/MedMij-STU3-Portability": (59, 59, {}, {}),
    "nl/nictiz-zib2017-stu3-examples": (114, 114, {}, {}),
    "nl/testscripts/allergyintolerance-3.0-stu3": (17, 17, {}, {}),
    "nl/testscripts/bglz-3.0-stu3": (56, 56, {}, {}),
    "nl/testscripts/bgz-3.0-stu3-test": (60, 60, {}, {}),
    # A ProcedureRequest with two performers: STU3 allows one, and R4 would have room for a guess.
    "nl/testscripts/bgz-msz-2.0-stu3-test": (108, 107, {}, {"bad_structure": 1}),
    "nl/testscripts/geboortezorg-1.0-stu3-vrouw1": (33, 33, {}, {}),
    "nl/testscripts/genpractdata-2.0-stu3": (148, 148, {}, {}),
    "nl/testscripts/images-2.0-stu3": (2, 12, {}, {}),
    "nl/testscripts/laboratoryresults-2.0-stu3": (7, 7, {}, {}),
    "nl/testscripts/pdfa-3.0-stu3": (9, 9, {}, {}),
    # Two Tasks without the status that both releases demand.
    "nl/testscripts/questionnaires-2.0-stu3": (25, 29, {}, {"bad_structure": 2}),
    "nl/testscripts/selfmeasurements-2.0-stu3-test": (156, 263, {}, {}),
}
V3: dict[str, Row] = {
    "nl/hl7-mappings/hl7v3-medication-messages": (7, 0, {}, {"hl7_v3": 7}),
    "nl/hl7-mappings/mp6.12-unhappy-hl7v3": (6, 0, {}, {"hl7_v3": 6}),
}
# What is not taken of hl7-ccda-examples are cut-outs of documents that no XML parser reads by themselves.
CDA: dict[str, Row] = {
    "cda/chb-sample-ccdas": (2, 2, {}, {}),
    "cda/fhir-converter": (2, 2, {}, {}),
    "cda/hl7-ccda-examples": (22, 7, {}, {"not_xml": 9, "not_fhir": 5, "hl7_v3": 1}),
    "cda/nictiz-bgz2020-cda": (1, 1, {}, {}),
}


@pytest.mark.parametrize("folder", FHIR_R4)
def test_fhir_r4_is_taken_and_what_is_not_is_counted(folder: str, shared_data: Path) -> None:
    assert tally(shared_data / folder).as_row() == FHIR_R4[folder]


@pytest.mark.parametrize("folder", STU3)
def test_stu3_is_taken_as_r4_and_what_is_not_is_counted(folder: str, shared_data: Path) -> None:
    assert tally(shared_data / folder).as_row() == STU3[folder]


@pytest.mark.parametrize("folder", V3)
def test_messages_of_version_3_are_refused_by_name(folder: str, shared_data: Path) -> None:
    assert tally(shared_data / folder).as_row() == V3[folder]


@pytest.mark.parametrize("folder", CDA)
def test_clinical_documents_are_kept_as_documents(folder: str, shared_data: Path) -> None:
    assert tally(shared_data / folder).as_row() == CDA[folder]


def test_a_raw_template_is_set_aside_as_placeholder(shared_data: Path) -> None:
    folder = shared_data / "nl/hl7-mappings/lab-3.0-r4-bundles"
    codes: Counter[str] = Counter()
    for path in files_of(folder):
        codes.update(piece.code for piece in read_records(path.read_bytes(), name=path.name).set_aside)
    assert codes == {"placeholder": 26}


def resources_of(shared_data: Path, *folders: str) -> Iterator[Resource]:
    for folder in folders:
        for path in files_of(shared_data / folder):
            try:
                yield from read_records(filled(path.read_bytes()), name=path.name).resources
            except Refused:
                continue


def test_every_slice_is_the_exact_text_of_its_file(shared_data: Path) -> None:
    for path in files_of(shared_data / "synthea/generated-sample-data-r4"):
        data = path.read_bytes()
        intake = read_records(data, name=path.name)
        position = 0
        for one in intake.resources:
            position = data.index(one.raw, position) + len(one.raw)
        entries = json.loads(data)["entry"]
        assert [json.loads(one.raw) for one in intake.resources] == [entry["resource"] for entry in entries]


def test_xml_gives_what_its_json_twin_says(shared_data: Path) -> None:
    twins = {path.suffix: path for path in files_of(shared_data / "synthea/pathling-r4-json-xml-pairs")}
    from_json, from_xml = (
        read_records(twins[suffix].read_bytes(), name=twins[suffix].name).resources
        for suffix in (".json", ".xml")
    )
    assert len(from_json) == len(from_xml) > 0
    for one, other in zip(from_json, from_xml, strict=True):
        assert other.original_format == "xml"
        assert other.full_url == one.full_url
        assert plain(other.body) == plain(one.body), one.reference


def plain(value: Any) -> Any:
    """Make bodies comparable: the narrative's white space is the writer's, everything else must be equal."""
    if isinstance(value, dict):
        return {name: "".join(item.split()) if name == "div" else plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_xml_converted_to_json_is_valid_for_the_models(shared_data: Path) -> None:
    refused: Counter[str] = Counter()
    folders = (
        "nl/hl7-mappings/mp9-3.0-r4-bundles",
        "nl/nictiz-zib2020-r4-examples",
        "nl/testscripts/cio-2.0-r4",
    )
    for one in resources_of(shared_data, *folders):
        try:
            get_fhir_model_class(one.type).model_validate_json(one.raw)
        except ValueError:
            refused[one.type] += 1
    assert refused == {}


def test_every_hostile_file_has_a_typed_outcome(shared_data: Path) -> None:
    files = [path for path in sorted((shared_data / "hostile").rglob("*")) if path.is_file()]
    assert len(files) > 250
    for path in files:
        try:
            intake = read_records(path.read_bytes(), name=path.name)
            codes = {piece.code for piece in intake.set_aside}
            use(intake)
        except Refused as refusal:
            codes = {refusal.code}
        assert codes <= set(REASON_CODES), path.name


QUESTIONNAIRES: dict[str, dict[str, int]] = {
    "android-fhir-catalog": {"ok": 21, "unsupported_item": 7},
    "android-fhir-demo": {"ok": 2, "no_options": 1},
    "formbuilder-fixtures": {"unsupported_item": 9, "ok": 17, "no_options": 3, "unknown_question": 1},
    "hl7-sdc-ig-examples": {"not_a_questionnaire": 4, "no_options": 8, "unsupported_item": 2, "ok": 2},
    "lforms-r4": {
        "no_options": 12,
        "ok": 50,
        "unsupported_item": 13,
        "not_a_questionnaire": 7,
        "unknown_question": 1,
    },
    "lforms-r5": {"unsupported_item": 1},
    "lforms-stu3": {"no_options": 1, "ok": 1},
    "prom-instruments-jmandel": {"unsupported_item": 2, "ok": 11, "no_options": 2},
    "radar-redcap-not-fhir": {"not_a_questionnaire": 5},
    "researchkit-on-fhir": {"unsupported_item": 2, "ok": 4},
    "smart-forms": {"no_options": 10, "unsupported_item": 2, "ok": 2, "not_a_questionnaire": 1},
}


@pytest.mark.parametrize("folder", QUESTIONNAIRES)
def test_questionnaires_are_parsed_or_refused_with_a_reason(folder: str, shared_data: Path) -> None:
    outcomes: Counter[str] = Counter()
    for path in sorted((shared_data / "questionnaires" / folder).glob("*.json")):
        try:
            parse_questionnaire(path.read_bytes())
            outcomes["ok"] += 1
        except QuestionnaireError as refusal:
            outcomes[refusal.code] += 1
    assert outcomes == QUESTIONNAIRES[folder]
