"""Words, dates and numbers of the portal in Dutch and English.

Promises: every sentence on screen comes from ``locale/<lang>*.json``; both languages hold the same keys (a
test looks); an unknown key raises, because a page must not show half a sentence. Clinical names are shown as
the record has them and are never translated here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path

LANGUAGES = ("nl", "en")
DEFAULT_LANGUAGE = "nl"
_FOLDER = Path(__file__).parent / "locale"
_SHARED_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "locale"
_MONTHS = {
    "nl": ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_FREE_DECIMAL = re.compile(r"(?<![\w.,-])(-?\d+)\.(\d+)(?![\w]*\.|\w)")
_BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """Return all sentences of one language, from every file of it."""
    found: dict[str, str] = {}
    for path in sorted(_FOLDER.glob(f"{lang}.*json")):
        found.update((str(key), str(value)) for key, value in json.loads(path.read_text("utf-8")).items())
    return found


def t(lang: str, key: str, **values: object) -> str:
    """Return one sentence with its values filled in; plain text, escaped by the template."""
    return catalogue(lang)[key].format(**values)


@cache
def _health_catalogue(lang: str) -> Mapping[str, str]:
    """Return the words of ``pgo.health`` for elements and codes; the patient's app shows the same ones."""
    found: dict[str, str] = {}
    for path in sorted(_SHARED_FOLDER.glob(f"{lang}*.json")):
        for key, value in json.loads(path.read_text("utf-8")).items():
            if key.startswith("health."):
                found[key] = str(value)
    return found


def health_word(lang: str, key: str) -> str:
    """Return the words of a ``pgo.health`` key; a missing one reads as its last part, not as a blank."""
    return _health_catalogue(lang).get(key) or key.rpartition(".")[2].replace("_", " ").capitalize()


def choose_language(cookie: str | None, accept_language: str) -> str:
    """Pick the language: the switch, then the browser's wish (RFC 9110 section 12.5.4), then Dutch.

    Args:
        cookie: untrusted value of the language cookie.
        accept_language: untrusted header.

    Returns:
        One of ``LANGUAGES``.
    """
    if cookie in LANGUAGES:
        return str(cookie)
    wishes: list[tuple[float, str]] = []
    for part in accept_language[:200].split(","):
        tag, _, quality = part.strip().partition(";q=")
        weight = float(quality) if re.fullmatch(r"[01](\.\d{1,3})?", quality) else 1.0
        wishes.append((weight, tag[:2].lower()))
    for weight, tag in sorted(wishes, key=lambda wish: -wish[0]):
        if tag in LANGUAGES and weight > 0:
            return tag
    return DEFAULT_LANGUAGE


def day_text(lang: str, text: str) -> str:
    """Write a FHIR date or instant of any precision for people; what is no date comes back as it is."""
    match = re.match(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", text)
    if not match:
        return text
    year, month, day = match.groups()
    if not month or not 1 <= int(month) <= 12:
        return year
    words = f"{_MONTHS[lang][int(month) - 1]} {year}"
    return f"{int(day)} {words}" if day else words


def date_text(lang: str, day: date) -> str:
    """Write a date for people."""
    return day_text(lang, day.isoformat())


def instant_words(lang: str, at: datetime) -> str:
    """Write an instant in the time of the place where the recipient runs."""
    local = at.astimezone()
    return f"{date_text(lang, local.date())} {local:%H:%M}"


def number_text(lang: str, text: str) -> str:
    """Write a value with the language's comma or point; digits and precision stay as recorded.

    Only numbers that stand free are touched: a version, a date or a code with points is not a number.
    """
    return _FREE_DECIMAL.sub(r"\1,\2", text) if lang == "nl" else text


def shown(text: str) -> str:
    """Make foreign text safe to read: direction controls could turn a name or a dose around."""
    return _BIDI_CONTROLS.sub("", text)
