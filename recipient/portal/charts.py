"""Line charts as inline SVG: no script, readable in print, colours from the style sheet.

Promises: same points, same drawing; every chart has a text alternative; points are drawn where they are
(time is to scale), never smoothed, and a single point is a dot, not a line. Text is escaped here.

Source: W3C SVG Accessibility API Mappings (role ``img`` with ``title`` and ``desc``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from markupsafe import Markup, escape

from recipient.portal.text import date_text, number_text


@dataclass(frozen=True, slots=True)
class Dot:
    """One measured value."""

    at: datetime
    value: Decimal
    sign: str = ""  # "<" or ">": the value is a limit, drawn as an arrow away from it


@dataclass(frozen=True, slots=True)
class Limits:
    """What stands behind the line.

    Attributes:
        low: lowest normal value; None leaves the band open below.
        high: highest normal value; None leaves it open above.
        scale: ends of a score's scale; the whole of it is drawn.
        steps: where one band of a score ends and the next begins.
    """

    low: float | None = None
    high: float | None = None
    scale: tuple[float, float] | None = None
    steps: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    """Maps time and value to the drawing."""

    first: float
    last: float
    low: float
    high: float
    left: float
    right: float
    top: float
    bottom: float

    def x(self, at: float) -> float:
        span = self.last - self.first
        share = 0.5 if span == 0 else (at - self.first) / span
        return self.left + share * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


def line_chart(
    dots: Sequence[Dot], *, lang: str, title: str, description: str, limits: Limits | None = None
) -> Markup:
    """Draw a trend with axes.

    Args:
        dots: oldest first, at least one.
        lang: for dates and decimals on the axes.
        title: foreign text; escaped.
        description: the trend in words, normal values included.
        limits: normal values or bands to draw behind it.

    Returns:
        One ``svg`` element, 720 by 250 units, scaling with the page.
    """
    width, height = 720.0, 250.0
    limits = limits or Limits()
    ticks = _ticks(*_ends(dots, limits))
    times = [dot.at.timestamp() for dot in dots]
    frame = _Frame(times[0], times[-1], ticks[0], ticks[-1], 62.0, width - 20.0, 16.0, height - 34.0)
    parts = [_band(frame, limits), _grid(frame, ticks, lang=lang), _steps(frame, limits)]
    parts += [_time_axis(frame, dots, lang=lang), _line(frame, dots)]
    parts += [_mark(frame, dot) for dot in (dots[:-1] if len(dots) <= 120 else ())]
    parts.append(_mark(frame, dots[-1], last=True))
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" focusable="false">'
        "<title>{}</title><desc>{}</desc>{}</svg>"
    ).format(int(width), int(height), escape(title), escape(description), Markup("").join(parts))


def spark_line(dots: Sequence[Dot]) -> Markup:
    """Draw a small trend for a tile; hidden from readers because the tile says the value in words."""
    width, height = 120.0, 36.0
    values = [float(dot.value) for dot in dots]
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 1, high + 1
    times = [dot.at.timestamp() for dot in dots]
    frame = _Frame(times[0], times[-1], low, high, 4.0, width - 4.0, 4.0, height - 4.0)
    x, y = _at(frame, dots[-1])
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">{}{}</svg>'
    ).format(
        int(width),
        int(height),
        _line(frame, dots),
        Markup('<circle class="dot last" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(x, y),
    )


def _ends(dots: Sequence[Dot], limits: Limits) -> tuple[float, float]:
    """Give what the axis has to hold: every value, and the limits where they do not dwarf the line."""
    values = [float(dot.value) for dot in dots]
    low, high = min(values), max(values)
    if limits.scale is not None:
        return min(low, limits.scale[0]), max(high, limits.scale[1])
    room = max(high - low, abs(high), abs(low))
    near = [one for one in (limits.low, limits.high) if one is not None and low - room <= one <= high + room]
    return min(low, *near) if near else low, max(high, *near) if near else high


def _band(frame: _Frame, limits: Limits) -> Markup:
    """Draw the normal values as a band; the part outside the axis is not drawn."""
    if limits.low is None and limits.high is None:
        return Markup("")
    low = max(frame.low, frame.low if limits.low is None else limits.low)
    high = min(frame.high, frame.high if limits.high is None else limits.high)
    if low >= high:
        return Markup("")
    return Markup('<rect class="normal" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        frame.left, frame.y(high), frame.right - frame.left, frame.y(low) - frame.y(high)
    )


def _steps(frame: _Frame, limits: Limits) -> Markup:
    return Markup("").join(
        Markup('<line class="step" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
            frame.left, frame.right, y=frame.y(step)
        )
        for step in limits.steps
        if frame.low < step < frame.high
    )


def _mark(frame: _Frame, dot: Dot, *, last: bool = False) -> Markup:
    """Draw one value: a dot, or an arrow where the value is only a limit."""
    x, y = _at(frame, dot)
    name = "dot last" if last else "dot"
    if dot.sign:
        way = 1 if dot.sign == "<" else -1
        return Markup('<path class="{}" d="M{:.1f} {:.1f}l5 {n}h-10z"/>').format(
            name, x, y + 6 * way, n=-9 * way
        )
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>').format(
        name, x, y, 5 if last else 3.5
    )


def _at(frame: _Frame, dot: Dot) -> tuple[float, float]:
    return frame.x(dot.at.timestamp()), frame.y(float(dot.value))


def _line(frame: _Frame, dots: Sequence[Dot]) -> Markup:
    if len(dots) < 2:
        return Markup("")
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_at(frame, dot) for dot in dots))
    return Markup('<polyline class="line" points="{}"/>').format(points)


def _grid(frame: _Frame, ticks: Sequence[float], *, lang: str) -> Markup:
    exponent = Decimal(f"{ticks[1] - ticks[0]:.6g}").normalize().as_tuple().exponent
    digits = max(0, -exponent) if isinstance(exponent, int) else 0
    rows = [
        Markup(
            '<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            '<text class="tick" x="{text:.1f}" y="{base:.1f}" text-anchor="end">{words}</text>'
        ).format(
            left=frame.left,
            right=frame.right,
            y=frame.y(tick),
            text=frame.left - 8,
            base=frame.y(tick) + 4,
            words=number_text(lang, f"{tick:.{digits}f}"),
        )
        for tick in ticks
    ]
    return Markup("").join(rows)


def _time_axis(frame: _Frame, dots: Sequence[Dot], *, lang: str) -> Markup:
    marks: list[tuple[float, str, datetime]] = [(frame.x(frame.last), "end", dots[-1].at)]
    if frame.first == frame.last:
        marks = [(frame.x(frame.last), "middle", dots[-1].at)]
    else:
        middle = datetime.fromtimestamp((frame.first + frame.last) / 2, tz=dots[-1].at.tzinfo)
        marks = [
            (frame.left, "start", dots[0].at),
            (frame.x(middle.timestamp()), "middle", middle),
            (frame.right, "end", dots[-1].at),
        ]
    return Markup("").join(
        Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
            x, frame.bottom + 22, anchor, date_text(lang, at.date())
        )
        for x, anchor, at in marks
    )


def _ticks(low: float, high: float) -> list[float]:
    """Return three to six round values that enclose the data."""
    if low == high:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(index * step, 10) for index in range(first, last + 1)]
