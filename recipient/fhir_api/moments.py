"""FHIR dates as spans of time, and what the prefixes of a date search mean on them.

Rules:

1. a date is the span it may denote, start included and end excluded: `2024` is the whole year; without a
   time zone it is read in UTC, on both sides of a comparison;
2. an open side of a Period reaches to the first or last instant there is;
3. `ap` widens the asked span on both sides by a tenth of its distance from now, as the standard advises.

>>> asked = read_span("2024-02")
>>> fits("eq", asked, read_span("2024-02-29"), now=asked.start), fits("sa", asked, read_span("2024-03-01"), now=asked.start)
(True, True)

Source: FHIR R4 search.html#date, #prefix.
"""  # noqa: E501  (a doctest cannot be folded here)

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_DATE = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (included) to `end` (excluded), both aware."""

    start: datetime
    end: datetime


def read_span(text: str) -> Span | None:
    """Read a FHIR date, dateTime or instant; None for what is none, or no day or time there ever is."""
    match = _DATE.fullmatch(text)
    if match is None or not text.isascii():
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        start = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), tzinfo=UTC
        )
        if hour is None:
            return Span(start, _plus(start, timedelta(days=_days(start, month, day))))
        if second is not None:
            start = start.replace(second=int(second))
        start -= _offset(zone)
    except (ValueError, OverflowError):
        return None
    if second is None:
        return Span(start, _plus(start, timedelta(minutes=1)))
    if fraction is None:
        return Span(start, _plus(start, timedelta(seconds=1)))
    digits = min(len(fraction), 6)
    start += timedelta(microseconds=int(fraction[:6].ljust(6, "0")))
    return Span(start, _plus(start, timedelta(microseconds=10 ** (6 - digits))))


def spans_of(value: object) -> tuple[Span, ...]:
    """Return the spans of a date element as it stands in a resource: text, Period or Timing."""
    if isinstance(value, str):
        span = read_span(value)
        return (span,) if span else ()
    if not isinstance(value, dict):
        return ()
    events = value.get("event")
    if isinstance(events, list | tuple):
        return tuple(span for event in events for span in spans_of(event))
    if "start" not in value and "end" not in value:
        return ()
    start, end = value.get("start"), value.get("end")
    first = read_span(start) if isinstance(start, str) else None
    last = read_span(end) if isinstance(end, str) else None
    if (start is not None and first is None) or (end is not None and last is None):
        return ()
    return (Span(first.start if first else FIRST, last.end if last else LAST),)


def fits(prefix: str, asked: Span, found: Span, *, now: datetime) -> bool:
    """Tell whether a span of a resource fits a prefix and an asked span."""
    inside = asked.start <= found.start and found.end <= asked.end
    above, below = found.end > asked.end, found.start < asked.start
    match prefix:
        case "eq":
            return inside
        case "ne":
            return not inside
        case "gt":
            return above
        case "lt":
            return below
        case "ge":
            return above or inside
        case "le":
            return below or inside
        case "sa":
            return found.start >= asked.end
        case "eb":
            return found.end <= asked.start
        case "ap":
            wide = _widened(asked, now)
            return found.start < wide.end and wide.start < found.end
    raise ValueError("no such prefix")


def _widened(asked: Span, now: datetime) -> Span:
    margin = abs(now - asked.start) / 10
    start = asked.start - margin if asked.start - FIRST > margin else FIRST
    return Span(start, _plus(asked.end, margin))


def _plus(at: datetime, more: timedelta) -> datetime:
    return at + more if LAST - at > more else LAST


def _days(start: datetime, month: str | None, day: str | None) -> int:
    if day is not None:
        return 1
    if month is not None:
        return calendar.monthrange(start.year, start.month)[1]
    return 366 if calendar.isleap(start.year) else 365


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:  # FHIR R4 datatypes.html#dateTime
        raise ValueError("offset")
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
