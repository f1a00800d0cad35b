"""Bodies into a transaction Bundle, and its answer, entry by entry.

1. A type that goes by `PUT` goes under our own id. One that goes by `POST` carries our identifier and
   If-None-Exist on it, so sending twice makes one; when we know where it lies, it is updated there. Where
   a type has room for one identifier only and the source's own is in it, the resource does not go.
2. Inside one Bundle a new resource is meant by its `urn:uuid:`; a known one by its place there.
3. Of the answer every entry counts: as many as were asked, each with a status and, for what was stored,
   a place of the right type. Anything else proves nothing.

Source: FHIR R4 http.html#transaction, #ccreate, #transaction-response; bundle.html#bundle-unique.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from crypto.canonical import JsonValue
from sync.errors import Unreachable
from sync.fhir_server.capability import Capability, Way
from sync.fhir_server.client import wait_of_outcome
from sync.fhir_server.exact import exact_bytes
from sync.fhir_server.names import RECORD_SYSTEM, id_of, name_of, there_in, type_of, with_references
from sync.fhir_server.parcel import Body

ONE_IDENTIFIER: Final = frozenset({"QuestionnaireResponse", "Composition"})
"""R4 types with `identifier` 0..1 (questionnaireresponse.html, composition.html)."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One resource on its way.

    Attributes:
        name: ours.
        method: `PUT` or `POST`.
        url: what is asked.
        body: as it goes.
    """

    name: str
    method: str
    url: str
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """The answer to one entry: its status and, when the server says, where the resource lies."""

    status: int
    there: str | None
    resource: Body | None = field(default=None, repr=False)


def way_of(body: Body, capability: Capability) -> Way | None:
    """How one resource goes: as its type does, if our identifier has a place in it (rule 1)."""
    way = capability.way(type_of(name_of(body)))
    taken = type_of(name_of(body)) in ONE_IDENTIFIER and "identifier" in body
    return None if way is Way.POST and taken else way


def prepare(bodies: Sequence[Body], capability: Capability, known: Mapping[str, str]) -> tuple[Sending, ...]:
    """Make the entries of one Bundle; everything in it must have a way (`way_of`)."""
    inside = {name_of(body) for body in bodies}

    def meant(reference: str) -> str:
        if capability.way(type_of(reference)) is not Way.POST:
            return reference
        if reference in known:
            return known[reference]
        return f"urn:uuid:{id_of(reference)}" if reference in inside else reference

    return tuple(_sending(body, capability, known, with_references(body, meant)) for body in bodies)


def bundle_bytes(sendings: Sequence[Sending], *, bundle_type: str, base: str) -> bytes:
    """Write the Bundle."""
    entries: list[JsonValue] = []
    for one in sendings:
        request: dict[str, JsonValue] = {"method": one.method, "url": one.url}
        if one.method == "POST":
            request["ifNoneExist"] = identifier_query(one.name)
        new = one.method == "POST"
        address = f"urn:uuid:{id_of(one.name)}" if new else f"{base}/{one.url}"
        entries.append({"fullUrl": address, "resource": one.body, "request": request})
    return exact_bytes({"resourceType": "Bundle", "type": bundle_type, "entry": entries})


def batch_bytes(requests: Sequence[tuple[str, str]]) -> bytes:
    """Write a batch of requests without bodies: (method, url)."""
    entries: list[JsonValue] = [{"request": {"method": method, "url": url}} for method, url in requests]
    return exact_bytes({"resourceType": "Bundle", "type": "batch", "entry": entries})


def identifier_query(*names: str) -> str:
    """The search that finds what we call so; of several names any (FHIR R4 search.html#combining)."""
    return "identifier=" + ",".join(f"{quote(RECORD_SYSTEM, safe=':')}%7C{id_of(name)}" for name in names)


def entries_of(reply: Body, types: Sequence[str], *, bundle_type: str) -> tuple[Entry, ...]:
    """Read the answer to a Bundle (rule 3).

    Raises:
        Unreachable: `no_proof`; or `busy` when the server put off an entry.
    """
    answered = reply.get("entry")
    right = reply.get("resourceType") == "Bundle" and reply.get("type") == f"{bundle_type}-response"
    if not right or not isinstance(answered, list) or len(answered) != len(types):
        raise Unreachable("no_proof")
    return tuple(_entry(one, resource_type) for one, resource_type in zip(answered, types, strict=True))


def _entry(one: JsonValue, resource_type: str) -> Entry:
    response = one.get("response") if isinstance(one, Mapping) else None
    if not isinstance(one, Mapping) or not isinstance(response, Mapping):
        raise Unreachable("no_proof")
    status = _status(response.get("status"))
    if status in (429, 503):
        raise Unreachable("busy", retry_after_seconds=wait_of_outcome(response.get("outcome")))
    resource = one.get("resource")
    body = resource if isinstance(resource, Mapping) else None
    return Entry(status, there_in(response.get("location"), resource_type), body)


def _status(value: JsonValue) -> int:
    """`Bundle.entry.response.status` starts with the three digits (FHIR R4 bundle-definitions.html)."""
    text = value[:3] if isinstance(value, str) else ""
    if not (len(text) == 3 and text.isascii() and text.isdigit()):
        raise Unreachable("no_proof")
    return int(text)


def _sending(
    body: Body, capability: Capability, known: Mapping[str, str], meant: Mapping[str, Any]
) -> Sending:
    name = name_of(body)
    if capability.way(type_of(name)) is Way.PUT:
        return Sending(name, "PUT", name, meant)
    labelled = _labelled(meant, id_of(name))
    there = known.get(name)
    if there is None:
        return Sending(
            name, "POST", type_of(name), {key: value for key, value in labelled.items() if key != "id"}
        )
    return Sending(name, "PUT", there, {**labelled, "id": id_of(there)})


def _labelled(body: Mapping[str, Any], own: str) -> dict[str, Any]:
    """Add our identifier to those a resource has."""
    ours = {"system": RECORD_SYSTEM, "value": own}
    if body["resourceType"] in ONE_IDENTIFIER:
        return {**body, "identifier": ours}
    return {**body, "identifier": [*(body.get("identifier") or []), ours]}
