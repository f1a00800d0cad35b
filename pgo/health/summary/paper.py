"""Set a summary as a PDF that lasts and can be read aloud. The only owner of ``typst``.

Rules:

1. The file is PDF/A-2a and PDF/UA-1: fonts inside, tagged headings and tables, language and title set, no
   scripts, no links out, no encryption. The typesetter checks this while it writes and refuses otherwise
   (ISO 19005-2 level A; ISO 14289-1).
2. Words of a record are values, never mark-up: they reach the template as JSON, so nothing in them can run.
3. Fonts are the bundled ones only, nothing is fetched, and the same summary at the same moment gives the
   same bytes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from pgo.health.assets import ASSETS
from pgo.health.summary.glyphs import FAMILY, FONTS, printable, replaced
from pgo.health.summary.model import Summary

_TEMPLATE = ASSETS / "summary" / "summary.typ"


def build_pdf(summary: Summary, *, at: datetime) -> bytes:
    """Set the paper.

    Args:
        summary: what stands on it.
        at: moment of making, also in the file's own data.
    """
    import typst  # large, and needed when somebody prints only

    data = _printable(asdict(summary)) | {"family": FAMILY, "at": _moment(at)}
    return typst.compile(
        _TEMPLATE,
        format="pdf",
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=int(at.timestamp()),
    )


def has_replaced(summary: Summary) -> bool:
    """Whether a character of the record cannot be drawn and gets a mark; the paper must then say so."""
    return any(replaced(text) for text in _texts(asdict(summary)))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for member in members for text in _texts(member)]


def _printable(value: dict[str, object]) -> dict[str, object]:
    def clean(one: object) -> object:
        if isinstance(one, str):
            return printable(one)
        if isinstance(one, dict):
            return {name: clean(member) for name, member in one.items()}
        return [clean(member) for member in one] if isinstance(one, list | tuple) else one

    return {name: clean(member) for name, member in value.items()}


def _moment(at: datetime) -> list[int]:
    return [at.year, at.month, at.day, at.hour, at.minute, at.second]
