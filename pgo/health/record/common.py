"""Everyday names of what is measured most: blood pressure is called so, whatever its source speaks.

Rules:

1. Only codes of the table get another name, and only in lists and headings; the page of a record shows the
   words of its source beside it.
2. A name says what was measured and never what the value means.

>>> common_name("http://loinc.org|8480-6", "nl"), common_name("http://loinc.org|0-0", "nl")
('Bovendruk', '')

Source: assets/codes/common-names.json.
"""

from __future__ import annotations

from pgo.health.assets import load_table

_TABLE = "codes/common-names.json"


def common_name(code: str, lang: str) -> str:
    """Give the everyday name of a ``system|code`` in a language; empty when the table has none."""
    return str(load_table(_TABLE)["names"].get(code, {}).get(lang, ""))


def common_words(code: str) -> tuple[str, ...]:
    """Give the everyday names in every language, for searching."""
    return tuple(load_table(_TABLE)["names"].get(code, {}).values())
