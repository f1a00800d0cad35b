"""Answer for one asker: rules in force, bound once, asked about one resource after another.

1. A deny that cannot be ruled out wins over every permit.
2. Otherwise a lineage must permit: each of its heads with a rule that answers YES everywhere.
3. Duties are joined over everything that permits, and over the floors (`consent.floors`): strictest
   de-identification, all obligations.
4. A duty the caller cannot keep turns the permit into a Deny.
5. A Deny carries the reason of the nearest miss.

Pure; `consent.decision.decide` is the way in for one question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from consent.codes import Deidentification
from consent.duties import unmet
from consent.effective import Effective, Head, HeadState, Lineage
from consent.facts import ResourceFacts
from consent.floors import floor_for
from consent.matching import (
    MAYBE,
    NO,
    YES,
    Asker,
    Bound,
    Dimension,
    Tri,
    bind,
    match,
    misses,
    needed_clusters,
)
from consent.outcome import Capabilities, Decision, Deny, Missing, Permit, Reason
from consent.records import RecordHash
from consent.research import unmet_words, use_duties, use_words
from consent.rules import ActorRef, Rule, is_research

_STATE_REASON: Final = {
    HeadState.NOT_YET: Reason.NOT_YET_VALID,
    HeadState.EXPIRED: Reason.EXPIRED,
    HeadState.WITHDRAWN: Reason.WITHDRAWN,
    HeadState.INCOMPLETE: Reason.INCOMPLETE_HISTORY,
    HeadState.UNTRUSTED_KEY: Reason.SIGNATURE,
    HeadState.FROZEN: Reason.FORK,
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
    Dimension.TOPIC: Reason.TOPIC,
    Dimension.RESEARCH_USE: Reason.USE_CONDITION,
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
    begins_at: datetime | None = None

    def distance(self) -> tuple[bool, int, bool, int, str]:
        """Grants for this asker first; fewest lacks; grants in force; the one that fails latest."""
        stranger = Reason.RECIPIENT in self.reasons
        return stranger, len(self.reasons), not self.in_force, -_REASON_ORDER[self.reasons[0]], self.hash


class Evaluator:
    """Rules in force bound to one asker; answers for one resource after another."""

    def __init__(self, state: Effective, asker: Asker, *, capabilities: Capabilities | None = None) -> None:
        self.state = state
        self.asker = asker
        self.capabilities = capabilities
        self.denies = tuple((hash_, bind(rule, asker)) for hash_, rule in state.denies)
        self.permits = tuple(
            (line, tuple((head, tuple(bind(rule, asker) for rule in head.permits)) for head in line.heads))
            for line in state.lineages
        )
        self.scopes = {
            head.hash: tuple(bind(rule, asker) for rule in head.scope)
            for line in state.lineages
            for head in line.heads
            if head.scope
        }
        boundaries = {b for line in state.lineages for head in line.heads for b in head.boundaries}
        boundaries.update(state.deny_starts, state.deny_ends)
        self.next_change = min((b for b in boundaries if b > state.at), default=None)

    def bound_rules(self) -> Iterable[Bound]:
        """Yield every rule that may be consulted."""
        yield from (bound for _, bound in self.denies)
        yield from (bound for _, heads in self.permits for _, rules in heads for bound in rules)
        yield from (bound for rules in self.scopes.values() for bound in rules)

    def answer(self, facts: ResourceFacts) -> Decision:
        """Decide for one resource."""
        biting = tuple(sorted({h for h, bound in self.denies if match(bound, facts) != NO}))
        if biting:
            return self._deny(Reason.DENIED, basis=biting)
        granted: list[tuple[Head, Rule]] = []
        lacking: list[_Miss] = []
        for line, heads in self.permits:
            hits, short = self._lineage(line, heads, facts)
            granted.extend(hits)
            lacking.extend(short)
        if granted:
            return self._able(self._permit(granted, lacking))
        return self._nearest(lacking, facts)

    def nearest(self, facts: ResourceFacts) -> tuple[RecordHash, Rule] | None:
        """Return the permit rule that falls short least, with its grant; None when there is none."""
        lacking = [miss for line, heads in self.permits for miss in self._lineage(line, heads, facts)[1]]
        best = min(lacking, key=_Miss.distance, default=None)
        return None if best is None else (best.hash, best.rule)

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
        elif self.asker.purpose & head.lapsed_purposes or not self._in_scope(head, facts):
            in_force = False
            reasons.insert(0, Reason.AUTHORITY_LAPSED)
        elif self.asker.actor & head.barred_actors or self.asker.purpose & head.barred_purposes:
            in_force = False
            reasons.insert(0, Reason.WITHDRAWN)
        begins_at = head.grant.period.from_at if reasons == [Reason.NOT_YET_VALID] else None
        return _Miss(head.hash, bound.rule, in_force, tuple(reasons), tuple(d for d, _ in lacks), begins_at)

    def _in_scope(self, head: Head, facts: ResourceFacts) -> bool:
        """Say whether the authority behind this head reaches so far; without limits it does."""
        scope = self.scopes.get(head.hash)
        return scope is None or any(match(bound, facts) == YES for bound in scope)

    def _permit(self, granted: list[tuple[Head, Rule]], lacking: list[_Miss]) -> Permit:
        floor = floor_for(self.asker.purpose)
        levels = [floor.deidentification]
        levels += [rule.deidentification or Deidentification.AGGREGATE for _, rule in granted]
        duties = floor.obligations.union(*(rule.obligation for _, rule in granted))
        if is_research(self.asker.purpose):
            duties |= frozenset[str]().union(*(use_duties(rule.research_use) for _, rule in granted))
        ends = {b for head, _ in granted for b in head.boundaries if b > self.state.at}
        # What only has to begin yet will bring its basis and its duties with it.
        ends |= {miss.begins_at for miss in lacking if miss.begins_at is not None}
        return Permit(
            basis=tuple(sorted({name for head, _ in granted for name in (head.hash, *head.support)})),
            obligations=duties,
            deidentification=max(levels, key=lambda level: level.rank),
            valid_until=min(ends | set(self.state.deny_starts)),
            head=self.state.head_hash,
        )

    def _able(self, permit: Permit) -> Decision:
        """Refuse a permit whose duties the caller cannot keep."""
        able = self.capabilities
        if able is None:
            return permit
        if permit.deidentification.rank > able.deidentification.rank:
            lack = Missing(
                "deidentification", (permit.deidentification.value,), (able.deidentification.value,)
            )
            return self._deny(Reason.DEID_FLOOR, missing=(lack,), basis=permit.basis)
        left = unmet(permit.obligations, able.obligations)
        if left:
            lack = Missing("obligation", tuple(sorted(left)), tuple(sorted(able.obligations)))
            return self._deny(Reason.OBLIGATION_UNMET, missing=(lack,), basis=permit.basis)
        return permit

    def _deny(
        self,
        reason: Reason,
        *,
        ask: bool = False,
        missing: tuple[Missing, ...] = (),
        basis: tuple[RecordHash, ...] = (),
    ) -> Deny:
        return Deny(reason, ask, missing, basis, self.next_change, self.state.head_hash)

    def _nearest(self, lacking: list[_Miss], facts: ResourceFacts) -> Deny:
        if not lacking:
            return self._deny(Reason.NO_GRANT)
        nearest = min(lacking, key=_Miss.distance)
        reason = nearest.reasons[0]
        missing = tuple(_missing(d, nearest.rule, self.asker, facts) for d in nearest.dimensions)
        askable = set(nearest.reasons) <= {Reason.TOPIC, Reason.USE_CONDITION, Reason.PURPOSE}
        ask = nearest.in_force and askable and is_research(self.asker.purpose)
        return self._deny(reason, ask=ask, missing=missing, basis=(nearest.hash,))


def _reason(dimension: Dimension, answer: Tri) -> Reason:
    unread = dimension in _UNREAD and answer == MAYBE
    return Reason.UNCLASSIFIED if unread else _DIMENSION_REASON[dimension]


def _missing(dimension: Dimension, rule: Rule, asker: Asker, facts: ResourceFacts) -> Missing:
    asked: Iterable[object] = ()
    granted: Iterable[object] = ()
    match dimension:
        case Dimension.ACTOR:
            asked = (f"{ref.kind}:{ref.value}" for ref in asker.actor)
        case Dimension.PURPOSE | Dimension.ACTION:
            asked = getattr(asker, dimension.value)
        case Dimension.CATEGORY:
            asked = facts.categories | facts.possible_categories
        case Dimension.SENSITIVITY:
            asked = needed_clusters(facts)
        case Dimension.CODE:
            asked = facts.codes
        case Dimension.DATA_PERIOD:
            asked = [f"{_day(d.first)}/{_day(d.last)}" for d in facts.dates]
        case Dimension.TOPIC:
            asked = asker.study.topics if asker.study and asker.study.topics is not None else ("?",)
        case Dimension.RESEARCH_USE:
            asked = unmet_words(rule.research_use, asker.study)
        case _:
            pass
    match dimension:
        case Dimension.TOPIC:
            granted = rule.research_use.topics if rule.research_use else ()
        case Dimension.RESEARCH_USE:
            granted = use_words(rule.research_use)
        case Dimension.DATA_PERIOD if rule.data_period is not None:
            granted = (f"{_day(rule.data_period.first)}/{_day(rule.data_period.last)}",)
        case _:
            granted = getattr(rule, dimension.value) or ()
    return Missing(dimension.value, _texts(asked), _texts(granted))


def _day(day: date | None) -> str:
    return ".." if day is None else day.isoformat()


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    """Sort values into texts; carve-outs have no words here."""
    texts = (
        f"{v.kind}:{v.value}" if isinstance(v, ActorRef) else str(v)
        for v in values
        if not isinstance(v, Rule)
    )
    return tuple(sorted(texts))
