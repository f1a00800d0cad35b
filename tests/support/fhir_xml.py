"""Write a FHIR R4 resource as XML, to try the reader of XML there and back.

Made for tests and independent of the reader but for the table of elements, which gives their order
(https://hl7.org/fhir/R4/xml.html: elements in the order of the definition, primitives as `value`, ids of
elements and the url of an extension as attributes).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from pgo.health.assets import load_table


class Written(str):
    """A number exactly as it stood in the JSON."""

    __slots__ = ()


def parsed(raw: bytes) -> Any:
    """Decode JSON with every number as it was written."""
    return json.loads(raw, parse_float=Written, parse_int=Written)


def resource_xml(body: dict[str, Any]) -> str:
    """Write one resource, its numbers as `parsed` gives them."""
    return _resource(body, ' xmlns="http://hl7.org/fhir"')


def _types() -> dict[str, dict[str, str]]:
    types: dict[str, dict[str, str]] = load_table("fhir/r4-elements.json")["types"]
    return types


def _resource(body: dict[str, Any], namespace: str = "") -> str:
    kind = body["resourceType"]
    return f"<{kind}{namespace}>{''.join(_members(kind, body, inside=False))}</{kind}>"


def _members(kind: str, value: dict[str, Any], *, inside: bool) -> Iterator[str]:
    for name, notation in _types()[kind].items():
        type_ = notation.rstrip("*!")
        if inside and (name == "id" or (kind == "Extension" and name == "url")):
            continue  # an attribute
        items, twins = value.get(name), value.get(f"_{name}")
        if "*" not in notation:
            items, twins = [items], [twins]
        items, twins = items or [], twins or []
        for place in range(max(len(items), len(twins))):
            item = items[place] if place < len(items) else None
            twin = twins[place] if place < len(twins) else None
            if item is not None or twin is not None:
                yield _element(name, type_, item, twin or {})


def _element(name: str, type_: str, item: Any, twin: dict[str, Any]) -> str:
    if type_ == "Resource":
        return f"<{name}>{_resource(item)}</{name}>"
    if name == "div" and isinstance(item, str):
        return item
    if isinstance(item, dict):
        url = f" url={quoteattr(item['url'])}" if type_ == "Extension" else ""
        return f"<{name}{_id(item)}{url}>{''.join(_members(type_, item, inside=True))}</{name}>"
    value = "" if item is None else f" value={quoteattr(_text(item), _ESCAPES)}"
    extensions = "".join(_element("extension", "Extension", one, {}) for one in twin.get("extension", ()))
    return f"<{name}{_id(twin)}{value}>{extensions}</{name}>"


_ESCAPES = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def _text(item: Any) -> str:
    return json.dumps(item) if isinstance(item, bool) else str(item)


def _id(item: dict[str, Any]) -> str:
    return f" id={quoteattr(item['id'])}" if "id" in item else ""
