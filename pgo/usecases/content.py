"""From a resource to what the store keeps of it: identity, hash, index, consent facts, links, numbers.

Rules:
1. A record is known by type, id and origin. The origin is the server address in its full url; without one
   the person it refers to; a UUID is unique by itself and needs none (RFC 9562). So equal small ids of two
   hospitals stay apart, and a newer export of the same hospital is a newer version.
2. A resource without an id is named after its content: equal content is the same record.
3. Two contents are equal when members and values are equal; order of members and white space do not count,
   the way a number is written does (FHIR R4 json.html: precision matters).
4. Consent facts follow links in both directions: what a new record says can make a neighbour sensitive.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from consent.classify import classify_all
from crypto.canonical import parse_strict, sha256_id
from pgo.health.record.index import build_index
from pgo.health.record.person import subject_of
from pgo.health.record.resolve import resolver, short_reference
from pgo.health.record.resource import Resolve, Resource
from pgo.health.record.series import measured
from pgo.store.protocols import VaultStore
from pgo.store.record_types import MeasuredNumber, NewVersion, RecordColumns

ORIGIN_URN = "urn:pgo:origin:"
"""Start of the full url that an export gives a record without one: its origin survives the round trip."""

_MAX_RESOURCE_BYTES = 50_000_000
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def content_hash(body: Mapping[str, Any]) -> str:
    """Hash of a content, by rule 3."""
    text = json.dumps(
        body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_number, check_circular=False
    )
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def identity_of(resource: Resource, canonical: str) -> tuple[str, str, str]:
    """(type, id, origin) of a resource, by rules 1 and 2."""
    if resource.id is None:
        return resource.type, f"~{canonical[:40]}", ""
    return resource.type, resource.id, _origin(resource, resource.id)


def exported_url(type_: str, resource_id: str, *, origin: str, full_url: str) -> str:
    """Full url for an export: the record's own, else one with its origin; '' for a record without an id."""
    if full_url or resource_id.startswith("~"):
        return full_url
    if _UUID.fullmatch(resource_id):
        return f"urn:uuid:{resource_id}"
    return f"{ORIGIN_URN}{quote(origin, safe='')}/{type_}/{resource_id}"


def stored_resource(raw: bytes, full_url: str) -> Resource:
    """Read kept bytes again; they passed the strict reader when they came in."""
    body: Any = parse_strict(raw, max_bytes=_MAX_RESOURCE_BYTES)
    return Resource(raw, body, body["resourceType"], body.get("id"), full_url or None)


def vault_resolver(store: VaultStore) -> Resolve:
    """Look references up in the vault; keeps what it read."""
    known: dict[str, Resource | None] = {}

    def look_up(reference: str) -> Resource | None:
        if reference not in known:
            known[reference] = _one(store, reference)
        return known[reference]

    return look_up


@dataclass(frozen=True, slots=True)
class Prepared:
    """New contents ready to be stored, in file order, and new facts for older records that refer to them."""

    versions: list[NewVersion]
    neighbours: dict[int, str]


def prepare(store: VaultStore, resources: Sequence[Resource], *, self_authored: bool) -> Prepared:
    """Make everything the store keeps of new contents; long work, done before the transaction begins.

    Args:
        store: the open vault, for what the resources refer to.
        resources: new contents, in file order.
        self_authored: made by the patient in this app.
    """
    in_file, in_vault = resolver(resources), vault_resolver(store)

    def resolve(reference: str) -> Resource | None:
        return in_file(reference) or in_vault(reference)

    links = [frozenset(references_in(resource.body)) for resource in resources]
    facts, neighbours = _facts(store, resources, frozenset[str]().union(*links))
    versions = [
        _version(resource, resolve, facts=text, links=targets, self_authored=self_authored)
        for resource, text, targets in zip(resources, facts, links, strict=True)
    ]
    return Prepared(versions, neighbours)


def classify_again(store: VaultStore) -> dict[int, str]:
    """Consent facts of all records, made anew (the table of codes changed)."""
    ids: list[int] = []
    bodies: list[Mapping[str, Any]] = []
    for record_id, full_url, raw in store.records.raws(store.records.present_ids()):
        ids.append(record_id)
        bodies.append(stored_resource(raw, full_url).body)
    return dict(zip(ids, (facts.to_json() for facts in classify_all(bodies)), strict=True))


