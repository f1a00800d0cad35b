"""What a recipient owes for what it may: named before it has anything, and kept to the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consent.decision import Deny, Permit, Reason
from consent.errors import NotTrusted
from consent.model import Action, Category, Deidentification, Grant, ResearchUse, Rule
from consent.rules import ActorRef
from consent.statement import (
    Statement,
    build_statement,
    decide_under,
    sign_statement,
    still_allowed,
    verify_statement,
)
from tests.support.consent_builders import CLINIC, KEY, NOW, REGISTRY, a_grant, a_ledger, a_permit, facts

DAY = date(2026, 6, 20)
THEN = datetime(2026, 6, 20, tzinfo=UTC)
DATED = f"DELAU:{DAY}"


def stated(*grants: Grant, audience: ActorRef = CLINIC) -> Statement:
    return build_statement(
        a_ledger(*grants),
        audience_actor=audience,
        audience_id="me",
        subject=KEY.public.text,
        reply_key="reply",
        sequence=1,
        previous=None,
        at=NOW,
    )


def research(**use: Any) -> Rule:
    return a_permit(
        actor=[REGISTRY],
        purpose=["HRESCH"],
        action=[Action.EXTRACT],
        deidentification=Deidentification.DEID,
        research_use=ResearchUse(topics=frozenset({"E11"}), **use),
    )


def read(statement: Statement, category: Category, at: datetime) -> Permit | Deny:
    asked: dict[str, Any] = {"actor": [CLINIC], "purpose": ["TREAT"], "action": [Action.VIEW]}
    return decide_under(statement, facts=facts([category]), at=at, **asked)


def test_a_statement_names_the_duties_of_rules_floors_and_research_limits() -> None:
    rule = research(moratorium=date(2028, 1, 1), return_results=True)
    assert stated(a_grant(rule), audience=REGISTRY).duties == {"NORELINK", "MOR:2028-01-01", "RTN"}
    assert stated(a_grant(a_permit(obligation=["AUDIT", DATED]))).duties == {"AUDIT", DATED}


@pytest.mark.parametrize(("honours", "taken"), [({"DELAU"}, True), ({"AUDIT"}, False), (set(), False)])
def test_who_cannot_erase_by_a_day_refuses_the_statement(honours: set[str], taken: bool) -> None:
    token = sign_statement(stated(a_grant(a_permit(obligation=[DATED]))), KEY)
    said: dict[str, Any] = {"audience": "me", "at": NOW, "highest_seen": 0, "previous_hash": None}
    if taken:
        assert verify_statement(token, KEY.public, honours=honours, **said).duties == {DATED}
    else:
        with pytest.raises(NotTrusted, match="duty"):
            verify_statement(token, KEY.public, honours=honours, **said)


def test_what_must_be_gone_by_a_day_is_not_permitted_from_then_on_and_the_rest_is() -> None:
    labs, rest = a_permit(obligation=[DATED]), a_permit(category=[Category.PROBLEMS])
    statement = stated(a_grant(labs, rest))
    before = read(statement, Category.LABS, THEN - timedelta(seconds=1))
    assert isinstance(before, Permit)
    assert before.valid_until == THEN
    after = read(statement, Category.LABS, THEN)
    assert isinstance(after, Deny)
    assert isinstance(read(statement, Category.PROBLEMS, THEN), Permit)
    assert still_allowed(statement, THEN - timedelta(seconds=1)) is statement
    assert still_allowed(statement, THEN).scope == (statement.scope[1],)


def test_a_statement_of_which_everything_must_be_gone_permits_nothing() -> None:
    statement = stated(a_grant(a_permit(obligation=[DATED])))
    answer = read(statement, Category.LABS, THEN)
    assert isinstance(answer, Deny)
    assert answer.reason is Reason.NO_GRANT
