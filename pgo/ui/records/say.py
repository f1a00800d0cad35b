"""Dates and values of records as people read them; the plain formats are in ``pgo.ui.text``.

Promises:

1. A partial date stays partial: ``2019`` is never shown as 1 January 2019.
2. A time is shown as its source wrote it; nothing is moved to another zone.
3. ``say_value`` keeps every digit of the source; only the decimal sign follows the language.
4. Comparators have a spoken form, because screen readers skip ``<`` and ``>``.
5. What somebody types as a date is either understood completely or refused; nothing is guessed.

>>> parse_typed_date("5-3-2024"), parse_typed_date("3-2024"), parse_typed_date("31-2-2024")
('2024-03-05', '2024-03', None)

Source: FHIR R4 data types ``date`` and ``dateTime``, https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

from __future__ import annotations

import datetime as dt
import re

from pgo.health.record.common import common_name
from pgo.health.record.printed import brief_number, printed_unit
from pgo.ui.text import fmt_date, t

_CLOCK = re.compile(r"\d{4}-\d{2}-\d{2}T(\d{2}:\d{2})")
_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_TYPED = re.compile(r"(?:(?:(\d{1,2})[-/. ])?(\d{1,2})[-/. ])?(\d{4})")
_DECIMAL_POINT = re.compile(r"(?<=\d)\.(?=\d)")
# FHIR R4 Quantity.comparator, and the one-glyph forms some sources print; longest first.
_COMPARATORS = (("<=", "most"), ("≤", "most"), (">=", "least"), ("≥", "least"), ("<", "less"), (">", "more"))
# How ``pgo.health.record.words`` writes true and false, in no language.
_TICKS = {"✓": "records.yes", "✗": "records.no"}
_OLDEST_YEAR = 1880


def say_moment(lang: str, iso: str) -> str:
    """Return the date in words, with the clock time as the source wrote it when there is one."""
    day, clock = fmt_date(lang, iso), _CLOCK.match(iso)
    # Midnight is how many systems write "no time"; showing 00:00 would claim more than they know.
    if clock is None or clock.group(1) == "00:00":
        return day
    return t(lang, "date.moment", day=day, time=clock.group(1))


def say_short_date(lang: str, iso: str) -> str:
    """Return ``5 mrt 2024``: for axes and narrow columns."""
    return " ".join(word if word.isdigit() else _short(lang, word) for word in fmt_date(lang, iso).split(" "))


def _short(lang: str, month: str) -> str:
    # "mrt" is the usual Dutch short form; "maa" is no word.
    return "mrt" if (lang, month) == ("nl", "maart") else month[:3]


def say_period(lang: str, start: str, end: str) -> str:
    """Return "first - last" in words, one date when both are the same day, '' when neither is known."""
    first, last = fmt_date(lang, start), fmt_date(lang, end)
    if first and last and first != last:
        return f"{first} – {last}"
    return first or last


def say_value(lang: str, text: str) -> str:
    """Return a measured value with the decimal sign of the language; no digit is added or lost."""
    if text in _TICKS:
        return t(lang, _TICKS[text])
    shown = _DECIMAL_POINT.sub(",", text) if lang == "nl" else text
    return printed_unit(shown)


def brief_value(lang: str, text: str) -> str:
    """Return a value for a list: digits only a computer wrote are rounded off (182.0769821926957 -> 182,08).

    A fraction of up to four digits stays as it is; the record itself always shows every digit.
    """
    return say_value(lang, brief_number(text))


def say_title(lang: str, title: str, code: str) -> str:
    """Return the everyday name of what is measured most, else the words of the source."""
    return common_name(code, lang) or title


def speak_value(lang: str, text: str) -> str:
    """Return a value for a screen reader: comparators become words."""
    shown = brief_value(lang, text)
    for sign, word in _COMPARATORS:
        shown = shown.replace(sign, f" {t(lang, f'record.comparator.{word}')} ")
    return " ".join(shown.split())


def has_comparator(text: str) -> bool:
    """Tell whether a value is a bound (``<0.41``) and no exact number."""
    return text.strip().startswith(tuple(sign for sign, _ in _COMPARATORS))


def parse_typed_date(typed: str) -> str | None:
    """Read ``31-12-2024``, ``12-2024``, ``2024`` or ISO; give ISO, '' for nothing, None when unclear."""
    text = typed.strip()
    if not text:
        return ""
    iso = _ISO.fullmatch(text)
    if iso is not None:
        return _checked(*iso.groups())
    written = _TYPED.fullmatch(text)
    if written is None:
        return None
    return _checked(written.group(3), written.group(2), written.group(1))


def _checked(year: str, month: str | None, day: str | None) -> str | None:
    try:
        dt.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    if int(year) < _OLDEST_YEAR:
        return None
    return "-".join([year, *(f"{int(part):02d}" for part in (month, day) if part)])


def typed_date(iso: str) -> str:
    """Return an ISO date the way Dutch people type it: ``31-12-2024``, ``12-2024``, ``2024``."""
    found = _ISO.match(iso)
    if found is None:
        return iso
    return "-".join(part for part in reversed(found.groups()) if part)