def references_in(value: Any) -> Iterator[str]:
    """All literal references of a resource, ``Type/id`` where they are one."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):  # most of them; asking an abstract class of each would cost the most here
            continue
        if isinstance(item, Mapping):
            target = item.get("reference")
            if isinstance(target, str) and target and not target.startswith("#"):
                yield short_reference(target) or target
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def names_of(resource: Resource) -> frozenset[str]:
    """The references by which others can mean this resource."""
    return frozenset(filter(None, (resource.reference, resource.full_url)))


def _version(
    resource: Resource, resolve: Resolve, *, facts: str, links: frozenset[str], self_authored: bool
) -> NewVersion:
    canonical = content_hash(resource.body)
    type_, resource_id, origin = identity_of(resource, canonical)
    return NewVersion(
        type=type_,
        resource_id=resource_id,
        origin=origin,
        full_url=resource.full_url or "",
        raw=resource.raw,
        raw_sha256=sha256_id(resource.raw),
        canonical=canonical,
        original=resource.original,
        original_format=resource.original_format,
        columns=index_columns(resource, resolve),
        facts=facts,
        links=links,
        measured=measured_numbers(resource),
        self_authored=self_authored,
    )


def measured_numbers(resource: Resource) -> tuple[MeasuredNumber, ...]:
    """The numbers of a record for the charts, as the store keeps them."""
    return tuple(
        MeasuredNumber(m.key, m.title, m.code, m.unit, m.at, str(m.value), m.text, m.ucum)
        for m in measured(resource)
    )


def index_columns(resource: Resource, resolve: Resolve) -> RecordColumns:
    """The index columns of a record, as the store keeps them."""
    index = build_index(resource, resolve=resolve)
    return RecordColumns(
        kind=index.kind.value,
        title=index.title,
        detail=index.detail,
        start=index.start,
        end=index.end,
        status=index.status.value,
        code=index.code,
        unit=index.unit,
        value=index.value,
        value_text=index.value_text,
        search=index.search,
    )


def _facts(
    store: VaultStore, resources: Sequence[Resource], targets: frozenset[str]
) -> tuple[list[str], dict[int, str]]:
    """Facts of the new contents, and of the older records that refer to them where they changed."""
    names = frozenset[str]().union(*(names_of(resource) for resource in resources))
    linked = set(store.records.ids_by_reference(targets - names).values())
    users = set(store.records.linking_to(names))
    around: list[tuple[int, Resource]] = [
        (record_id, stored_resource(raw, full_url))
        for record_id, full_url, raw in store.records.raws(linked | users)
    ]
    # A new version of a record stands in for its older one, which must not speak any more.
    around = [(record_id, other) for record_id, other in around if other.reference not in names]
    found = classify_all([*(r.body for r in resources), *(other.body for _, other in around)])
    texts = [facts.to_json() for facts in found]
    neighbours = {
        record_id: text
        for (record_id, _), text in zip(around, texts[len(resources) :], strict=True)
        if record_id in users
    }
    return texts[: len(resources)], neighbours


def _origin(resource: Resource, resource_id: str) -> str:
    if _UUID.fullmatch(resource_id):
        return ""
    url = resource.full_url or ""
    ending = f"/{resource.type}/{resource_id}"
    if url.startswith(ORIGIN_URN) and url.endswith(ending):
        return unquote(url[len(ORIGIN_URN) : -len(ending)])
    if url.startswith(("http://", "https://")) and url.endswith(ending):
        return url[: -len(ending)]
    subject = subject_of(resource)
    return (short_reference(subject) or subject) if subject else ""


def _one(store: VaultStore, reference: str) -> Resource | None:
    for name in filter(None, (reference, short_reference(reference))):
        found = store.records.ids_by_reference((name,))
        for _, full_url, raw in store.records.raws(found.values()):
            return stored_resource(raw, full_url)
    return None


def _number(value: object) -> Any:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    raise TypeError("only JSON values have a content hash")
