"""Purposes cover what people mean by them, not what the published hierarchy files under them.

The traps are those of guide consent.md section 1.4, read from the code system itself where it is at hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consent.codes import DENY_CLOSURE, PERMIT_CLOSURE, PURPOSES, RESEARCH_PURPOSES

CARE = ("TREAT", "COC", "ETREAT", "ERTREAT")


@pytest.mark.parametrize("trap", ["CLINTRL", "POPHLTH", "TREATDS", "BTG"])
def test_a_permit_of_treatment_does_not_cover_what_is_filed_under_it(trap: str) -> None:
    assert trap not in PERMIT_CLOSURE["TREAT"]
    assert trap in DENY_CLOSURE["TREAT"]


def test_a_permit_of_treatment_covers_care() -> None:
    assert PERMIT_CLOSURE["TREAT"] == set(CARE)


def test_emergency_treatment_does_not_break_the_glass() -> None:
    assert "BTG" not in PERMIT_CLOSURE["ETREAT"]
    assert "BTG" in DENY_CLOSURE["ETREAT"]


def test_trials_origins_and_public_health_are_permitted_by_name_only() -> None:
    by_name = {"CLINTRL", "CLINTRCH", "CLINTRCHNPC", "CLINTRCHPC", "PRECLINTRCH", "POARCH", "BTG", "PUBHLTH"}
    for purpose, covered in PERMIT_CLOSURE.items():
        assert covered & by_name <= {purpose}


def test_a_deny_of_research_reaches_research_under_other_names() -> None:
    assert {"CLINTRL", "MLTRAINING", "POARCH", "CLINTRCHPC", "BIORCH"} <= DENY_CLOSURE["HRESCH"]
    assert DENY_CLOSURE["HRESCH"] == RESEARCH_PURPOSES


def test_care_is_no_research() -> None:
    assert RESEARCH_PURPOSES.isdisjoint(CARE)


@pytest.mark.parametrize("purpose", sorted(PURPOSES))
def test_a_deny_reaches_at_least_what_a_permit_covers(purpose: str) -> None:
    assert purpose in PERMIT_CLOSURE[purpose] <= DENY_CLOSURE[purpose]


def published(folder: Path) -> dict[str, set[str]]:
    """Descendants of every code in the published hierarchy."""
    path = folder / "terminology" / "hl7-r4-codesystems-valuesets" / "CodeSystem-v3-ActReason.json"
    found: dict[str, set[str]] = {}

    def walk(concept: dict[str, Any]) -> set[str]:
        below = {concept["code"]}.union(*(walk(child) for child in concept.get("concept", ())))
        for extra in concept.get("property", ()):
            if extra["code"] == "subsumedBy":
                found.setdefault(extra["valueCode"], set()).add(concept["code"])
        found[concept["code"]] = found.get(concept["code"], set()) | below
        return below

    for concept in json.loads(path.read_text(encoding="utf-8"))["concept"]:
        walk(concept)
    return found


@pytest.mark.data
def test_the_traps_are_really_in_the_published_hierarchy(shared_data: Path) -> None:
    tree = published(shared_data)
    assert {"CLINTRL", "POPHLTH", "ETREAT", "BTG"} <= tree["TREAT"]
    assert "BTG" in tree["ETREAT"]


@pytest.mark.data
def test_a_deny_reaches_every_published_descendant(shared_data: Path) -> None:
    tree = published(shared_data)
    for purpose in PURPOSES & tree.keys():
        assert tree[purpose] & PURPOSES <= DENY_CLOSURE[purpose], purpose
