"""Decide: may this actor, for this purpose, do this with this resource, at this instant?

1. No ledger, no grant, nothing known: Deny. Absent means no.
2. A deny that cannot be ruled out wins over every permit.
3. Otherwise a lineage must permit: each of its heads with a rule that answers YES everywhere.
4. Duties are joined over everything that permits: strictest de-identification, all obligations.
   Research always strips identity and forbids re-linking.
5. A Deny carries the reason of the nearest miss, from a closed list.
6. The answer holds until `valid_until` at most; whoever sends later asks again.

Neither outcome has a truth value: `match` on it. Pure function of ledger, question and time.

Source: guide consent.md sections 2.1 to 2.3, 2.9.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from consent.effective import HeadState, effective
from consent.evaluator import Evaluator
from consent.ledger import Ledger
from consent.matching import Asker
from consent.outcome import Capabilities, Decision, Deny, Missing, Permit, Question, Reason
from consent.records import Grant, GrantId


class GrantState(StrEnum):
    """State of a grant as a person would say it."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FROZEN = "frozen"
    UNKNOWN = "unknown"


def decide(
    ledger: Ledger,
    question: Question,
    *,
    at: datetime,
    capabilities: Capabilities | None = None,
    known_as_of: datetime | None = None,
) -> Decision:
    """Decide one question.

    Args:
        ledger: the verified records of the person.
        question: who asks what, for which purpose, about which resource.
        at: now; never taken to be earlier than the newest signed record.
        capabilities: what the caller can keep; None when it sees to the duties itself.
        known_as_of: replay: only what had been signed by then counts.
    """
    known = ledger if known_as_of is None else ledger.as_known(known_as_of)
    asker = Asker(question.actor, question.purpose, question.action, question.study)
    return Evaluator(effective(known, at), asker, capabilities=capabilities).answer(question.facts)


def grants_in_force(ledger: Ledger, at: datetime) -> tuple[Grant, ...]:
    """Return the grants that permit something now, by id; a forked grant is not among them."""
    lineages = effective(ledger, at).lineages
    return tuple(
        lineage.heads[0].grant
        for lineage in lineages
        if len(lineage.heads) == 1
        and lineage.heads[0].state is HeadState.IN_FORCE
        and lineage.heads[0].permits
    )


def lapses(ledger: Ledger, at: datetime) -> dict[GrantId, datetime]:
    """Say when what a representative permitted may lapse although the grant goes on, per grant in force.

    With the authority, or on a birthday from which the person decides too (12 for research, 16 for all);
    `consent.floors.PROMPT_BEFORE_LAPSE` before it is the time to tell people.
    """
    found: dict[GrantId, datetime] = {}
    for lineage in effective(ledger, at).lineages:
        (head, *others) = lineage.heads
        ahead = [moment for moment in head.changes if at < moment < head.grant.period.until_at]
        if ahead and not others and head.state is HeadState.IN_FORCE:
            found[lineage.id] = min(ahead)
    return found


def grant_state(ledger: Ledger, grant_id: str, at: datetime) -> GrantState:
    """Return the state of a grant.

    `frozen` when the key of a current version signed two records for one place of its chain; `unknown` when
    absent, incomplete, forked in part or untrusted.
    """
    for lineage in effective(ledger, at).lineages:
        if lineage.id == grant_id:
            states = {head.state for head in lineage.heads}
            if HeadState.WITHDRAWN in states:
                return GrantState.WITHDRAWN
            if HeadState.FROZEN in states:
                return GrantState.FROZEN
            plain = _PLAIN_STATE.get(next(iter(states)))
            return plain if plain is not None and len(states) == 1 else GrantState.UNKNOWN
    return GrantState.UNKNOWN


_PLAIN_STATE: Final = {
    HeadState.IN_FORCE: GrantState.IN_FORCE,
    HeadState.NOT_YET: GrantState.NOT_YET,
    HeadState.EXPIRED: GrantState.EXPIRED,
}


__all__ = [
    "Capabilities",
    "Decision",
    "Deny",
    "Evaluator",
    "GrantId",
    "GrantState",
    "Missing",
    "Permit",
    "Question",
    "Reason",
    "decide",
    "grant_state",
    "grants_in_force",
    "lapses",
]
