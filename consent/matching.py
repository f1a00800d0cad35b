"""Match a rule against a question in three values: NO, MAYBE, YES.

1. Every dimension of a rule answers YES, MAYBE or NO; the rule answers their minimum.
2. A permit (and a carve-out that lifts a deny) must cover all of the resource; a deny (and a
   carve-out that cuts a permit) needs only to touch it. `Bound.covers` says which reading applies.
3. Missing dates, labels, codes, roles are MAYBE. So a permit, which needs YES, never rests on
   something unknown, and a deny, which bites unless NO, never misses because of it.
4. A carve-out counts with its answer turned round (NO becomes YES), which makes MAYBE enough to cut
   a permit and not enough to lift a deny.

A rule is bound to the asker first (`bind`), because one asker is tested against many resources.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from consent.codes import (
    ACTOR_FAMILY,
    ANY,
    DENY_ACTIONS,
    DENY_CLOSURE,
    PERMIT_ACTIONS,
    PERMIT_CLOSURE,
    Action,
    ActorKind,
    Category,
    Effect,
    Sensitivity,
)
from consent.dates import DateInterval
from consent.facts import ResourceFacts
from consent.research import UNDESCRIBED, ResearchUse, Study, conditions_met, struck, topics_inside
from consent.rules import ActorRef, DatePeriod, Rule, is_research
from consent.topics import inside
from consent.tri import MAYBE, NO, YES, Tri, turned


class Dimension(StrEnum):
    """The members of a rule that are matched, in the order in which a miss is reported."""

    ACTOR = "actor"
    PURPOSE = "purpose"
    ACTION = "action"
    CATEGORY = "category"
    SENSITIVITY = "sensitivity"
    CODE = "code"
    INSTANCE = "instance"
    AUTHOR = "author"
    ENCOUNTER = "encounter"
    DATA_PERIOD = "data_period"
    TOPIC = "topic"
    RESEARCH_USE = "research_use"
    UNKNOWN = "unknown"
    EXCEPTION = "exception"


UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class Asker:
    """The part of a question that is the same for every resource."""

    actor: frozenset[ActorRef]
    purpose: frozenset[str]
    action: frozenset[Action]
    study: Study | None = None


Check: TypeAlias = Callable[[ResourceFacts], Tri]


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule bound to one asker.

    Attributes:
        rule: the rule.
        covers: whether the rule must cover the resource (permit reading) or only touch it.
        asker: answers of the asker's dimensions.
        checks: what remains to be asked of each resource.
        children: the carve-outs, bound, with the opposite reading.
    """

    rule: Rule
    covers: bool
    asker: tuple[tuple[Dimension, Tri], ...]
    checks: tuple[tuple[Dimension, Check], ...]
    children: tuple[Bound, ...]


def bind(rule: Rule, asker: Asker, *, nested: bool = False) -> Bound:
    """Bind a rule and its carve-outs to an asker; a nested rule says limits only, never opt-ins."""
    covers = rule.effect is Effect.PERMIT
    answers: list[tuple[Dimension, Tri]] = [
        (Dimension.ACTOR, _actor(rule.actor, asker.actor)),
        (Dimension.PURPOSE, _purpose(rule.purpose, asker.purpose, covers=covers)),
        (Dimension.ACTION, _action(rule.action, asker.action, covers=covers)),
    ]
    if covers and rule.unknown:
        answers.append((Dimension.UNKNOWN, MAYBE))
    if rule.research_use is not None or not nested:
        answers += _study(rule.research_use, asker, covers=covers)
    return Bound(
        rule=rule,
        covers=covers,
        asker=tuple(answers),
        checks=tuple(_checks(rule, covers=covers)),
        children=tuple(bind(child, asker, nested=True) for child in rule.exception),
    )


def match(bound: Bound, facts: ResourceFacts) -> Tri:
    """Answer for the whole rule."""
    answer: Tri = YES
    for _, part in bound.asker:
        answer = min(answer, part)
    for _, check in bound.checks:
        if answer == NO:
            return NO
        answer = min(answer, check(facts))
    for child in bound.children:
        answer = min(answer, turned(match(child, facts)))
    return answer


