"""Answers to requests: what needs a yes of its own never comes along, nothing is wider than asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from consent.answer import Yes, answer, narrowest
from consent.attenuation import attenuates
from consent.errors import InvalidDocument
from consent.model import ANY, Action, Category, DatePeriod, Deidentification, ResearchUse, Sensitivity, Study
from consent.request import Request
from consent.research import OPT_INS
from consent.rules import Rule
from tests.support.consent_builders import CLINIC, REGISTRY, a_permit, instant

USE = ResearchUse(topics=frozenset({"E10-E14"}), methods=True, commercial=True, poa=True, train_models=True)


def research(**members: Any) -> Rule:
    said: dict[str, Any] = {
        "actor": [REGISTRY],
        "purpose": ["HRESCH"],
        "action": [Action.REUSE, Action.RECONTACT],
        "category": [Category.LABS, Category.PROBLEMS],
        "sensitivity": [Sensitivity.MENTAL],
        "code": ["http://hl7.org/fhir/sid/icd-10|E10-E14"],
        "deidentification": Deidentification.PSEUD,
        "research_use": USE,
    }
    return a_permit(**(said | members))


def care(**members: Any) -> Rule:
    return a_permit(**({"action": [Action.COPY, Action.RESHARE], "sensitivity": ANY} | members))


def asking(*wanted: Rule, **members: Any) -> Request:
    who = next(iter(wanted[0].actor or ()))
    return Request(id="r", recipient=who, at=instant(2026), answer_by=instant(2027), wanted=wanted, **members)


def test_the_narrowest_answer_opts_in_to_nothing() -> None:
    (rule,) = narrowest(asking(research()))
    use = rule.research_use
    assert use is not None
    assert not any(getattr(use, name) for name in OPT_INS)
    assert use.topics == USE.topics
    assert (rule.action, rule.sensitivity) == ({Action.EXTRACT}, frozenset())
    assert rule.deidentification is Deidentification.DEID
    (rule,) = narrowest(asking(care()))
    assert (rule.action, rule.sensitivity, rule.research_use) == ({Action.VIEW}, frozenset(), None)
    assert rule.actor == {CLINIC}


def test_what_a_request_says_of_itself_becomes_a_condition() -> None:
    study = Study(topics=frozenset({"E11"}), regions=frozenset({"NL"}), nonprofit=True)
    (rule,) = narrowest(asking(research(), study=study, ethics="METC 2026-1"))
    use = rule.research_use
    assert use is not None
    assert (use.ethics_required, use.nonprofit_only, use.regions) == (True, True, {"NL"})
    (told,) = narrowest(asking(research(research_use=None), study=Study(ethics=True)))
    assert told.research_use == ResearchUse(ethics_required=True)


def test_what_asks_only_for_things_that_need_a_yes_has_no_narrowest_answer() -> None:
    request = asking(research(action=[Action.RECONTACT]))
    assert narrowest(request) == ()
    yes = answer(request, request.wanted[0], Yes(actions=frozenset({Action.RECONTACT})))
    assert yes.action == {Action.RECONTACT}
    with pytest.raises(InvalidDocument, match="empty_action"):
        answer(request, request.wanted[0], Yes())


def test_each_yes_adds_its_own_thing_and_no_other() -> None:
    request = asking(research())
    (wanted,) = request.wanted
    yes = Yes(
        opt_ins=frozenset({"methods"}),
        actions=frozenset({Action.REUSE}),
        sensitivity=frozenset({Sensitivity.MENTAL}),
        category=frozenset({Category.LABS}),
        code=frozenset({"http://hl7.org/fhir/sid/icd-10|E11"}),
        topics=frozenset({"E11"}),
        data_from=date(2020, 1, 1),
    )
    rule = answer(request, wanted, yes)
    use = rule.research_use
    assert use is not None
    assert [name for name in OPT_INS if getattr(use, name)] == ["methods"]
    assert (use.topics, rule.code) == ({"E11"}, {"http://hl7.org/fhir/sid/icd-10|E11"})
    assert rule.action == {Action.EXTRACT, Action.REUSE}
    assert rule.data_period == DatePeriod(date(2020, 1, 1), None)
    assert attenuates(rule, wanted)
    assert answer(request, wanted, Yes()) == narrowest(request)[0]


@pytest.mark.parametrize(
    ("wanted", "yes"),
    [
        (research(), Yes(category=frozenset({Category.DOCUMENTS}))),
        (research(), Yes(sensitivity=frozenset({Sensitivity.HIV}))),
        (research(), Yes(actions=frozenset({Action.RESHARE}))),
        (research(), Yes(code=frozenset({"http://hl7.org/fhir/sid/icd-10|C50"}))),
        (research(), Yes(topics=frozenset({"C50"}))),
        (research(), Yes(topics=frozenset())),
        (research(research_use=ResearchUse(topics=USE.topics)), Yes(opt_ins=frozenset({"commercial"}))),
        (research(), Yes(opt_ins=frozenset({"return_results"}))),
        (research(data_period=DatePeriod(date(2020, 1, 1), None)), Yes(data_from=date(2019, 1, 1))),
        (care(), Yes(opt_ins=frozenset({"methods"}))),
        (care(), Yes(topics=frozenset({"E11"}))),
    ],
)
def test_no_answer_is_wider_than_what_was_asked(wanted: Rule, yes: Yes) -> None:
    with pytest.raises(InvalidDocument, match="wider_than_asked"):
        answer(asking(wanted), wanted, yes)


def test_an_answer_with_nothing_left_is_no_permit() -> None:
    with pytest.raises(InvalidDocument, match="empty_category"):
        answer(asking(care()), care(), Yes(category=frozenset()))
