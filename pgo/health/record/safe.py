"""Look into decoded FHIR without trusting its shape.

Every function gives an empty answer when what it looks for is missing or of another kind, so that reading
code stays free of checks and cannot fail on odd but accepted input. Nothing here knows what an element means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NOTHING: Mapping[str, Any] = {}
_OBJECTS = (dict, Mapping)  # the plain type first: asking an abstract class is slow


def obj(body: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Follow a path of members; give the object there, or an empty one. A list counts as its first object."""
    current: Any = body
    for name in path:
        current = current.get(name) if isinstance(current, _OBJECTS) else None
        if isinstance(current, list):
            current = next((item for item in current if isinstance(item, dict)), None)
    return current if isinstance(current, _OBJECTS) else _NOTHING


def text(body: Mapping[str, Any], *path: str) -> str:
    """Follow a path and give the text there, or an empty text. A list counts as its first text."""
    holder = obj(body, *path[:-1]) if len(path) > 1 else body
    value = holder.get(path[-1])
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, str)), "")
    return value.strip() if isinstance(value, str) else ""


def objs(body: Mapping[str, Any], *path: str) -> tuple[Mapping[str, Any], ...]:
    """Follow a path and give all objects of the list there, in order."""
    holder = obj(body, *path[:-1]) if len(path) > 1 else body
    value = holder.get(path[-1])
    if isinstance(value, dict):
        return (value,)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def texts(body: Mapping[str, Any], *path: str) -> tuple[str, ...]:
    """Follow a path and give all texts of the list there, in order."""
    holder = obj(body, *path[:-1]) if len(path) > 1 else body
    value = holder.get(path[-1])
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def extension(body: Mapping[str, Any], ending: str | tuple[str, ...]) -> Mapping[str, Any]:
    """Give the first extension whose address ends so (or in one of these ways), or an empty object."""
    return next((item for item in objs(body, "extension") if text(item, "url").endswith(ending)), _NOTHING)
