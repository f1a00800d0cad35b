"""Facts of many resources, ready to be asked about together: every distinct part is kept once.

1. A resource is a row. Its facts are split into parts (`Part`); rows that agree in a part share one
   place in that part's column, so a rule looks at each distinct value once instead of at each row.
2. `Part.KIND` is everything that is no other part, so a fact that is added later is never overlooked.
3. In the column of dates the single days come first, rising: what relates to a period is a stretch.
4. A catalog says nothing about consent; it is made once per change of the records.

Source: guide performance.md section 5 (interned class keys and dates).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import Enum
from operator import attrgetter
from typing import Final

from consent.dates import DateInterval
from consent.facts import ResourceFacts


class Part(Enum):
    """The parts of facts; all but `KIND` carry the name of the one member they hold."""

    KIND = "kind"
    DATES = "dates"
    CODES = "codes"
    AUTHOR = "author"
    ENCOUNTER = "encounter"
    REFERENCE = "reference"


_SINGLE: Final = frozenset(part.value for part in Part if part is not Part.KIND)
_KEYS: Final[dict[Part, Callable[[ResourceFacts], Hashable]]] = {
    part: attrgetter(part.value) for part in Part if part is not Part.KIND
}
_KEYS[Part.KIND] = attrgetter(*(field.name for field in fields(ResourceFacts) if field.name not in _SINGLE))


def part_key(part: Part, facts: ResourceFacts) -> Hashable:
    """Return what two resources must have in common to be alike in this part."""
    return _KEYS[part](facts)


@dataclass(frozen=True, slots=True)
class Column:
    """One part of all rows.

    Attributes:
        samples: per place, facts of one row that is there.
        places: per row, its place.
        days: of the column of dates, the ordinals of the single days at the first places, rising.
    """

    samples: Sequence[ResourceFacts]
    places: Sequence[int]
    days: Sequence[int] = ()


class Catalog:
    """Rows of facts with their columns, each column made when it is first asked for."""

    def __init__(self, facts: Iterable[ResourceFacts]) -> None:
        self.facts = tuple(facts)
        self._columns: dict[Part, Column] = {}

    def __len__(self) -> int:
        return len(self.facts)

    def column(self, part: Part) -> Column:
        """Return one column; the first call makes it."""
        found = self._columns.get(part)
        if found is None:
            made = _intern(self.facts, _KEYS[part])
            found = self._columns[part] = _by_day(made) if part is Part.DATES else made
        return found


def single_day(dates: tuple[DateInterval, ...]) -> date | None:
    """Return the day when there is exactly one clinical date and it is one full day."""
    if len(dates) == 1 and dates[0].first == dates[0].last:
        return dates[0].first
    return None


def _intern(facts: Sequence[ResourceFacts], key_of: Callable[[ResourceFacts], Hashable]) -> Column:
    known: dict[Hashable, int] = {}
    samples: list[ResourceFacts] = []
    places: list[int] = []
    for one in facts:
        key = key_of(one)
        place = known.get(key)
        if place is None:
            place = known[key] = len(samples)
            samples.append(one)
        places.append(place)
    return Column(samples, places)


def _by_day(column: Column) -> Column:
    """Renumber the places so that single days come first, in order (rule 3)."""
    days = [single_day(sample.dates) for sample in column.samples]
    dated = sorted((day.toordinal(), old) for old, day in enumerate(days) if day is not None)
    order = [old for _, old in dated] + [old for old, day in enumerate(days) if day is None]
    new_place = {old: new for new, old in enumerate(order)}
    return Column(
        samples=[column.samples[old] for old in order],
        places=[new_place[old] for old in column.places],
        days=[ordinal for ordinal, _ in dated],
    )
