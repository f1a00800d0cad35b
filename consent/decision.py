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

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NoReturn, TypeAlias

from consent.codes import RESEARCH_DUTY, RESEARCH_FLOOR, Action, Deidentification
from consent.effective import Effective, Head, HeadState, Lineage, effective
from consent.facts import ResourceFacts
from consent.ledger import Ledger
from consent.matching import (
    MAYBE,
    NO,
    Asker,
    Bound,
    Dimension,
    Tri,
    bind,
    match,
    misses,
    needed_clusters,
)
from consent.records import Grant, GrantId, RecordHash
from consent.rules import ActorRef, Rule, is_research


class Reason(StrEnum):
    """Why not. A closed list; texts for people belong to the screens."""

    NO_GRANT = "no-grant"
    RECIPIENT = "recipient"
    PURPOSE = "purpose"
    ACTION = "action"
    CATEGORY = "category"
    SENSITIVE = "sensitive-not-opted-in"
    ABOUT = "about"
    DATA_PERIOD = "data-period"
    TOPIC = "topic"
    USE_CONDITION = "use-condition"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    FORK = "fork"
    INCOMPLETE_HISTORY = "incomplete-history"
    DENIED = "denied-by-patient"
    DEID_FLOOR = "deid-floor"
    OBLIGATION_UNMET = "obligation-unmet"
    AUTHORITY_LAPSED = "authority-lapsed"
    SIGNATURE = "signature"
    STALE_STATUS = "stale-status"
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one resource. Empty sets match no permit."""

    actor: frozenset[ActorRef]
    purpose: frozenset[str]
    action: frozenset[Action]
    facts: ResourceFacts


@dataclass(frozen=True, slots=True)
class Missing:
    """One dimension in which the nearest grant falls short; sorted texts."""

    dimension: str
    asked: tuple[str, ...]
    granted: tuple[str, ...]


class _NoTruth:
    """A decision is read by `match`; `if decide(...)` would let a Deny object pass as true."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision has no truth value; match on Permit and Deny")


@dataclass(frozen=True, slots=True)
class Permit(_NoTruth):
    """Allowed, under these duties, at most until `valid_until` (excluded)."""

    basis: tuple[RecordHash, ...]
    obligations: frozenset[str]
    deidentification: Deidentification
    valid_until: datetime | None
    head: str


@dataclass(frozen=True, slots=True)
class Deny(_NoTruth):
    """Not allowed. `ask` says that asking the patient for more makes sense."""

    reason: Reason
    ask: bool
    missing: tuple[Missing, ...]
    basis: tuple[RecordHash, ...]
    valid_until: datetime | None


Decision: TypeAlias = Permit | Deny