def misses(bound: Bound, facts: ResourceFacts) -> tuple[tuple[Dimension, Tri], ...]:
    """Return every dimension that does not answer YES, in reporting order."""
    found = [(name, answer) for name, answer in bound.asker if answer != YES]
    found += [(name, answer) for name, check in bound.checks if (answer := check(facts)) != YES]
    cuts = [turned(match(child, facts)) for child in bound.children]
    if cuts and (worst := min(cuts)) != YES:
        found.append((Dimension.EXCEPTION, worst))
    return tuple(sorted(found, key=lambda miss: _ORDER[miss[0]]))


_ORDER: Final = {name: place for place, name in enumerate(Dimension)}


def _actor(named: frozenset[ActorRef] | None, asking: frozenset[ActorRef]) -> Tri:
    """Compare who is named with who asks; a kind the asker left unsaid is undecided.

    Who is a person says nothing of the organisation acted for, so a rule on an organisation stays
    MAYBE then; but a registry asking is not a clinician who forgot to say so. A value "?" says that
    the kind applies and its value is not known.
    """
    if named is None:
        return YES
    if any(ref in asking and ref.value != UNKNOWN for ref in named):
        return YES
    said = {ref.kind for ref in asking} - {ref.kind for ref in asking if ref.value == UNKNOWN}
    families = {ACTOR_FAMILY[ActorKind(ref.kind)] for ref in asking}
    unsaid = any(
        ref.kind not in said and (not families or ACTOR_FAMILY[ActorKind(ref.kind)] in families)
        for ref in named
    )
    return MAYBE if unsaid else NO


def _purpose(named: frozenset[str] | None, asked: frozenset[str], *, covers: bool) -> Tri:
    if named is None:
        return YES
    if not asked:
        return MAYBE
    closure = PERMIT_CLOSURE if covers else DENY_CLOSURE
    reach = frozenset[str]().union(*(closure[code] for code in named))
    if covers:
        return YES if asked <= reach else NO
    return NO if reach.isdisjoint(asked) else YES


def _action(named: frozenset[Action] | None, asked: frozenset[Action], *, covers: bool) -> Tri:
    if named is None:
        return YES
    if not asked:
        return MAYBE
    closure = PERMIT_ACTIONS if covers else DENY_ACTIONS
    reach = frozenset[Action]().union(*(closure[code] for code in named))
    if covers:
        return YES if asked <= reach else NO
    return NO if reach.isdisjoint(asked) else YES


def _study(use: ResearchUse | None, asker: Asker, *, covers: bool) -> list[tuple[Dimension, Tri]]:
    """Compare research limits; they speak of research only, and an unsaid purpose may be research."""
    if asker.purpose and not is_research(asker.purpose):
        return [] if covers or use is None else [(Dimension.RESEARCH_USE, NO)]
    study = asker.study or UNDESCRIBED
    if covers:
        return [
            (Dimension.TOPIC, topics_inside(use, study, inside=inside)),
            (Dimension.RESEARCH_USE, conditions_met(use, study)),
        ]
    return [] if use is None else [(Dimension.RESEARCH_USE, struck(use, study, inside=inside))]


def _checks(rule: Rule, *, covers: bool) -> list[tuple[Dimension, Check]]:
    found: list[tuple[Dimension, Check]] = []
    if rule.category is not None and rule.category != ANY:
        found.append((Dimension.CATEGORY, _category_check(rule.category, covers=covers)))
    if rule.sensitivity is not None and rule.sensitivity != ANY:
        found.append((Dimension.SENSITIVITY, _opt_in_check(rule.sensitivity)))
    if rule.security_label is not None:
        found.append((Dimension.SENSITIVITY, _label_check(rule.security_label)))
    if rule.code is not None:
        found.append((Dimension.CODE, _code_check(rule.code)))
    if rule.instance is not None:
        found.append((Dimension.INSTANCE, _instance_check(rule.instance)))
    if rule.author is not None:
        found.append((Dimension.AUTHOR, _overlap_check(rule.author, lambda facts: facts.author)))
    if rule.encounter is not None:
        found.append((Dimension.ENCOUNTER, _overlap_check(rule.encounter, lambda facts: facts.encounter)))
    if rule.data_period is not None:
        found.append((Dimension.DATA_PERIOD, _period_check(rule.data_period, covers=covers)))
    return found


