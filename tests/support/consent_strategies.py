"""Hypothesis strategies for consent: small worlds in which permits, denies and misses all happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import TypeVar

from hypothesis import strategies as st

from consent.codes import AnyOf
from consent.dates import DateInterval
from consent.decision import Question
from consent.document import SignedRecord
from consent.ledger import Ledger
from consent.model import (
    ANY,
    Action,
    ActorRef,
    By,
    Category,
    DatePeriod,
    Deidentification,
    Effect,
    Grant,
    GrantId,
    Period,
    RecordHash,
    ResourceFacts,
    Rule,
    Sensitivity,
    Target,
    Withdrawal,
    check_rule,
)
from crypto.chain import GENESIS
from tests.support.consent_builders import CLINIC, DOCTOR, OTHER, REGISTRY, SHOWN, SUBJECT, unsigned

T = TypeVar("T")
BASE = datetime(2026, 1, 1, tzinfo=UTC)
ACTORS = (CLINIC, OTHER, DOCTOR, REGISTRY)
PURPOSES = ("TREAT", "ETREAT", "CLINTRL", "HRESCH", "DSRCH")
CATEGORIES = (Category.LABS, Category.PROBLEMS, Category.GENETICS)
CLUSTERS = (Sensitivity.HIV, Sensitivity.MENTAL, Sensitivity.GENETIC)
DAYS = (date(2019, 6, 1), date(2020, 1, 1), date(2023, 7, 1), date(2025, 1, 1))


def some(items: Sequence[T], *, least: int = 1) -> st.SearchStrategy[frozenset[T]]:
    """A small subset; one draw from all of them, which is much faster than drawing the members."""
    subsets = [frozenset(subset) for size in range(least, 3) for subset in combinations(items, size)]
    return st.sampled_from([*subsets, frozenset(items)])


@st.composite
def data_periods(draw: st.DrawFn) -> DatePeriod:
    first, last = draw(st.sampled_from([None, *DAYS])), draw(st.sampled_from([None, *DAYS]))
    if first and last and first > last:
        first, last = last, first
    return DatePeriod(first, last)


@st.composite
def limits(draw: st.DrawFn, effect: Effect, depth: int) -> Rule:
    """A deny, or a carve-out of either effect; mostly one limit, so that it bites some of the time."""
    members: dict[str, object] = {}
    names = draw(st.lists(st.sampled_from(_LIMITS[effect]), min_size=1, max_size=2, unique=True))
    for name in names:
        members[name] = draw(_MEMBERS[name])
    children = draw(st.lists(limits(_turned(effect), depth - 1), max_size=1)) if depth else []
    return Rule(effect=effect, exception=tuple(children), **members)  # type: ignore[arg-type]  # drawn by name


_MEMBERS: dict[str, st.SearchStrategy[object]] = {
    "actor": some(ACTORS),
    "purpose": some(PURPOSES),
    "action": some(tuple(Action)),
    "category": some(CATEGORIES),
    "sensitivity": some(CLUSTERS, least=0),
    "security_label": some(CLUSTERS),
    "data_period": data_periods(),
    "instance": some(("Observation/o1", "Observation/o2")),
    "author": some(("Practitioner/p1", "Practitioner/p2")),
}
_LIMITS = {
    Effect.DENY: [name for name in _MEMBERS if name != "sensitivity"],
    Effect.PERMIT: [name for name in _MEMBERS if name != "security_label"],
}


def _turned(effect: Effect) -> Effect:
    return Effect.DENY if effect is Effect.PERMIT else Effect.PERMIT


def rarely(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    nothing: st.SearchStrategy[T | None] = st.none()
    return st.sampled_from([False, False, False, True]).flatmap(lambda yes: strategy if yes else nothing)


def any_or(strategy: st.SearchStrategy[frozenset[T]]) -> st.SearchStrategy[frozenset[T] | AnyOf]:
    anything: st.SearchStrategy[frozenset[T] | AnyOf] = st.just(ANY)
    return anything | strategy


@st.composite
def carve_outs(draw: st.DrawFn) -> tuple[Rule, ...]:
    if draw(st.sampled_from([False, False, False, True])):
        return (draw(limits(Effect.DENY, 1)),)
    return ()


@st.composite
def permits(draw: st.DrawFn) -> Rule:
    purpose = draw(some(PURPOSES))
    research = bool(purpose & {"HRESCH", "DSRCH", "CLINTRL"})
    actor = draw(some(ACTORS)) | (frozenset({REGISTRY}) if research else frozenset())
    rule = Rule(
        effect=Effect.PERMIT,
        actor=actor,
        purpose=purpose,
        action=draw(some((Action.COPY, Action.VIEW, Action.EXTRACT))),
        category=draw(any_or(some(CATEGORIES))),
        sensitivity=draw(some(CLUSTERS, least=0) if research else any_or(some(CLUSTERS, least=0))),
        deidentification=draw(st.sampled_from([Deidentification.PSEUD, Deidentification.DEID]))
        if research
        else draw(st.sampled_from(Deidentification)),
        data_period=draw(rarely(data_periods())),
        instance=draw(rarely(some(("Observation/o1", "Observation/o2")))),
        author=draw(rarely(some(("Practitioner/p1", "Practitioner/p2")))),
        obligation=draw(st.sampled_from([frozenset(), frozenset({"NORDSCLCD"}), frozenset({"AUDIT"})])),
        exception=draw(carve_outs()),
        unknown=draw(st.sampled_from([frozenset()] * 9 + [frozenset({"colour"})])),
    )
    check_rule(rule)
    return rule


@st.composite
def denies(draw: st.DrawFn) -> Rule:
    rule = draw(limits(Effect.DENY, 1))
    check_rule(rule)
    return rule


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start = draw(st.sampled_from([0, 0, 0, 0, 0, 0, 100]))
    length = draw(st.sampled_from([50, 200, 400, 400, 400, 400, 400]))
    return Period(BASE + timedelta(days=start), BASE + timedelta(days=start + length))


@st.composite
def grants(draw: st.DrawFn, *, only: Effect | None = None, grant_id: str | None = None) -> Grant:
    rules: list[Rule] = []
    if only is not Effect.DENY:
        rules += draw(st.lists(permits(), min_size=1, max_size=2))
    wants_deny = only is Effect.DENY or (only is None and draw(st.sampled_from([False] * 4 + [True])))
    if wants_deny:
        rules.append(draw(denies()))
    return Grant(
        id=GrantId(grant_id or draw(st.sampled_from(["a", "b", "c"]))),
        subject=SUBJECT,
        by=By("k0"),
        at=BASE + timedelta(days=draw(st.integers(0, 40))),
        period=draw(periods()),
        rules=tuple(rules),
        shown=SHOWN,
        review_by=draw(st.none() | st.just(BASE + timedelta(days=180))),
    )


TARGETS = st.sampled_from(
    [
        Target("all"),
        Target("grant", ("a",)),
        Target("grant", ("b",)),
        Target("actor", (CLINIC.kind, CLINIC.value)),
        Target("actor", (REGISTRY.kind, REGISTRY.value)),
        Target("purpose", ("HRESCH",)),
        Target("lift", ("a",)),
        Target("lift", ("b",)),
    ]
)


@st.composite
def withdrawals(draw: st.DrawFn) -> Withdrawal:
    return Withdrawal(
        target=draw(TARGETS), subject=SUBJECT, by=By("k0"), at=BASE + timedelta(days=draw(st.integers(0, 40)))
    )


@dataclass(frozen=True)
class World:
    """Records as if verified, and their ledger."""

    records: tuple[SignedRecord, ...]

    @property
    def ledger(self) -> Ledger:
        return Ledger.of_verified(self.records, subject=SUBJECT)

    def heads(self) -> frozenset[RecordHash]:
        return frozenset(self.ledger.heads)

    def plus(self, record: Grant | Withdrawal, *, seen: frozenset[RecordHash] = frozenset()) -> World:
        """Add a record of a new device that has seen these hashes (default: nothing)."""
        name = f"new-{len(self.records)}"
        told = replace(record, seen=seen, by=By(name))
        return World((*self.records, unsigned(told, name, kid=name)))


@st.composite
def worlds(draw: st.DrawFn, *, most: int = 5, missing: bool = True) -> World:
    """Up to `most` records of two devices; each has seen some of the earlier ones, perhaps one lost."""
    records: list[SignedRecord] = []
    tips: dict[str, SignedRecord] = {}
    for index in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(["grant"] * 5 + ["withdrawal"]))
        record: Grant | Withdrawal = draw(grants()) if kind == "grant" else draw(withdrawals())
        attentive = draw(st.sampled_from([True, True, False]))
        seen = {old.hash for old in records if attentive or draw(st.booleans())}
        if missing and draw(st.sampled_from([False] * 12 + [True])):
            seen.add(unsigned(record, f"lost-{index}", kid="x").hash)
        kid = draw(st.sampled_from(["k1", "k2"]))
        tip = tips.get(kid)
        told = replace(record, seen=frozenset(seen), by=By(kid))
        position, previous = (0, GENESIS) if tip is None else (tip.position + 1, str(tip.hash))
        tips[kid] = unsigned(told, f"r{index}", kid=kid, position=position, previous=previous)
        records.append(tips[kid])
    return World(tuple(records))


@st.composite
def resource_facts(draw: st.DrawFn) -> ResourceFacts:
    certain = draw(some(CATEGORIES, least=0))
    days = draw(st.lists(st.sampled_from([*DAYS, None]), max_size=2))
    return ResourceFacts(
        resource_type="Observation",
        reference=draw(st.sampled_from(["Observation/o1", "Observation/o3", None])),
        categories=certain,
        possible_categories=draw(st.sampled_from([frozenset()] * 3 + [frozenset(CATEGORIES)])) - certain,
        sensitivity=draw(
            st.sampled_from([frozenset(), frozenset(), frozenset({Sensitivity.HIV}), frozenset(CLUSTERS)])
        ),
        sensitivity_unknown=draw(st.sampled_from([False, False, False, True])),
        dates=tuple(DateInterval(day, day) for day in days),
        author=draw(st.sampled_from([frozenset(), frozenset({"Practitioner/p1"})])),
    )


@st.composite
def questions(draw: st.DrawFn) -> Question:
    return Question(
        actor=frozenset(draw(st.lists(st.sampled_from(ACTORS), min_size=0, max_size=2))),
        purpose=frozenset(draw(st.lists(st.sampled_from(PURPOSES), min_size=0, max_size=2))),
        action=frozenset(
            draw(st.lists(st.sampled_from([Action.VIEW, Action.COPY, Action.EXTRACT]), max_size=2))
        ),
        facts=draw(resource_facts()),
    )


@st.composite
def likely(draw: st.DrawFn, world: World) -> Question:
    """A question near some permit of the world, so that permits really happen."""
    rules = [
        rule
        for signed in world.records
        if isinstance(signed.record, Grant)
        for rule in signed.record.rules
        if rule.effect is Effect.PERMIT
    ]
    asked = draw(questions())
    often = st.sampled_from([True] * 8 + [False])
    if not rules or not draw(often):
        return asked
    rule = draw(st.sampled_from(rules))
    found = asked.facts
    one = frozenset({draw(st.sampled_from(CATEGORIES))})
    category = rule.category if isinstance(rule.category, frozenset) else one
    if draw(often):
        found = replace(
            found, categories=category, possible_categories=frozenset(), sensitivity_unknown=False
        )
    if draw(often):
        clusters = rule.sensitivity if isinstance(rule.sensitivity, frozenset) else frozenset()
        found = replace(found, sensitivity=clusters, dates=(_day_inside(rule.data_period),))
    if draw(often):
        reference = sorted(rule.instance)[0] if rule.instance else found.reference
        author = frozenset(rule.author) if rule.author else found.author
        found = replace(found, reference=reference, author=author)
    actor: frozenset[ActorRef] = frozenset({draw(st.sampled_from(sorted(rule.actor or ACTORS)))})
    purpose = frozenset({draw(st.sampled_from(sorted(rule.purpose or PURPOSES)))})
    action = frozenset({draw(st.sampled_from(sorted(rule.action or Action)))})
    return Question(actor, purpose, action, found)


def _day_inside(period: DatePeriod | None) -> DateInterval:
    day = DAYS[2] if period is None else period.first or period.last or DAYS[2]
    return DateInterval(day, day)


def moments() -> st.SearchStrategy[datetime]:
    """Instants not before any record of a world was signed."""
    return st.sampled_from([40, 60, 60, 60, 150, 260, 420]).map(lambda days: BASE + timedelta(days=days))
