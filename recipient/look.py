"""What one look may show, and how it is made of what is held: values only, no store.

Promises: an item is made of permitted resources alone, so that a title never looks behind a reference to
something withheld; what is made once for the same permitted resources is taken over whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial

from consent.facts import ResourceFacts
from pgo.health.record.index import RecordIndex, build_index
from pgo.health.record.resolve import nothing, resolver
from pgo.health.record.resource import Resolve, Resource
from pgo.health.record.series import Series, build_series, join_units, measured
from pgo.health.record.views import PersonView, person_view
from recipient.errors import NotShared
from recipient.holdings import Holding
from recipient.parsed import Parsed
from recipient.treating import Grounds


@dataclass(frozen=True, slots=True)
class Item:
    """One permitted resource, ready to show."""

    id: int
    reference: str
    resource: Resource
    facts: ResourceFacts
    index: RecordIndex
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Permitted:
    """The permitted part of one record, ready to show; ``lines`` is worked out when first asked for."""

    shown: tuple[int, ...] = ()
    items: tuple[Item, ...] = ()
    resolve: Resolve = nothing
    lines: Callable[[], tuple[Series, ...]] = tuple


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at one patient may show; ``since`` is the end of one's last visit, None for none."""

    holding: Holding
    person: PersonView | None
    items: tuple[Item, ...]
    resolve: Resolve
    grounds: Grounds
    since: datetime | None = None
    lines: Callable[[], tuple[Series, ...]] = tuple

    @classmethod
    def of(cls, holding: Holding, permitted: Permitted, grounds: Grounds) -> Look:
        """Make a look of the permitted part of a record."""
        return cls(
            holding=holding,
            person=person_of(item.resource for item in permitted.items),
            items=permitted.items,
            resolve=permitted.resolve,
            grounds=grounds,
            lines=permitted.lines,
        )

    def item(self, item_id: int) -> Item:
        """Return one item; ``NotShared`` when it is not among the permitted ones."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise NotShared

    def series(self) -> tuple[Series, ...]:
        """Return all measurements as lines over time; a point's ``record_id`` is an item id."""
        return self.lines()


def permitted_of(
    parsed: Iterable[Parsed], permits: Callable[[ResourceFacts], bool], *, before: Permitted | None = None
) -> Permitted:
    """Make the permitted part of a record ready to show.

    Args:
        parsed: all that is held.
        permits: tells what may be shown.
        before: what was made of the same ``parsed`` earlier; returned as it is when as much is permitted.
    """
    chosen = tuple(one for one in parsed if permits(one.facts))
    shown = tuple(one.row.id for one in chosen)
    if before is not None and before.shown == shown:
        return before  # titles look behind references, so they depend on the whole permitted set
    resolve = resolver(one.resource for one in chosen)
    items = tuple(_item(one, resolve) for one in chosen)
    # Lines are asked for by most pages, and take long for long records.
    return Permitted(shown, items, resolve, cache(partial(_lines, items)))


def person_of(resources: Iterable[Resource]) -> PersonView | None:
    """Return who it is, as the first Patient among the resources says."""
    return next((person_view(resource) for resource in resources if resource.type == "Patient"), None)


def categories_of(items: Iterable[Item]) -> frozenset[str]:
    """Return the kinds of data among items."""
    return frozenset(str(category) for item in items for category in item.facts.categories)


def opaque_key(text: str) -> str:
    """Return a short stand-in for a clinical key, for addresses: they stay behind in browser histories."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]


def _item(one: Parsed, resolve: Resolve) -> Item:
    return Item(
        id=one.row.id,
        reference=one.row.reference,
        resource=one.resource,
        facts=one.facts,
        index=build_index(one.resource, resolve=resolve),
        received_at=one.row.received_at,
    )


def _lines(items: Sequence[Item]) -> tuple[Series, ...]:
    numbers = ((item.id, number) for item in items for number in measured(item.resource))
    return join_units(build_series(numbers))
