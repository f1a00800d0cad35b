"""Random consent worlds from one seed, by plain dice: fast enough for a hundred thousand cases.

The universe is small on purpose, so that rules meet each other. `consent_asked` asks about such worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from consent.codes import Effect
from consent.document import SignedRecord
from consent.ledger import Ledger
from consent.model import (
    ANY,
    Action,
    ActorRef,
    Authority,
    Basis,
    By,
    Category,
    Cosignature,
    DatePeriod,
    Deidentification,
    Grant,
    GrantId,
    KeyRecord,
    Period,
    Record,
    RecordHash,
    ResearchUse,
    Rule,
    Sensitivity,
    Target,
    Withdrawal,
)
from crypto.chain import GENESIS
from tests.support.consent_builders import CLINIC, DOCTOR, OTHER, REGISTRY, SHOWN, SUBJECT, hash_of, unsigned

T = TypeVar("T")
BASE = datetime(2026, 1, 1, tzinfo=UTC)
TYPE = ActorRef("orgtype", "V4")
ACTORS = (CLINIC, OTHER, DOCTOR, REGISTRY, TYPE)
PURPOSES = ("TREAT", "ETREAT", "COC", "CLINTRL", "HRESCH", "DSRCH", "MLTRAINING")
RESEARCH = frozenset({"HRESCH", "DSRCH", "CLINTRL", "MLTRAINING"})
CATEGORIES = (Category.LABS, Category.PROBLEMS, Category.GENETICS)
CLUSTERS = (Sensitivity.HIV, Sensitivity.MENTAL, Sensitivity.GENETIC)
ACTIONS = (Action.VIEW, Action.COPY, Action.EXTRACT, Action.REUSE)
DAYS = (date(2019, 6, 1), date(2020, 1, 1), date(2023, 7, 1), date(2025, 1, 1))
ICD = "http://hl7.org/fhir/sid/icd-10|"
CODES = ("E11", "E11.9", "E10-E14", "C50")
REFERENCES = ("Observation/o1", "Observation/o2")
AUTHORS = ("Practitioner/p1", "Practitioner/p2")
REGIONS = ("NL", "EU", "US")
DUTIES = (frozenset[str](), frozenset[str](), frozenset({"NORDSCLCD"}), frozenset({"AUDIT"}))
DEVICES = ("k1", "k2")
PARENT_KEY = "k3"


def some(dice: Random, items: Sequence[T], *, most: int = 2) -> frozenset[T]:
    return frozenset(dice.sample(items, dice.randint(1, most)))


def chance(dice: Random, share: float) -> bool:
    return dice.random() < share


def a_period_of_data(dice: Random) -> DatePeriod:
    first, last = dice.choice([None, *DAYS]), dice.choice([None, *DAYS])
    if first and last and first > last:
        first, last = last, first
    return DatePeriod(first, last)


def a_research_use(dice: Random) -> ResearchUse:
    return ResearchUse(
        topics=some(dice, CODES) if chance(dice, 0.7) else frozenset(),
        regions=some(dice, REGIONS) if chance(dice, 0.2) else frozenset(),
        methods=chance(dice, 0.3),
        commercial=chance(dice, 0.3),
        train_models=chance(dice, 0.3),
        nonprofit_only=chance(dice, 0.2),
        ethics_required=chance(dice, 0.2),
        return_results=chance(dice, 0.1),
        moratorium=date(2027, 1, 1) if chance(dice, 0.1) else None,
    )


def a_limit(dice: Random, effect: Effect, *, depth: int = 1) -> Rule:
    """A deny, or a carve-out of either effect, with one or two limits."""
    makers: dict[str, Any] = {
        "actor": lambda: some(dice, ACTORS),
        "purpose": lambda: some(dice, PURPOSES),
        "action": lambda: some(dice, ACTIONS),
        "category": lambda: some(dice, CATEGORIES),
        "code": lambda: frozenset({ICD + code for code in some(dice, CODES)}),
        "data_period": lambda: a_period_of_data(dice),
        "instance": lambda: some(dice, REFERENCES),
        "author": lambda: some(dice, AUTHORS),
        "research_use": lambda: a_research_use(dice),
    }
    if effect is Effect.DENY:
        makers["security_label"] = lambda: some(dice, CLUSTERS)
    else:
        makers["sensitivity"] = lambda: frozenset(dice.sample(CLUSTERS, dice.randint(0, 2)))
    names = dice.sample(sorted(makers), dice.choice([1, 1, 2]))
    other = Effect.PERMIT if effect is Effect.DENY else Effect.DENY
    children = (a_limit(dice, other, depth=depth - 1),) if depth and chance(dice, 0.3) else ()
    return Rule(effect=effect, exception=children, **{name: makers[name]() for name in names})


def a_permit_rule(dice: Random) -> Rule:
    purpose = some(dice, PURPOSES)
    research = not RESEARCH.isdisjoint(purpose)
    named = frozenset({REGISTRY}) if research else frozenset()
    anything = not research and chance(dice, 0.3)
    return Rule(
        effect=Effect.PERMIT,
        actor=some(dice, ACTORS) | named,
        purpose=purpose,
        action=some(dice, ACTIONS),
        category=ANY if chance(dice, 0.5) else some(dice, CATEGORIES),
        sensitivity=ANY if anything else frozenset(dice.sample(CLUSTERS, dice.randint(0, 3))),
        code=frozenset({ICD + code for code in some(dice, CODES)}) if chance(dice, 0.15) else None,
        data_period=a_period_of_data(dice) if chance(dice, 0.2) else None,
        instance=some(dice, REFERENCES) if chance(dice, 0.1) else None,
        author=some(dice, AUTHORS) if chance(dice, 0.1) else None,
        research_use=a_research_use(dice) if research and chance(dice, 0.5) else None,
        deidentification=dice.choice([Deidentification.PSEUD, Deidentification.DEID])
        if research
        else dice.choice([*Deidentification]),
        obligation=dice.choice(DUTIES),
        exception=(a_limit(dice, Effect.DENY),) if chance(dice, 0.2) else (),
        unknown=frozenset({"colour"}) if chance(dice, 0.04) else frozenset(),
    )


def a_grant_record(dice: Random, *, only: Effect | None = None, grant_id: str | None = None) -> Grant:
    rules: list[Rule] = []
    if only is not Effect.DENY:
        rules += [a_permit_rule(dice) for _ in range(dice.choice([1, 1, 2]))]
    if only is Effect.DENY or (only is None and chance(dice, 0.15)):
        rules.append(a_limit(dice, Effect.DENY))
    start, length = dice.choice([0] * 12 + [100]), dice.choice([400] * 10 + [50, 200])
    return Grant(
        id=GrantId(grant_id or dice.choice("abc")),
        subject=SUBJECT,
        by=By("k0"),
        at=BASE + timedelta(days=dice.randint(0, 40)),
        period=Period(BASE + timedelta(days=start), BASE + timedelta(days=start + length)),
        rules=tuple(rules),
        shown=SHOWN,
        review_by=BASE + timedelta(days=180) if chance(dice, 0.1) else None,
        after_death=chance(dice, 0.2),
    )


def a_withdrawal_record(dice: Random, *, lifts: bool = True) -> Withdrawal:
    targets = [
        *(Target("grant", (name,)) for name in "abc"),
        Target("all"),
        Target("actor", (CLINIC.kind, CLINIC.value)),
        Target("actor", (REGISTRY.kind, REGISTRY.value)),
        Target("purpose", ("HRESCH",)),
        Target("authority", ("auth",)),
    ]
    targets += [Target("lift", (name,)) for name in "abc"] if lifts else []
    at = BASE + timedelta(days=dice.randint(0, 40))
    return Withdrawal(target=dice.choice(targets), subject=SUBJECT, by=By("k0"), at=at)


def an_authority(dice: Random) -> Authority:
    born = date(2026, 2, 1) - timedelta(days=dice.choice([10, 12, 13, 15, 16, 17, 40]) * 365)
    start = BASE - timedelta(days=100)
    return Authority(
        id="auth",
        representative=PARENT_KEY,
        basis=dice.choice([Basis.PARENT, Basis.PARENT, Basis.MINOR_AND_PARENT, *Basis]),
        subject=SUBJECT,
        by=By("k1"),
        at=BASE,
        period=Period(start, start + timedelta(days=dice.choice([120, 300, 900, 900]))),
        scope=(a_permit_rule(dice),) if chance(dice, 0.2) else (),
        cosigners=frozenset({"k2"}) if chance(dice, 0.1) else frozenset(),
        born_on=born,
    )


@dataclass(frozen=True)
class World:
    """Records as if verified."""

    records: tuple[SignedRecord, ...]

    @property
    def ledger(self) -> Ledger:
        return Ledger.of_verified(self.records, subject=SUBJECT)

    def plus(self, record: Record, *, seen: frozenset[RecordHash] = frozenset()) -> World:
        """Add a record of a new device that has seen these hashes (default: nothing)."""
        name = f"new-{len(self.records)}"
        told = replace(record, seen=seen, by=By(name))
        return World((*self.records, unsigned(told, name, kid=name)))

    def heads(self) -> frozenset[RecordHash]:
        return frozenset(self.ledger.heads)

    def permits(self) -> list[Rule]:
        return [
            rule
            for signed in self.records
            if isinstance(signed.record, Grant)
            for rule in signed.record.rules
            if rule.effect is Effect.PERMIT
        ]


class _Log:
    """Grows a log of two devices and, in a family, a representative."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.records: list[SignedRecord] = []
        self.tips: dict[str, SignedRecord] = {}

    def add(self, record: Record, kid: str, *, seen: frozenset[RecordHash]) -> SignedRecord:
        role: Any = "representative" if kid == PARENT_KEY and chance(self.dice, 0.95) else "self"
        by = By(kid, role, "auth" if role == "representative" else None)
        tip = self.tips.get(kid)
        position, previous = (0, GENESIS) if tip is None else (tip.position + 1, str(tip.hash))
        if tip is not None and chance(self.dice, 0.05):
            # A copy of the device goes on from before its last record: two records at one place.
            position, previous = tip.position, tip.previous
        told = replace(record, seen=seen, by=by)
        name = f"r{len(self.records)}"
        self.tips[kid] = unsigned(told, name, kid=kid, position=position, previous=previous)
        self.records.append(self.tips[kid])
        return self.tips[kid]

    def seen(self) -> frozenset[RecordHash]:
        attentive = chance(self.dice, 0.75)
        found = {old.hash for old in self.records if attentive or chance(self.dice, 0.5)}
        if chance(self.dice, 0.04):
            found.add(hash_of(f"lost-{len(self.records)}"))
        return frozenset(found)


