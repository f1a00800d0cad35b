"""Corners of the engine: attenuation member by member, research limits in a deny, strict reading."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from consent.attenuation import attenuate, attenuates
from consent.decision import Deny, Permit, Question, Reason, decide
from consent.delta import reconsent_request, request_delta
from consent.errors import InvalidDocument
from consent.ledger import Ledger
from consent.matching import UNKNOWN
from consent.model import (
    ANY,
    Action,
    ActorRef,
    Authority,
    Basis,
    By,
    Category,
    DatePeriod,
    Deidentification,
    Record,
    ResearchUse,
    Rule,
    Study,
    deny_rule,
    parse_record,
    record_payload,
)
from consent.receipt import build_receipt
from consent.request import Request
from tests.support.consent_builders import (
    CLINIC,
    DOCTOR,
    KEY,
    NOW,
    OTHER,
    REGISTRY,
    SUBJECT,
    YEAR,
    a_grant,
    a_ledger,
    a_permit,
    facts,
    instant,
    unsigned,
)

DAYS = DatePeriod(date(2020, 1, 1), date(2025, 12, 31))
USE = ResearchUse(topics=frozenset({"E10-E14"}), regions=frozenset({"EU"}), ethics_required=True)
PARENT = replace(
    a_permit(
        actor=[REGISTRY], purpose=["HRESCH"], action=[Action.COPY], deidentification=Deidentification.DEID
    ),
    code=frozenset({"E10-E14"}),
    data_period=DAYS,
    research_use=USE,
    exception=(deny_rule(instance=["Observation/o9"]),),
)
STUDY = Study(topics=frozenset({"E11"}), regions=frozenset({"EU"}), ethics=True)


def test_a_rule_lies_inside_itself_and_inside_what_says_less() -> None:
    assert attenuates(PARENT, PARENT)
    assert attenuates(replace(PARENT, code=frozenset({"E11"}), action=frozenset({Action.VIEW})), PARENT)
    open_ends = replace(PARENT, data_period=DatePeriod(None, None), research_use=None, code=None)
    assert attenuates(replace(PARENT, research_use=ResearchUse(topics=frozenset({"E11"}))), open_ends)


@pytest.mark.parametrize(
    "wider",
    [
        {"actor": frozenset({REGISTRY, CLINIC})},
        {"purpose": frozenset({"HRESCH", "CLINTRL"})},
        {"action": frozenset({Action.REUSE})},
        {"category": ANY},
        {"sensitivity": ANY},
        {"code": None},
        {"code": frozenset({"E11", "C50"})},
        {"data_period": None},
        {"data_period": DatePeriod(None, date(2025, 1, 1))},
        {"data_period": DatePeriod(date(2020, 1, 1), date(2026, 1, 1))},
        {"exception": ()},
        {"research_use": None},
        {"research_use": replace(USE, commercial=True)},
        {"research_use": replace(USE, ethics_required=False)},
        {"research_use": replace(USE, topics=frozenset())},
        {"research_use": replace(USE, regions=frozenset({"EU", "US"}))},
        {"effect": deny_rule(purpose=["HRESCH"]).effect},
    ],
)
def test_a_rule_that_says_more_in_one_member_lies_not_inside(wider: dict[str, Any]) -> None:
    child = replace(PARENT, **wider)
    assert not attenuates(child, PARENT)
    assert not attenuate([PARENT, child], [PARENT])


def asks(**members: Any) -> Question:
    said: dict[str, Any] = {
        "actor": frozenset({REGISTRY}),
        "purpose": frozenset({"HRESCH"}),
        "action": frozenset({Action.VIEW}),
        "facts": facts(),
        "study": STUDY,
    }
    return Question(**(said | members))


PERMIT = a_permit(actor=[REGISTRY], purpose=["HRESCH"], deidentification=Deidentification.DEID)


@pytest.mark.parametrize(
    ("use", "study", "bites"),
    [
        (ResearchUse(nonprofit_only=True), replace(STUDY, nonprofit=True), True),
        (ResearchUse(nonprofit_only=True), STUDY, False),
        (ResearchUse(ethics_required=True), STUDY, True),
        (ResearchUse(regions=frozenset({"NL"})), STUDY, True),
        (ResearchUse(regions=frozenset({"US"})), STUDY, False),
        (ResearchUse(regions=frozenset({"US"})), replace(STUDY, regions=None), True),
    ],
)
def test_a_deny_with_research_limits_bites_the_studies_it_names(
    use: ResearchUse, study: Study, bites: bool
) -> None:
    ledger = a_ledger(a_grant(PERMIT), a_grant(deny_rule(research_use=use), grant_id="no"))
    assert isinstance(decide(ledger, asks(study=study), at=NOW), Deny) == bites


def test_an_actor_whose_value_is_unknown_may_be_the_one_denied() -> None:
    ledger = a_ledger(a_grant(a_permit(actor=[DOCTOR])), a_grant(deny_rule(actor=[OTHER]), grant_id="no"))
    asked = asks(purpose=frozenset({"TREAT"}), study=None, actor=frozenset({DOCTOR, CLINIC}))
    assert isinstance(decide(ledger, asked, at=NOW), Permit)
    vague = replace(asked, actor=frozenset({DOCTOR, ActorRef("org", UNKNOWN)}))
    assert isinstance(decide(ledger, vague, at=NOW), Deny)


def test_a_rule_of_a_newer_version_names_what_was_not_read() -> None:
    newer = replace(PERMIT, unknown=frozenset({"research_use:colour"}))
    refused = decide(a_ledger_of(newer), asks(), at=NOW)
    assert isinstance(refused, Deny)
    assert refused.reason is Reason.USE_CONDITION
    assert request_of(newer) is None


def a_ledger_of(rule: Rule) -> Ledger:
    return Ledger.of_verified([unsigned(a_grant(rule), "n", kid=KEY.public.id)], subject=SUBJECT)


def request_of(rule: Rule) -> Request | None:
    return reconsent_request(a_ledger_of(rule), asks(), at=NOW, request_id="r", answer_by=instant(2027))


def test_no_request_for_research_that_nothing_delimits() -> None:
    care = a_permit(purpose=["TREAT"], sensitivity=ANY)
    ledger = a_ledger(a_grant(care))
    asked = asks(actor=frozenset({CLINIC}))
    refused = decide(ledger, asked, at=NOW)
    assert isinstance(refused, Deny)
    assert (refused.reason, refused.ask) == (Reason.PURPOSE, True)
    assert reconsent_request(ledger, asked, at=NOW, request_id="r", answer_by=instant(2027)) is None


def test_a_treatment_grant_asked_for_research_becomes_a_request_with_clusters_by_name() -> None:
    care = a_permit(actor=[REGISTRY], purpose=["TREAT"], sensitivity=ANY)
    ledger = a_ledger(a_grant(care))
    again = reconsent_request(ledger, asks(), at=NOW, request_id="r", answer_by=instant(2027))
    assert again is not None
    assert again.wanted[0].sensitivity == frozenset()
    assert again.wanted[0].deidentification is Deidentification.DEID


def test_a_delta_names_later_data_too() -> None:
    held = replace(PERMIT, data_period=DatePeriod(None, date(2024, 12, 31)))
    wanted = replace(PERMIT, data_period=DatePeriod(None, date(2025, 12, 31)))
    request = Request(id="r", recipient=REGISTRY, at=NOW, answer_by=instant(2027), wanted=(wanted, PERMIT))
    deltas = request_delta(a_ledger(a_grant(held)), request, at=NOW)
    assert [delta.also["data_period"] for delta in deltas] == [("after 2024-12-31",)] * 2


MENTOR = Authority(
    id="a", representative="k", basis=Basis.MENTOR, subject=SUBJECT, by=By("x"), at=NOW, period=YEAR
)


def put(**members: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value.update(members)


def use(**members: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value["rules"][0].update(research_use=members)


@pytest.mark.parametrize(
    ("record", "spoil", "reason"),
    [
        (a_grant(), put(after_death="yes"), "after_death"),
        (a_grant(), put(by={"kid": "k", "role": "self", "authority": "a"}), "by"),
        (a_grant(), use(commercial="yes"), "research_use"),
        (a_grant(), use(topics=[3]), "research_use"),
        (a_grant(), use(moratorium="soon"), "not_a_day"),
        (MENTOR, put(cosigners=[3]), "cosigners"),
        (MENTOR, put(basis="king"), "basis"),
    ],
)
def test_a_record_spoiled_in_a_new_member_is_refused(
    record: Record, spoil: Callable[[dict[str, Any]], object], reason: str
) -> None:
    value = json.loads(record_payload(record))
    spoil(value)
    with pytest.raises(InvalidDocument) as caught:
        parse_record(json.dumps(value).encode())
    assert caught.value.reason == reason


def test_an_unknown_research_limit_voids_a_permit_and_widens_a_deny() -> None:
    value = json.loads(record_payload(a_grant(PERMIT)))
    value["rules"][0]["research_use"] = {"topics": ["E11"], "colour": True}
    read = parse_record(json.dumps(value).encode())
    assert read.rules[0].unknown == {"research_use:colour"}  # type: ignore[union-attr]


def test_the_category_of_a_receipt_may_be_absent_in_a_rule_of_a_newer_version() -> None:
    newer = replace(a_permit(category=[Category.LABS]), category=None, unknown=frozenset({"category:new"}))
    ledger = a_ledger_of(newer)
    content = build_receipt(ledger.records[0], ledger=ledger, at=NOW).content
    assert content["processing"][0]["pii_categories"] == []
    assert content["processing"][0]["limits"] == {"unread": ["category:new"]}
