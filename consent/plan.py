"""Compile a ledger for one recipient, purpose and action; then answer for many resources fast.

1. The same evaluator as `decide` gives every answer, so the answers are the same.
2. Resources that no rule can tell apart share one answer: the key holds what the rules look at
   (categories and clusters always; codes, author, encounter only if some rule asks for them; the
   reference only if a rule names it; dates as their relation to the periods named).
3. A plan is good for its instant. After `valid_until` of an answer, or any new record, compile again.

Source: guide performance.md section 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from consent.codes import Action, Category
from consent.dates import DateInterval
from consent.decision import Decision, Deny, Evaluator, Permit, Reason
from consent.effective import effective
from consent.facts import ResourceFacts
from consent.ledger import Ledger
from consent.matching import Asker, Bound, Tri, date_relation
from consent.rules import ActorRef, DatePeriod


class Plan:
    """Answers of one ledger at one instant for one asker."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._answers: dict[Hashable, Decision] = {}
        self._related: dict[tuple[DateInterval, ...], tuple[Tri, ...]] = {}
        used = [bound for rule in evaluator.bound_rules() for bound in _with_children(rule)]
        self._codes = any(bound.rule.code is not None for bound in used)
        self._instances = frozenset[str]().union(*(bound.rule.instance or () for bound in used))
        self._people = any(
            bound.rule.author is not None or bound.rule.encounter is not None for bound in used
        )
        self._periods: tuple[tuple[DatePeriod, bool], ...] = tuple(
            {
                (bound.rule.data_period, bound.covers): None
                for bound in used
                if bound.rule.data_period is not None
            }
        )

    def decide(self, facts: ResourceFacts) -> Decision:
        """Decide for one resource, as `consent.decision.decide` would."""
        key = self._key(facts)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._evaluator.answer(facts)
        return answer

    def _key(self, facts: ResourceFacts) -> Hashable:
        return (
            facts.categories,
            facts.possible_categories,
            facts.sensitivity,
            facts.sensitivity_unknown,
            facts.codes if self._codes else None,
            facts.reference if facts.reference in self._instances else facts.reference is None,
            (facts.author, facts.encounter) if self._people else None,
            self._relations(facts.dates) if self._periods else None,
        )

    def _relations(self, dates: tuple[DateInterval, ...]) -> tuple[Tri, ...]:
        found = self._related.get(dates)
        if found is None:
            found = tuple(date_relation(period, dates, covers=covers) for period, covers in self._periods)
            self._related[dates] = found
        return found


def _with_children(bound: Bound) -> Iterable[Bound]:
    yield bound
    for child in bound.children:
        yield from _with_children(child)


def compile_plan(
    ledger: Ledger,
    *,
    actor: Collection[ActorRef],
    purpose: Collection[str],
    action: Collection[Action],
    at: datetime,
) -> Plan:
    """Compile a plan for one asker at one instant.

    Args:
        ledger: the verified records of the person.
        actor: every way the asker is known: person, organisation acted for, role.
        purpose: all purposes asked for; each must be permitted.
        action: all actions asked for; each must be permitted.
        at: now, as in `decide`.
    """
    asker = Asker(frozenset(actor), frozenset(purpose), frozenset(action))
    return Plan(Evaluator(effective(ledger, at), asker))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a recipient would see: counts only.

    Attributes:
        total: resources asked about.
        permitted: of those, permitted.
        held_back: the others, by reason, most frequent first.
        by_category: (permitted, total) per category; a resource of several counts in each.
    """

    total: int
    permitted: int
    held_back: Mapping[Reason, int]
    by_category: Mapping[Category, tuple[int, int]]


def preview(plan: Plan, facts: Iterable[ResourceFacts]) -> Preview:
    """Count what a plan lets through."""
    held_back: Counter[Reason] = Counter()
    seen: Counter[Category] = Counter()
    passed: Counter[Category] = Counter()
    total = permitted = 0
    for item in facts:
        total += 1
        seen.update(item.categories)
        match plan.decide(item):
            case Permit():
                permitted += 1
                passed.update(item.categories)
            case Deny(reason=reason):
                held_back[reason] += 1
    by_category = {category: (passed[category], seen[category]) for category in Category if seen[category]}
    return Preview(total, permitted, dict(held_back.most_common()), by_category)
