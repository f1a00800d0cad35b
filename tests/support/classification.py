"""The report on classification: what the table makes of every record in the shared test data.

`python -m tests.support.classification` writes docs/classification-report.md. FHIR JSON is taken as it
is, R4 XML as the app reads it; what the app refuses (STU3 and CDA in XML) is counted as not read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consent.classify import TABLE_VERSION, classify_all
from consent.codes import Category, Sensitivity
from consent.facts import ResourceFacts
from pgo.health.record.reader import read_records
from pgo.health.record.resource import Refused

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "classification-report.md"
CORPORA = {
    "Synthea": ("synthea", (".json", ".ndjson", ".phr", ".xml")),
    "Bulk data": ("bulk-ndjson", (".ndjson",)),
    "HL7 R4 examples": ("hl7-r4-examples", (".json",)),
    "Dutch zib and MedMij, JSON": ("nl", (".json",)),
    "Dutch zib and MedMij, XML": ("nl", (".xml",)),
    "Consent and labels": ("consent-and-labels", (".json", ".xml")),
}
_HEAD = f"""# What the classification table makes of real examples

Made by `python -m tests.support.classification` with table {TABLE_VERSION}; a test compares it with the
shared test data. A record may be of several categories and in several clusters. *Undecided*: its kind is
only known in part (mostly laboratory results without a category). *Unread*: sensitive content cannot be
ruled out, so only a permit of any cluster reaches it. *Not read*: files the app refuses, such as STU3 in XML.
"""


@dataclass
class Counts:
    """Counts of one corpus."""

    resources: int = 0
    undecided: int = 0
    unread: int = 0
    plain: int = 0
    not_read: int = 0
    categories: Counter[Category] = field(default_factory=Counter)
    clusters: Counter[Sensitivity] = field(default_factory=Counter)

    def add(self, facts: ResourceFacts) -> None:
        self.resources += 1
        self.undecided += bool(facts.possible_categories)
        self.unread += facts.sensitivity_unknown
        self.plain += not facts.sensitivity and not facts.sensitivity_unknown
        self.categories.update(facts.categories)
        self.clusters.update(facts.sensitivity)


def bodies(value: Any) -> Iterator[Mapping[str, object]]:
    """Resources of a JSON value, Bundles opened."""
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        for entry in value.get("entry", ()):
            yield from bodies(entry.get("resource"))
    elif isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        yield value


def resources_of(path: Path) -> list[Mapping[str, object]] | None:
    """Resources of one file; None when the app refuses it."""
    data = path.read_bytes()
    if path.suffix == ".xml":
        try:
            return [resource.body for resource in read_records(data, name=path.name).resources]
        except Refused:
            return None
    found: list[Mapping[str, object]] = []
    for part in [data] if path.suffix == ".json" else data.splitlines():
        try:
            found.extend(bodies(json.loads(part)))
        except ValueError:
            continue
    return found


def count(folder: Path, endings: tuple[str, ...]) -> Counts:
    counts = Counts()
    for path in sorted(folder.rglob("*")):
        if path.suffix in endings:
            resources = resources_of(path)
            counts.not_read += resources is None
            for facts in classify_all(resources or []):
                counts.add(facts)
    return counts


def report(shared_data: Path) -> str:
    """The page, from the data at hand."""
    counts = {name: count(shared_data / folder, ends) for name, (folder, ends) in CORPORA.items()}
    rows: list[tuple[str, list[int]]] = [
        ("records", [c.resources for c in counts.values()]),
        ("undecided", [c.undecided for c in counts.values()]),
        ("unread", [c.unread for c in counts.values()]),
        ("in no cluster", [c.plain for c in counts.values()]),
        ("files not read", [c.not_read for c in counts.values()]),
    ]
    categories = [
        (category.value, [c.categories[category] for c in counts.values()]) for category in Category
    ]
    clusters = [(cluster.value, [c.clusters[cluster] for c in counts.values()]) for cluster in Sensitivity]
    tables = [
        _table(title, list(counts), lines)
        for title, lines in (("", rows), ("category", categories), ("cluster", clusters))
    ]
    return "\n".join([_HEAD, *tables])


def _table(title: str, columns: list[str], rows: list[tuple[str, list[int]]]) -> str:
    lines = [f"| {title} | {' | '.join(columns)} |", "|---" + "|---:" * len(columns) + "|"]
    lines += [f"| {name} | {' | '.join(str(number) for number in numbers)} |" for name, numbers in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(report(PROJECT.parent / "shared" / "data"), encoding="utf-8")
