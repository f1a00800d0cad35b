"""Read the public tables that ship with the program.

These files are part of the program, not data of a person: they are read once, when first needed, and
kept. A missing or damaged table is an installation fault and surfaces as the plain ``OSError`` or
``ValueError`` of the reading; nothing is guessed in its place.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@cache
def load_table(name: str) -> Any:
    """Read one JSON table.

    Args:
        name: Path below ``assets/``, for example ``fhir/r4-elements.json``. Never from outside.

    Returns:
        The decoded JSON. Shared between callers: do not change it.
    """
    return json.loads((ASSETS / name).read_bytes())
