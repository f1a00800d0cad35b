"""Looking things up at a server: one by one, or many in one batch where the server takes batches.

1. A resource that goes by `PUT` is read under its id. One that goes by `POST` is *searched* by our
   identifier, because only a search shows that there are two.
2. An answer that is no resource of the right type is no resource.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from sync.errors import RemoteRuleError, Unreachable
from sync.fhir_server.capability import Capability, Way
from sync.fhir_server.client import FhirClient, Reply
from sync.fhir_server.names import TAG_SYSTEM, id_of, name_of, own_id, type_of
from sync.fhir_server.parcel import Body
from sync.fhir_server.transaction import Entry, batch_bytes, entries_of, identifier_query
from sync.transport import always

GONE: Final = frozenset({404, 410})
_READ: Final = frozenset({200, *GONE})
BATCH: Final = 100
"""Requests in one batch of look-ups: an answer of bounded size, and no server says how many it takes."""


MAX_TAGGED: Final = 5_000


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
    urls = [_url(line, name) for name in names]
    found: list[Found] = []
    for start in range(0, len(names), BATCH):
        part = slice(start, start + BATCH)
        entries = ask_many(line, [("GET", url) for url in urls[part]], [type_of(one) for one in names[part]])
        found += [_found(entry, name) for entry, name in zip(entries, names[part], strict=True)]
    return tuple(found)


def all_tagged(line: Line, anchor: str) -> frozenset[str]:
    """Names of everything there with our tag, of the types that can be searched; at most `MAX_TAGGED` a type.

    A server that does not know the search by tag (FHIR R4 search.html#tag) says nothing here, and its answer
    is then taken as nothing: only what carries the tag indeed counts.
    """
    code = id_of(anchor)
    query = f"_tag={quote(TAG_SYSTEM, safe=':')}%7C{code}&_count={MAX_TAGGED}"
    found: set[str] = set()
    for resource_type in sorted(line.capability.types):
        if line.capability.way(resource_type) is None or not line.capability.searches(resource_type):
            continue
        reply = line.ask("GET", f"/{resource_type}?{query}", expect=_ANY)
        entries = reply.body.get("entry") or []
        for one in entries if isinstance(entries, list) else ():
            body = one.get("resource") if isinstance(one, Mapping) else None
            if isinstance(body, Mapping) and _is(body, resource_type) and _is_tagged(body, code):
                found.add(f"{resource_type}/{own_id(body)}")
    return frozenset(found)


def _is_tagged(body: Body, code: str) -> bool:
    meta = body.get("meta")
    tags = meta.get("tag") if isinstance(meta, Mapping) else None
    wanted = {"system": TAG_SYSTEM, "code": code}
    return isinstance(tags, list) and any(
        isinstance(tag, Mapping) and wanted.items() <= tag.items() for tag in tags
    )


def ask_many(line: Line, requests: Sequence[tuple[str, str]], types: Sequence[str]) -> Sequence[Entry]:
    """Make requests without bodies; one batch when the server takes them, else one after the other."""
    if "batch" in line.capability.system and len(requests) > 1:
        try:
            reply = line.ask("POST", "", body=batch_bytes(requests))
        except RemoteRuleError as exc:
            if exc.code != "fhir_too_large":
                raise
            half = len(requests) // 2
            first = ask_many(line, requests[:half], types[:half])
            return [*first, *ask_many(line, requests[half:], types[half:])]
        return entries_of(reply.body, types, bundle_type="batch")
    found: list[Entry] = []
    for method, url in requests:
        reply = line.ask(method, f"/{url}", expect=_ANY)
        found.append(Entry(reply.status, None, reply.body or None))
    return found


_ANY: Final = frozenset({200, 202, 204, 400, 404, 405, 409, 410, 412, 422})


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
        entries = body.get("entry") or []
        if not isinstance(entries, list):
            raise Unreachable("no_proof")
        inside = [one.get("resource") for one in entries if isinstance(one, Mapping)]
        right = [one for one in inside if isinstance(one, Mapping) and _is(one, type_of(name))]
        return Found(tuple(right))
    if not _is(body, type_of(name)) or body.get("id") != id_of(name):
        raise Unreachable("no_proof")
    return Found((body,))


def _is(body: Body, resource_type: str) -> bool:
    return body.get("resourceType") == resource_type
