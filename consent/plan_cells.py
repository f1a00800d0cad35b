"""A plan as a table a database can join with: what is permitted, by kind of record and stretch of days.

A database keeps three values beside each record (`key_of`): its kind, and the first and last day its
clinical dates may lie on. Then "everything this recipient may see now" is one join of these cells with an
index on the three. Rules:

1. A cell holds for every record of its kind whose days all lie in its stretch. Stretches end where the answer
   may change, so such a record relates to every period named as one of its days does.
2. A record that reaches beyond the stretch its first day lies in can only be permitted less than that day:
   no cell, no permit; with a cell it is decided by itself.
3. Where codes, authors or encounters matter, the cell permits nothing by itself (`permit` is None) and its
   records are decided one by one; so are the records that a rule names (`named`).
4. So the join never decides anything that the plan would decide otherwise.

Source: guide performance.md section 5 (join of allowed cells).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from consent.catalog import Part
from consent.dates import DateInterval
from consent.facts import ResourceFacts
from consent.outcome import Permit
from consent.plan import Plan

NO_DATE: Final = ""
UNKNOWN_FIRST: Final = "0"
UNKNOWN_LAST: Final = "~"
_UNTOLD: Final = (Part.CODES, Part.AUTHOR, Part.ENCOUNTER)


@dataclass(frozen=True, slots=True)
class RecordKey:
    """What is kept beside a record: texts that sort as the days do.

    Attributes:
        kind: facts without dates, codes, author, encounter and name, as JSON; few distinct ones exist.
        first: first day, `UNKNOWN_FIRST` (before all days) or `NO_DATE` (before that).
        last: last day, `UNKNOWN_LAST` (after all days) or `NO_DATE`.
    """

    kind: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Cell:
    """Records of one kind whose first day lies in `first`..`last`; None: decide each by itself."""

    kind: int
    first: str
    last: str
    permit: Permit | None


def key_of(facts: ResourceFacts) -> RecordKey:
    """Return the key to keep beside a record."""
    nothing: frozenset[str] = frozenset()
    name = None if facts.reference is None else ""
    kind = replace(facts, reference=name, dates=(), codes=nothing, author=nothing, encounter=nothing)
    if not facts.dates:
        return RecordKey(kind.to_json(), NO_DATE, NO_DATE)
    first = min(UNKNOWN_FIRST if day.first is None else day.first.isoformat() for day in facts.dates)
    last = max(UNKNOWN_LAST if day.last is None else day.last.isoformat() for day in facts.dates)
    return RecordKey(kind.to_json(), first, last)


def is_certain(cell: Cell, first: str, last: str) -> bool:
    """Say whether a record with these days, found through a cell, is permitted as the cell says."""
    return cell.permit is not None and first != UNKNOWN_FIRST and last <= cell.last and last != UNKNOWN_LAST


def cells_of(plan: Plan, kinds: Iterable[tuple[int, ResourceFacts]]) -> list[Cell]:
    """Return the cells of a plan in which something is or may be permitted.

    Args:
        plan: the compiled plan.
        kinds: number and facts of every kind there is, as read back from `RecordKey.kind`.
    """
    table = plan.table
    untold = table.depends_on(_UNTOLD)
    stretches = [
        (first, last, dates, table.part_bits(Part.DATES, _dated(dates)))
        for first, last, dates in _stretches(table.cut_points)
    ]
    found: list[Cell] = []
    known: dict[int, Permit | None] = {}
    for number, facts in kinds:
        own = table.part_bits(Part.KIND, facts) & table.part_bits(Part.REFERENCE, facts)
        for first, last, dates, bits in stretches:
            both = own & bits
            if not both & table.permit_bits:
                continue
            if both & untold:
                found.append(Cell(number, first, last, None))
                continue
            if both not in known:
                known[both] = plan.permit_of(both, replace(facts, dates=dates))
            if (permit := known[both]) is not None:
                found.append(Cell(number, first, last, permit))
    return found


def _dated(dates: tuple[DateInterval, ...]) -> ResourceFacts:
    return ResourceFacts(resource_type="", dates=dates)


def _stretches(cuts: Iterable[int]) -> Iterator[tuple[str, str, tuple[DateInterval, ...]]]:
    """Yield (first, last, a day of it) of each stretch, and of records without a date."""
    yield NO_DATE, NO_DATE, ()
    begins = [date.min.toordinal(), *(cut for cut in cuts if cut > date.min.toordinal())]
    for place, begin in enumerate(begins):
        if begin > date.max.toordinal():
            return
        day = date.fromordinal(begin)
        last = (
            date.fromordinal(begins[place + 1] - 1).isoformat() if place + 1 < len(begins) else UNKNOWN_LAST
        )
        yield UNKNOWN_FIRST if place == 0 else day.isoformat(), last, (DateInterval(day, day),)


__all__ = ["Cell", "RecordKey", "cells_of", "is_certain", "key_of"]
