"""Codes and topics stand inside one another by the published trees, never by their first letters."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.topics import all_inside, inside
from consent.tri import MAYBE, NO, YES, Tri
from tools import make_topic_tables

ICD, ATC = "http://hl7.org/fhir/sid/icd-10|", "http://www.whocc.no/atc|"


@pytest.mark.parametrize(
    ("asked", "granted", "answer"),
    [
        ("E11", "E11", YES),
        ("E11.9", "E11", YES),
        ("E119", "E11", YES),
        ("E11.9", "E10-E14", YES),
        ("E12", "E10-E14", YES),
        ("E10-E14", "E00-E90", YES),
        ("C50", "C00-C97", YES),
        ("C50.9", "C50-C50", YES),
        ("B22", "B20-B24", YES),
        ("E11", "E11.9", MAYBE),
        ("E10-E14", "E11", MAYBE),
        ("E10-E11", "E11-E12", MAYBE),
        ("E15", "E10-E14", NO),
        ("C50", "E11", NO),
        ("E12", "E11.9", NO),
        ("C51-C58", "C50", NO),
    ],
)
def test_icd10_subsumes_by_position_in_the_published_tree(asked: str, granted: str, answer: Tri) -> None:
    assert inside(asked, granted) == answer
    assert inside(ICD + asked, ICD + granted) == answer
    assert inside(asked, ICD + granted) == answer


@pytest.mark.parametrize("asked", ["E11", "E11.9", "E10-E14"])
def test_a_piece_of_a_code_is_no_node(asked: str) -> None:
    """Prefix tests would call E1 an ancestor of E11."""
    assert inside(asked, "E1") == MAYBE
    assert inside("E1", asked) == MAYBE
    assert inside(ICD + asked, ICD + "E") == MAYBE


@pytest.mark.parametrize(
    "unknown", ["E99", "E11-E10", "E11.999999", "ZZZ", "", "E10-", "-E14", "E10-E14-E20"]
)
def test_a_code_without_a_place_has_no_relatives(unknown: str) -> None:
    assert inside(ICD + unknown, ICD + "E11") == MAYBE
    assert inside(ICD + "E11", ICD + unknown) == MAYBE
    assert inside(ICD + unknown, ICD + unknown) == YES


def test_a_rubric_added_by_a_national_edition_may_belong_to_any_block_of_its_chapter() -> None:
    assert inside("E08", "E10-E14") == MAYBE
    assert inside("E08.1", "E00-E90") == YES
    assert inside("E08.1", "E08") == YES
    assert inside("E08", "C00-D48") == NO
    assert inside("D49", "C00-D48") == YES
    assert inside("D49", "D50-D89") == NO


@pytest.mark.parametrize(
    ("asked", "granted", "answer"),
    [
        ("A10BA02", "A10", YES),
        ("A10BA02", "A", YES),
        ("A10BA02", "A10BA", YES),
        ("A10", "A10BA02", MAYBE),
        ("B01", "A10", NO),
        ("A1", "A10", MAYBE),
        ("A10BA02", "A10B-A10C", MAYBE),
        ("A10BA0", "A10BA", MAYBE),
        ("E11", "E11", YES),
        ("E11", "A10", MAYBE),
    ],
)
def test_atc_subsumes_by_the_levels_of_the_code(asked: str, granted: str, answer: Tri) -> None:
    assert inside(ATC + asked, ATC + granted) == answer


def test_a_bare_code_is_icd10_where_the_tree_knows_it_and_else_atc() -> None:
    assert inside("A10BA02", "A10") == YES
    assert inside(ATC + "A10BA02", "A10") == YES
    assert inside(ICD + "A09", "A00-A09") == YES
    assert inside("E11", ATC + "A10") == MAYBE
    assert inside("MONDO:0005148", "MONDO:0005148") == YES
    assert inside("MONDO:0005148", "E11") == MAYBE


def test_families_without_a_tree_know_only_the_same_code() -> None:
    assert inside("http://snomed.info/sct|1", "urn:oid:2.16.840.1.113883.6.96|1") == YES
    assert inside("http://snomed.info/sct|1", "http://snomed.info/sct|2") == MAYBE
    assert inside("http://snomed.info/sct|44054006", ICD + "E11") == MAYBE


@pytest.mark.parametrize(
    ("asked", "granted", "answer"),
    [
        ("http://loinc.org|4548-4", ICD + "E10-E14", YES),
        ("http://loinc.org|4548-4", "E00-E90", YES),
        ("4548-4", "E10-E14", YES),
        ("http://loinc.org|4548-4", "E11", MAYBE),
        ("http://loinc.org|4548-4", "C50", MAYBE),
        ("http://loinc.org|4548-4", "A10", MAYBE),
        ("http://loinc.org|2339-0", "E10-E14", MAYBE),
        ("http://snomed.info/sct|4548-4", "E10-E14", MAYBE),
        ("E10-E14", "http://loinc.org|4548-4", MAYBE),
    ],
)
def test_a_laboratory_code_lies_inside_the_one_condition_it_is_about(
    asked: str, granted: str, answer: Tri
) -> None:
    assert inside(asked, granted) == answer


def test_topics_must_all_be_inside_and_none_is_not_all() -> None:
    assert all_inside(["E11"], ["E11"]) == YES
    assert all_inside(["E11", "C50"], ["E11"]) == NO
    assert all_inside(["E11", "C50"], ["E11", "C00-C97"]) == YES
    assert all_inside([], ["E11"]) == MAYBE
    assert all_inside(["E11"], []) == MAYBE


RUBRICS = st.sampled_from(sorted(b for text in make_topic_tables.ICD10.values() for b in text.split()))
CODES = st.one_of(RUBRICS, RUBRICS.map(lambda block: block[:3]), RUBRICS.map(lambda block: block[4:] + ".1"))


@given(CODES, CODES, CODES)
def test_inside_is_transitive(one: str, two: str, three: str) -> None:
    if inside(one, two) == YES and inside(two, three) == YES:
        assert inside(one, three) == YES


@given(CODES, CODES)
def test_apart_is_apart_from_both_sides(one: str, two: str) -> None:
    assert (inside(one, two) == NO) == (inside(two, one) == NO)


@given(st.text(max_size=12), st.text(max_size=12))
def test_odd_text_never_raises_and_never_widens(asked: str, granted: str) -> None:
    answer = inside(ICD + asked, ICD + granted)
    assert answer in (NO, MAYBE, YES)
    assert inside(ICD + asked, ICD + asked) == YES


def test_the_tables_are_as_the_tool_makes_them() -> None:
    assert make_topic_tables.main(["--check"]) == 0


@pytest.mark.data
def test_every_category_of_a_published_edition_has_a_place(shared_data: Path) -> None:
    path = shared_data / "terminology" / "icd-10-cm" / "categories.csv"
    assert make_topic_tables.strangers(path) == []
    with path.open(encoding="utf-8") as stream:
        codes = [row[0] for row in csv.reader(stream)]
    assert len(codes) > 20000
    chapters = [ICD + name for name in make_topic_tables.ICD10]
    for code in codes:
        assert [inside(ICD + code, chapter) for chapter in chapters].count(YES) == 1
