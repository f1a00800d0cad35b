"""Stored resources decoded and classified: from bytes to what can be decided about and shown.

Promises: facts are found from the bytes and from nothing else, by the table of this program, each resource
with respect to all others of its sender; what was decoded before and has not changed is taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from consent.classify import classify, classify_all
from consent.facts import ResourceFacts
from crypto.canonical import parse_strict
from pgo.health.record.resource import Resource
from recipient.holdings import Held
from sync.wire import MAX_CONTENT_BYTES


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
    facts = classify_all([resource.body for _, resource, _ in read], own=[own for _, _, own in read])
    return tuple(Parsed(*parts, found) for parts, found in zip(read, facts, strict=True))


def _read(row: Held, before: Parsed | None) -> tuple[Held, Resource, ResourceFacts]:
    if before is not None and before.row.raw == row.raw and before.row.full_url == row.full_url:
        return row, before.resource, before.own
    resource = decode_held(row)
    return row, resource, classify(resource.body)


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
