"""Every word on the screen comes from here: texts, dates and numbers in the patient's language.

Rules:

1. A text has a key and lives in ``assets/locale/<language>.json`` (or ``<language>.<part>.json``), one flat
   JSON object per file; the files of a language are merged and a key may appear once only.
2. A key with the ending ``.one`` is used when ``n=1`` is given, so "1 record" needs no code.
3. A key that does not exist shows as ``[key]``: ugly on purpose, never an exception in the middle of a
   screen. `tools/check_locale.py` keeps that from happening.
4. Dates of records may be partial ("2024", "2024-03"): what is not known is not shown.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

LANGUAGES: tuple[str, ...] = ("nl", "en")
DEFAULT_LANGUAGE = "nl"
LOCALE_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "locale"


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(lang: str) -> dict[str, str]:
    """Load all texts of one language.

    Raises:
        ValueError: A key appears in two files, or a value is not text.
    """
    texts: dict[str, str] = {}
    for path in sorted(LOCALE_FOLDER.glob(f"{lang}*.json")):
        for key, value in json.loads(path.read_text(encoding="utf-8")).items():
            if key in texts or not isinstance(value, str):
                raise ValueError(f"locale file {path.name}: key {key} is doubled or no text")
            texts[key] = value
    return texts


def t(lang: str, key: str, **values: object) -> str:
    """Return the text of a key in a language, with the values filled in."""
    texts = catalogue(lang)
    template = texts.get(f"{key}.one") if values.get("n") == 1 else None
    template = template or texts.get(key)
    if template is None:
        return f"[{key}]"
    return template.format(**values) if values else template


def has(lang: str, key: str) -> bool:
    """Tell whether a language has a text for this key."""
    return key in catalogue(lang)


def fmt_date(lang: str, value: date | str | None) -> str:
    """Write a date out: "5 november 2026"; a partial ISO date gives what is known; empty gives ""."""
    if not value:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone().date() if value.tzinfo else value.date()
    parts = value.isoformat().split("-") if isinstance(value, date) else value[:10].split("-")
    if len(parts) == 1 or not all(p.isdigit() for p in parts) or not 1 <= int(parts[1]) <= 12:
        return parts[0] if len(parts) == 1 else str(value)
    month = t(lang, f"date.month.{int(parts[1])}")
    return f"{int(parts[2])} {month} {parts[0]}" if len(parts) == 3 else f"{month} {parts[0]}"


def fmt_moment(lang: str, value: datetime) -> str:
    """Write an instant in the device's own time zone: "5 november 2026, 14:03"."""
    local = value.astimezone()
    return t(lang, "date.moment", day=fmt_date(lang, local.date()), time=f"{local:%H:%M}")


def fmt_number(lang: str, value: Decimal | int | str) -> str:
    """Write a number as given, digit for digit, with the language's decimal mark and group mark."""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    whole, _, fraction = text.partition(".")
    if len(whole.lstrip("-")) > 4 and whole.lstrip("-").isdigit():
        whole = f"{int(whole):,}".replace(",", "." if lang == "nl" else ",")
    mark = "," if lang == "nl" else "."
    return f"{whole}{mark}{fraction}" if fraction else whole
