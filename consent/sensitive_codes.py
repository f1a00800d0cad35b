"""Look up which sensitive clusters a code, a name or a security label stands for.

The tables lie in `assets/codes/sensitivity.json`, with their sources; this module reads them once
and answers. Rules:

1. ICD-10, ICPC and ATC are matched by position in their published tree, ranges rubric by rubric.
2. Labels are compared by code, whatever the system's spelling.
3. R, V and SPI alone could mean any cluster; beside a specific label they are explained by it.
4. A label this table does not know means an unknown cluster.

>>> sorted(clusters_of("http://hl7.org/fhir/sid/icd-10", "B20.1").sensitivity)
[<Sensitivity.HIV: 'hiv'>]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from consent.codes import OBLIGATIONS, PURPOSES, Category, Sensitivity

_ASSET: Final = Path(__file__).resolve().parent.parent / "assets" / "codes" / "sensitivity.json"
_TREES: Final = frozenset({"icd10", "icpc", "atc"})


@dataclass(frozen=True, slots=True)
class Marks:
    """What one code adds to a resource."""

    sensitivity: frozenset[Sensitivity] = frozenset()
    categories: frozenset[Category] = frozenset()


_NOTHING: Final = Marks()


@dataclass(frozen=True, slots=True)
class _Tables:
    systems: Mapping[str, str]
    exact: Mapping[tuple[str, str], Marks]
    ranges: Mapping[str, tuple[tuple[str, str, Marks], ...]]
    names: re.Pattern[str]
    name_clusters: tuple[tuple[str, Sensitivity], ...]
    labels: Mapping[str, frozenset[Sensitivity]]
    any_cluster: frozenset[str]
    harmless: frozenset[str] = field(default=frozenset())


@cache
def _tables() -> _Tables:
    data = json.loads(_ASSET.read_text(encoding="utf-8"))
    exact: dict[tuple[str, str], Marks] = {}
    ranges: dict[str, list[tuple[str, str, Marks]]] = {tree: [] for tree in _TREES}
    for group in data["groups"]:
        marks = _marks_of(group)
        for code in group.get("code", ()):
            exact[group["family"], code] = _join((exact.get((group["family"], code), _NOTHING), marks))
        for text in group.get("prefix", ()):
            first, _, last = text.partition("-")
            ranges[group["family"]].append((first, last or first, marks))
    names = sorted((word, Sensitivity(c)) for c, words in data["names"].items() for word in words)
    return _Tables(
        systems=data["systems"],
        exact=exact,
        ranges={tree: tuple(rows) for tree, rows in ranges.items()},
        names=re.compile(
            r"\b(" + "|".join(re.escape(word) for word, _ in reversed(names)) + ")", re.IGNORECASE
        ),
        name_clusters=tuple(names),
        labels={code: frozenset(map(Sensitivity, c)) for code, c in data["labels"].items()},
        any_cluster=frozenset(data["labels_any_cluster"]),
        harmless=frozenset(data["labels_without_cluster"]) | OBLIGATIONS | PURPOSES,
    )


def _marks_of(group: Mapping[str, Any]) -> Marks:
    categories = frozenset({Category(group["category"])}) if "category" in group else frozenset[Category]()
    return Marks(frozenset({Sensitivity(group["cluster"])}), categories)


def _join(marks: Iterable[Marks]) -> Marks:
    found = tuple(marks)
    return Marks(
        frozenset().union(*(m.sensitivity for m in found)), frozenset().union(*(m.categories for m in found))
    )


def family_of(system: str) -> str:
    """Name the code family of a system address; an unknown system is its own family."""
    return _tables().systems.get(system, system)


@lru_cache(maxsize=16384)
def clusters_of(system: str, code: str) -> Marks:
    """Return the clusters and categories one coding adds; a code outside the groups adds nothing."""
    tables = _tables()
    family = tables.systems.get(system)
    if family is None:
        return _NOTHING
    found = [marks for first, last, marks in tables.ranges.get(family, ()) if in_range(code, first, last)]
    if (exact := tables.exact.get((family, code))) is not None:
        found.append(exact)
    return _join(found) if found else _NOTHING


def in_range(code: str, first: str, last: str) -> bool:
    """Say whether a code of a positional tree lies in [first, last] or below it.

    Cutting the code to the length of the bound compares rubric with rubric, so E11.9 lies in
    E10-E14 and E1 does not. Dots are spelling ("E11.9" and "E119" are one code).
    """
    plain, low, high = (text.replace(".", "").upper() for text in (code, first, last))
    return len(plain) >= len(low) and low <= plain[: len(low)] and plain[: len(high)] <= high


def clusters_in_text(texts: Iterable[str]) -> frozenset[Sensitivity]:
    """Return clusters whose names stand in these texts. Adds only: silence here proves nothing."""
    tables = _tables()
    found: set[Sensitivity] = set()
    for text in texts:
        for match in tables.names.finditer(text):
            word = match.group(1).lower()
            found.update(cluster for name, cluster in tables.name_clusters if name == word)
    return frozenset(found)


def read_labels(codes: Iterable[str]) -> tuple[frozenset[Sensitivity], bool]:
    """Read the codes of `meta.security`.

    Returns:
        The clusters named, and whether more clusters may hold that no label names.
    """
    tables = _tables()
    labels = frozenset(codes)
    named = frozenset[Sensitivity]().union(*(tables.labels.get(code, frozenset()) for code in labels))
    unread = labels - tables.labels.keys() - tables.any_cluster - tables.harmless
    unexplained = not named and not labels.isdisjoint(tables.any_cluster)
    return named, bool(unread) or unexplained
