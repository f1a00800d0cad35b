"""A second opinion on consent: guide section 2.3 and 2.4 written as plainly as possible, slow on purpose.

Shares no code with the engine, only the record types: causal past by walking, heads by definition,
signatures by asking each record. Matching of one rule is `naive_rules`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from consent.decision import Question
from consent.document import SignedRecord
from consent.model import (
    ActorRef,
    Authority,
    Cosignature,
    Deidentification,
    Effect,
    Grant,
    KeyRecord,
    Rule,
    Withdrawal,
)
from crypto.chain import GENESIS
from tests.support.naive_rules import NO, RESEARCH, STRUCK, YES, matches

STRICTNESS = ("none", "pseud", "deid", "aggregate")


@dataclass(frozen=True)
class Opinion:
    """Permitted, on which records, under which duties."""

    basis: frozenset[str]
    duties: frozenset[str]
    level: Deidentification


class Naive:
    """Sections 2.3 and 2.4 over a set of records."""

    def __init__(self, records: Iterable[SignedRecord]) -> None:
        self.records = {record.hash: record for record in records}
        self.pasts: dict[str, set[str]] = {}
        self.places: dict[str, list[int]] = {}
        found = [r.record for r in self.records.values() if isinstance(r.record, Authority)]
        self.representatives = {authority.representative for authority in found}
        self.births = {a.born_on for a in found if a.born_on}
        self.died = min((a.period.from_at for a in found if a.basis == "deceased"), default=None)

    def past(self, start: str) -> set[str]:
        """Everything this record rests on, absent hashes included."""
        if start in self.pasts:
            return self.pasts[start]
        found: set[str] = set()
        waiting = [start]
        while waiting:
            record = self.records.get(waiting.pop())  # type: ignore[call-overload]
            if record is None:
                continue
            parents = set(record.record.seen) | ({record.previous} - {GENESIS})
            waiting.extend(parents - found)
            found |= parents
        self.pasts[start] = found
        return found

    def complete(self, name: str) -> bool:
        return self.past(name) <= set(self.records)

    # Signatures (2.3 first line, 2.4)

    def split(self, kid: str) -> int | None:
        """First place of this key's chain where it signed two records (section 3), None for none."""
        if kid not in self.places:
            self.places[kid] = [record.position for record in self.records.values() if record.kid == kid]
        twice = {place for place in self.places[kid] if self.places[kid].count(place) > 1}
        return min(twice, default=None)

    def frozen(self, kid: str) -> bool:
        """Split, and no whole key of the person itself has distrusted it from there or before."""
        place = self.split(kid)
        if place is None:
            return False
        for other in self.records.values():
            record = other.record
            if not isinstance(record, KeyRecord) or record.from_position is None:
                continue
            own = record.by.role == "self" and other.kid not in self.representatives
            sound = self.complete(other.hash) and self.key_holds(other) and self.split(other.kid) is None
            if (record.replaces or record.kid) == kid and record.from_position <= place and own and sound:
                return False
        return True

    def key_holds(self, signed: SignedRecord, trail: tuple[str, ...] = ()) -> bool:
        certified = []
        for other in self.records.values():
            record = other.record
            if isinstance(record, KeyRecord):
                struck = record.replaces or record.kid
                late = record.from_position is not None and signed.position >= record.from_position
                if late and struck == signed.kid:
                    return False
                if record.key is not None and record.kid == signed.kid:
                    certified.append(other)
        if signed.kid in trail or not certified:
            return True
        return any(
            self.key_holds(other, (*trail, signed.kid))
            for other in certified
            if (place := self.split(other.kid)) is None or other.position < place
        )

    def authority(self, signed: SignedRecord) -> Authority | None:
        past = self.past(signed.hash)
        seen = [self.records[h] for h in past if h in self.records]  # type: ignore[index]
        at = max([signed.record.at, *(r.record.at for r in seen)])
        ended = {r.record.target.values for r in seen if is_end_of_authority(r)}  # type: ignore[union-attr]
        for other in seen:
            record = other.record
            if not isinstance(record, Authority) or record.id != signed.record.by.authority:
                continue
            own = record.by.role == "self" and other.kid not in self.representatives
            trusted = self.key_holds(other) and self.complete(other.hash) and not self.frozen(other.kid)
            named = record.representative == signed.kid and (record.id,) not in ended
            held = record.period.from_at <= at < record.period.until_at
            if named and trusted and held and (own or record.basis == "deceased"):
                return record
        return None

    def signer(self, signed: SignedRecord) -> str | None:
        if not self.key_holds(signed) or not self.complete(signed.hash) or self.frozen(signed.kid):
            return None
        if signed.record.by.role == "self":
            return None if signed.kid in self.representatives else "self"
        found = self.authority(signed)
        if found is None:
            return None
        return "parent" if found.basis in ("parent", "minor_and_parent") else "proxy"

    def second(self, signed: SignedRecord) -> list[SignedRecord]:
        return [
            other
            for other in self.records.values()
            if isinstance(other.record, Cosignature) and other.record.target == signed.hash
        ]

    def fully_signed(self, signed: SignedRecord) -> bool:
        who = self.signer(signed)
        if who is None:
            return False
        found = self.authority(signed) if signed.record.by.role == "representative" else None
        if found is not None:
            sound = [other for other in self.second(signed) if self.key_holds(other)]
            keys = {other.kid for other in sound if not self.frozen(other.kid)}
            if not found.cosigners <= keys:
                return False
        if who == "proxy":
            return found is not None and found.basis != "deceased"
        needed = set() if self.births else {"self"}
        past = [self.records[h].record.at for h in self.past(signed.hash) if h in self.records]  # type: ignore[index]
        for born in self.births:
            age = years(born, max([signed.record.at, *past]).date())
            needed |= {"parent"} if age < 12 else {"parent", "self"} if age < 16 else {"self"}
        return needed <= {who, *(self.signer(other) or "" for other in self.second(signed))}

    def still_stands(self, head: SignedRecord, question: Question, now: datetime) -> bool:
        """What age, death and the end of an authority leave of a signed permit."""
        grant = head.record
        assert isinstance(grant, Grant)
        if self.died is not None and now >= self.died and not grant.after_death:
            return False
        if head.record.by.role == "self":
            return True
        found = self.authority(head)
        if found is None or not found.period.from_at <= now < found.period.until_at:
            return False
        if any(
            is_end_of_authority(r) and r.record.target.values == (found.id,)  # type: ignore[union-attr]
            for r in self.records.values()
        ):
            return False
        if self.births and found.basis in ("parent", "minor_and_parent"):
            signers = {self.signer(other) for other in (head, *self.second(head))}
            oldest = min(self.births)
            if now >= turns(oldest, 16):
                return False
            if now >= turns(oldest, 12) and question.purpose & RESEARCH and "self" not in signers:
                return False
        return not found.scope or any(matches(rule, question) == YES for rule in found.scope)

    # Heads, withdrawals, denies (2.3)

    def versions(self) -> dict[str, list[SignedRecord]]:
        found: dict[str, list[SignedRecord]] = {}
        for record in self.records.values():
            if isinstance(record.record, Grant):
                found.setdefault(record.record.id, []).append(record)
        return found

    def superseded(self, old: SignedRecord, versions: list[SignedRecord], *, by_self: bool) -> bool:
        return any(
            old.hash in self.past(new.hash)
            and self.complete(new.hash)
            and self.fully_signed(new)
            and (new.record.by.role == "self" or not by_self)
            for new in versions
        )

    def permitted(self, question: Question, at: datetime) -> Opinion | None:
        """Return what permits and under which duties, None for a refusal."""
        now = max([at, *(record.record.at for record in self.records.values())])
        granted: list[tuple[SignedRecord, Rule]] = []
        for versions in self.versions().values():
            for version in versions:
                own = version.record.by.role == "self"
                if not self.superseded(version, versions, by_self=own) and self.denies(
                    version, question, now
                ):
                    return None
            heads = [v for v in versions if not self.superseded(v, versions, by_self=False)]
            per_head = [self.from_head(head, question, now) for head in heads]
            if per_head and all(per_head):
                granted += [hit for hits in per_head for hit in hits]
        if not granted:
            return None
        names = {record.hash for head, _ in granted for record in (head, *self.second(head))}
        return opinion(frozenset(names), [rule for _, rule in granted], question)

    def from_head(
        self, head: SignedRecord, question: Question, now: datetime
    ) -> list[tuple[SignedRecord, Rule]]:
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
        if not self.fully_signed(head) or not self.still_stands(head, question, now):
            return []
        if any(self.hits(withdrawal, grant, question) for withdrawal in unseen):
            return []
        permits = [rule for rule in grant.rules if rule.effect is Effect.PERMIT]
        return [(head, rule) for rule in permits if matches(rule, question) == YES]

    def hits(self, withdrawal: Withdrawal, grant: Grant, question: Question) -> bool:
        kind, values = withdrawal.target.kind, withdrawal.target.values
        if kind == "actor":
            gone = ActorRef(*values)
            rules = [rule for rule in grant.rules if rule.effect is Effect.PERMIT]
            return gone in question.actor or bool(
                rules and all(rule.actor == frozenset({gone}) for rule in rules)
            )
        if kind == "purpose":
            return bool(STRUCK.get(values[0], {values[0]}) & question.purpose)
        return kind == "all" or (kind == "grant" and values[0] == grant.id)

    def denies(self, head: SignedRecord, question: Question, now: datetime) -> bool:
        grant = head.record
        assert isinstance(grant, Grant)
        if not grant.period.from_at <= now < grant.period.until_at:
            return False
        if any(self.lifts(record, head) for record in self.records.values()):
            return False
        return any(matches(rule, question) != NO for rule in grant.rules if rule.effect is Effect.DENY)

    def lifts(self, signed: SignedRecord, head: SignedRecord) -> bool:
        lift, grant = signed.record, head.record
        return (
            isinstance(lift, Withdrawal)
            and isinstance(grant, Grant)
            and lift.target.kind == "lift"
            and lift.target.values == (grant.id,)
            and head.hash in self.past(signed.hash)
            and self.complete(signed.hash)
            and self.fully_signed(signed)
            and (lift.by.role == "self" or grant.by.role == "representative")
        )


def is_end_of_authority(signed: SignedRecord) -> bool:
    return isinstance(signed.record, Withdrawal) and signed.record.target.kind == "authority"


def opinion(basis: frozenset[str], granted: list[Rule], question: Question) -> Opinion:
    duties = {duty for rule in granted for duty in rule.obligation}
    levels = [rule.deidentification.value for rule in granted if rule.deidentification]
    if question.purpose & RESEARCH:
        duties.add("NORELINK")
        levels.append("deid")
        for use in (rule.research_use for rule in granted if rule.research_use):
            duties |= {"RTN"} if use.return_results else set()
            duties |= {f"MOR:{use.moratorium}"} if use.moratorium else set()
    level = max(levels, key=STRICTNESS.index)
    return Opinion(basis, frozenset(duties), Deidentification(level))


def years(born: date, day: date) -> int:
    return day.year - born.year - (1 if (day.month, day.day) < (born.month, born.day) else 0)


def turns(born: date, age: int) -> datetime:
    leap = (born.month, born.day) == (2, 29) and not is_leap(born.year + age)
    month, day = (3, 1) if leap else (born.month, born.day)
    return datetime(born.year + age, month, day, tzinfo=UTC)


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
