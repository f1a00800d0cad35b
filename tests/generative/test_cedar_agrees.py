"""Cedar, an engine proved by others, says the same where it can say anything: flat rules, known resources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import pytest

from consent.catalog import Catalog
from consent.codes import Action, Category, Sensitivity
from consent.dates import DateInterval
from consent.decision import Permit, Question, decide
from consent.model import ANY, ActorRef, DatePeriod, ResourceFacts, Rule, deny_rule
from consent.plan import compile_plan
from tests.support.consent_builders import NOW, a_grant, a_ledger, a_permit
from tests.support.consent_strategies import DAYS

pytest.importorskip("cedarpy", reason="cedarpy, the second oracle, is not installed here")

from tests.support import cedar_oracle

WORLDS, RESOURCES = 150, 20
ORGANISATIONS = [ActorRef("org", f"ura:{number}") for number in range(3)]
PURPOSES = ("TREAT", "ETREAT", "BTG", "POPHLTH", "PUBHLTH", "HOPERAT", "TRAIN")
ACTIONS = (Action.VIEW, Action.COPY, Action.RESHARE)
CATEGORIES = (Category.LABS, Category.PROBLEMS, Category.GENETICS)
CLUSTERS = (Sensitivity.HIV, Sensitivity.MENTAL, Sensitivity.GENETIC)


T = TypeVar("T")


def some(random: Random, items: Sequence[T]) -> list[T]:
    return random.sample(list(items), random.randrange(1, len(items)))


def a_rule(random: Random) -> Rule:
    first, last = sorted(random.sample(DAYS, 2))
    period = random.choice([None, DatePeriod(first, last), DatePeriod(first, None), DatePeriod(None, last)])
    said: dict[str, Any] = {"data_period": period}
    if random.random() < 0.75:
        clusters = random.choice([ANY, (), CLUSTERS[:1], CLUSTERS])
        category = random.choice([ANY, some(random, CATEGORIES)])
        return a_permit(
            **said,
            actor=some(random, ORGANISATIONS),
            purpose=some(random, PURPOSES),
            action=some(random, ACTIONS),
            category=category,
            sensitivity=clusters,
        )
    members: dict[str, Any] = {
        "actor": some(random, ORGANISATIONS),
        "purpose": some(random, PURPOSES),
        "action": some(random, ACTIONS),
        "category": some(random, CATEGORIES),
        "security_label": some(random, CLUSTERS),
    }
    kept = random.sample(sorted(members), random.randrange(1, 4))
    return deny_rule(**said, **{name: members[name] for name in kept})


def a_resource(random: Random) -> ResourceFacts:
    day = random.choice(DAYS) + timedelta(days=random.randrange(-2, 3))
    return ResourceFacts(
        resource_type="Observation",
        reference="Observation/o1",
        categories=frozenset(random.sample(CATEGORIES, random.choice([1, 1, 2]))),
        sensitivity=frozenset(random.sample(CLUSTERS, random.choice([0, 0, 1]))),
        dates=(DateInterval(day, day),),
    )


def test_cedar_permits_what_we_permit_and_forbids_what_we_deny() -> None:
    random, permitted = Random(20261122), 0
    for _ in range(WORLDS):
        rules = [a_rule(random) for _ in range(random.randrange(1, 6))]
        actor, purpose = random.choice(ORGANISATIONS), random.choice(PURPOSES)
        action = random.choice(ACTIONS)
        resources = [a_resource(random) for _ in range(RESOURCES)]
        ledger = a_ledger(*(a_grant(rule, grant_id=f"g{number}") for number, rule in enumerate(rules)))
        asked = cedar_oracle.requests(RESOURCES, actor=actor, purpose=purpose, action=action.value)
        theirs = cedar_oracle.allowed(asked, cedar_oracle.policy_set(rules), cedar_oracle.entities(resources))
        plan = compile_plan(ledger, actor=[actor], purpose=[purpose], action=[action], at=NOW)
        assert [permit is not None for permit in plan.permits(Catalog(resources))] == theirs
        question = Question(frozenset({actor}), frozenset({purpose}), frozenset({action}), facts=resources[0])
        assert isinstance(decide(ledger, question, at=NOW), Permit) == theirs[0]
        permitted += sum(theirs)
    assert 0.1 < permitted / (WORLDS * RESOURCES) < 0.9
