"""A second opinion on consent: the guide's section 2.3 written as plainly as possible, slow on purpose.

Shares with the engine only the code tables and the record types. No binding, no caching, no bit of
its structure: causal past by walking, three values as the worst of a list, heads by definition.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from consent.codes import ACTOR_FAMILY, DENY_CLOSURE, PERMIT_CLOSURE, ActorKind, Deidentification
from consent.dates import DateInterval
from consent.decision import Question
from consent.document import SignedRecord
from consent.model import (
    ANY,
    Action,
    ActorRef,
    Category,
    Effect,
    Grant,
    ResourceFacts,
    Rule,
    Sensitivity,
    Withdrawal,
)
from crypto.chain import GENESIS

NO, MAYBE, YES = "no", "maybe", "yes"
_BELOW = {Action.COPY: {Action.COPY, Action.VIEW}, Action.REUSE: {Action.REUSE, Action.EXTRACT}}
_ABOVE = {Action.VIEW: {Action.COPY, Action.VIEW}, Action.EXTRACT: {Action.REUSE, Action.EXTRACT}}


def worst(answers: Iterable[str]) -> str:
    found = list(answers)
    return NO if NO in found else MAYBE if MAYBE in found else YES


def best(answers: Iterable[str]) -> str:
    found = list(answers)
    return YES if YES in found else MAYBE if MAYBE in found else NO


def matches(rule: Rule, question: Question) -> str:
    permit = rule.effect is Effect.PERMIT
    facts = question.facts
    answers = [
        actor(rule, question.actor),
        listed(rule.purpose, question.purpose, PERMIT_CLOSURE if permit else DENY_CLOSURE, permit=permit),
        listed(rule.action, question.action, _BELOW if permit else _ABOVE, permit=permit),
        category(rule, facts, permit=permit),
        sensitivity(rule, facts, permit=permit),
        dates(rule, facts, permit=permit),
    ]
    if rule.instance is not None:
        answers.append(MAYBE if facts.reference is None else YES if facts.reference in rule.instance else NO)
    if rule.author is not None:
        answers.append(MAYBE if not facts.author else YES if rule.author & facts.author else NO)
    if permit and rule.unknown:
        answers.append(MAYBE)
    for child in rule.exception:
        answers.append({YES: NO, NO: YES, MAYBE: MAYBE}[matches(child, question)])
    return worst(answers)


def actor(rule: Rule, asking: frozenset[ActorRef]) -> str:
    if rule.actor is None:
        return YES
    answers = []
    for named in rule.actor:
        same_kind = [ref for ref in asking if ref.kind == named.kind]
        family = ACTOR_FAMILY[ActorKind(named.kind)]
        related = not asking or any(ACTOR_FAMILY[ActorKind(ref.kind)] == family for ref in asking)
        if named in asking:
            answers.append(YES)
        else:
            answers.append(MAYBE if not same_kind and related else NO)
    return best(answers)


def listed(named: object, asked: Iterable[object], closure: object, *, permit: bool) -> str:
    if named is None:
        return YES
    wanted = list(asked)
    if not wanted:
        return MAYBE
    reach = {code for name in named for code in closure.get(name, {name})}  # type: ignore[attr-defined]
    inside = [code in reach for code in wanted]
    return YES if (all(inside) if permit else any(inside)) else NO


def category(rule: Rule, facts: ResourceFacts, *, permit: bool) -> str:
    if rule.category is None or rule.category == ANY:
        return YES
    certain = [item in rule.category for item in facts.categories]
    possible = [item in rule.category for item in facts.possible_categories]
    if permit:
        if not all(certain):
            return NO
        return YES if all(possible) and certain + possible else MAYBE
    if any(certain):
        return YES
    return MAYBE if any(possible) or not certain + possible else NO


def sensitivity(rule: Rule, facts: ResourceFacts, *, permit: bool) -> str:
    clusters = set(facts.sensitivity)
    unknown = {Sensitivity.GENETIC} if Category.GENETICS in facts.possible_categories else set()
    if Category.GENETICS in facts.categories:
        clusters.add(Sensitivity.GENETIC)
    if permit:
        if rule.sensitivity is None or rule.sensitivity == ANY:
            return YES
        if not clusters <= rule.sensitivity:
            return NO
        return MAYBE if facts.sensitivity_unknown or not unknown <= rule.sensitivity else YES
    if rule.security_label is None:
        return YES
    if clusters & rule.security_label:
        return YES
    return MAYBE if facts.sensitivity_unknown or unknown & rule.security_label else NO


def dates(rule: Rule, facts: ResourceFacts, *, permit: bool) -> str:
    if rule.data_period is None:
        return YES
    if not facts.dates:
        return MAYBE
    answers = [one_date(rule, day) for day in facts.dates]
    return worst(answers) if permit else best(answers)


def one_date(rule: Rule, day: DateInterval) -> str:
    period = rule.data_period
    assert period is not None
    first, last = period.first, period.last
    if (first and day.last and day.last < first) or (last and day.first and day.first > last):
        return NO
    if first and not (day.first and day.first >= first):
        return MAYBE
    if last and not (day.last and day.last <= last):
        return MAYBE
    return YES


class Naive:
    """Section 2.3 over a set of records."""

    def __init__(self, records: Iterable[SignedRecord]) -> None:
        self.records = {record.hash: record for record in records}

    def past(self, start: str) -> set[str]:
        """Everything this record rests on, absent hashes included."""
        found: set[str] = set()
        waiting = [start]
        while waiting:
            record = self.records.get(waiting.pop())  # type: ignore[call-overload]
            if record is None:
                continue
            parents = set(record.record.seen) | ({record.previous} - {GENESIS})
            waiting.extend(parents - found)
            found |= parents
        return found

    def complete(self, name: str) -> bool:
        return self.past(name) <= set(self.records)

    def heads(self) -> dict[str, list[SignedRecord]]:
        found: dict[str, list[SignedRecord]] = {}
        for record in self.records.values():
            if isinstance(record.record, Grant):
                newer = (
                    other
                    for other in self.records.values()
                    if isinstance(other.record, Grant) and other.record.id == record.record.id
                )
                if not any(record.hash in self.past(o.hash) and self.complete(o.hash) for o in newer):
                    found.setdefault(record.record.id, []).append(record)
        return found

    def permitted(self, question: Question, at: datetime) -> tuple[frozenset[str], Deidentification] | None:
        """Return (duties, strictest de-identification) when permitted, else None."""
        now = max([at, *(record.record.at for record in self.records.values())])
        granted: list[Rule] = []
        for heads in self.heads().values():
            per_head = [self.from_head(head, question, now) for head in heads]
            if all(per_head):
                granted += [rule for rules in per_head for rule in rules]
            for head in heads:
                if self.denies(head, question, now):
                    return None
        if not granted:
            return None
        duties = frozenset[str]().union(*(rule.obligation for rule in granted))
        levels = [rule.deidentification or Deidentification.DEID for rule in granted]
        return duties, max(levels, key=lambda level: level.rank)

    def from_head(self, head: SignedRecord, question: Question, now: datetime) -> list[Rule]:
        grant = head.record
        assert isinstance(grant, Grant)
        seen = self.past(head.hash)
        unseen = [
            record.record
            for record in self.records.values()
            if isinstance(record.record, Withdrawal) and record.hash not in seen
        ]
        if not self.complete(head.hash) or not grant.period.from_at <= now < grant.period.until_at:
            return []
        if any(self.hits(withdrawal, grant, question) for withdrawal in unseen):
            return []
        permits = [rule for rule in grant.rules if rule.effect is Effect.PERMIT]
        return [rule for rule in permits if matches(rule, question) == YES]

    def hits(self, withdrawal: Withdrawal, grant: Grant, question: Question) -> bool:
        kind, values = withdrawal.target.kind, withdrawal.target.values
        if kind == "actor":
            gone = ActorRef(*values)
            rules = [rule for rule in grant.rules if rule.effect is Effect.PERMIT]
            return gone in question.actor or bool(
                rules and all(rule.actor == frozenset({gone}) for rule in rules)
            )
        if kind == "purpose":
            return bool(DENY_CLOSURE[values[0]] & question.purpose)
        return kind == "all" or (kind == "grant" and values[0] == grant.id)

    def denies(self, head: SignedRecord, question: Question, now: datetime) -> bool:
        grant = head.record
        assert isinstance(grant, Grant)
        if not grant.period.from_at <= now < grant.period.until_at:
            return False
        for record in self.records.values():
            lift = record.record
            if (
                isinstance(lift, Withdrawal)
                and lift.target.kind == "lift"
                and lift.target.values == (grant.id,)
                and self.complete(record.hash)
                and head.hash in self.past(record.hash)
            ):
                return False
        return any(matches(rule, question) != NO for rule in grant.rules if rule.effect is Effect.DENY)
