"""STU3 resources that fill what the converter has rules for, and a check that nothing of them got lost.

The check knows nothing of the rules: it collects the values of both sides and compares them as bags, after
giving the source's values the few names that changed (code systems, types in references, codes of a status).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pgo.health.record.stu3.tables import moved_system, renamed_types

FULL = Path(__file__).resolve().parents[1] / "vectors" / "stu3" / "full.ndjson"
SAMPLES: Mapping[str, dict[str, Any]] = {
    one["resourceType"]: one
    for one in (json.loads(line, parse_float=Decimal) for line in FULL.read_bytes().splitlines())
}
"""One resource per type, with everything in it that a rule is about."""

# Codes that have another name in R4; the sort of a relation is said by the element it goes to.
_CODES: Mapping[tuple[str, str], str | None] = {
    ("status", "suspended"): "on-hold",
    ("status", "aborted"): "stopped",
    ("type", "photo"): "image",
    ("type", "has-member"): None,
    ("type", "derived-from"): None,
}
_NOT_DONE = {"MedicationDispense": "declined"}


def lost(source: Mapping[str, Any], made: Mapping[str, Any]) -> list[Any]:
    """Give the values of the source that are not in the result."""
    flag = _NOT_DONE.get(source["resourceType"], "not-done")
    wanted = [_renamed(name, value, flag) for name, value in _leaves(source, "")]
    missing = Counter(_typed(value) for value in wanted if value is not None) - Counter(_values(made))
    return sorted(missing.elements(), key=repr)


def _values(made: Any) -> Iterator[Any]:
    yield from (_typed(value) for _, value in _leaves(made, ""))


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for label, inner in value.items():
            if not (label == "resourceType" or (inner is False and label in _FLAGS)):
                yield from _leaves(inner, label)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value


# What the status says instead: false is the ordinary case, true is found in the status and checked by name.
_FLAGS = ("notDone", "notGiven")


def _renamed(name: str, value: Any, flag: str) -> Any:
    if name in _FLAGS and value is True:
        return flag
    if not isinstance(value, str):
        return value
    if name == "system":
        return moved_system(value)
    if name == "reference":
        kind, slash, rest = value.partition("/")
        return f"{renamed_types().get(kind, kind)}{slash}{rest}"
    return _CODES.get((name, value), value)


def _typed(value: Any) -> tuple[str, Any]:
    """Keep true and 1 apart."""
    return type(value).__name__, value
