"""What a line chart of one series shows, before any control exists.

Rules:

1. One series is one code in one unit; what came in another unit was converted before, and says so.
2. A bound such as ``<0.41`` is no number: it is not drawn on the line, it is counted and said in words.
3. A point without a readable date is not drawn either; it stays in the table.
4. More points than a screen has room for are thinned per slice to the lowest and the highest one, so that no
   peak disappears.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgo.ui.records.axis import place_day
from pgo.ui.records.say import brief_value, has_comparator, speak_value
from pgo.ui.text import fmt_date, t

if TYPE_CHECKING:
    from pgo.health.record.series import Point, Series

MOST_DRAWN = 240


@dataclass(frozen=True, slots=True)
class Dot:
    """One drawn point: where in time, how high, and the measurement behind it."""

    at: dt.datetime
    height: float
    point: Point


@dataclass(frozen=True, slots=True)
class Plot:
    """Dots in order of time; ``bounds`` and ``undated`` count what only the table shows."""

    dots: tuple[Dot, ...]
    bounds: int
    undated: int


def build_plot(points: Sequence[Point]) -> Plot:
    """Sort the points of one series into what can be drawn and what cannot."""
    dots: list[Dot] = []
    bounds = undated = 0
    for point in points:
        at = place_day(point.at)
        if has_comparator(point.text):
            bounds += 1
        elif at is None:
            undated += 1
        else:
            dots.append(Dot(at, float(point.value), point))
    dots.sort(key=lambda dot: dot.at)
    return Plot(tuple(dots), bounds, undated)


def thinned(dots: Sequence[Dot], *, most: int = MOST_DRAWN) -> tuple[Dot, ...]:
    """Return at most about ``most`` dots; first, last and every local peak and dip stay."""
    if len(dots) <= most:
        return tuple(dots)
    slices = most // 2
    kept: list[Dot] = [dots[0]]
    for n in range(slices):
        part = dots[n * len(dots) // slices : (n + 1) * len(dots) // slices]
        low, high = min(part, key=lambda d: d.height), max(part, key=lambda d: d.height)
        kept.extend(sorted({id(low): low, id(high): high}.values(), key=lambda d: d.at))
    kept.append(dots[-1])
    unique = {id(dot): dot for dot in kept}
    return tuple(sorted(unique.values(), key=lambda d: d.at))


def in_words(lang: str, series: Series, plot: Plot) -> str:
    """Return the text alternative of the chart: how many, from when to when, first, last, lowest, highest."""
    if not plot.dots:
        return t(lang, "series.alt_empty", title=series.title)
    low, high = min(plot.dots, key=lambda d: d.height), max(plot.dots, key=lambda d: d.height)
    return t(
        lang,
        "series.alt",
        n=len(plot.dots),
        title=series.title,
        first=_dated(lang, plot.dots[0]),
        last=_dated(lang, plot.dots[-1]),
        low=_dated(lang, low),
        high=_dated(lang, high),
    )


def _dated(lang: str, dot: Dot) -> str:
    day = fmt_date(lang, dot.point.at)
    return t(lang, "series.dated", value=speak_value(lang, dot.point.text), date=day)


def dot_text(lang: str, dot: Dot) -> str:
    """Return what the tooltip of a dot says, what the source wrote included when it was converted."""
    point = dot.point
    said = t(lang, "series.dated", value=brief_value(lang, point.text), date=fmt_date(lang, point.at))
    if not point.original:
        return said
    return f"{said} ({t(lang, 'series.written', value=brief_value(lang, point.original))})"
