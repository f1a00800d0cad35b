"""Classify all shared FHIR JSON: no crash, known counts, and an ordinary care grant is useful."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consent.classify import classify_all
from consent.codes import Category
from consent.decision import Permit, Reason
from consent.facts import ResourceFacts
from consent.model import ANY, Action
from consent.plan import compile_plan, preview
from tests.support import classification
from tests.support.consent_builders import CLINIC, NOW, a_grant, a_ledger, a_permit

FOLDERS = ("synthea", "bulk-ndjson", "hl7-r4-examples", "nl", "consent-and-labels")
# Everything but letters and files, which nobody has read yet.
READ = frozenset(Category) - {Category.DOCUMENTS}


def resources(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        for entry in value.get("entry", ()):
            yield from resources(entry.get("resource"))
    elif isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        yield value


def documents(path: Path) -> Iterator[Any]:
    data = path.read_bytes()
    for part in [data] if path.suffix == ".json" else data.splitlines():
        try:
            yield json.loads(part)
        except ValueError:
            continue


@pytest.fixture(scope="module")
def classified(shared_data: Path) -> dict[str, list[tuple[dict[str, Any], ResourceFacts]]]:
    found: dict[str, list[tuple[dict[str, Any], ResourceFacts]]] = {}
    for folder in FOLDERS:
        rows: list[tuple[dict[str, Any], ResourceFacts]] = []
        for path in sorted((shared_data / folder).rglob("*")):
            if path.suffix in (".json", ".ndjson", ".phr"):
                items = [r for document in documents(path) for r in resources(document)]
                rows += zip(items, classify_all(items), strict=True)
        found[folder] = rows
    return found


@pytest.mark.data
def test_every_resource_gets_facts_and_the_counts_are_these(
    classified: dict[str, list[tuple[dict[str, Any], ResourceFacts]]],
) -> None:
    """A change of the table shows here; look at each number before changing it."""
    report = {}
    for folder, rows in classified.items():
        facts = [fact for _, fact in rows]
        assert all(fact.categories or fact.possible_categories for fact in facts)
        report[folder] = (
            len(facts),
            sum(1 for fact in facts if fact.possible_categories),
            sum(1 for fact in facts if fact.sensitivity_unknown),
            sum(1 for fact in facts if fact.sensitivity),
        )
    # folder: (resources, type or kind undecided, sensitivity unknown, in a sensitive cluster)
    assert report == EXPECTED


EXPECTED = {
    "synthea": (5842, 0, 93, 167),
    "bulk-ndjson": (7527, 0, 0, 476),
    "hl7-r4-examples": (770, 394, 58, 52),
    "nl": (536, 0, 21, 7),
    "consent-and-labels": (5, 3, 3, 0),
}


@pytest.mark.data
def test_categories_of_synthea_are_these(
    classified: dict[str, list[tuple[dict[str, Any], ResourceFacts]]],
) -> None:
    counts = Counter(category.value for _, fact in classified["synthea"] for category in fact.categories)
    assert counts == SYNTHEA


SYNTHEA = {
    "admin": 1088,
    "allergies": 25,
    "careplans": 65,
    "demographics": 25,
    "directives": 3,
    "documents": 90,
    "encounters": 448,
    "imaging": 11,
    "labs": 2003,
    "medications": 144,
    "problems": 169,
    "procedures": 269,
    "questionnaires": 181,
    "social": 199,
    "vaccinations": 204,
    "vitals": 1106,
}


@pytest.mark.data
def test_the_report_per_category_and_cluster_is_current(shared_data: Path) -> None:
    """Dutch XML included, read as the app reads it. Look at each number before writing the page anew."""
    assert classification.report(shared_data) == classification.PAGE.read_text(encoding="utf-8")


@pytest.mark.data
@pytest.mark.parametrize("folder", ["synthea", "bulk-ndjson"])
def test_an_ordinary_care_grant_permits_ordinary_coded_records(
    classified: dict[str, list[tuple[dict[str, Any], ResourceFacts]]], folder: str
) -> None:
    ledger = a_ledger(a_grant(a_permit(category=READ, action=[Action.VIEW])))
    plan = compile_plan(ledger, actor=[CLINIC], purpose=["TREAT"], action=[Action.VIEW], at=NOW)
    held_back: Counter[Reason] = Counter()
    for _, fact in classified[folder]:
        decision = plan.decide(fact)
        if not isinstance(decision, Permit):
            held_back[decision.reason] += 1
            assert fact.sensitivity or fact.sensitivity_unknown or Category.DOCUMENTS in fact.categories
    assert held_back.keys() <= {Reason.SENSITIVE, Reason.UNCLASSIFIED, Reason.CATEGORY}
    assert sum(held_back.values()) < 0.08 * len(classified[folder])


@pytest.mark.data
def test_unread_documents_are_held_back_even_when_their_category_is_granted(
    classified: dict[str, list[tuple[dict[str, Any], ResourceFacts]]],
) -> None:
    ledger = a_ledger(a_grant(a_permit(category=ANY)))
    plan = compile_plan(ledger, actor=[CLINIC], purpose=["TREAT"], action=[Action.VIEW], at=NOW)
    letters = [
        fact for rows in classified.values() for _, fact in rows if fact.resource_type == "DocumentReference"
    ]
    assert len(letters) > 50
    seen = preview(plan, letters)
    assert seen.permitted == 0
    assert seen.held_back.keys() <= {Reason.UNCLASSIFIED, Reason.SENSITIVE}


@pytest.mark.data
def test_dutch_medication_and_measurements_are_permitted(
    classified: dict[str, list[tuple[dict[str, Any], ResourceFacts]]],
) -> None:
    ledger = a_ledger(a_grant(a_permit(category=[Category.MEDICATIONS, Category.VITALS, Category.LABS])))
    plan = compile_plan(ledger, actor=[CLINIC], purpose=["TREAT"], action=[Action.VIEW], at=NOW)
    wanted = {"MedicationRequest", "MedicationDispense", "MedicationStatement", "Medication"}
    rows = [fact for _, fact in classified["nl"] if fact.resource_type in wanted]
    seen = preview(plan, rows)
    assert seen.total > 150
    assert seen.permitted > 0.9 * seen.total


@pytest.mark.data
def test_clinical_names_of_sensitive_things_are_not_missed(
    classified: dict[str, list[tuple[dict[str, Any], ResourceFacts]]],
) -> None:
    """Whatever is coded with one of these words in its display carries a cluster."""
    words = (
        "hiv ",
        "human immunodeficiency",
        "partner abuse",
        "phq-9",
        "audit-c",
        "overdose",
        "gonorrh",
        "syphilis",
    )
    for rows in classified.values():
        for resource, fact in rows:
            concept = resource.get("code")
            codings = concept.get("coding", ()) if isinstance(concept, dict) else ()
            names = " ".join(str(coding.get("display", "")).lower() for coding in codings)
            if any(word in f"{names} " for word in words):
                assert fact.sensitivity, (fact.resource_type, names)
