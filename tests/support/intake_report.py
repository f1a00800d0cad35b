"""Read every file of the shared test data and write the table of docs/intake.md.

`python -m tests.support.intake_report` replaces what stands between the two marks of that page. Templates
of test data get their places filled in first (``health_data.filled``); every other byte is read as it lies.
Seconds are of the machine it ran on. A crash is any exception that is no ``Refused``: there must be none.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pgo.health.record.reader import Refused, read_records
from tests.support.health_data import filled

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "intake.md"
BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"
HOSTILE = "hostile"
HEAD = (
    "| folder | files | entries | imported | of these from STU3 | set aside or refused, by reason | crashes"
    " | seconds |",
    "|---|---:|---:|---:|---:|---|---:|---:|",
)


@dataclass
class Row:
    """The counts of one folder."""

    files: int = 0
    taken: int = 0
    converted: int = 0
    accepted: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    seconds: float = 0.0

    def read(self, path: Path) -> None:
        """Read one file and count what became of it."""
        data = filled(path.read_bytes())
        begun = time.perf_counter()
        self.files += 1
        try:
            intake = read_records(data, name=path.name)
        except Refused as refusal:
            self.reasons[refusal.code] += 1
        except Exception:
            self.crashes += 1
        else:
            self.taken += len(intake.resources)
            self.accepted += bool(intake.resources)
            self.converted += sum(one.original_format.startswith("stu3_") for one in intake.resources)
            self.reasons.update(one.code for one in intake.set_aside)
        self.seconds += time.perf_counter() - begun

    def add(self, other: Row) -> None:
        """Add the counts of another folder."""
        self.files += other.files
        self.taken += other.taken
        self.converted += other.converted
        self.accepted += other.accepted
        self.reasons += other.reasons
        self.crashes += other.crashes
        self.seconds += other.seconds

    def cells(self, name: str) -> str:
        """Write the row."""
        why = ", ".join(f"{code} {count}" for code, count in sorted(self.reasons.items())) or "–"
        entries = self.taken + sum(self.reasons.values())
        numbers = f"{self.files} | {entries} | {self.taken} | {self.converted}"
        return f"| {name} | {numbers} | {why} | {self.crashes} | {self.seconds:.2f} |"


def folders(data: Path) -> Iterator[Path]:
    """Give every folder that holds files itself, below the top."""
    for folder in sorted(path for path in data.rglob("*") if path.is_dir()):
        if any(path.is_file() for path in folder.iterdir()):
            yield folder


def rows(data: Path) -> dict[str, Row]:
    """Read everything, by folder."""
    found: dict[str, Row] = {}
    for folder in folders(data):
        row = found.setdefault("/".join(folder.relative_to(data).parts[:3]), Row())
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            row.read(path)
    return found


def table(found: dict[str, Row]) -> str:
    """Write the table, its total, and the line about the hostile set."""
    whole, hostile = Row(), Row()
    for name, row in found.items():
        whole.add(row)
        if name.startswith(HOSTILE):
            hostile.add(row)
    lines = [*HEAD, *(row.cells(name) for name, row in found.items()), whole.cells("**all**")]
    said = (
        f"Hostile set: {hostile.files} files tried, {hostile.accepted} accepted (the valid ones among them),"
        f" {hostile.crashes} crashed."
    )
    return "\n".join((*lines, "", said))


def main() -> None:
    """Write the page anew."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    made = table(rows(PROJECT.parent / "shared" / "data"))
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