def _category_check(named: frozenset[Category], *, covers: bool) -> Check:
    def cover(facts: ResourceFacts) -> Tri:
        if not facts.categories <= named:
            return NO
        return (
            YES
            if facts.possible_categories <= named and facts.categories | facts.possible_categories
            else MAYBE
        )

    def touch(facts: ResourceFacts) -> Tri:
        if not named.isdisjoint(facts.categories):
            return YES
        nothing_known = not (facts.categories or facts.possible_categories)
        return MAYBE if nothing_known or not named.isdisjoint(facts.possible_categories) else NO

    return cover if covers else touch


def needed_clusters(facts: ResourceFacts) -> frozenset[Sensitivity]:
    """Return the clusters a permit must opt in to; genetics always needs `genetic`."""
    if Category.GENETICS in facts.categories:
        return facts.sensitivity | {Sensitivity.GENETIC}
    return facts.sensitivity


def _opt_in_check(named: frozenset[Sensitivity]) -> Check:
    def check(facts: ResourceFacts) -> Tri:
        if not needed_clusters(facts) <= named:
            return NO
        maybe_genetic = Category.GENETICS in facts.possible_categories and Sensitivity.GENETIC not in named
        return MAYBE if facts.sensitivity_unknown or maybe_genetic else YES

    return check


def _label_check(named: frozenset[Sensitivity]) -> Check:
    def check(facts: ResourceFacts) -> Tri:
        if not named.isdisjoint(needed_clusters(facts)):
            return YES
        maybe_genetic = Category.GENETICS in facts.possible_categories and Sensitivity.GENETIC in named
        return MAYBE if facts.sensitivity_unknown or maybe_genetic else NO

    return check


def _code_check(named: frozenset[str]) -> Check:
    def check(facts: ResourceFacts) -> Tri:
        if not facts.codes:
            return MAYBE
        return max(relate(code, wanted) for code in facts.codes for wanted in named)

    return check


def relate(code: str, wanted: str) -> Tri:
    """Relate a resource's code to a code of a rule: the same or narrower is YES (`topics.inside`)."""
    return inside(code, wanted)


def _instance_check(named: frozenset[str]) -> Check:
    def check(facts: ResourceFacts) -> Tri:
        if facts.reference is None:
            return MAYBE
        return YES if facts.reference in named else NO

    return check


def _overlap_check(named: frozenset[str], values: Callable[[ResourceFacts], frozenset[str]]) -> Check:
    def check(facts: ResourceFacts) -> Tri:
        found = values(facts)
        if not found:
            return MAYBE
        return NO if named.isdisjoint(found) else YES

    return check


def _period_check(period: DatePeriod, *, covers: bool) -> Check:
    def check(facts: ResourceFacts) -> Tri:
        return date_relation(period, facts.dates, covers=covers)

    return check


def date_relation(period: DatePeriod, dates: tuple[DateInterval, ...], *, covers: bool) -> Tri:
    """Relate clinical dates to a period: every date must lie inside to be covered, one may touch it."""
    if not dates:
        return MAYBE
    inside = [_inside(period, day) for day in dates]
    apart = [_apart(period, day) for day in dates]
    if covers:
        if any(apart):
            return NO
        return YES if all(inside) else MAYBE
    if all(apart):
        return NO
    return YES if any(inside) else MAYBE


def _inside(period: DatePeriod, day: DateInterval) -> bool:
    after = period.first is None or (day.first is not None and day.first >= period.first)
    before = period.last is None or (day.last is not None and day.last <= period.last)
    return after and before


def _apart(period: DatePeriod, day: DateInterval) -> bool:
    too_early = period.first is not None and day.last is not None and day.last < period.first
    too_late = period.last is not None and day.first is not None and day.first > period.last
    return too_early or too_late


__all__ = [
    "MAYBE",
    "NO",
    "YES",
    "Asker",
    "Bound",
    "Check",
    "Dimension",
    "Tri",
    "bind",
    "date_relation",
    "match",
    "misses",
    "needed_clusters",
    "relate",
]
