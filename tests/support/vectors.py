"""Reads the vector files of tests/vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "vectors"


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))
