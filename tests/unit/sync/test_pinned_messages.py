"""Messages made by the first version must mean the same to every later one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync.outbox import diagram, table
from sync.wire import REFUSALS
from tests.support.vectors import load
from tests.vectors.sync.generate import outcome

EXPECT = {
    "a push": 'ok push 1 {"hello":"clinic"}',
    "the same push to another recipient": "wrong_audience",
    "the same push 301 seconds late": "clock",
    "one sealed byte changed": "bad_signature",
    "one signature byte changed": "bad_signature",
    "header only": "malformed",
    "an answer": "ok receipt",
    "a cut answer": "no_proof",
    "a card": "ok ura:00000123",
    "an expired card": "card_expired",
    "a changed card": "bad_card",
    "a packed push": 'ok push 1 {"hello":"clinic"}',
}
CASES = load("sync/messages.json")["cases"]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "wire-format.md"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_pinned_message_means_what_it_meant(case: dict[str, Any]) -> None:
    assert outcome(case) == case["expect"] == EXPECT[case["name"]]


def test_no_case_is_missing() -> None:
    assert [case["name"] for case in CASES] == list(EXPECT)


def test_the_document_shows_the_table_and_the_refusals_of_the_code() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert table() in text
    assert all(f"| `{code}` | {status} |" in text for code, status in REFUSALS.items())
    assert diagram() in text
