"""The laws of consent, first half: what adding, ordering and ending records may do (guide, 2.7).

Each test is named after its law and checks one random case; `law` runs it many times.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from consent.attenuation import attenuate
from consent.codes import Effect
from consent.decision import Decision, Permit, Question, decide
from consent.errors import InvalidDocument
from consent.ledger import Ledger
from consent.matching import YES, Asker, bind, match
from consent.model import Action, Grant, RecordHash, Rule, Target, check_rule
from tests.support.consent_asked import a_moment, a_question, any_question
from tests.support.consent_builders import SUBJECT
from tests.support.consent_random import (
    BASE,
    PURPOSES,
    World,
    a_grant_record,
    a_permit_rule,
    a_withdrawal_record,
    a_world,
    chance,
    some,
)
from tests.support.laws import law


def permitted(decision: Decision) -> bool:
    return isinstance(decision, Permit)


def after_all(dice: Random) -> datetime:
    """An instant after every signature, so that a further record does not move the clock."""
    return max(a_moment(dice), BASE + timedelta(days=45))


def a_case(dice: Random) -> tuple[World, Question, datetime]:
    world = a_world(dice)
    return world, a_question(dice, world), after_all(dice)


@law(1_000)
def test_l1_an_empty_ledger_permits_nothing(dice: Random) -> None:
    assert not permitted(decide(World(()).ledger, any_question(dice), at=a_moment(dice)))


@law(2_000)
def test_l2_adding_a_deny_lineage_never_permits_more(dice: Random) -> None:
    world, question, at = a_case(dice)
    more = world.plus(a_grant_record(dice, only=Effect.DENY, grant_id="new"), seen=_seen(dice, world))
    if permitted(decide(more.ledger, question, at=at)):
        assert permitted(decide(world.ledger, question, at=at))


@law(2_000)
def test_l3_adding_a_permit_lineage_never_permits_less(dice: Random) -> None:
    world, question, at = a_case(dice)
    grant = a_grant_record(dice, only=Effect.PERMIT, grant_id="new")
    if permitted(decide(world.ledger, question, at=at)):
        more = world.plus(grant, seen=_seen(dice, world))
        assert permitted(decide(more.ledger, question, at=at))


@law(2_000)
def test_l4_adding_a_withdrawal_never_permits_more(dice: Random) -> None:
    world, question, at = a_case(dice)
    more = world.plus(a_withdrawal_record(dice, lifts=False), seen=_seen(dice, world))
    if permitted(decide(more.ledger, question, at=at)):
        assert permitted(decide(world.ledger, question, at=at))


@law(2_000)
def test_l5_order_and_duplication_never_matter(dice: Random) -> None:
    world, question, at = a_case(dice)
    shuffled = [*world.records, *world.records[:2]]
    dice.shuffle(shuffled)
    other = Ledger.of_verified(shuffled, subject=SUBJECT)
    assert other == world.ledger
    assert decide(other, question, at=at) == decide(world.ledger, question, at=at)


@law(1_000)
def test_l5_merging_logs_is_a_join(dice: Random) -> None:
    world = a_world(dice)
    devices = sorted({r.kid for r in world.records})
    parts = [some(dice, devices, most=len(devices)) for _ in range(2)]
    one, two = ([r for r in world.records if r.kid in part] for part in parts)
    ways = ([*one, *two], [*two, *one], [*one, *two, *one])
    merged = [Ledger.of_verified(way, subject=SUBJECT) for way in ways]
    assert merged[0] == merged[1] == merged[2]


@law(1_000)
def test_l5_rule_order_inside_a_grant_never_matters(dice: Random) -> None:
    world, question, at = a_case(dice)
    turned = tuple(
        replace(signed, record=replace(signed.record, rules=signed.record.rules[::-1]))
        if isinstance(signed.record, Grant)
        else signed
        for signed in world.records
    )
    one, two = (decide(w.ledger, question, at=at) for w in (world, World(turned)))
    assert one == two or not (permitted(one) or permitted(two))


@law(1_000)
def test_l6_a_withdrawal_beats_every_permit_that_has_not_seen_it(dice: Random) -> None:
    world, question, at = a_case(dice)
    # The clocks say it was signed long before everything else: that changes nothing.
    early = BASE - timedelta(days=dice.randint(0, 400))
    record = replace(a_withdrawal_record(dice), target=Target("all"), at=early)
    assert not permitted(decide(world.plus(record).ledger, question, at=at))


@law(1_000)
def test_l6b_a_grant_that_has_seen_the_withdrawal_works(dice: Random) -> None:
    grant = a_grant_record(dice, only=Effect.PERMIT, grant_id="new")
    world = World(()).plus(grant)
    question, at = a_question(dice, world), after_all(dice)
    late = replace(a_withdrawal_record(dice), target=Target("all"), at=BASE + timedelta(days=40))
    withdrawn = World(()).plus(late)
    again = withdrawn.plus(grant, seen=withdrawn.heads())
    first, second = decide(world.ledger, question, at=at), decide(again.ledger, question, at=at)
    assert permitted(first) == permitted(second)


@law(1_000)
def test_l7_nothing_is_permitted_outside_the_period(dice: Random) -> None:
    grant = replace(a_grant_record(dice, only=Effect.PERMIT), at=BASE - timedelta(days=1))
    world = World(()).plus(grant)
    question, second = a_question(dice, world), timedelta(seconds=1)
    late = dice.choice([0, 0, dice.randint(0, 10**8)]) * second
    ledger = world.ledger
    assert not permitted(decide(ledger, question, at=grant.period.until_at + late))
    assert not permitted(decide(ledger, question, at=grant.period.from_at - second))
    edges = (grant.period.from_at, grant.period.from_at + second, grant.period.until_at - second)
    assert len({permitted(decide(ledger, question, at=at)) for at in edges}) == 1


@law(1_000)
def test_l7_setting_the_clock_back_changes_nothing(dice: Random) -> None:
    world, question, _ = a_case(dice)
    newest = max(signed.record.at for signed in world.records)
    back = newest - timedelta(days=dice.randint(1, 1000))
    assert decide(world.ledger, question, at=back) == decide(world.ledger, question, at=newest)


@law(1_000)
def test_l8_the_content_of_superseded_versions_is_inert(dice: Random) -> None:
    old, new, other = (a_grant_record(dice, grant_id="a") for _ in range(3))
    one = World(()).plus(old)
    two = World(()).plus(replace(other, at=old.at))
    after_one, after_two = (world.plus(new, seen=world.heads()) for world in (one, two))
    question, at = a_question(dice, after_one), after_all(dice)
    first, second = (decide(w.ledger, question, at=at) for w in (after_one, after_two))
    assert permitted(first) == permitted(second)
    replayed = World((*after_one.records, one.records[0]))
    assert decide(replayed.ledger, question, at=at) == first


@law(2_000)
def test_l9_a_fork_permits_only_what_each_head_permits(dice: Random) -> None:
    left = a_grant_record(dice, grant_id="a")
    # Often nearly the same: two devices edited one grant.
    right = replace(left, rules=(*left.rules, a_permit_rule(dice))) if chance(dice, 0.5) else None
    fork = World(()).plus(left).plus(right or a_grant_record(dice, grant_id="a"))
    question, at = a_question(dice, fork), after_all(dice)
    alone = [decide(World((record,)).ledger, question, at=at) for record in fork.records]
    assert permitted(decide(fork.ledger, question, at=at)) == all(map(permitted, alone))


def narrowed(dice: Random, rule: Rule) -> Rule:
    """Like the rule with some members made smaller, and now and then one made larger."""
    other = a_permit_rule(dice)
    names = dice.sample(["actor", "purpose", "action", "category", "sensitivity", "data_period", "code"], 2)
    changed = {name: getattr(other, name) for name in names}
    if chance(dice, 0.6):
        changed = {"action": frozenset({dice.choice(sorted(rule.action or ()))}), "author": other.author}
    child = replace(rule, **changed)
    try:
        check_rule(child)
    except InvalidDocument:
        return rule
    return child


@law(4_000)
def test_l10_an_attenuated_grant_permits_nothing_its_parent_does_not(dice: Random) -> None:
    parents = [a_permit_rule(dice) for _ in range(dice.randint(1, 2))]
    children = [narrowed(dice, dice.choice(parents)) for _ in range(dice.randint(1, 2))]
    if not attenuate(children, parents):
        return
    world = World(()).plus(replace(a_grant_record(dice, only=Effect.PERMIT), rules=tuple(children)))
    question = a_question(dice, world)
    asker = Asker(question.actor, question.purpose, question.action, question.study)
    if any(match(bind(child, asker), question.facts) == YES for child in children):
        assert any(match(bind(parent, asker), question.facts) == YES for parent in parents)


@law(2_000)
def test_l11_more_purposes_or_actions_asked_never_helps(dice: Random) -> None:
    world, question, at = a_case(dice)
    if not (question.purpose and question.action):
        return
    more = replace(
        question,
        purpose=question.purpose | some(dice, PURPOSES),
        action=question.action | some(dice, tuple(Action)),
    )
    if permitted(decide(world.ledger, more, at=at)):
        assert permitted(decide(world.ledger, question, at=at))


def _seen(dice: Random, world: World) -> frozenset[RecordHash]:
    return world.heads() if chance(dice, 0.5) else frozenset()
