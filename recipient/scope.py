"""What a statement lets this recipient take in, and the one word for why not.

Promises:
1. every answer comes from ``consent.statement.statement_plan``; nothing is permitted that no rule permits;
2. a record that says more about a person than its permit allows is refused, not stripped: it should not have
   been sent;
3. the sender learns that a record is outside the scope or a duty unmet, never which rule kept it out.

Source: consent.md section 3 (what a recipient verifies).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

from consent.codes import Action, Deidentification
from consent.decision import Permit
from consent.duties import unmet
from consent.facts import ResourceFacts
from consent.research import Study, least_study
from consent.rules import ActorRef, is_research
from consent.statement import Statement, statement_plan
from pgo.health.record.deidentify import is_deidentified
from sync.errors import RemoteRuleError
from sync.wire import KEPT_BY_RECIPIENTS

OUTSIDE_SCOPE = "outside_scope"
UNMET_DUTY = "unmet_duty"

Refusal: TypeAlias = Callable[[ResourceFacts, Mapping[str, Any]], str | None]


def refusal_of(
    statement: Statement,
    *,
    actor: frozenset[ActorRef],
    purpose: str,
    actions: frozenset[Action],
    at: datetime,
) -> Refusal:
    """Return a test that says why a resource may not be taken in, None when it may.

    Args:
        statement: verified.
        actor: this recipient, as consent names it.
        purpose: what for, as the sender says.
        actions: what is to be done with it, as the sender says; not empty.
        at: now.
    """
    plans = [
        statement_plan(
            statement, actor=actor, purpose=frozenset({purpose}), action=actions, at=at, study=study
        )
        for study in _studies(statement, purpose)
    ]

    def refusal(facts: ResourceFacts, body: Mapping[str, Any]) -> str | None:
        answers = [decide(facts) for decide in plans]
        decision = next((one for one in answers if isinstance(one, Permit)), answers[0])
        if not isinstance(decision, Permit):
            return OUTSIDE_SCOPE
        if not _is_stripped(body, decision.deidentification, today=at.date()):
            return UNMET_DUTY  # what says who it is about should not have been sent, and is not kept
        return UNMET_DUTY if unmet(decision.obligations, KEPT_BY_RECIPIENTS) else None

    return refusal


def actions_of(codes: Sequence[str]) -> frozenset[Action]:
    """Read the actions a push names.

    Raises:
        RemoteRuleError: ``bad_content``, an unknown one, or none: "everything of nothing" would permit all.
    """
    try:
        actions = frozenset(Action(code) for code in codes)
    except ValueError as exc:
        raise RemoteRuleError("bad_content") from exc
    if not actions:
        raise RemoteRuleError("bad_content")
    return actions


def _studies(statement: Statement, purpose: str) -> list[Study | None]:
    """What holding data is asked for: care as such; research as the least each rule allows."""
    if not is_research({purpose}):
        return [None]
    uses = {rule.research_use for rule in statement.scope if purpose in (rule.purpose or ())}
    return [least_study(use) for use in uses] or [None]


def _is_stripped(body: Mapping[str, Any], level: Deidentification, *, today: date) -> bool:
    """Whether a resource holds no more of a person than its permit allows; totals are no resources."""
    if level is Deidentification.NONE:
        return True
    return level is not Deidentification.AGGREGATE and is_deidentified(body, today=today)
