"""The R4 validator names every planted defect and has nothing to say about good resources."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from pgo.health.fhir_r4 import Rule, validate
from pgo.health.fhir_r4.issue import SOURCES
from pgo.health.fhir_r4.quick import certainly_fine
from pgo.health.fhir_r4.walk import Walk
from tests.support.r4_defects import DEFECTS, GOOD, UNUSUAL, Body, Defect


def walked(body: Body) -> tuple[str, ...]:
    return tuple(str(issue) for issue in Walk(validate).resource(body))


def test_there_are_at_least_47_defects_and_12_unusual_resources() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) >= 47
    assert len({name for name, _ in UNUSUAL}) == len(UNUSUAL) >= 12


@pytest.mark.parametrize("body", GOOD, ids=lambda body: body["resourceType"])
def test_a_good_resource_has_no_issue_either_way(body: Body) -> None:
    assert validate(body) == ()
    assert walked(body) == ()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_named_and_is_the_only_issue(defect: Defect) -> None:
    (issue,) = validate(defect.body)
    assert str(issue).endswith(defect.expected)
    assert issue.fatal is defect.fatal


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_the_fast_way_accepts_no_defect(defect: Defect) -> None:
    for spelled in (json.dumps(defect.body), json.dumps(defect.body, indent=1)):
        assert not certainly_fine(str(defect.body["resourceType"]), spelled.encode())


@pytest.mark.parametrize(("name", "body"), UNUSUAL, ids=[name for name, _ in UNUSUAL])
def test_what_is_unusual_and_valid_has_no_issue(name: str, body: Body) -> None:
    assert validate(body) == ()
    assert validate(body, raw=json.dumps(body, indent=2).encode()) == ()
    assert walked(body) == ()


@pytest.mark.parametrize("body", [one for one in GOOD if one["resourceType"] != "Bundle"])
def test_the_fast_way_knows_ordinary_resources(body: Body) -> None:
    assert certainly_fine(str(body["resourceType"]), json.dumps(body).encode())


@pytest.mark.parametrize("escape", ["\\t", "\\n", "\\r", "\\u0009", "\\u000a", "\\u0020"])
def test_white_space_hidden_in_an_escape_is_found(escape: str) -> None:
    raw = f'{{"resourceType":"Basic","code":{{"coding":[{{"code":"a{escape}"}}]}}}}'
    body = json.loads(raw)
    assert [str(issue) for issue in validate(body, raw=raw.encode())] == [
        "Basic.code.coding[0].code: bad_text"
    ]


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("2023-02-29", False),
        ("2024-02-29", True),
        ("1900-02-29", False),
        ("2000-02-29", True),
        ("2024-04-31", False),
        ("2024-12-31", True),
        ("2024-02-30", False),
        ("2024-13-01", False),
        ("0000-01-01", False),
        ("0000", False),
        ("2024-1-1", False),
        ("20240101", False),
        ("2024-01-01 ", False),
        ("2024-01-01\n", False),
    ],
)
def test_a_date_is_a_day_that_exists(value: str, good: bool) -> None:
    assert (validate({"resourceType": "Patient", "birthDate": value}) == ()) is good


@pytest.mark.parametrize("number", [7, Decimal("7.10"), Decimal("1E+40"), 7.5])
def test_numbers_may_come_in_any_python_form(number: object) -> None:
    body = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert validate({**body, "valueQuantity": {"value": number}}) == ()


def test_an_issue_says_where_and_by_which_rule_and_holds_no_value() -> None:
    (issue,) = validate({"resourceType": "Patient", "contact": [{"name": {"Jansen": "Piet"}}]})
    assert issue.path == "Patient.contact[0].name.Jansen"
    assert issue.rule is Rule.UNKNOWN_ELEMENT
    assert issue.detail == "Patient.contact.name: unknown_element"
    assert issue.source.startswith("https://hl7.org/fhir/R4/")


def test_every_rule_has_its_source_and_is_broken_by_a_defect() -> None:
    assert set(SOURCES) == set(Rule)
    assert {defect.expected.rpartition(": ")[2] for defect in DEFECTS} == set(Rule)
