"""Compile a ledger for one recipient, purpose and action; then answer for many resources fast.

1. The same evaluator as `decide` gives every permit and every reason, so the answers are the same.
2. `Plan.decide` answers for one resource. Resources that no rule can tell apart share one answer.
3. `Plan.permits` answers for a whole catalog: which rows are permitted, and how. It decides by bits
   (`plan_table`), without looking for the reason of a refusal.
4. `Plan.outcomes` answers for a whole catalog with the reasons of refusals.
5. A plan is good for its instant. After `valid_until` of an answer, or any new record, compile again.

Source: guide performance.md section 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import and_
from typing import Final

from consent.catalog import Catalog, Part, part_key
from consent.codes import Action, Category
from consent.effective import effective
from consent.evaluator import Evaluator
from consent.facts import ResourceFacts
from consent.ledger import Ledger
from consent.matching import Asker, Bound, Dimension
from consent.outcome import Capabilities, Decision, Deny, Permit, Reason
from consent.plan_table import PARTS, RuleTable, cut_points, stretches
from consent.research import Study
from consent.rules import ActorRef

# What a refusal may quote of the one resource it was made for, beyond what the rules compare.
_OF_ONE: Final = frozenset({Dimension.DATA_PERIOD, Dimension.INSTANCE})


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
        self.named = frozenset[str]().union(*(bound.rule.instance or () for bound in used))

    def decide(self, facts: ResourceFacts) -> Decision:
        """Decide for one resource, as `consent.decision.decide` would."""
        answer = self._alike(facts)
        if isinstance(answer, Deny) and any(miss.dimension in _OF_ONE for miss in answer.missing):
            # The refusal quotes the dates or the name of the resource it was made for.
            return self.evaluator.answer(facts)
        return answer

    def outcomes(self, catalog: Catalog) -> list[Decision]:
        """Decide for every row of a catalog.

        As `decide`, but what a refusal quotes of dates and names in `missing` may be another row's that is
        refused for the same reasons.
        """
        permits, bits = self.permits(catalog), self._row_bits(catalog)
        denied = {pattern for pattern in set(bits) if self.table.denied(pattern)}
        keys = zip(*(self._alike_places(catalog, part) for part in self._parts), strict=True)
        known: dict[Hashable, Decision] = {}
        rows: list[Decision] = []
        for permit, pattern, key, facts in zip(permits, bits, keys, catalog.facts, strict=True):
            if permit is not None:
                rows.append(permit)
                continue
            alike: Hashable = pattern if pattern in denied else key  # a deny says no more than who denied
            if alike not in known:
                known[alike] = self._alike(facts)
            rows.append(known[alike])
        return rows

    def permits(self, catalog: Catalog) -> list[Permit | None]:
        """Say for every row of a catalog how it is permitted; None is a refusal, its reason not sought."""
        bits = self._row_bits(catalog)
        try:
            return list(map(self._by_bits.__getitem__, bits))
        except KeyError:
            self._confirm(bits, catalog)
        return list(map(self._by_bits.__getitem__, bits))

    def prepare(self, catalog: Catalog) -> None:
        """Do the work of the first `permits` over a catalog beforehand."""
        self._confirm(self._row_bits(catalog), catalog)

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
            self.permit_of(pattern, sample)

    def permit_of(self, pattern: int, sample: ResourceFacts) -> Permit | None:
        """Answer for one pattern of bits, asking the evaluator about a resource that has it."""
        if pattern not in self._by_bits:
            answer = None if self.table.refused(pattern) else self.evaluator.answer(sample)
            self._by_bits[pattern] = answer if isinstance(answer, Permit) else None
        return self._by_bits[pattern]

    def _alike(self, facts: ResourceFacts) -> Decision:
        """Decide for a resource, or for another that no rule can tell from it."""
        key = tuple([self._key(part, facts) for part in self._parts])
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self.evaluator.answer(facts)
        return answer

    def _alike_places(self, catalog: Catalog, part: Part) -> Iterable[Hashable]:
        """Per row, what it has in common with the rows that are alike in this part."""
        column = catalog.column(part)
        if part not in (Part.DATES, Part.REFERENCE):
            return column.places
        keys = [self._key(part, sample) for sample in column.samples]
        return map(keys.__getitem__, column.places)

    def _key(self, part: Part, facts: ResourceFacts) -> Hashable:
        if part is Part.DATES:
            return stretches(self._cuts, facts.dates)
        if part is Part.REFERENCE:
            return facts.reference if facts.reference in self.named else facts.reference is None
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
    study: Study | None = None,
    capabilities: Capabilities | None = None,
) -> Plan:
    """Compile a plan for one asker at one instant.

    Args:
        ledger: the verified records of the person.
        actor: every way the asker is known: person, organisation acted for, role.
        purpose: all purposes asked for; each must be permitted.
        action: all actions asked for; each must be permitted.
        at: now, as in `decide`.
        study: of a research question, what the study is.
        capabilities: duties the asker can keep; None leaves the duties to the caller.
    """
    asker = Asker(frozenset(actor), frozenset(purpose), frozenset(action), study)
    return Plan(Evaluator(effective(ledger, at), asker, capabilities=capabilities))


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


def preview(plan: Plan, facts: Catalog | Iterable[ResourceFacts]) -> Preview:
    """Count what a plan lets through."""
    catalog = facts if isinstance(facts, Catalog) else Catalog(facts)
    held_back: Counter[Reason] = Counter()
    seen: Counter[Category] = Counter()
    passed: Counter[Category] = Counter()
    for item, answer in zip(catalog.facts, plan.outcomes(catalog), strict=True):
        seen.update(item.categories)
        match answer:
            case Permit():
                passed.update(item.categories)
            case Deny(reason=reason):  # pragma: no branch (mypy: nothing else is left)
                held_back[reason] += 1
    by_category = {category: (passed[category], seen[category]) for category in Category if seen[category]}
    permitted = len(catalog) - held_back.total()
    return Preview(len(catalog), permitted, dict(held_back.most_common()), by_category)
