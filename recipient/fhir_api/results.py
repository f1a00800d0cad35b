"""Which of the permitted resources a search finds, in which order, and one page of them.

Promises: the same permitted resources and the same question give the same list; the total counts only what is
permitted and readable under the token's scope; a page is a piece of that list.

Order: by the asked dates; what has no such date comes last; the rest in the order of arrival. Ascending looks
at the beginning of a span, descending at its end (FHIR R4 search.html#sort leaves this open).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from recipient.fhir_api.addresses import patient_id, resource_id
from recipient.fhir_api.matching import Asked, Moment, Token, matches
from recipient.fhir_api.moments import FIRST, LAST, Span, fits, spans_of
from recipient.fhir_api.parameters import Parameter, values_at
from recipient.fhir_api.query import ID, LAST_UPDATED, Query
from recipient.look import Item


@dataclass(frozen=True, slots=True)
class Found:
    """One resource that an answer may hold.

    Attributes:
        handle: whose.
        item: None for a patient who shares no name.
        as_person: whether it says who a patient is, and so stands under the patient's own id.
    """

    handle: str
    item: Item | None
    as_person: bool = False

    @property
    def id(self) -> str:
        """Return its id here; made when it is asked for, because most candidates are never shown."""
        if self.item is None or self.as_person:
            return patient_id(self.handle)
        return resource_id(self.handle, self.item.reference)

    @property
    def kind(self) -> str:
        """Return the type of the resource."""
        return self.item.resource.type if self.item else "Patient"


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of what was found: these, out of so many, and what the whole list was (to notice a change)."""

    found: tuple[Found, ...]
    total: int
    start: int
    digest: str

    @property
    def next_start(self) -> int | None:
        """Where the next page starts, None after the last."""
        after = self.start + len(self.found)
        return after if self.found and after < self.total else None


def found_in(handle: str, items: Sequence[Item]) -> tuple[Found, ...]:
    """Make candidates of the permitted resources of a patient."""
    return tuple(Found(handle, item) for item in items)


def search(
    candidates: Sequence[Found], query: Query, *, may_read: Callable[[str], bool], now: datetime
) -> tuple[Found, ...]:
    """Return all that a query finds among permitted resources.

    Args:
        candidates: permitted ones, in the order of arrival.
        query: parsed.
        may_read: whether the token covers a type.
        now: for dates that are asked for approximately.
    """
    found = [one for one in candidates if _wanted(one, query, may_read, now)]
    for parameter, descending in reversed(query.sort):
        found.sort(key=partial(_sort_key, parameter=parameter, descending=descending))
    return tuple(found)


def page_of(found: Sequence[Found], *, start: int, count: int) -> Page:
    """Cut a page out of what was found."""
    names = (f"{one.handle} {one.item.reference if one.item else ''}" for one in found)
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]
    return Page(tuple(found[start : start + count]), len(found), start, digest)


def _wanted(one: Found, query: Query, may_read: Callable[[str], bool], now: datetime) -> bool:
    if not may_read(one.kind) or (query.kind is not None and one.kind != query.kind):
        return False
    if query.kinds is not None and one.kind not in query.kinds:
        return False
    return all(_fits(one, parameter, asked, now) for parameter, asked in query.filters)


def _fits(one: Found, parameter: Parameter, asked: tuple[Asked, ...], now: datetime) -> bool:
    if parameter is ID:
        own = {one.id}
        if one.item is not None:
            own |= {one.item.resource.id or one.id, resource_id(one.handle, one.item.reference)}
        return any(isinstance(token, Token) and token.code in own and not token.system for token in asked)
    if one.item is None:
        return False
    if parameter is LAST_UPDATED:
        arrived = _arrival(one.item)
        return any(
            isinstance(moment, Moment) and fits(moment.prefix, moment.span, arrived, now=now)
            for moment in asked
        )
    return matches(one.item.resource.body, parameter, asked, now=now)


def _sort_key(one: Found, parameter: Parameter, descending: bool) -> tuple[bool, timedelta]:
    spans: list[Span] = []
    if one.item is not None and parameter is LAST_UPDATED:
        spans = [_arrival(one.item)]
    elif one.item is not None:
        values = (value for path in parameter.paths for value in values_at(one.item.resource.body, path))
        spans = [span for value in values for span in spans_of(value)]
    if not spans:
        return True, timedelta(0)
    if descending:
        return False, -(max(span.end for span in spans) - FIRST)
    return False, -(LAST - min(span.start for span in spans))


def _arrival(item: Item) -> Span:
    return Span(item.received_at, item.received_at + timedelta(microseconds=1))
