"""Corners of small parts that no other test walks through."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from consent.catalog import Catalog
from consent.codes import OBLIGATIONS
from consent.dates import parse_day
from consent.delta import request_delta
from consent.duties import EVERY_DUTY, erase_at, is_duty, is_obligation, kind_of, read_obligation, unmet
from consent.effective import effective
from consent.errors import InvalidDocument, UnknownCode
from consent.fhir import signed_to_fhir
from consent.fhir_import import Review, import_consent
from consent.fhir_provision import Doubt
from consent.model import ANY, Action, Category, DatePeriod, ResearchUse, Target, deny_rule
from consent.outcome import Permit
from consent.plan import compile_plan
from consent.plan_cells import cells_of, key_of
from consent.receipt import build_receipt
from consent.request import Request
from consent.research import least_study, use_words
from consent.rule_json import research_use_from_json, research_use_to_json
from consent.rules import Rule
from consent.scope import positive_scope
from consent.topics import inside
from consent.tri import MAYBE, NO, YES
from tests.support.consent_builders import (
    CLINIC,
    NOW,
    a_grant,
    a_ledger,
    a_permit,
    a_withdrawal,
    facts,
    instant,
)

BEFORE, AFTER = date(2019, 1, 1), date(2021, 1, 1)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-2-3", 5, None])
def test_a_day_that_does_not_exist_is_no_day(text: object) -> None:
    with pytest.raises(InvalidDocument, match="not_a_day"):
        parse_day(text)


# Duties


@pytest.mark.parametrize("text", ["DELAU", "DELAU:2027-01-01", "AUDIT", "NORELINK"])
def test_duties_of_a_rule(text: str) -> None:
    assert is_obligation(text)
    assert is_duty(text)
    assert read_obligation(text) == text


@pytest.mark.parametrize("text", ["DELAU:", "DELAU:2027", "DELAU:x", "AUDIT:2027-01-01", "ERASE", ":"])
def test_what_is_no_duty(text: str) -> None:
    assert not is_duty(text)
    with pytest.raises(UnknownCode):
        read_obligation(text)


def test_research_limits_bring_duties_that_no_rule_names_itself() -> None:
    for text in ("RTN", "MOR:2027-01-01"):
        assert is_duty(text)
        assert not is_obligation(text)
    assert not is_duty("MOR")
    assert {"RTN", "MOR"} == EVERY_DUTY - OBLIGATIONS


def test_who_keeps_a_duty_keeps_it_with_any_day_and_erases_at_the_earliest() -> None:
    duties = {"DELAU", "DELAU:2028-01-01", "DELAU:2027-06-01", "AUDIT", "MOR:2026-01-01"}
    assert unmet(duties, {"DELAU", "AUDIT"}) == {"MOR:2026-01-01"}
    assert kind_of("DELAU:2028-01-01") == "DELAU"
    assert erase_at(duties) == datetime(2027, 6, 1, tzinfo=UTC)
    assert erase_at({"DELAU", "AUDIT"}) is None


# What is asked beyond what is granted


def a_request(rule: Rule) -> Request:
    return Request(id="r", recipient=CLINIC, at=instant(2026), answer_by=instant(2027), wanted=(rule,))


def test_what_was_denied_to_a_recipient_is_not_what_it_has() -> None:
    ledger = a_ledger(a_grant(a_permit(), deny_rule(actor=[CLINIC], category=[Category.PROBLEMS])))
    (delta,) = request_delta(ledger, a_request(a_permit(category=[Category.PROBLEMS])), at=NOW)
    assert delta.also == {"category": ("problems",)}


def test_asking_for_everything_is_more_than_what_is_named() -> None:
    (delta,) = request_delta(a_ledger(a_grant()), a_request(a_permit(category=ANY)), at=NOW)
    assert delta.also == {"category": (ANY,)}


# FHIR


def test_an_objection_that_was_shown_no_text_is_exported_without_one() -> None:
    ledger = a_ledger(a_grant(deny_rule(category=[Category.LABS]), shown=None))
    bundle = signed_to_fhir(ledger.records[0])
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["Consent", "Provenance"]
    assert "sourceReference" not in bundle["entry"][0]["resource"]


@pytest.mark.parametrize("days", [{"start": 5}, {"start": "x"}, {"begin": "2020"}, "2020"])
def test_a_data_period_of_another_shape_is_doubtful(days: Any) -> None:
    provision = {"type": "permit", "dataPeriod": days}
    outcome = import_consent({"resourceType": "Consent", "status": "active", "provision": provision})
    assert isinstance(outcome, Review)
    assert Doubt.BAD_SHAPE in outcome.doubts


# Receipts


def test_a_receipt_of_a_withdrawal_looks_at_grants_only() -> None:
    ledger = a_ledger(a_grant(), a_withdrawal(Target("grant", ("other",))), a_withdrawal(Target("all")))
    receipts = [build_receipt(signed, ledger=ledger, at=NOW).to_json() for signed in ledger.records]
    assert (
        len({receipt["receipt"]["id"] if "receipt" in receipt else str(receipt) for receipt in receipts}) == 3
    )


def test_a_receipt_of_an_objection_without_a_text_names_none() -> None:
    ledger = a_ledger(a_grant(deny_rule(category=[Category.LABS]), shown=None))
    assert "privacy_notice" not in str(build_receipt(ledger.records[0], ledger=ledger, at=NOW).to_json())


# Research limits


def test_the_least_study_asks_for_no_opt_in_and_keeps_every_condition() -> None:
    study = least_study(ResearchUse(topics=frozenset({"E11"}), methods=True, regions=frozenset({"EU"})))
    assert (study.topics, study.regions, study.methods, study.ethics) == ({"E11"}, {"EU"}, False, True)
    assert least_study(None).regions is None
    assert use_words(None) == ()


def test_research_limits_alone_read_back_and_refuse_what_they_do_not_know() -> None:
    use = ResearchUse(topics=frozenset({"E11"}), ethics_required=True, moratorium=date(2027, 1, 1))
    assert research_use_from_json(research_use_to_json(use)) == use
    for broken in (None, {"colour": True}, []):
        with pytest.raises(InvalidDocument, match="research_use"):
            research_use_from_json(broken)


def test_icpc_has_a_place_by_rubric() -> None:
    icpc = "http://hl7.org/fhir/sid/icpc-1-nl|"
    assert inside(f"{icpc}P76", f"{icpc}P70-P80") == YES
    assert inside(f"{icpc}T90", f"{icpc}P70-P80") == NO
    assert inside(f"{icpc}XX", f"{icpc}P70") == MAYBE


# Scope


DAY = date(2020, 1, 1)
ENDS_BEFORE, STARTS_AFTER = date(2018, 12, 31), date(2021, 1, 2)


@pytest.mark.parametrize(
    ("within", "cut", "left"),
    [
        (None, (BEFORE, AFTER), [(None, ENDS_BEFORE), (STARTS_AFTER, None)]),
        (None, (None, AFTER), [(STARTS_AFTER, None)]),
        (None, (BEFORE, None), [(None, ENDS_BEFORE)]),
        (None, (None, None), []),
        ((BEFORE, AFTER), (BEFORE, AFTER), []),
        ((BEFORE, AFTER), (DAY, DAY), [(BEFORE, date(2019, 12, 31)), (date(2020, 1, 2), AFTER)]),
    ],
)
def test_a_permit_less_the_days_of_a_deny(
    within: tuple[date, date] | None,
    cut: tuple[date | None, date | None],
    left: list[tuple[date | None, date | None]],
) -> None:
    permit = a_permit(data_period=None if within is None else DatePeriod(*within))
    ledger = a_ledger(a_grant(permit), a_grant(deny_rule(data_period=DatePeriod(*cut)), grant_id="no"))
    scope = positive_scope(effective(ledger, NOW), CLINIC)
    days = [rule.data_period for _, rule in scope if rule.data_period is not None]
    assert [(period.first, period.last) for period in days] == left


# Plans


def test_a_prepared_plan_answers_as_one_that_was_not() -> None:
    asked: dict[str, Any] = {"actor": [CLINIC], "purpose": ["TREAT"], "action": [Action.VIEW], "at": NOW}
    catalog = Catalog([facts(), facts([Category.PROBLEMS])])
    fresh, prepared = (compile_plan(a_ledger(a_grant()), **asked) for _ in range(2))
    prepared.prepare(catalog)
    assert prepared.permits(catalog) == fresh.permits(catalog)


@pytest.mark.parametrize(("first", "last"), [(None, BEFORE), (AFTER, None), (None, None)])
def test_a_plan_knows_a_period_that_is_open_on_a_side(first: date | None, last: date | None) -> None:
    rule = a_permit(data_period=DatePeriod(first, last))
    asked: dict[str, Any] = {"actor": [CLINIC], "purpose": ["TREAT"], "action": [Action.VIEW], "at": NOW}
    plan = compile_plan(a_ledger(a_grant(rule)), **asked)
    catalog = Catalog([facts(days=[(day, day)]) for day in (date(2018, 1, 1), date(2025, 1, 1))])
    permitted = [permit is not None for permit in plan.permits(catalog)]
    assert permitted == [first is None, last is None]


def test_a_period_to_the_last_day_there_is_gives_no_stretch_after_it() -> None:
    rule = a_permit(data_period=DatePeriod(AFTER, date.max))
    plan = compile_plan(
        a_ledger(a_grant(rule)), actor=[CLINIC], purpose=["TREAT"], action=[Action.VIEW], at=NOW
    )
    key = key_of(facts())
    (cell,) = cells_of(plan, [(1, facts())])
    assert cell.first <= key.first <= key.last <= cell.last
    assert isinstance(cell.permit, Permit)
