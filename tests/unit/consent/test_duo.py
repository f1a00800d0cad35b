"""Data Use Ontology terms narrow, and what they cannot say goes to a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from consent.duo import _terms, label_of, read_duo, terms_of
from consent.fhir_import import Dialect, Proposal
from consent.model import Deidentification
from consent.research import FLAGS, ResearchUse, Study, conditions_met, topics_inside
from consent.rules import Rule
from consent.topics import inside
from consent.tri import NO, YES
from pgo.cli.consent_words import explain_outcome
from pgo.ui.text import LANGUAGES, has
from tests.support.consent_builders import REGISTRY, YEAR, a_permit

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


@pytest.mark.parametrize(
    "use",
    [
        ResearchUse(topics=frozenset({"E11"})),
        ResearchUse(topics=frozenset({"E11", "C50"}), methods=True, commercial=True, poa=True),
        ResearchUse(topics=frozenset({"E11"}), nonprofit_only=True, regions=frozenset({"EU", "NL"})),
        ResearchUse(topics=frozenset({"E11"}), nonprofit_only=True, commercial=True, ethics_required=True),
        ResearchUse(topics=frozenset({"E11"}), return_results=True, moratorium=date(2027, 1, 1)),
    ],
)
def test_limits_said_in_terms_read_back_to_the_same_limits_and_never_opt_in(use: ResearchUse) -> None:
    found = read_duo(terms_of(use))
    assert found.use == replace(use, methods=False, commercial=False, poa=False)
    assert found.review == ()


def test_undelimited_limits_have_no_permission_term_and_go_to_a_person() -> None:
    assert read_duo(terms_of(ResearchUse())).review == ("permission",)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_term_that_limits_can_be_said_in_has_words(lang: str) -> None:
    widest = ResearchUse(topics=frozenset({"E11"}), regions=frozenset({"EU"}), moratorium=date(2027, 1, 1))
    uses = (
        replace(widest, nonprofit_only=True, ethics_required=True, return_results=True),
        replace(widest, nonprofit_only=True, commercial=True),
    )
    terms = {term for use in uses for term, _ in (*terms_of(use), *terms_of(widest))}
    assert all(has(lang, f"consent.duo.{label_of(term)}") for term in terms)
    assert label_of("DUO:9999999") == ""
    text = explain_outcome(lang, 1, Proposal(Dialect.OURS, (_research(uses[0]),), YEAR))
    assert "E11" in text
    assert "2027-01-01" in text


def _research(use: ResearchUse) -> Rule:
    return a_permit(
        actor=[REGISTRY], purpose=["HRESCH"], deidentification=Deidentification.DEID, research_use=use
    )
