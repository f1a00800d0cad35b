"""Data Use Ontology terms narrow, and what they cannot say goes to a person."""

from __future__ import annotations

from datetime import date

import pytest

from consent.duo import _terms, read_duo
from consent.research import FLAGS, ResearchUse, Study, conditions_met, topics_inside
from consent.topics import inside
from consent.tri import NO, YES

DS = ("DUO:0000007", ["E10-E14"])


def test_a_disease_with_conditions_becomes_limits() -> None:
    found = read_duo(
        [
            DS,
            ("DUO:0000021", []),
            ("DUO:0000045", []),
            ("DUO:0000022", ["EU"]),
            ("DUO:0000024", ["2027-01-01"]),
            ("DUO:0000029", []),
        ]
    )
    assert found.review == ()
    assert found.use == ResearchUse(
        topics=frozenset({"E10-E14"}),
        regions=frozenset({"EU"}),
        nonprofit_only=True,
        ethics_required=True,
        return_results=True,
        moratorium=date(2027, 1, 1),
    )


def test_what_the_term_leaves_open_stays_closed() -> None:
    """Without NCU the ontology allows commercial use; here it is opted in by name."""
    use = read_duo([DS]).use
    study = Study(topics=frozenset({"E11"}), commercial=True)
    assert conditions_met(use, study) == NO
    assert topics_inside(use, study, inside=inside) == YES


def test_methods_research_is_no_disease_research() -> None:
    """A study that names no disease lies inside no disease, whatever else it is."""
    use = read_duo([DS]).use
    assert topics_inside(use, Study(methods=True), inside=inside) == NO


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ([], "permission"),
        ([DS, ("DUO:0000006", [])], "permission"),
        ([("DUO:0000042", [])], "too-wide"),
        ([("DUO:0000006", [])], "too-wide"),
        ([("DUO:0000004", [])], "too-wide"),
        ([("DUO:0000011", [])], "only"),
        ([("DUO:0000007", [])], "no-value"),
        ([("DUO:0000007", [""])], "no-value"),
        ([DS, ("DUO:0000022", [])], "no-value"),
        ([DS, ("DUO:0000024", ["soon"])], "no-value"),
        ([DS, ("DUO:0000012", [])], "text"),
        ([DS, ("DUO:0000016", [])], "text"),
        ([DS, ("DUO:0000025", [])], "period"),
        ([DS, ("DUO:9999999", [])], "unknown-term"),
    ],
)
def test_what_no_member_says_goes_to_a_person(terms: list[tuple[str, list[str]]], why: str) -> None:
    assert why in read_duo(terms).review


def test_the_table_names_members_that_exist() -> None:
    for row in _terms().values():
        assert set(row) <= {"label", "permission", "review", "use", "value"}
        assert set(row.get("use", {})) <= set(FLAGS)
        assert row.get("value", "topics") in ("topics", "regions", "moratorium")
    assert sum(bool(row.get("permission")) for row in _terms().values()) == 5
