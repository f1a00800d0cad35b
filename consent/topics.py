"""Say whether what is asked lies inside what was granted: conditions, treatments, research topics.

1. A code is "system|code", "system|first-last" for a published range, or bare. A bare code is read
   as ICD-10 when the tree knows its place, else as ATC when it has the shape of one, else as a family
   of its own.
2. YES: the same code, or one below it. MAYBE: a broader or overlapping one, a code the tree does not
   know, or one of another family. NO: another branch of the same tree.
3. ICD-10 and ATC subsume by position in the published tree: E11.9 lies in E10-E14, but "E1" is no
   node and has no relatives. ICPC subsumes by rubric. Other families have no tree here, so only the
   same code is inside.
4. A laboratory code (LOINC) that is about one condition lies inside that condition: HbA1c inside
   diabetes. The groups are curated and short.
5. Nothing asked is inside nothing: `all_inside` of an empty list is MAYBE, never YES.

>>> inside("E11.9", "E10-E14"), inside("C50", "E11"), inside("E10-E14", "E11")
(2, 0, 1)

Tables: assets/codes/icd10-tree.json, atc-tree.json, loinc-groups.json (sources and licences there; made by
tools/make_topic_tables.py). Source of the rules: guide consent.md sections 1.2 (DUOS), 2.2, 2.10.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from consent.sensitive_codes import family_of
from consent.tri import MAYBE, NO, YES, Tri

_FOLDER: Final = Path(__file__).resolve().parent.parent / "assets" / "codes"
_ICD10: Final = re.compile(r"([A-Z]\d[0-9A-Z])[0-9A-Z]{0,4}")
# ICPC-1 and ICPC-1-NL: a chapter letter, two digits, and for the Dutch sub-rubrics two more.
_ICPC: Final = re.compile(r"[A-DFHK-NPR-UW-Z]\d{2}(?:\d{1,2})?")
TREES: Final = frozenset({"icd10", "icpc", "atc"})


@dataclass(frozen=True, slots=True)
class _Icd10:
    """Chapters, blocks and added rubrics as pairs of first and last rubric."""

    chapters: tuple[tuple[str, str], ...]
    blocks: tuple[tuple[str, str], ...]
    chapter_of_added: Mapping[str, tuple[str, str]]

    def chapter(self, code: str) -> tuple[str, str] | None:
        rubric = code[:3]
        found = (pair for pair in self.chapters if pair[0] <= rubric <= pair[1])
        return self.chapter_of_added.get(rubric) or next(found, None)

    def knows(self, rubric: str) -> bool:
        if rubric in self.chapter_of_added:
            return True
        return any(first <= rubric <= last for first, last in self.blocks)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a code stands: a range of one tree. A single code is a range of itself."""

    family: str
    first: str
    last: str
    known: bool


@lru_cache(maxsize=16384)
def inside(asked: str, granted: str) -> Tri:
    """Say whether `asked` lies inside `granted`.

    Args:
        asked: code of a resource or topic of a study, untrusted.
        granted: code of a rule.
    """
    if asked == granted:
        return YES
    answer = _inside(_place(asked), _place(granted))
    if answer == MAYBE and (block := _condition_of(asked)) is not None:
        # Narrower than its condition only; what else the test may be about stays open.
        return YES if _inside(block, _place(granted)) == YES else MAYBE
    return answer


def all_inside(asked: Collection[str], granted: Collection[str]) -> Tri:
    """Say whether every asked topic lies inside some granted one; nothing asked is MAYBE."""
    if not asked or not granted:
        return MAYBE
    return min(max(inside(one, other) for other in granted) for one in asked)


