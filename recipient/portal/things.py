"""Records of several sources about one thing, shown as one line; nothing is merged in storing.

What counts as the same is decided in ``pgo.health.record.sameness``, for both sides alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pgo.health.record.index import concept_of
from pgo.health.record.merge import merge
from pgo.health.record.resolve import referred
from pgo.health.record.safe import obj
from pgo.health.record.sameness import About, about, candidates, names_of_thing
from pgo.health.record.status import RecordStatus
from recipient.look import Item
from recipient.portal.view import View

# What holds now says most about a thing; of equals the newest.
_WEIGHT = (
    RecordStatus.CURRENT,
    RecordStatus.UNKNOWN,
    RecordStatus.PLANNED,
    RecordStatus.PAST,
    RecordStatus.ENTERED_IN_ERROR,
)


def things(view: View, items: Iterable[Item]) -> list[tuple[Item, ...]]:
    """Group records by what they are about, the foremost record of each group first."""
    known = {item.id: item for item in items}
    groups = merge(candidates(_row(view, item) for item in known.values()))
    return [_foremost_first(view, [known[number] for number in group]) for group in groups]


def _row(view: View, item: Item) -> tuple[int, int, About, dict[str, str]]:
    resolve = view.look.resolve
    body = item.resource.body
    medicine = referred(body, obj(body, "medicationReference"), resolve)
    found = about(item.resource, concept_of(item.resource, resolve), medicine)
    return item.id, 0, found, names_of_thing(found)


def _foremost_first(view: View, items: Sequence[Item]) -> tuple[Item, ...]:
    newest_first = sorted(items, key=lambda item: (item.index.start, item.id), reverse=True)
    return tuple(sorted(newest_first, key=lambda item: _WEIGHT.index(view.status(item.index))))
