"""Until when an answer holds: the next instant at which asking again would give another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from consent.decision import Decision, Deny, Permit, Question, Reason, decide
from consent.decision_json import decision_bytes
from consent.model import Action, Category, Grant, Period, deny_rule
from tests.support.consent_builders import CLINIC, OTHER, YEAR, a_grant, a_ledger, a_permit, facts, instant

ASKED = Question(frozenset({CLINIC}), frozenset({"TREAT"}), frozenset({Action.VIEW}), facts())
NOW = instant(2026, 6)
LATER = Period(instant(2026, 9), instant(2027, 9))


def answer(*grants: Grant, at: datetime = NOW) -> Decision:
    return decide(a_ledger(*grants), ASKED, at=at)


def holds_as_said(*grants: Grant, until: datetime) -> bool:
    """Whether the answer is the same up to the instant it names, and that is the one expected."""
    now = answer(*grants)
    before = answer(*grants, at=until - timedelta(seconds=1))
    return now.valid_until == until and decision_bytes(now) == decision_bytes(before)


def test_a_permit_holds_until_its_grant_ends() -> None:
    assert holds_as_said(a_grant(), until=YEAR.until_at)


def test_a_permit_holds_until_another_grant_begins_that_brings_its_duties() -> None:
    second = a_grant(a_permit(obligation=["AUDIT"]), grant_id="g2", period=LATER)
    assert holds_as_said(a_grant(), second, until=LATER.from_at)
    after = answer(a_grant(), second, at=LATER.from_at)
    assert isinstance(after, Permit)
    assert after.obligations == {"AUDIT"}


def test_a_grant_that_begins_later_and_does_not_fit_shortens_nothing() -> None:
    stranger = a_grant(a_permit(actor=[OTHER]), grant_id="g2", period=LATER)
    assert holds_as_said(a_grant(), stranger, until=YEAR.until_at)


@pytest.mark.parametrize(
    ("period", "until"),
    [(LATER, LATER.from_at), (Period(instant(2026), LATER.from_at), LATER.from_at)],
    ids=["begins", "ends"],
)
def test_a_refusal_holds_until_a_deny_begins_or_ends(period: Period, until: datetime) -> None:
    no_labs = a_grant(deny_rule(category=[Category.LABS]), grant_id="no", period=period)
    problems = a_grant(a_permit(category=[Category.PROBLEMS]))
    assert holds_as_said(problems, no_labs, until=until)


def test_a_deny_that_a_newer_version_does_not_end_still_says_when_it_is_over() -> None:
    """A representative's newer version: the person's own deny holds on, to its own end."""
    old = a_grant(deny_rule(category=[Category.LABS]), period=Period(instant(2026), instant(2026, 8)))
    seen = frozenset({a_ledger(old).records[0].hash})
    by = replace(old.by, role="representative", authority="none")
    newer = a_grant(a_permit(), by=by, seen=seen, period=LATER)
    now = answer(old, newer)
    assert isinstance(now, Deny)
    assert (now.reason, now.valid_until) == (Reason.DENIED, instant(2026, 8))


def test_a_deny_whose_time_is_over_holds_no_more() -> None:
    over = a_grant(deny_rule(), grant_id="no", period=Period(instant(2025), instant(2026, 2)))
    assert isinstance(answer(a_grant(), over), Permit)
