"""Measurements and scores as lines over time: the tiles of the overview and the page of one line.

Promises: one line is one code in one unit (units are joined only by a certain factor); a comparator stays
with its value and is also said in words; every value stands in the table with its unit, range and record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from markupsafe import Markup

from consent.codes import Category
from pgo.health.record.printed import brief_number, printed_unit
from pgo.health.record.safe import objs, text
from pgo.health.record.series import Point, Series
from recipient.look import Item, opaque_key
from recipient.portal.charts import Dot, spark_line
from recipient.portal.ranges import outside
from recipient.portal.said import by_patient
from recipient.portal.text import day_text, number_text, shown
from recipient.portal.view import View

# FHIR R4 quantity-comparator; the longer signs first
_COMPARATORS: Final = {
    "<=": "compare.at_most",
    ">=": "compare.at_least",
    "<": "compare.less",
    ">": "compare.more",
}


class Family(StrEnum):
    """Where a line stands on the page."""

    LABS = "labs"
    VITALS = "vitals"
    SCORES = "scores"


@dataclass(frozen=True, slots=True)
class Tile:
    """The newest value of one line; ``flag`` says how it lies outside what its source calls normal."""

    key: str
    title: str
    value: Markup
    unit: str
    when: str
    count: int
    spark: Markup | None
    flag: str
    by_patient: bool
    before: Markup | None
    before_when: str


def lines_of(view: View) -> dict[Family, list[tuple[Series, Item]]]:
    """Sort every line, with the record of its newest point, into its family; newest first."""
    known = {item.id: item for item in view.look.items}
    found: dict[Family, list[tuple[Series, Item]]] = {family: [] for family in Family}
    for series in view.look.series():
        item = known[series.points[-1].record_id]
        found[_family(item)].append((series, item))
    for lines in found.values():
        lines.sort(key=lambda pair: pair[0].points[-1].at, reverse=True)
    return found


def tiles_of(view: View, lines: Iterable[tuple[Series, Item]]) -> list[Tile]:
    """Word the newest value of each line."""
    return [_tile(view, series, item) for series, item in lines]


def is_score(item: Item) -> bool:
    """Tell whether an Observation is a score of answers (category ``survey``, or derived from a response).

    Source: http://terminology.hl7.org/CodeSystem/observation-category, code survey.
    """
    body = item.resource.body
    codings = (coding for category in objs(body, "category") for coding in objs(category, "coding"))
    derived = (text(reference, "reference") for reference in objs(body, "derivedFrom"))
    return any(text(coding, "code") == "survey" for coding in codings) or any(
        "QuestionnaireResponse/" in reference for reference in derived
    )


def _family(item: Item) -> Family:
    if is_score(item):
        return Family.SCORES
    return Family.LABS if Category.LABS in item.facts.categories else Family.VITALS


def _tile(view: View, series: Series, item: Item) -> Tile:
    points = series.points
    newest, before = points[-1], points[-2] if len(points) > 1 else None
    dots = dots_of(points)
    flag = outside(item.resource.body, newest, series)
    return Tile(
        key=opaque_key(series.key),
        title=shown(series.title),
        value=spoken(view, newest, series, brief=True),
        unit=printed_unit(shown(series.unit)),
        when=day_text(view.lang, newest.at),
        count=len(points),
        spark=spark_line(dots) if len(dots) > 1 else None,
        flag=view.say(f"flag.{flag}") if flag else "",
        by_patient=by_patient(item.resource.body) and not is_score(item),
        before=spoken(view, before, series, brief=True) if before else None,
        before_when=day_text(view.lang, before.at) if before else "",
    )


def dots_of(points: Iterable[Point]) -> list[Dot]:
    """Give the points that have a place in time, for drawing."""
    return [
        Dot(moment, point.value, sign=_sign(point.text))
        for point in points
        if (moment := _moment(point.at)) is not None
    ]


def _sign(written: str) -> str:
    return next((sign[0] for sign in _COMPARATORS if written.startswith(sign)), "")


def _moment(written: str) -> datetime | None:
    """Read a FHIR date as an instant: a month is its first day, a day starts at midnight UTC."""
    whole = written if len(written) > 7 else f"{written}{'-01' if len(written) == 7 else '-01-01'}"
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def bare(point: Point, series: Series) -> str:
    """Give the value as recorded, comparator included, without the unit that stands beside it."""
    return shown(point.text.removesuffix(series.unit).strip() if series.unit else point.text)


def spoken(view: View, point: Point, series: Series, *, brief: bool = False) -> Markup:
    """Give the value for a page; a comparator is also said in words, because screen readers skip ``<``."""
    value = bare(point, series)
    written = number_text(view.lang, printed_unit(brief_number(value)) if brief else value)
    for sign, key in _COMPARATORS.items():
        if written.startswith(sign):
            return Markup('<span aria-hidden="true">{}</span><span class="sr">{} </span>{}').format(
                sign, view.say(key), written.removeprefix(sign).strip()
            )
    return Markup("{}").format(written)


def with_unit(view: View, point: Point, series: Series) -> str:
    """Give value and unit in plain words."""
    value = printed_unit(brief_number(bare(point, series)))
    return " ".join(filter(None, (number_text(view.lang, value), printed_unit(shown(series.unit)))))


def lowest_and_highest(points: Sequence[Point]) -> tuple[Point, Point]:
    """Give the extremes of a line that is not empty."""
    return min(points, key=_value), max(points, key=_value)


def _value(point: Point) -> Decimal:
    return point.value
