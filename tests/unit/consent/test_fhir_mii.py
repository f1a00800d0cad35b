"""The German broad consent: every policy of it with its own period."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consent.fhir_import import Dialect, Review, import_consent, outcome_to_json
from consent.fhir_mii import MEANINGS, SYSTEM, Act, Matter, is_mii, read_policies
from consent.fhir_provision import Doubt
from pgo.cli.consent_words import explain_outcome
from pgo.health.record.reader import read_records
from pgo.ui.text import LANGUAGES, has
from tests.support.consent_builders import instant

ROOT = "2.16.840.1.113883.3.1937.777.24.5.3"


def policy(number: object, /, **members: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "type": "permit",
        "period": {"start": "2026-01-01", "end": "2030-12-31"},
        "code": [{"coding": [{"system": SYSTEM, "code": f"{ROOT}.{number}"}]}],
    }
    return said | members


def broad(*policies: Any) -> dict[str, Any]:
    category = [{"coding": [{"system": "x", "code": "2.16.840.1.113883.3.1937.777.24.2.184"}]}]
    return {
        "resourceType": "Consent",
        "status": "active",
        "category": category,
        "provision": {"type": "deny", "provision": list(policies)},
    }


def test_each_policy_comes_with_what_it_means_and_its_own_period() -> None:
    (found,) = read_policies(broad(policy(6)))
    assert found.meaning is not None
    assert (found.meaning.act, found.meaning.matter, found.meaning.years) == (Act.COLLECT, Matter.RECORDS, 5)
    assert found.permits(instant(2026))
    assert found.permits(datetime(2030, 12, 31, 23, tzinfo=UTC))
    assert not found.permits(instant(2031))
    assert not found.permits(datetime(2025, 12, 31, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    "members", [{"type": "deny"}, {"type": "maybe"}, {"period": {"start": "2026"}}, {"period": 5}]
)
def test_what_is_refused_unsaid_or_without_a_readable_period_is_open_never(members: dict[str, Any]) -> None:
    (found,) = read_policies(broad(policy(6, **members)))
    assert not found.permits(instant(2027))


def test_a_code_of_another_system_is_no_policy_and_an_unknown_one_has_no_meaning() -> None:
    other = policy(6, code=[{"coding": [{"system": "urn:other", "code": f"{ROOT}.6"}]}])
    assert read_policies(broad(other, policy(6, code="x"), 5)) == ()
    meanings = [
        found.meaning
        for code in (1, 999, 12345, "x", "²", "6.1")
        for found in read_policies(broad(policy(code)))
    ]
    assert meanings == [None] * 6
    assert read_policies({"provision": 5}) == read_policies({"provision": {"provision": 5}}) == ()


def test_the_category_alone_tells_a_broad_consent_and_it_is_never_a_working_grant() -> None:
    outcome = import_consent(broad(policy(8), policy(49, type="deny")))
    assert isinstance(outcome, Review)
    assert outcome.dialect is Dialect.MII
    assert outcome.denies == ()
    assert Doubt.RESEARCH_NOT_DELIMITED in outcome.doubts
    rows: Any = outcome_to_json(outcome)["policies"]
    assert [(row["act"], row["effect"]) for row in rows] == [("use", "permit"), ("outside_eu", "deny")]
    assert not is_mii({"category": "x"})
    assert "policies" not in outcome_to_json(import_consent({"resourceType": "Consent"}))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_command_says_every_answer_in_words(lang: str) -> None:
    answers = (policy(6), policy(46, type="deny"), policy(999), policy(8, type=None, period=None))
    text = explain_outcome(lang, 1, import_consent(broad(*answers)))
    assert len([line for line in text.splitlines() if line.strip().startswith(("Ja:", "Yes:"))]) == 2
    assert f"{ROOT}.999" in text
    for name in (*(f"act.{act.value}" for act in Act), *(f"matter.{matter.value}" for matter in Matter)):
        assert has(lang, f"consent.mii.{name}")


@pytest.mark.data
def test_the_published_example_shows_five_years_of_collecting_and_thirty_of_use(shared_data: Path) -> None:
    path = shared_data / "consent-and-labels/mii-broad-consent/Example_MII_Consent_Einwilligung.xml"
    (record,) = read_records(path.read_bytes(), name=path.name).resources
    outcome = import_consent(record.body)
    assert isinstance(outcome, Review)
    by_code = {found.code.removeprefix(f"{ROOT}."): found for found in outcome.policies}
    assert {"6", "7", "8"} <= by_code.keys()
    at = datetime(2030, 1, 1, tzinfo=UTC)
    assert (by_code["6"].permits(at), by_code["8"].permits(at)) == (False, True)
    assert all(found.meaning is not None for found in outcome.policies)


def test_the_table_says_of_every_code_what_is_done_with_what() -> None:
    assert {row.years for row in MEANINGS.values()} == {5, 30, None}
    assert {row.act for row in MEANINGS.values()} == set(Act)
