"""Stored resources decoded and classified: from bytes to what can be decided about and shown.

Promises: facts are those that the table of this program finds in the bytes: now, or when they came
(``recipient.holdings``); each resource with respect to all others of its sender, now. What was decoded before
and has not changed is taken over.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from consent.classify import classify, classify_all
from consent.facts import ResourceFacts
from crypto.canonical import parse_strict
from pgo.health.record.resource import Resource
from recipient.holdings import Held
from sync.wire import MAX_CONTENT_BYTES

MAX_RECENT_BYTES = 4_000_000
"""Of all senders together, as sent; decoded it is four times as much."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A stored resource, decoded, with what it says by itself."""

    row: Held
    resource: Resource
    own: ResourceFacts


@dataclass(frozen=True, slots=True)
class Parsed:
    """A stored resource, decoded; ``own`` is what it says alone, ``facts`` what it says among the others."""

    row: Held
    resource: Resource
    own: ResourceFacts
    facts: ResourceFacts


def parse_held(rows: Iterable[Held], *, before: Iterable[Parsed] = ()) -> tuple[Parsed, ...]:
    """Decode stored resources and classify them with respect to each other.

    Args:
        rows: everything held of one sender.
        before: what was parsed of the same sender earlier; rows with the same bytes are not read again.
    """
    known = {one.row.reference: one for one in before}
    read = [_read(row, known.get(row.reference)) for row in rows]
    facts = classify_all([one.resource.body for one in read], own=[one.own for one in read])
    return tuple(
        Parsed(one.row, one.resource, one.own, found) for one, found in zip(read, facts, strict=True)
    )


class Recent:
    """What was decoded lately of the senders heard last, for records that come in many messages.

    Each message is classified among all that is held; without this the tenth would decode the first nine
    again. Held in memory only, bounded, and dropped at a new statement or a removal of its sender.
    """

    def __init__(self, max_bytes: int = MAX_RECENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[int, dict[str, Alone]]] = OrderedDict()

    def read(self, sub: str, rows: Iterable[Held]) -> list[Alone]:
        """Decode what is held of a sender; what has not changed since the last time is taken over."""
        with self._lock:
            _, before = self._known.pop(sub, (0, {}))
        found = [_read(row, before.get(row.reference)) for row in rows]
        size = sum(len(one.row.raw) for one in found)
        if size <= self._max_bytes:
            with self._lock:
                self._known[sub] = (size, {one.row.reference: one for one in found})
                while sum(one for one, _ in self._known.values()) > self._max_bytes:
                    self._known.popitem(last=False)
        return found

    def forget(self, sub: str) -> None:
        """Drop a sender."""
        with self._lock:
            self._known.pop(sub, None)


def _read(row: Held, before: Alone | Parsed | None) -> Alone:
    if before is not None and before.row.raw == row.raw and before.row.full_url == row.full_url:
        return Alone(row, before.resource, before.own)
    resource = decode_held(row)
    return Alone(row, resource, row.own or classify(resource.body))


def decode_held(row: Held) -> Resource:
    """Decode one stored resource."""
    # The bytes passed the strict reader when they came in; anything else here is a damaged store and raises.
    body = cast("Mapping[str, object]", parse_strict(row.raw, max_bytes=MAX_CONTENT_BYTES))
    # References inside the record use the id its source gave it, not the one it is stored under.
    own_id = body.get("id")
    return Resource(
        raw=row.raw,
        body=body,
        type=row.reference.partition("/")[0],
        id=own_id if isinstance(own_id, str) else None,
        full_url=row.full_url,
    )
