"""Dutch precedence: the compiled rules permit exactly what reading the statements directly permits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from consent.codes import Effect
from consent.errors import InvalidDocument
from consent.matching import NO, YES, Asker, bind, match
from consent.model import Rule, check_rule
from consent.precedence import beats, compile_precedence
from tests.support.consent_asked import a_question
from tests.support.consent_builders import CLINIC
from tests.support.consent_random import (
    TYPE,
    World,
    a_grant_record,
    a_limit,
    a_permit_rule,
    chance,
    some,
)
from tests.support.laws import law

seen: Counter[str] = Counter()


def statements(dice: Random) -> list[Rule]:
    permits = [replace(a_permit_rule(dice), exception=()) for _ in range(dice.randint(1, 3))]
    objections = [
        replace(a_limit(dice, Effect.DENY, depth=0), actor=frozenset({TYPE}) if chance(dice, 0.5) else None)
        for _ in range(dice.randint(0, 3))
    ]
    found = [*permits, *(rule for rule in objections if rule != Rule(effect=Effect.DENY))]
    dice.shuffle(found)
    return found


@law(20_000)
def test_compiled_rules_permit_what_the_direct_reading_permits(dice: Random) -> None:
    rules = statements(dice)
    compiled = compile_precedence(rules)
    world = World(()).plus(replace(a_grant_record(dice), rules=tuple(rules)))
    question = a_question(dice, world)
    if chance(dice, 0.5):
        question = replace(question, actor=question.actor | some(dice, (CLINIC, TYPE)))
    asker = Asker(question.actor, question.purpose, question.action, question.study)

    def answer(rule: Rule) -> int:
        return match(bind(rule, asker), question.facts)

    objections = [rule for rule in rules if rule.effect is Effect.DENY and answer(rule) != NO]
    permits = [rule for rule in rules if rule.effect is Effect.PERMIT and answer(rule) == YES]
    direct = any(all(beats(permit, objection) for objection in objections) for permit in permits)
    denied = any(rule.effect is Effect.DENY and answer(rule) != NO for rule in compiled)
    allowed = any(rule.effect is Effect.PERMIT and answer(rule) == YES for rule in compiled)
    seen["permits"] += direct
    seen["won"] += bool(direct and objections)
    assert (allowed and not denied) == direct


@law(5_000)
def test_adding_an_objection_never_permits_more(dice: Random) -> None:
    rules = statements(dice)
    objection = a_limit(dice, Effect.DENY, depth=0)
    world = World(()).plus(replace(a_grant_record(dice), rules=tuple(rules)))
    question = a_question(dice, world)
    asker = Asker(question.actor, question.purpose, question.action, question.study)

    def permitted(found: list[Rule]) -> bool:
        bound = [
            (rule.effect, match(bind(rule, asker), question.facts)) for rule in compile_precedence(found)
        ]
        denied = any(effect is Effect.DENY and value != NO for effect, value in bound)
        return not denied and any(effect is Effect.PERMIT and value == YES for effect, value in bound)

    if permitted([*rules, objection]):
        assert permitted(rules)


def test_compiled_rules_can_be_signed() -> None:
    dice = Random(7)
    for _ in range(300):
        for rule in compile_precedence(statements(dice)):
            try:
                check_rule(rule)
            except InvalidDocument as exc:  # pragma: no cover (a failure, told with its reason)
                raise AssertionError(exc.reason) from exc
