"""Compile a ledger for one recipient, purpose and action; then answer for many resources fast.

1. The same evaluator as `decide` gives every permit and every reason, so the answers are the same.
2. `Plan.decide` answers for one resource. Resources that no rule can tell apart share one answer.
3. `Plan.permits` answers for a whole catalog: which rows are permitted, and how. It decides by bits
   (`plan_table`), without looking for the reason of a refusal.
4. `Plan.decide_all` answers for a whole catalog with the reasons.
5. A plan is good for its instant. After `valid_until` of an answer, or any new record, compile again.

Source: guide performance.md section 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import and_

from consent.catalog import Catalog, Part, part_key
from consent.codes import Action, Category
from consent.decision import Decision, Deny, Evaluator, Permit, Reason
from consent.effective import effective
from consent.facts import ResourceFacts
from consent.ledger import Ledger
from consent.matching import Asker, Bound
from consent.plan_table import PARTS, RuleTable, cut_points, stretches
from consent.rules import ActorRef


class Plan:
    """Answers of one ledger at one instant for one asker."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.table = RuleTable(evaluator)
        self._answers: dict[Hashable, Decision] = {}
        self._by_bits: dict[int, Permit | None] = {}
        self._applied: tuple[Catalog, tuple[tuple[Part, list[int]], ...]] | None = None
        used = [bound for rule in evaluator.bound_rules() for bound in _with_children(rule)]
        looked_at = {PARTS.get(dimension, Part.KIND) for bound in used for dimension, _ in bound.checks}
        self._parts = tuple(part for part in Part if part in looked_at or part is Part.KIND)
        self._cuts = tuple(sorted({point for bound in used for point in cut_points(bound.rule)}))
        self._named = frozenset[str]().union(*(bound.rule.instance or () for bound in used))

    def decide(self, facts: ResourceFacts) -> Decision:
        """Decide for one resource, as `consent.decision.decide` would."""
        key = tuple([self._key(part, facts) for part in self._parts])
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self.evaluator.answer(facts)
        return answer

    def decide_all(self, catalog: Catalog) -> list[Decision]:
        """Decide for every row of a catalog, in its order."""
        keys = list(zip(*(catalog.column(part).places for part in self._parts), strict=True))
        samples = dict(zip(keys, catalog.facts, strict=True))
        answers = {key: self.decide(sample) for key, sample in samples.items()}
        return [answers[key] for key in keys]

    def permits(self, catalog: Catalog) -> list[Permit | None]:
        """Say for every row of a catalog how it is permitted; None is a refusal.

        The same answers as `decide_all` without the reasons, and many times faster.
        """
        bits = self._row_bits(catalog)
        try:
            return list(map(self._by_bits.__getitem__, bits))
        except KeyError:
            self._confirm(bits, catalog)
        return list(map(self._by_bits.__getitem__, bits))

    def _row_bits(self, catalog: Catalog) -> list[int]:
        rows: Iterator[int] | None = None
        for part, bits in self._bits_over(catalog):
            own = map(bits.__getitem__, catalog.column(part).places)
            rows = own if rows is None else map(and_, rows, own)
        return [self.table.all_bits] * len(catalog) if rows is None else list(rows)

    def _bits_over(self, catalog: Catalog) -> tuple[tuple[Part, list[int]], ...]:
        """Bits per place of each column looked at; kept, because a plan is mostly asked for one catalog."""
        if self._applied is None or self._applied[0] is not catalog:
            table = self.table
            columns = tuple((part, table.column_bits(part, catalog.column(part))) for part in table.parts)
            self._applied = (catalog, columns)
        return self._applied[1]

    def _confirm(self, bits: Iterable[int], catalog: Catalog) -> None:
        """Answer each new pattern of bits for one row that has it."""
        for pattern, sample in dict(zip(bits, catalog.facts, strict=True)).items():
            if pattern not in self._by_bits:
                self._by_bits[pattern] = self.answer_of(pattern, sample)

    def answer_of(self, pattern: int, sample: ResourceFacts) -> Permit | None:
        """Answer for one pattern of bits, asking the evaluator about a resource that has it."""
        if self.table.refused(self.table.settle(pattern)):
            return None
        answer = self.evaluator.answer(sample)
        return answer if isinstance(answer, Permit) else None

    def _key(self, part: Part, facts: ResourceFacts) -> Hashable:
        if part is Part.DATES:
            return stretches(self._cuts, facts.dates)
        if part is Part.REFERENCE:
            return facts.reference if facts.reference in self._named else facts.reference is None
        return part_key(part, facts)


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
