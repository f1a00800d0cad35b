"""Answers to requests: what needs a yes of its own never comes along, nothing is wider than asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from consent.answer import narrowest
from consent.attenuation import attenuates
from consent.model import ANY, Action, Category, DatePeriod, Deidentification, ResearchUse, Sensitivity, Study
from consent.request import Request
from consent.research import OPT_INS
from consent.rules import Rule, check_rule
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
    assert narrowest(asking(research(action=[Action.RECONTACT]))) == ()
    both = asking(research(action=[Action.RECONTACT]), research())
    assert len(narrowest(both)) == 1


@pytest.mark.parametrize(
    "wanted", [research(), care(), research(data_period=DatePeriod(date(2020, 1, 1), None))]
)
def test_the_narrowest_answer_is_never_wider_than_what_was_asked(wanted: Rule) -> None:
    (rule,) = narrowest(asking(wanted, study=Study(regions=frozenset({"NL"}), ethics=True)))
    assert attenuates(rule, wanted)
    check_rule(rule)
