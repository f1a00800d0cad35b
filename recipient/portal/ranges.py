"""The normal values a source gave with a result, and what it said about the result itself.

Promises: only what the source wrote; its own judgement (``interpretation``) goes before any comparing; a
value with a comparator is only called outside when its limit is; ranges for other groups of people are not
used; a range in another unit is converted where the factor is certain and left out where it is not.

Source: FHIR R4 Observation.referenceRange and .interpretation; v3-ObservationInterpretation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from pgo.health.record.labels import JUDGEMENT_SYSTEMS, JUDGEMENTS
from pgo.health.record.safe import obj, objs, text
from pgo.health.record.series import Point, Series
from pgo.health.record.units import convert
from pgo.health.record.words import UCUM, concept_code, decimal_of, range_text, unit_key, unit_text

_NORMAL: Final = "normal"
_JUDGED_OUTSIDE: Final = frozenset({"high", "low", "very_high", "very_low", "abnormal"})


@dataclass(frozen=True, slots=True)
class Range:
    """Normal values in the unit of the line; an open end is None."""

    low: Decimal | None
    high: Decimal | None
    words: str


def part_of(body: Mapping[str, Any], series: Series) -> Mapping[str, Any]:
    """Give the part of an Observation that holds the number of a line: itself or one of its components."""
    for component in objs(body, "component"):
        if series.code and concept_code(obj(component, "code")) == series.code:
            return component
    return body


def range_of(body: Mapping[str, Any], series: Series) -> Range | None:
    """Give the normal values of a result, or None when there are none, several, or in words only."""
    part = part_of(body, series)
    usual = [row for row in objs(part, "referenceRange") if _is_usual(row)]
    if len(usual) != 1:
        return None
    row = usual[0]
    unit = unit_key(obj(part, "valueQuantity"))
    low, high = (_limit(obj(row, name), unit, series) for name in ("low", "high"))
    if low is None and high is None:
        return None
    return Range(low, high, range_text(row))


def outside(body: Mapping[str, Any], point: Point, series: Series) -> str:
    """Say how a result lies outside what its source calls normal; empty when it does not or nobody says.

    Returns:
        ``high``, ``low``, ``very_high``, ``very_low``, ``abnormal`` or an empty text.
    """
    judged = _judgement(part_of(body, series))
    if judged:
        return judged if judged in _JUDGED_OUTSIDE else ""
    found = range_of(body, series)
    if found is None:
        return ""
    if found.high is not None and point.value > found.high and not point.text.startswith("<"):
        return "high"
    if found.low is not None and point.value < found.low and not point.text.startswith(">"):
        return "low"
    return ""


def _judgement(part: Mapping[str, Any]) -> str:
    for concept in objs(part, "interpretation"):
        for coding in objs(concept, "coding"):
            code = text(coding, "code")
            if text(coding, "system") in JUDGEMENT_SYSTEMS and code in JUDGEMENTS:
                return JUDGEMENTS[code].rpartition(".")[2]
    return ""


def _is_usual(row: Mapping[str, Any]) -> bool:
    """Leave out target, therapeutic and treatment ranges, and those for one group of people."""
    kinds = {text(coding, "code") for coding in objs(row, "type", "coding")}
    return (not kinds or _NORMAL in kinds) and not row.get("appliesTo") and not row.get("age")


def _limit(quantity: Mapping[str, Any], unit: str, series: Series) -> Decimal | None:
    value = decimal_of(quantity.get("value"))
    own = unit_key(quantity) or unit
    if value is None or own in (series.ucum, series.unit) or unit_text(quantity) == series.unit:
        return value
    is_ucum = text(quantity, "system") == UCUM or not unit_key(quantity)
    return convert(value, own, series.ucum) if is_ucum and series.ucum else None