def a_world(dice: Random, *, most: int = 4) -> World:
    log = _Log(dice)
    family = chance(dice, 0.15)
    if family:
        log.add(an_authority(dice), "k1", seen=frozenset())
    for _ in range(dice.randint(1, most)):
        kid = dice.choice([*DEVICES, PARENT_KEY]) if family else dice.choice(DEVICES)
        throw = dice.random()
        if throw < 0.10:
            log.add(a_withdrawal_record(dice), kid, seen=log.seen())
        elif throw < 0.13:
            revoked = dice.choice(DEVICES)
            position = dice.randint(0, 3)
            log.add(
                KeyRecord(
                    action="revoke",
                    kid=revoked,
                    from_position=position,
                    subject=SUBJECT,
                    by=By(kid),
                    at=BASE,
                ),
                kid,
                seen=log.seen(),
            )
        else:
            signed = log.add(a_grant_record(dice), kid, seen=log.seen())
            if family and chance(dice, 0.5):
                second = dice.choice([*DEVICES, PARENT_KEY])
                target = Cosignature(
                    target=signed.hash,
                    subject=SUBJECT,
                    by=By(second),
                    at=BASE + timedelta(days=41),
                    seen=frozenset({signed.hash}),
                )
                log.add(target, second, seen=log.seen() | {signed.hash})
    if chance(dice, 0.4):
        settle(dice, log)
    return World(tuple(log.records))


def settle(dice: Random, log: _Log) -> None:
    """Let another device distrust a key that signed twice for one place, from there or from nearby."""
    split = {r.kid: r.position for r in log.records if log.tips[r.kid].position == r.position}
    twice = [
        kid
        for kid, place in split.items()
        if sum((r.kid, r.position) == (kid, place) for r in log.records) > 1
    ]
    for kid in twice:
        other = dice.choice(DEVICES)
        revoke = KeyRecord(
            action="revoke",
            kid=kid,
            from_position=max(0, split[kid] + dice.choice([-1, 0, 0, 1])),
            subject=SUBJECT,
            by=By(other),
            at=BASE,
        )
        log.add(revoke, other, seen=log.seen())
