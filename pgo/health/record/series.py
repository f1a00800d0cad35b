"""Bring measurements together into lines over time.

Rules:

1. One line per code **and** unit. Lines of one code are joined when their units go into each other by a
   factor that is certain (``units``); mg/L and mmol/L never meet on one line. A converted point says what the
   source wrote.
2. A component with a number is a line of its own (upper and lower blood pressure).
3. A value with a comparator stays on the line at its limit and shows the comparator in its text (``<0.41``).
4. Only usable points: a number, a date, and not entered in error. Points are in time order, the oldest first.
5. The same value at the same moment is one point, with every record that holds it.

Sources: https://hl7.org/fhir/R4/observation.html; units: UCUM, https://ucum.org.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from pgo.health.record.dates import when
from pgo.health.record.resource import Resource
from pgo.health.record.safe import obj, objs, text
from pgo.health.record.status import RecordStatus, status_of
from pgo.health.record.units import convert, dimension
from pgo.health.record.words import (
    UCUM,
    concept_code,
    concept_text,
    decimal_of,
    folded,
    number_text,
    quantity_text,
    unit_key,
    unit_text,
)

# FHIR R4 Quantity.comparator; the longer ones first.
_COMPARATORS: Final = ("<=", ">=", "<", ">")


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
    ucum: str


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a line.

    Attributes:
        at: ISO text of the source.
        value: the number, in the unit of the line.
        text: value and unit to show, in the unit of the line.
        record_id: the caller's number of the first record that holds it.
        others: further records that hold the same.
        original: what the source wrote, when the number was converted; else empty.
    """

    at: str
    value: Decimal
    text: str
    record_id: int
    others: tuple[int, ...] = ()
    original: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One line: same code, same unit, oldest point first.

    Attributes:
        key: code and unit, for finding the line again.
        title: what was measured.
        code: ``system|code``, empty when the source gave none.
        unit: as shown to people.
        ucum: the UCUM code of all its numbers, empty when one has none or another.
        keys: of every line that was joined into it, its own first.
        points: see ``Point``.
    """

    key: str
    title: str
    code: str
    unit: str
    ucum: str
    keys: tuple[str, ...]
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
    ucum = text(quantity, "code") if text(quantity, "system") == UCUM else ""
    return Measured(key, title, code, unit_text(quantity), at, number, shown, ucum)


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
        codes = {item.ucum for _, item in members}
        ucum = codes.pop() if len(codes) == 1 else ""
        built.append(Series(key, newest.title, newest.code, newest.unit, ucum, (key,), _points(members)))
    return tuple(sorted(built, key=lambda line: (folded(line.title), line.key)))


def _points(members: Iterable[tuple[int, Measured]]) -> tuple[Point, ...]:
    """Make points of numbers in order of time (rule 5)."""
    found: dict[tuple[str, str], Point] = {}
    for record_id, item in members:
        known = found.get((item.at, item.text))
        if known is None:
            found[item.at, item.text] = Point(item.at, item.value, item.text, record_id)
        elif record_id != known.record_id:
            found[item.at, item.text] = replace(known, others=(*known.others, record_id))
    return tuple(found.values())


def same_line(key: str, code: str, ucum: str) -> tuple[str, str]:
    """Name what a line shares with the lines it may be joined with; a line that joins none names itself."""
    measured_in = dimension(ucum) if code else ""
    return (code, measured_in) if measured_in else (key, "")


def join_units(lines: Iterable[Series]) -> tuple[Series, ...]:
    """Join lines of one code whose units go into each other; the newest point gives the unit."""
    groups: dict[tuple[str, str], list[Series]] = {}
    for line in lines:
        groups.setdefault(same_line(line.key, line.code, line.ucum), []).append(line)
    joined = []
    for own in groups.values():
        own.sort(key=lambda line: (line.points[-1].at, line.key), reverse=True)
        joined.append(functools.reduce(_joined, own))
    return tuple(sorted(joined, key=lambda line: (folded(line.title), line.key)))


def _joined(main: Series, line: Series) -> Series:
    points = {(point.at, point.text): point for point in main.points}
    for point in line.points:
        moved = _converted(point, line, main)
        known = points.setdefault((moved.at, moved.text), moved)
        if known is not moved:  # two sources, one measurement, each in its own unit
            others = (*known.others, moved.record_id, *moved.others)
            points[moved.at, moved.text] = replace(known, others=others)
    ordered = tuple(sorted(points.values(), key=lambda point: (point.at, point.record_id)))
    return replace(main, keys=(*main.keys, *line.keys), points=ordered)


def _converted(point: Point, line: Series, main: Series) -> Point:
    value = convert(point.value, line.ucum, main.ucum)
    if value is None:
        raise ValueError("lines of different dimensions were joined")
    sign = next((sign for sign in _COMPARATORS if point.text.startswith(sign)), "")
    if value == point.value:  # "mmol/l" and "mmol/L": another way to write one unit
        number = point.text.removesuffix(line.unit).strip()
        return replace(point, text=f"{number} {main.unit}".strip())
    shown = f"{sign}{number_text(value)} {main.unit}".strip()
    return replace(point, value=value, text=shown, original=point.text)
