"""Random questions about a random consent world, thrown near a permit of it, so that permits really happen.

`tests/generative` measures how often. The worlds are those of `consent_random`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from consent.dates import DateInterval
from consent.decision import Question
from consent.model import Category, DatePeriod, ResourceFacts, Sensitivity, Study
from tests.support.consent_random import (
    ACTIONS,
    ACTORS,
    AUTHORS,
    BASE,
    CATEGORIES,
    CLUSTERS,
    CODES,
    DAYS,
    ICD,
    PURPOSES,
    REGIONS,
    World,
    chance,
)


def a_study(dice: Random) -> Study | None:
    if chance(dice, 0.3):
        return None
    return Study(
        topics=None if chance(dice, 0.1) else frozenset(dice.sample(CODES, dice.randint(0, 2))),
        regions=None if chance(dice, 0.2) else frozenset(dice.sample(REGIONS, dice.randint(0, 2))),
        methods=dice.choice([False, False, True, None]),
        commercial=dice.choice([False, False, False, True, None]),
        train_models=dice.choice([False, False, False, True]),
        nonprofit=dice.choice([False, True, True, None]),
        ethics=dice.choice([False, True, True, None]),
    )


def some_facts(dice: Random) -> ResourceFacts:
    certain = frozenset(dice.sample(CATEGORIES, dice.randint(0, 2)))
    days = [dice.choice([*DAYS, None]) for _ in range(dice.choice([0, 1, 1, 2]))]
    possible = frozenset(CATEGORIES) - certain if chance(dice, 0.2) else frozenset[Category]()
    return ResourceFacts(
        resource_type="Observation",
        reference=dice.choice(["Observation/o1", "Observation/o3", None]),
        categories=certain,
        possible_categories=possible,
        sensitivity=frozenset(dice.sample(CLUSTERS, dice.choice([0, 0, 1, 2]))),
        sensitivity_unknown=chance(dice, 0.2),
        codes=frozenset({ICD + code for code in dice.sample(CODES, dice.choice([0, 1, 1]))}),
        dates=tuple(DateInterval(day, day) for day in days),
        author=frozenset(dice.sample(AUTHORS, dice.choice([0, 1]))),
    )


def any_question(dice: Random) -> Question:
    return Question(
        actor=frozenset(dice.sample(ACTORS, dice.randint(0, 2))),
        purpose=frozenset(dice.sample(PURPOSES, dice.randint(0, 2))),
        action=frozenset(dice.sample(ACTIONS, dice.randint(0, 2))),
        facts=some_facts(dice),
        study=a_study(dice),
    )


def a_question(dice: Random, world: World) -> Question:
    """A question near some permit of the world, with a slip now and then."""
    asked, rules = any_question(dice), world.permits()
    if not rules or chance(dice, 0.06):
        return asked
    rule, found = dice.choice(rules), asked.facts
    if chance(dice, 0.94):
        whole = (
            rule.category if isinstance(rule.category, frozenset) else frozenset({dice.choice(CATEGORIES)})
        )
        named = rule.sensitivity if isinstance(rule.sensitivity, frozenset) else frozenset(CLUSTERS)
        fits = {c for c in whole if c is not Category.GENETICS or Sensitivity.GENETIC in named}
        clusters = frozenset(dice.sample(sorted(named), dice.randint(0, min(1, len(named)))))
        found = replace(
            found,
            categories=frozenset(fits or whole),
            possible_categories=frozenset(),
            sensitivity=clusters,
            sensitivity_unknown=False,
            dates=(_day_inside(rule.data_period),),
            reference=min(rule.instance) if rule.instance else found.reference,
            author=rule.author or found.author,
            codes=rule.code or found.codes,
        )
    study = asked.study
    use = rule.research_use
    if use is not None and chance(dice, 0.85):
        study = Study(
            topics=use.topics or frozenset({"C50"}),
            regions=use.regions or None,
            nonprofit=use.nonprofit_only,
            ethics=use.ethics_required,
            methods=use.methods and chance(dice, 0.5),
        )
    elif chance(dice, 0.8):
        study = None
    return Question(
        actor=frozenset({dice.choice(sorted(rule.actor or ACTORS))}),
        purpose=frozenset({dice.choice(sorted(rule.purpose or PURPOSES))}),
        action=frozenset({dice.choice(sorted(rule.action or ACTIONS))}),
        facts=found,
        study=study,
    )


def _day_inside(period: DatePeriod | None) -> DateInterval:
    day = DAYS[2] if period is None else period.first or period.last or DAYS[2]
    return DateInterval(day, day)


def a_moment(dice: Random) -> datetime:
    """An instant not before most records of a world were signed."""
    return BASE + timedelta(days=dice.choice([30, *[60] * 12, 150, 150, 260, 420]))
