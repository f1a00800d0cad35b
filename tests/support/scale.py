"""How many random cases a run draws: the ordinary number, or twenty times as many at night."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hypothesis import settings

NIGHT = 20


def is_night() -> bool:
    """`make test-night` picks the profile; the environment counts for subprocesses."""
    chosen = os.environ.get("HYPOTHESIS_PROFILE") == "night"
    return chosen or settings().max_examples >= 2_000


def cases(ordinary: int) -> int:
    """Scale a number of cases to this run."""
    return ordinary * NIGHT if is_night() else ordinary


def many(count: int, *, start: int = 0) -> Iterator[int]:
    """Seeds: the same ones every ordinary run, fresh ones at night."""
    offset = int.from_bytes(os.urandom(4), "big") * 1_000_000_000 if is_night() else 0
    return iter(range(offset + start, offset + start + count))
