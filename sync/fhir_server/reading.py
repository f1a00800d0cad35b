"""Looking things up at a server: one by one, or many in one batch where the server takes batches.

1. A resource that goes by `PUT` is read under its id. One that goes by `POST` is *searched* by our
   identifier, because only a search shows that there are two.
2. An answer that is no resource of the right type is no resource.
3. What a server found a while ago is not what is there now: it is asked to look anew.
4. Without batches, those that are searched are searched many at a time. One search that finds something has
   found all of it when it was the whole answer; what it did not find is asked again by itself, for a server
   may not know how to search for several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sync.errors import RemoteRuleError, Unreachable
from sync.fhir_server.capability import Capability, Way
from sync.fhir_server.client import FhirClient, Reply
from sync.fhir_server.names import id_of, name_of, own_id, type_of
from sync.fhir_server.parcel import Body
from sync.fhir_server.transaction import Entry, batch_bytes, entries_of, identifier_query
from sync.transport import always

GONE: Final = frozenset({404, 410})
_READ: Final = frozenset({200, *GONE})
BATCH: Final = 100
"""Requests in one batch of look-ups: an answer of bounded size, and no server says how many it takes."""

TOGETHER: Final = 20
"""Names in one search: an address of about 1.5 kB, and an answer that fits in HAPI's usual page."""

FRESH: Final = {"cache-control": "no-cache"}
"""HAPI answers the same search within a minute with what it found before, unless asked like this (its JPA
configuration page, "Search Result Caching"; RFC 9111 section 5.2.1.4)."""

_TOO_MANY: Final = frozenset({"fhir_too_large", "fhir_refused"})
"""Azure says 400 to a Bundle with more entries than it takes, others 413 (RFC 9110 section 15.5.14)."""

NO_RESOURCE: Final = frozenset({200, 202, 204, 400, 404, 405, 409, 410, 412, 422})
"""What a server may answer to a question about something that is not there, or not to be had."""


@dataclass(frozen=True, slots=True)
class Line:
    """A server ready to talk to.

    Attributes:
        going: asked before each request and each piece of it; what was taken back goes no further.
    """

    client: FhirClient
    capability: Capability
    base: str
    going: Callable[[], bool] = always

    def ask(self, method: str, path: str, **more: Any) -> Reply:
        """Ask one thing, as `FhirClient.ask`.

        Raises:
            Unreachable: `taken_back` as well.
        """
        if not self.going():
            raise Unreachable("taken_back")
        return self.client.ask(method, path, going=self.going, **more)


@dataclass(frozen=True, slots=True)
class Found:
    """What lies there under one name: nothing, one body, or several."""

    bodies: tuple[Body, ...] = field(default=(), repr=False)

    @property
    def places(self) -> tuple[str, ...]:
        """`Type/id` of each, as the server calls it."""
        return tuple(name_of(body) for body in self.bodies)


def look_up(line: Line, names: Sequence[str]) -> tuple[Found, ...]:
    """Find resources by our names, in order.

    Raises:
        Unreachable, RemoteRuleError: as `FhirClient.ask`.
    """
    found = {} if "batch" in line.capability.system else _search_together(line, names)
    rest = [name for name in names if name not in found]
    for start in range(0, len(rest), BATCH):
        part = rest[start : start + BATCH]
        entries = ask_many(line, [("GET", _url(line, one)) for one in part], [type_of(one) for one in part])
        found |= {name: _found(entry, name) for entry, name in zip(entries, part, strict=True)}
    return tuple(found[name] for name in names)


def _search_together(line: Line, names: Sequence[str]) -> dict[str, Found]:
    """What searches for many identifiers at once find (rule 4)."""
    searched = [name for name in names if line.capability.way(type_of(name)) is Way.POST]
    found: dict[str, Found] = {}
    for resource_type in dict.fromkeys(type_of(name) for name in searched):
        mine = [name for name in searched if type_of(name) == resource_type]
        for start in range(0, len(mine), TOGETHER):
            found |= _searched(line, resource_type, mine[start : start + TOGETHER])
    return found


def _searched(line: Line, resource_type: str, names: Sequence[str]) -> dict[str, Found]:
    query = f"{identifier_query(*names)}&_count={2 * TOGETHER}"
    try:
        page = line.ask("GET", f"/{resource_type}?{query}", headers=FRESH).body
    except RemoteRuleError as exc:
        if exc.code != "fhir_refused":  # too long an address, or a search it does not take
            raise
        return {}
    if next_link(page) is not None:
        return {}
    found: dict[str, Found] = {}
    for body in resources_in(page):
        name = f"{resource_type}/{own_id(body)}"
        if is_of(body, resource_type) and name in names:
            found[name] = Found((*found.get(name, Found()).bodies, body))
    return found


def ask_many(line: Line, requests: Sequence[tuple[str, str]], types: Sequence[str]) -> Sequence[Entry]:
    """Make requests without bodies; one batch when the server takes them, else one after the other."""
    if "batch" in line.capability.system and len(requests) > 1:
        try:
            reply = line.ask("POST", "", body=batch_bytes(requests), headers=FRESH)
        except RemoteRuleError as exc:
            if exc.code not in _TOO_MANY:
                raise
            half = len(requests) // 2
            first = ask_many(line, requests[:half], types[:half])
            return [*first, *ask_many(line, requests[half:], types[half:])]
        return entries_of(reply.body, types, bundle_type="batch")
    found: list[Entry] = []
    for method, url in requests:
        reply = line.ask(method, f"/{url}", expect=NO_RESOURCE, headers=FRESH)
        found.append(Entry(reply.status, None, reply.body or None))
    return found


def _url(line: Line, name: str) -> str:
    if line.capability.way(type_of(name)) is Way.POST:
        return f"{type_of(name)}?{identifier_query(name)}"
    return name


def _found(entry: Entry, name: str) -> Found:
    if entry.status in GONE:
        return Found()
    if entry.status not in _READ or entry.resource is None:
        raise Unreachable("no_proof")
    body = entry.resource
    if body.get("resourceType") == "Bundle" and type_of(name) != "Bundle":
        if not isinstance(body.get("entry", []), list):
            raise Unreachable("no_proof")
        return Found(tuple(one for one in resources_in(body) if is_of(one, type_of(name))))
    if not is_of(body, type_of(name)) or body.get("id") != id_of(name):
        raise Unreachable("no_proof")
    return Found((body,))


def next_link(page: Body) -> str | None:
    """Where a page of a search says it goes on; None on the last one (FHIR R4 http.html#paging)."""
    links = page.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("relation") == "next":
            return str(link.get("url"))
    return None


def resources_in(page: Body) -> Iterator[Body]:
    """What a page of a search holds."""
    entries = page.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping):
            yield resource


def is_of(body: Body, resource_type: str) -> bool:
    """Whether a resource is of this type."""
    return body.get("resourceType") == resource_type
