"""Write resources as JSON bytes: those that we author ourselves, and converted ones exactly as they are.

Rules:

1. Members in the order given, compact, UTF-8, no escapes beyond what JSON demands.
2. A ``Decimal`` keeps its digits: ``Decimal("7.50")`` is written ``7.50``. Floats are refused, they would
   not.
3. Empty texts, lists and objects and ``None`` are left out: FHIR forbids them
   (https://hl7.org/fhir/R4/json.html).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias, Union

import msgspec

Authored: TypeAlias = Union[bool, int, Decimal, str, Sequence["Authored"], Mapping[str, "Authored"], None]  # noqa: UP007 (recursive at run time)


def write_json(value: Mapping[str, Authored]) -> bytes:
    """Write one resource.

    Raises:
        TypeError: For a float or any other type that has no exact form.
        ValueError: For a number that is not finite.
    """
    return _written(value).encode("utf-8")


_exact = msgspec.json.Encoder(decimal_format="number")


def write_exact(body: Mapping[str, Any]) -> bytes:
    """Write a decoded resource with every member it has, empty ones and nulls included.

    Args:
        body: Values as the strict reader gives them; a ``Decimal`` keeps its digits.
    """
    return _exact.encode(body)


def fhir_instant(at: datetime) -> str:
    """Write a moment as FHIR instant in UTC, to the second.

    Raises:
        ValueError: When the moment carries no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("a moment without time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(value: Authored) -> str:
    if isinstance(value, bool | str | int):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not a finite number")
        return format(value, "f")
    if isinstance(value, Mapping):
        members = (
            f"{json.dumps(name)}:{_written(member)}" for name, member in value.items() if _filled(member)
        )
        return "{" + ",".join(members) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(_written(item) for item in value if _filled(item)) + "]"
    raise TypeError(f"no exact JSON form for {type(value).__name__}")


def _filled(value: Authored) -> bool:
    if value is None or value == "":
        return False
    if isinstance(value, Mapping):
        return any(_filled(member) for member in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(_filled(item) for item in value)
    return True
