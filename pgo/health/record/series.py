"""Bring measurements together into lines over time.

Rules:

1. One line per code **and** unit: mg/L and mmol/L never meet on one line, and nothing is converted here.
2. A component with a number is a line of its own (upper and lower blood pressure).
3. A value with a comparator stays on the line at its limit and shows the comparator in its text (``<0.41``).
4. Only usable points: a number, a date, and not entered in error. Points are in time order, the oldest first.

Sources: https://hl7.org/fhir/R4/observation.html; units: UCUM, https://ucum.org.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pgo.health.record.dates import when
from pgo.health.record.resource import Resource
from pgo.health.record.safe import obj, objs
from pgo.health.record.status import RecordStatus, status_of
from pgo.health.record.words import (
    concept_code,
    concept_text,
    decimal_of,
    folded,
    quantity_text,
    unit_key,
    unit_text,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One number out of one Observation, ready to be sorted into its line."""

    key: str
    title: str
    code: str
    unit: str
    at: str
    value: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a line. ``at`` is the ISO text of the source, ``record_id`` is the caller's."""

    at: str
    value: Decimal
    text: str
    record_id: int


@dataclass(frozen=True, slots=True)
class Series:
    """One line: same code, same unit, oldest point first. ``unit`` is as shown to people."""

    key: str
    title: str
    code: str
    unit: str
    points: tuple[Point, ...]


def measured(resource: Resource) -> tuple[Measured, ...]:
    """Give every number of one Observation; empty for anything else or when there is nothing to draw."""
    body = resource.body
    if resource.type != "Observation" or status_of(resource.type, body) is RecordStatus.ENTERED_IN_ERROR:
        return ()
    at, _ = when(resource.type, body)
    if not at:
        return ()
    found = [_read(body, "", at)]
    found += [_read(item, concept_text(obj(body, "code")), at) for item in objs(body, "component")]
    return tuple(item for item in found if item is not None)


def _read(body: Mapping[str, Any], above: str, at: str) -> Measured | None:
    quantity = obj(body, "valueQuantity")
    number = decimal_of(quantity.get("value")) if quantity else decimal_of(body.get("valueInteger"))
    concept = obj(body, "code")
    title = concept_text(concept) or above
    if number is None or not title:
        return None
    code = concept_code(concept)
    key = f"{code or folded(title)}|{unit_key(quantity)}"
    shown = quantity_text(quantity) or str(number)
    return Measured(key, title, code, unit_text(quantity), at, number, shown)


def build_series(rows: Iterable[tuple[int, Measured]]) -> tuple[Series, ...]:
    """Sort numbers into lines.

    Args:
        rows: The caller's record id with each number, in any order.

    Returns:
        Lines in alphabetical order of their title; the newest title and unit name the line.
    """
    lines: dict[str, list[tuple[int, Measured]]] = {}
    for record_id, item in rows:
        lines.setdefault(item.key, []).append((record_id, item))
    built = []
    for key, members in lines.items():
        members.sort(key=lambda pair: (pair[1].at, pair[0]))
        newest = members[-1][1]
        points = tuple(Point(item.at, item.value, item.text, record_id) for record_id, item in members)
        built.append(Series(key, newest.title, newest.code, newest.unit, points))
    return tuple(sorted(built, key=lambda line: (folded(line.title), line.key)))