class GrantState(StrEnum):
    """State of a grant as a person would say it."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"


def decide(ledger: Ledger, question: Question, *, at: datetime) -> Decision:
    """Decide one question.

    Args:
        ledger: the verified records of the person.
        question: who asks what, for which purpose, about which resource.
        at: now; never taken to be earlier than the newest signed record.
    """
    asker = Asker(question.actor, question.purpose, question.action)
    return Evaluator(effective(ledger, at), asker).answer(question.facts)


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


def grant_state(ledger: Ledger, grant_id: str, at: datetime) -> GrantState:
    """Return the state of a grant; `unknown` when absent, incomplete, forked in part or untrusted."""
    for lineage in effective(ledger, at).lineages:
        if lineage.id == grant_id:
            states = {head.state for head in lineage.heads}
            if HeadState.WITHDRAWN in states:
                return GrantState.WITHDRAWN
            plain = _PLAIN_STATE.get(next(iter(states)))
            return plain if plain is not None and len(states) == 1 else GrantState.UNKNOWN
    return GrantState.UNKNOWN


_PLAIN_STATE: Final = {
    HeadState.IN_FORCE: GrantState.IN_FORCE,
    HeadState.NOT_YET: GrantState.NOT_YET,
    HeadState.EXPIRED: GrantState.EXPIRED,
}
_STATE_REASON: Final = {
    HeadState.NOT_YET: Reason.NOT_YET_VALID,
    HeadState.EXPIRED: Reason.EXPIRED,
    HeadState.WITHDRAWN: Reason.WITHDRAWN,
    HeadState.INCOMPLETE: Reason.INCOMPLETE_HISTORY,
    HeadState.UNTRUSTED_KEY: Reason.SIGNATURE,
    HeadState.NO_AUTHORITY: Reason.AUTHORITY_LAPSED,
}
_DIMENSION_REASON: Final = {
    Dimension.ACTOR: Reason.RECIPIENT,
    Dimension.PURPOSE: Reason.PURPOSE,
    Dimension.ACTION: Reason.ACTION,
    Dimension.CATEGORY: Reason.CATEGORY,
    Dimension.SENSITIVITY: Reason.SENSITIVE,
    Dimension.CODE: Reason.ABOUT,
    Dimension.INSTANCE: Reason.ABOUT,
    Dimension.AUTHOR: Reason.ABOUT,
    Dimension.ENCOUNTER: Reason.ABOUT,
    Dimension.DATA_PERIOD: Reason.DATA_PERIOD,
    Dimension.RESEARCH_USE: Reason.TOPIC,
    Dimension.UNKNOWN: Reason.USE_CONDITION,
    Dimension.EXCEPTION: Reason.DENIED,
}
_UNREAD: Final = frozenset({Dimension.CATEGORY, Dimension.SENSITIVITY})
_REASON_ORDER: Final = {reason: place for place, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class _Miss:
    """A permit rule that falls short, with everything it lacks."""

    hash: RecordHash
    rule: Rule
    in_force: bool
    reasons: tuple[Reason, ...]
    dimensions: tuple[Dimension, ...]

    def distance(self) -> tuple[bool, int, bool, int, str]:
        """Grants for this asker first; fewest lacks; grants in force; the one that fails latest."""
        stranger = Reason.RECIPIENT in self.reasons
        return stranger, len(self.reasons), not self.in_force, -_REASON_ORDER[self.reasons[0]], self.hash


class Evaluator:
    """Rules in force bound to one asker; answers for one resource after another."""

    def __init__(self, state: Effective, asker: Asker) -> None:
        self.state = state
        self.asker = asker
        self.denies = tuple((hash_, bind(rule, asker)) for hash_, rule in state.denies)
        self.permits = tuple(
            (line, tuple((head, tuple(bind(rule, asker) for rule in head.permits)) for head in line.heads))
            for line in state.lineages
        )
        boundaries = {b for line in state.lineages for head in line.heads for b in _boundaries(head)}
        self.next_change = min((b for b in boundaries if b > state.at), default=None)

    def bound_rules(self) -> Iterable[Bound]:
        """Yield every rule that may be consulted."""
        yield from (bound for _, bound in self.denies)
        yield from (bound for _, heads in self.permits for _, rules in heads for bound in rules)

    def answer(self, facts: ResourceFacts) -> Decision:
        """Decide for one resource."""
        biting = tuple(sorted({h for h, bound in self.denies if match(bound, facts) != NO}))
        if biting:
            return Deny(Reason.DENIED, False, (), biting, self.next_change)
        granted: list[tuple[Head, Rule]] = []
        lacking: list[_Miss] = []
        for line, heads in self.permits:
            hits, short = self._lineage(line, heads, facts)
            granted.extend(hits)
            lacking.extend(short)
        if granted:
            return self._permit(granted)
        return self._nearest(lacking, facts)

    def _lineage(
        self, line: Lineage, heads: tuple[tuple[Head, tuple[Bound, ...]], ...], facts: ResourceFacts
    ) -> tuple[list[tuple[Head, Rule]], list[_Miss]]:
        """Ask every head; only when each permits does the lineage permit."""
        hits: list[tuple[Head, Rule]] = []
        short: list[_Miss] = []
        agreeing = 0
        for head, rules in heads:
            own = [self._miss(head, bound, facts) for bound in rules]
            matched = [miss.rule for miss in own if not miss.reasons]
            agreeing += bool(matched)
            hits.extend((head, rule) for rule in matched)
            short.extend(miss for miss in own if miss.reasons)
        if agreeing == len(line.heads):
            return hits, []
        split = [_Miss(head.hash, rule, True, (Reason.FORK,), ()) for head, rule in hits]
        return [], short + split

    def _miss(self, head: Head, bound: Bound, facts: ResourceFacts) -> _Miss:
        lacks = misses(bound, facts)
        reasons = [_reason(dimension, answer) for dimension, answer in lacks]
        in_force = head.state is HeadState.IN_FORCE
        if not in_force:
            reasons.insert(0, _STATE_REASON[head.state])
        elif self.asker.actor & head.barred_actors or self.asker.purpose & head.barred_purposes:
            in_force = False
            reasons.insert(0, Reason.WITHDRAWN)
        return _Miss(head.hash, bound.rule, in_force, tuple(reasons), tuple(d for d, _ in lacks))

    def _permit(self, granted: list[tuple[Head, Rule]]) -> Permit:
        levels = [rule.deidentification or RESEARCH_FLOOR for _, rule in granted]
        duties = frozenset[str]().union(*(rule.obligation for _, rule in granted))
        if is_research(self.asker.purpose):
            levels.append(RESEARCH_FLOOR)
            duties |= {RESEARCH_DUTY}
        ends = {b for head, _ in granted for b in _boundaries(head) if b > self.state.at}
        return Permit(
            basis=tuple(sorted({head.hash for head, _ in granted})),
            obligations=duties,
            deidentification=max(levels, key=lambda level: level.rank),
            valid_until=min(ends | set(self.state.deny_starts)),
            head=self.state.head_hash,
        )

    def _nearest(self, lacking: list[_Miss], facts: ResourceFacts) -> Deny:
        if not lacking:
            return Deny(Reason.NO_GRANT, False, (), (), self.next_change)
        nearest = min(lacking, key=_Miss.distance)
        reason = nearest.reasons[0]
        missing = tuple(_missing(d, nearest.rule, self.asker, facts) for d in nearest.dimensions)
        askable = set(nearest.reasons) <= {Reason.TOPIC, Reason.USE_CONDITION, Reason.PURPOSE}
        ask = nearest.in_force and askable and is_research(self.asker.purpose)
        return Deny(reason, ask, missing, (nearest.hash,), self.next_change)


def _boundaries(head: Head) -> tuple[datetime, ...]:
    period, review = head.grant.period, head.grant.review_by
    return (period.from_at, period.until_at) if review is None else (period.from_at, period.until_at, review)


def _reason(dimension: Dimension, answer: Tri) -> Reason:
    unread = dimension in _UNREAD and answer == MAYBE
    return Reason.UNCLASSIFIED if unread else _DIMENSION_REASON[dimension]


def _missing(dimension: Dimension, rule: Rule, asker: Asker, facts: ResourceFacts) -> Missing:
    asked: Iterable[str] = ()
    match dimension:
        case Dimension.ACTOR:
            asked = (f"{ref.kind}:{ref.value}" for ref in asker.actor)
        case Dimension.PURPOSE:
            asked = asker.purpose
        case Dimension.ACTION:
            asked = asker.action
        case Dimension.CATEGORY:
            asked = facts.categories | facts.possible_categories
        case Dimension.SENSITIVITY:
            asked = needed_clusters(facts)
        case Dimension.CODE:
            asked = facts.codes
        case _:
            pass
    granted = getattr(rule, dimension.value)
    return Missing(dimension.value, _texts(asked), _texts(granted))


def _texts(values: object) -> tuple[str, ...]:
    """Sort values into texts; members that are no list of codes are named, not listed."""
    if isinstance(values, str):
        return (values,)
    if not isinstance(values, Iterable):
        return ()
    texts = (
        f"{v.kind}:{v.value}" if isinstance(v, ActorRef) else str(v)
        for v in values
        if not isinstance(v, Rule)
    )
    return tuple(sorted(texts))


__all__ = [
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
]
