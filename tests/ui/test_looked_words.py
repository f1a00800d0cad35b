"""Who looked in plain words: what one would not expect is said, every fault has its own sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pgo.ui.looked_words import access_more, access_what, doubt, is_marked
from pgo.usecases.looked import _WRONG_LOG
from sync.access import AccessDetails, AccessEntry


def a_look(**details: Any) -> AccessEntry:
    told: dict[str, Any] = {
        "user_id": "staff:1",
        "organisation": "Praktijk Zuid",
        "organisation_id": "ura:1",
        "on_behalf_of": "",
        "outcome": "permitted",
        "reason": "",
        "note": "",
        "origin": "portal",
        "place": "",
        "statement": 1,
        "short": "sha256:" + "0" * 64,
    }
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    return AccessEntry(
        1, at, "S. de Wit", "internist", "open", (), "TREAT", "", "", AccessDetails(**(told | details))
    )


@pytest.mark.parametrize(
    ("details", "marked", "said"),
    [
        ({}, False, []),
        ({"reason": "covering"}, True, ["Reden: neemt waar voor een collega"]),
        ({"reason": "emergency", "note": "onwel"}, True, ["Reden: spoed. “onwel”"]),
        ({"reason": "else"}, True, ["Reden: andere reden (code else)"]),
        ({"outcome": "refused"}, True, ["Geweigerd: er is niets getoond"]),
        ({"on_behalf_of": "dr. Test"}, False, ["Namens dr. Test"]),
        ({"organisation": "Ziekenhuis Noord"}, False, ["Verantwoordelijk: Ziekenhuis Noord"]),
        ({"origin": "fhir"}, False, ["Vanuit het eigen systeem"]),
        ({"origin": "fax"}, False, ["Op een andere manier (code fax)"]),
    ],
)
def test_a_look_says_what_one_would_not_expect(
    details: dict[str, Any], marked: bool, said: list[str]
) -> None:
    entry = a_look(**details)
    assert is_marked(entry) is marked
    assert list(access_more("nl", entry, name="Praktijk Zuid")) == said


def test_a_look_of_an_older_list_says_no_more() -> None:
    short = replace(a_look(), details=None)
    assert access_more("nl", short, name="Praktijk Zuid") == ()
    assert not is_marked(short)


def test_giving_a_reason_is_a_line_of_its_own() -> None:
    assert access_what("nl", replace(a_look(), action="reason")) == "Gaf een reden op om te kijken"


@pytest.mark.parametrize("problem", sorted(_WRONG_LOG))
def test_every_fault_of_a_list_has_its_own_sentence_in_both_languages(problem: str) -> None:
    other = doubt("nl", "unheard", name="X")
    assert len({doubt(lang, problem, name="X") for lang in ("nl", "en")} | {other}) == 3
