"""The rules of one asker as bits, so that a resource is decided by and-ing a few numbers.

1. Every rule that can matter, carve-outs included, has one bit. The bit of a rule that must cover a
   resource (a permit) means YES; the bit of one that needs only to touch it (a deny) means not NO.
   Those two readings are all a decision asks of a rule (`matching`, rule 2).
2. A rule answers the minimum of its dimensions, so its bit is the *and* of the bits its dimensions
   give; dimensions that look at one part of the facts are answered once per distinct value.
3. A carve-out whose bit is set clears the bit of the rule it cuts: it is set when it might cut a
   permit, and when it surely lifts a deny.
4. A rule that the asker's own side already answers (another recipient, another purpose) has no bit.
5. What the bits leave permitted is confirmed by the evaluator once per distinct pattern of bits. So the
   table can be quick where the answer is no, and is never the one who says yes.

Source: guide performance.md section 5; consent.md sections 2.1 (P2), 2.3.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from consent.catalog import Column, Part
from consent.dates import DateInterval
from consent.evaluator import Evaluator
from consent.facts import ResourceFacts
from consent.matching import MAYBE, YES, Bound, Check, Dimension, Tri
from consent.rules import Rule

# Which part of the facts a dimension looks at; every other dimension looks at the kind.
PARTS: Final = {
    Dimension.CODE: Part.CODES,
    Dimension.INSTANCE: Part.REFERENCE,
    Dimension.AUTHOR: Part.AUTHOR,
    Dimension.ENCOUNTER: Part.ENCOUNTER,
    Dimension.DATA_PERIOD: Part.DATES,
}


Stretches: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class _Test:
    """One dimension of one rule: the bit, the least answer that sets it, and how to find the answer."""

    bit: int
    least: Tri
    check: Check


class RuleTable:
    """Bits of all rules of an evaluator, and how each part of a resource sets them."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.all_bits = 0
        self.permit_bits = 0
        self.deny_bits = 0
        self.cuts: list[tuple[int, int]] = []
        self._tests: dict[Part, list[_Test]] = {}
        self._cut_points: set[int] = set()
        for bound in evaluator.bound_rules():
            bit = self._add(bound)
            if bound.covers:
                self.permit_bits |= bit
            else:
                self.deny_bits |= bit
        self.cut_points = tuple(sorted(self._cut_points))
        self.parts = tuple(part for part in Part if part in self._tests)

    def _add(self, bound: Bound) -> int:
        """Give a rule its bit, and its carve-outs theirs; 0 when the asker alone settles it."""
        least = YES if bound.covers else MAYBE
        if any(answer < least for _, answer in bound.asker):
            return 0
        bit = self.all_bits + 1
        self.all_bits |= bit
        for dimension, check in bound.checks:
            part = PARTS.get(dimension, Part.KIND)
            self._tests.setdefault(part, []).append(_Test(bit, least, check))
        self._cut_points.update(cut_points(bound.rule))
        children = 0
        for child in bound.children:
            children |= self._add(child)
        if children:
            self.cuts.append((bit, children))  # children come before their parent: cut from inside out
        return bit

    def part_bits(self, part: Part, facts: ResourceFacts) -> int:
        """Return the bits that one part of a resource leaves standing."""
        bits = self.all_bits
        for test in self._tests.get(part, ()):
            if bits & test.bit and test.check(facts) < test.least:
                bits ^= test.bit
        return bits

    def column_bits(self, part: Part, column: Column) -> list[int]:
        """Return the bits that each place of a column leaves standing."""
        if part is Part.DATES:
            return self._date_bits(column)
        return [self.part_bits(part, sample) for sample in column.samples]

    def settle(self, bits: int) -> int:
        """Apply the carve-outs (rule 3)."""
        for bit, children in self.cuts:
            if bits & children:
                bits &= ~bit
        return bits

    def denied(self, bits: int) -> bool:
        """Say whether a deny bites."""
        return bool(self.settle(bits) & self.deny_bits)

    def refused(self, bits: int) -> bool:
        """Say whether the bits alone refuse: a deny bites, or no permit answers YES."""
        settled = self.settle(bits)
        return bool(settled & self.deny_bits) or not settled & self.permit_bits

    def depends_on(self, parts: Iterable[Part]) -> int:
        """Return the bits of rules, carve-outs included, that look at any of these parts."""
        bits = 0
        for part in parts:
            for test in self._tests.get(part, ()):
                bits |= test.bit
        return bits

    def _date_bits(self, column: Column) -> list[int]:
        """Single days stretch by stretch, other dates by the stretches their ends lie in."""
        days, cuts = column.days, self.cut_points
        found: list[int] = []
        for end in [*(_count_below(days, cut) for cut in cuts), len(days)]:
            if end > len(found):
                bits = self.part_bits(Part.DATES, column.samples[len(found)])
                found += [bits] * (end - len(found))
        known: dict[Stretches, int] = {}
        for sample in column.samples[len(days) :]:
            where = stretches(cuts, sample.dates)
            if where not in known:
                known[where] = self.part_bits(Part.DATES, sample)
            found.append(known[where])
        return found


def cut_points(rule: Rule) -> Iterable[int]:
    """Yield the days (ordinals) at which the answer to "is it in the data period" may change."""
    period = rule.data_period
    if period is not None:
        if period.first is not None:
            yield period.first.toordinal()
        if period.last is not None:
            yield period.last.toordinal() + 1


def _count_below(days: Sequence[int], cut: int) -> int:
    return bisect_right(days, cut - 1)


def stretches(cuts: Sequence[int], dates: tuple[DateInterval, ...]) -> Stretches:
    """Number the stretches between cut points in which dates begin and end; None for an unknown end.

    Dates in the same stretches relate alike to every period that gave the cut points.
    """
    ends = [end for day in dates for end in (day.first, day.last)]
    return tuple([None if end is None else bisect_right(cuts, end.toordinal()) for end in ends])
