"""Days and instants: parse FHIR dates as intervals, write and read record times.

1. A FHIR date is an interval of days: "2024" is the whole year (FHIR R4 §2.24.0.1, dateTime).
2. Intervals are closed on both sides; `None` on a side means not known, so never inside a bound.
3. Record times are aware UTC instants, written with "Z" and read back to the same instant.

>>> parse_fhir_date("2024-02").last
datetime.date(2024, 2, 29)
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from consent.errors import InvalidDocument

_FHIR_DATE = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?)?)?"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{6})?Z")


@dataclass(frozen=True, slots=True)
class DateInterval:
    """Closed interval of days that a clinical date may lie in; None is an unknown side."""

    first: date | None
    last: date | None


def parse_fhir_date(text: str) -> DateInterval:
    """Parse a FHIR date, dateTime or instant into the days it may denote.

    The day is the one written; a time zone does not move it, because the writer's own day is
    what people mean by "from 2020".

    Raises:
        InvalidDocument: the text is no FHIR date or names a day that does not exist.
    """
    match = _FHIR_DATE.fullmatch(text)
    if match is None:
        raise InvalidDocument("not_a_date")
    year, month, day = (int(part) if part else None for part in match.group(1, 2, 3))
    try:
        if year is None or month is None:
            return DateInterval(date(year or 0, 1, 1), date(year or 0, 12, 31))
        if day is None:
            return DateInterval(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
        exact = date(year, month, day)
    except ValueError as exc:
        raise InvalidDocument("not_a_date") from exc
    return DateInterval(exact, exact)


def parse_instant(text: object) -> datetime:
    """Parse a record time such as "2026-06-01T08:00:00Z".

    Raises:
        InvalidDocument: not in exactly this form, or no such instant.
    """
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        raise InvalidDocument("not_an_instant")
    try:
        return datetime.fromisoformat(text)
    except ValueError as exc:
        raise InvalidDocument("not_an_instant") from exc


def instant_text(at: datetime) -> str:
    """Write an aware instant in UTC, with microseconds only when there are any.

    Raises:
        ValueError: the instant has no time zone.
    """
    utc = as_utc(at)
    return utc.replace(tzinfo=None).isoformat() + "Z"


def as_utc(at: datetime) -> datetime:
    """Return the same instant in UTC.

    Raises:
        ValueError: the instant has no time zone, so it names no instant.
    """
    if at.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)


def parse_day(text: object) -> date:
    """Parse a full calendar day, "2026-06-01".

    Raises:
        InvalidDocument: not a full day.
    """
    if isinstance(text, str) and _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError as exc:
            raise InvalidDocument("not_a_day") from exc
    raise InvalidDocument("not_a_day")
