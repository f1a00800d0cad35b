"""Words and forms that every module of this package shares: systems, names of resources, walking a body.

A *name* is `Type/uuid`: how we call a resource at one server (`crypto.naming`). Where it lies *there* may be
another id, when the server gives out its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

from crypto.canonical import JsonValue

RECORD_SYSTEM: Final = "urn:pgo:pairwise-record"
"""Identifier by which we find what we sent; its value is the uuid of the name."""

TAG_SYSTEM: Final = "urn:pgo:sent-by-patient"
"""Tag on everything of one patient at one server; its code is the uuid of the anchor Patient."""

_RELATIVE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}\Z")
_THERE: Final = re.compile(
    r"(?:.*/)?([A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?/?\Z"
)


def type_of(name: str) -> str:
    """Resource type in a name."""
    return name.partition("/")[0]


def id_of(name: str) -> str:
    """Id in a name."""
    return name.partition("/")[2]


def name_of(body: Mapping[str, JsonValue]) -> str:
    """Name of a resource that carries its id."""
    return f"{body.get('resourceType')}/{body.get('id')}"


def own_id(body: Mapping[str, JsonValue]) -> str:
    """The uuid in our identifier; the id itself where the resource carries none, for it is ours then."""
    found = body.get("identifier")
    for one in found if isinstance(found, list) else (found,):
        if isinstance(one, Mapping) and one.get("system") == RECORD_SYSTEM:
            return str(one.get("value"))
    return str(body.get("id"))


def there_in(location: JsonValue, resource_type: str) -> str | None:
    """`Type/id` out of the location that a server gave; None when it names no resource of this type."""
    found = _THERE.match(location) if isinstance(location, str) and len(location) < 2_000 else None
    return found.group(1) if found and type_of(found.group(1)) == resource_type else None


def with_references(value: JsonValue, change: Callable[[str], str | None]) -> Any:
    """Copy a body with every `reference` passed through `change`; None takes the whole reference away.

    So is the `url` of an attachment that is kept in another resource. What R4 demands in such a place is
    then marked as masked (https://hl7.org/fhir/R4/extension-data-absent-reason.html).
    """
    if isinstance(value, Mapping):
        target = value.get("reference")
        if isinstance(target, str) and not target.startswith("#"):
            new = change(target)
            return dict(MASKED) if new is None else {**value, "reference": new}
        changed = {key: with_references(child, change) for key, child in value.items()}
        if _is_link(link := value.get("url")):
            changed["url"] = change(link)
        return {key: child for key, child in changed.items() if child is not None or value[key] is None}
    if isinstance(value, list):
        return [with_references(child, change) for child in value]
    return value


def _is_link(value: JsonValue) -> TypeGuard[str]:
    """Whether the `url` of an attachment means another resource (references.html#literal)."""
    return isinstance(value, str) and (value.startswith("urn:uuid:") or _RELATIVE.match(value) is not None)


MASKED: Final[Mapping[str, JsonValue]] = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    ]
}


def references_of(value: JsonValue) -> set[str]:
    """Every literal reference in a body, but not those to contained resources."""
    found: set[str] = set()
    stack: list[JsonValue] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            target = item.get("reference")
            if isinstance(target, str) and not target.startswith("#"):
                found.add(target)
            if _is_link(link := item.get("url")):
                found.add(link)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return found
