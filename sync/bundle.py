r"""Permitted resources in one transaction Bundle, and out again: the same bytes at both ends.

A resource is spliced into the bundle as the bytes it came as and cut out again as those bytes; numbers,
spaces and escapes survive, and its hash at the recipient is its hash in the patient's store. Each entry
is `PUT Type/id` under the stable id of the patient's store, so sending twice changes nothing. The body
keeps the id that its source gave it; `fullUrl` carries the address under which other resources of the
same source refer to it.

Rules of `read_transaction`:

1. size, encoding, depth; exactly the members that `build_transaction` writes;
2. at most `MAX_ENTRIES` entries, each a `PUT` of a well-formed reference, no reference twice;
3. the body is strict JSON, an object, of the type that the reference names.

Sources: FHIR R4 http.html#transaction and #update, references.html#literal,
datatypes.html#id ([A-Za-z0-9\-\.]{1,64}).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from crypto.canonical import JsonValue, canonical_bytes, parse_strict
from crypto.errors import Malformed
from crypto.slices import Cutter
from sync.errors import LocalRuleError, RemoteRuleError
from sync.reading import as_list, as_text, read_object
from sync.wire import MAX_CONTENT_BYTES, MAX_RESOURCE_DEPTH

MAX_ENTRIES = 20_000
SUBJECT_SYSTEM = "urn:pgo:pairwise-subject"

_REFERENCE = re.compile(r"([A-Z][A-Za-z]{1,63})/[A-Za-z0-9.-]{1,64}\Z")
_WRAPPING_DEPTH = 8
_MAX_DEPTH = MAX_RESOURCE_DEPTH + _WRAPPING_DEPTH
_BUNDLE = frozenset({"resourceType", "type", "identifier", "entry"})
_REQUEST = frozenset({"method", "url"})
_ENTRY = frozenset({"fullUrl", "resource", "request"})
_PUSH = frozenset({"statement", "purpose", "action", "bundle"})
_STATEMENT = frozenset({"statement"})
_NO_URLS: Mapping[str, str] = MappingProxyType({})
_ENTRY_OVERHEAD = 256  # what an entry adds around its resource, beside the fullUrl


class _Named(msgspec.Struct):
    """The one member of a resource that is read when it is sent; the rest is only walked through."""

    resource_type: str = msgspec.field(name="resourceType")


_NAMED = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class Item:
    """One resource of a transaction: its reference, its bytes, its parsed body, its source address."""

    reference: str
    raw: bytes = field(repr=False)
    body: Mapping[str, JsonValue] = field(repr=False)
    full_url: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Push:
    """The content of a push: resources, and the statement, purpose and actions they travel under."""

    statement: str = field(repr=False)
    purpose: str
    actions: tuple[str, ...]
    items: tuple[Item, ...] = field(repr=False)


def build_transaction(
    resources: Sequence[tuple[str, bytes]], *, subject_id: str, full_urls: Mapping[str, str] = _NO_URLS
) -> bytes:
    """Splice resources into a transaction Bundle.

    Args:
        resources: Pairs (reference `Type/id`, exact bytes).
        subject_id: Pairwise subject id at the recipient; becomes the identifier of the bundle.
        full_urls: Source address by reference, where there is one.

    Raises:
        LocalRuleError: `bad_reference`, or `not_a_resource` for bytes that are not one JSON object of
            the named type: such bytes could break out of their entry. What else a resource must be was
            asked when it came into the store, and is asked again by whoever receives it.
    """
    entries = b",".join(_entry(reference, raw, full_urls.get(reference)) for reference, raw in resources)
    identifier = canonical_bytes({"system": SUBJECT_SYSTEM, "value": subject_id})
    head = b'{"resourceType":"Bundle","type":"transaction","identifier":' + identifier
    return head + b',"entry":[' + entries + b"]}"


def read_transaction(data: bytes, *, subject_id: str, max_bytes: int = MAX_CONTENT_BYTES) -> tuple[Item, ...]:
    """Cut a transaction Bundle into its resources by the rules of this module.

    Args:
        data: Untrusted.
        subject_id: The sender's key text; the bundle must name the same subject.
        max_bytes: Refuse more.

    Raises:
        RemoteRuleError: `bad_content`.
    """
    try:
        cutter = Cutter(data, max_bytes=max_bytes, max_depth=_MAX_DEPTH)
        items = tuple(_read_bundle(cutter, subject_id))
        cutter.finish()
    except (Malformed, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_content") from exc
    references = {item.reference for item in items}
    if len(items) > MAX_ENTRIES or len(references) != len(items):
        raise RemoteRuleError("bad_content")
    return items


def split(
    resources: Sequence[tuple[str, bytes]], *, max_bytes: int = MAX_CONTENT_BYTES - 128 * 1024
) -> tuple[tuple[tuple[str, bytes], ...], ...]:
    """Divide resources over as few pushes as keep their order and fit the limit.

    Args:
        resources: As for `build_transaction`.
        max_bytes: Room for the resources of one push; the rest is for statement and wrapping.

    Returns:
        Groups in order; empty when there is nothing to send.

    Raises:
        LocalRuleError: `too_large`, one resource alone does not fit.
    """
    groups: list[tuple[tuple[str, bytes], ...]] = []
    group: list[tuple[str, bytes]] = []
    room = max_bytes
    for reference, raw in resources:
        needed = len(raw) + _ENTRY_OVERHEAD + 2 * len(reference)
        if needed > max_bytes:
            raise LocalRuleError("too_large")
        if needed > room or len(group) == MAX_ENTRIES:
            groups.append(tuple(group))
            group, room = [], max_bytes
        group.append((reference, raw))
        room -= needed
    return (*groups, tuple(group)) if group else tuple(groups)


def build_push(*, statement: str, transaction: bytes, purpose: str, actions: Sequence[str]) -> bytes:
    """Write the content of a push message.

    Args:
        statement: Signed statement in force (JWS).
        transaction: From `build_transaction`; spliced, not parsed again.
        purpose: Purpose code under which consent was asked.
        actions: Action codes, for instance `view`.
    """
    head = canonical_bytes({"statement": statement, "purpose": purpose, "action": sorted(set(actions))})
    return head[:-1] + b',"bundle":' + transaction + b"}"


def parse_push(content: bytes, *, subject_id: str) -> Push:
    """Read the content of a push message.

    Args:
        content: Opened, signed by the patient, still to be checked in every detail.
        subject_id: The sender's key text.

    Raises:
        RemoteRuleError: `bad_content`.
    """
    try:
        cutter = Cutter(content, max_bytes=MAX_CONTENT_BYTES, max_depth=_MAX_DEPTH)
        pieces = {name: cutter.take() for name in cutter.members()}
        cutter.finish()
        if pieces.keys() != _PUSH:
            raise RemoteRuleError("bad_content")
        actions = as_list(_value(pieces["action"]))
        return Push(
            statement=as_text(_value(pieces["statement"]), max_length=MAX_CONTENT_BYTES),
            purpose=as_text(_value(pieces["purpose"])),
            actions=tuple(as_text(action) for action in actions),
            items=read_transaction(pieces["bundle"], subject_id=subject_id),
        )
    except (Malformed, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_content") from exc


def build_statement_content(statement: str) -> bytes:
    """Write the content of a statement message."""
    return canonical_bytes({"statement": statement})


def parse_statement_content(content: bytes) -> str:
    """Read the content of a statement message: the signed statement, not yet verified.

    Raises:
        RemoteRuleError: `bad_content`.
    """
    try:
        members = read_object(content, _STATEMENT, max_bytes=MAX_CONTENT_BYTES)
        return as_text(members["statement"], max_length=MAX_CONTENT_BYTES)
    except RemoteRuleError as exc:
        raise RemoteRuleError("bad_content") from exc


def _entry(reference: str, raw: bytes, full_url: str | None) -> bytes:
    found = _REFERENCE.match(reference)
    if found is None:
        raise LocalRuleError("bad_reference")
    try:
        raw.decode("utf-8")
        named = _NAMED.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise LocalRuleError("not_a_resource") from exc
    if named.resource_type != found.group(1):
        raise LocalRuleError("not_a_resource")
    address = b"" if full_url is None else b'"fullUrl":' + canonical_bytes(full_url) + b","
    request = b',"request":{"method":"PUT","url":"' + reference.encode("ascii") + b'"}}'
    return b"{" + address + b'"resource":' + raw + request


def _read_bundle(cutter: Cutter, subject_id: str) -> Iterator[Item]:
    seen = set()
    expected: Mapping[str, JsonValue] = {
        "resourceType": "Bundle",
        "type": "transaction",
        "identifier": {"system": SUBJECT_SYSTEM, "value": subject_id},
    }
    for name in cutter.members():
        seen.add(name)
        if name == "entry":
            for _ in cutter.items():
                yield _read_entry({part: cutter.take() for part in cutter.members()})
        elif _value(cutter.take()) != expected.get(name, cutter):
            raise RemoteRuleError("bad_content")
    if seen != _BUNDLE:
        raise RemoteRuleError("bad_content")


def _read_entry(parts: Mapping[str, bytes]) -> Item:
    if not _ENTRY - {"fullUrl"} <= parts.keys() <= _ENTRY:
        raise RemoteRuleError("bad_content")
    request = read_object(parts["request"], _REQUEST, max_bytes=1_000)
    reference = as_text(request["url"])
    found = _REFERENCE.match(reference)
    body = parse_strict(parts["resource"], max_bytes=MAX_CONTENT_BYTES, max_depth=MAX_RESOURCE_DEPTH)
    if request["method"] != "PUT" or found is None or not isinstance(body, Mapping):
        raise RemoteRuleError("bad_content")
    if body.get("resourceType") != found.group(1):
        raise RemoteRuleError("bad_content")
    full_url = as_text(_value(parts["fullUrl"])) if "fullUrl" in parts else None
    return Item(reference=reference, raw=parts["resource"], body=body, full_url=full_url)


def _value(piece: bytes) -> JsonValue:
    return parse_strict(piece, max_bytes=MAX_CONTENT_BYTES)
