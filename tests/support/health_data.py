"""Read the shared test data for the health tests: templates filled, outcomes counted.

The Dutch test fixtures are templates: ``${DATE, T, D, -44}`` is the day 44 days before a reference day.
Filling them in here keeps the reader itself free of any knowledge of templates.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from pgo.health.record.index import build_index
from pgo.health.record.reader import Refused, read_records
from pgo.health.record.resolve import resolver
from pgo.health.record.resource import Intake
from pgo.health.record.series import build_series, measured
from pgo.health.record.views import details

REFERENCE_DAY = date(2026, 1, 15)
SUFFIXES = (".json", ".ndjson", ".phr", ".sphr", ".xml", ".ccda", ".pdf")
_DATE = re.compile(rb"\$\{DATE(?:TIME)?, ?T, ?([YMDymd]), ?([+-]?[0-9]+)\}")
_OTHER = re.compile(rb"\$\{[A-Za-z][A-Za-z-]*\}")


def filled(data: bytes, *, day: date = REFERENCE_DAY) -> bytes:
    """Fill the placeholders of a template; bytes without any come back unchanged."""
    if b"${" not in data:
        return data
    dated = _DATE.sub(lambda found: _shifted(day, found.group(1), int(found.group(2))).encode(), data)
    return _OTHER.sub(b"filled-in", dated)


def _shifted(day: date, unit: bytes, offset: int) -> str:
    if unit in b"Dd":
        return (day + timedelta(days=offset)).isoformat()
    months = day.year * 12 + day.month - 1 + offset * (12 if unit in b"Yy" else 1)
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last)).isoformat()


@dataclass
class Tally:
    """What became of the files of one folder."""

    files: int = 0
    taken: int = 0
    aside: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def as_row(self) -> tuple[int, int, dict[str, int], dict[str, int]]:
        """Give the numbers in a form that a test can hold."""
        return self.files, self.taken, dict(self.aside), dict(self.refused)


def files_of(folder: Path) -> Iterator[Path]:
    """Give the data files below a folder in a fixed order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in SUFFIXES)


def tally(folder: Path) -> Tally:
    """Read every file of a folder and do with each resource all that the product does with it."""
    counts = Tally()
    for path in files_of(folder):
        counts.files += 1
        try:
            intake = read_records(filled(path.read_bytes()), name=path.name)
        except Refused as refusal:
            counts.refused[refusal.code] += 1
            continue
        counts.taken += len(intake.resources)
        counts.aside.update(piece.code for piece in intake.set_aside)
        use(intake)
    return counts


def use(intake: Intake) -> None:
    """Index, show and chart every resource; any exception is a fault of ours."""
    resolve = resolver(intake.resources)
    for resource in intake.resources:
        index = build_index(resource, resolve=resolve)
        if not index.title:
            raise AssertionError(f"no title for a {resource.type}")
        details(resource, resolve)
    build_series((number, item) for number, one in enumerate(intake.resources) for item in measured(one))
