"""The rules of consent as sentences: (grants, resource, asker, instant) gives an outcome.

`python -m tests.support.consent_spec` renders the table to
docs/consent-rules.md; a test checks that it is current.
"""

from __future__ import annotations

import pytest

from consent.decision import Deny, Permit, Question, decide
from tests.support.consent_builders import a_ledger
from tests.support.consent_case import Case
from tests.support.consent_spec import CASES, rendered, rules_page


@pytest.mark.parametrize("case", CASES, ids=[case.sentence for case in CASES])
def test_rule(case: Case) -> None:
    question = Question(
        frozenset(case.actor), frozenset(case.purpose), frozenset(case.action), case.resource, case.study
    )
    ledger = a_ledger(*case.records) if case.ledger is None else case.ledger
    outcome = decide(ledger, question, at=case.at)
    match outcome:
        case Permit():
            assert case.outcome == "permit"
        case Deny(reason=reason):
            assert case.outcome == reason.value


def test_the_page_in_docs_is_current() -> None:
    """When this fails, run: python -m tests.support.consent_spec"""
    assert rules_page().read_text(encoding="utf-8") == rendered()