def _inside(asked: _Place, granted: _Place) -> Tri:
    if asked.family != granted.family:
        return MAYBE
    if (asked.first, asked.last) == (granted.first, granted.last):
        return YES
    if asked.family not in TREES or not (asked.known and granted.known):
        return MAYBE
    if asked.family == "icd10" and (answer := _added(asked, granted)) is not None:
        return answer
    low, high = granted.first, granted.last
    if low <= asked.first and asked.last[: len(high)] <= high:
        return YES
    apart = asked.last[: len(low)] < low[: len(asked.last)] or asked.first[: len(high)] > high
    return NO if apart else MAYBE


def _added(asked: _Place, granted: _Place) -> Tri | None:
    """Answer where a national edition added a rubric: its place among the blocks is not agreed.

    Inside its chapter it may belong to any block, so a deny on that block still bites; None when no
    added rubric is concerned.
    """
    tree = _icd10()
    rubrics = {text[:3] for text in (asked.first, asked.last, granted.first, granted.last)}
    if len(rubrics) == 1 or rubrics.isdisjoint(tree.chapter_of_added):
        return None
    if {tree.chapter(asked.first), tree.chapter(asked.last)}.isdisjoint(
        {tree.chapter(granted.first), tree.chapter(granted.last)}
    ):
        return NO
    return YES if (granted.first, granted.last) == tree.chapter(asked.first) else MAYBE


@lru_cache(maxsize=16384)
def _place(code: str) -> _Place:
    """Find family and place of a code; what has no place is known only to itself."""
    system, bar, own = code.rpartition("|")
    if not bar:
        return _bare(own)
    family = family_of(system)
    if family not in TREES:
        return _Place(family, own, own, known=False)
    return _in_tree(family, own)


def _bare(own: str) -> _Place:
    for family in ("icd10", "atc"):
        place = _in_tree(family, own)
        if place.known:
            return place
    return _Place("", own, own, known=False)


def _in_tree(family: str, own: str) -> _Place:
    first, bar, last = (part.replace(".", "").upper() for part in own.partition("-"))
    last = last if bar else first
    if family == "icd10":
        known = _known_icd10(first, last)
    elif family == "atc":
        known = first == last and _atc().fullmatch(first) is not None
    else:
        known = bool(_ICPC.fullmatch(first) and _ICPC.fullmatch(last)) and first <= last
    return _Place(family, first, last, known)


def _known_icd10(first: str, last: str) -> bool:
    tree = _icd10()
    if (first, last) in tree.chapters:
        return True
    low, high = _ICD10.fullmatch(first), _ICD10.fullmatch(last)
    if low is None or high is None or first > last:
        return False
    return tree.knows(low.group(1)) and tree.knows(high.group(1))


@cache
def _icd10() -> _Icd10:
    data = _load("icd10-tree.json")
    chapters: dict[str, list[str]] = data["chapters"]
    blocks = tuple(_pair(block) for names in chapters.values() for block in names)
    added = {rubric: _pair(name) for name, rubrics in data["added"].items() for rubric in rubrics}
    return _Icd10(tuple(map(_pair, chapters)), blocks, added)


def _condition_of(code: str) -> _Place | None:
    """Find the condition a laboratory code is about."""
    system, bar, own = code.rpartition("|")
    if bar and family_of(system) != "loinc":
        return None
    return _loinc().get(own)


@cache
def _loinc() -> Mapping[str, _Place]:
    groups: dict[str, list[str]] = _load("loinc-groups.json")["groups"]
    return {code: _in_tree("icd10", block) for block, codes in groups.items() for code in codes}


@cache
def _atc() -> re.Pattern[str]:
    """The shape of an ATC code: letter, two digits, letter, letter, two digits, cut at a level."""
    data = _load("atc-tree.json")
    parts = [f"[{data['main_groups']}]", r"\d{2}", "[A-Z]", "[A-Z]", r"\d{2}"]
    shape = ""
    for part in reversed(parts):
        shape = f"{part}(?:{shape})?" if shape else part
    return re.compile(shape)


def _pair(text: str) -> tuple[str, str]:
    first, _, last = text.partition("-")
    return first, last


def _load(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))
