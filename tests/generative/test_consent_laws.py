"""The laws of consent (guide consent.md section 2.7), each named after its number.

Worlds are small sets of records as if verified; the questions are drawn near the permits, so that a
good part of them is permitted (`test_the_laws_are_not_vacuous` counts).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from consent.codes import RESEARCH_DUTY, RESEARCH_FLOOR, Category, Sensitivity
from consent.dates import DateInterval
from consent.decision import Decision, Permit, Question, decide
from consent.ledger import Ledger
from consent.matching import needed_clusters
from consent.model import ANY, Action, Effect, Grant, RecordHash, Target
from consent.plan import compile_plan
from consent.rules import is_research
from tests.support.consent_builders import SUBJECT
from tests.support.consent_strategies import (
    ACTORS,
    BASE,
    CATEGORIES,
    CLUSTERS,
    DAYS,
    PURPOSES,
    World,
    denies,
    grants,
    likely,
    moments,
    questions,
    resource_facts,
    withdrawals,
    worlds,
)
from tests.support.naive_consent import Naive

LOST = RecordHash("sha256:" + "0" * 63 + "1")
laws = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def permitted(decision: Decision) -> bool:
    return isinstance(decision, Permit)


@settings(laws, max_examples=300)
@given(st.data())
def test_the_engine_and_the_naive_reading_agree(data: st.DataObject) -> None:
    world = data.draw(worlds())
    question = data.draw(likely(world))
    at = data.draw(moments())
    opinion = Naive(world.records).permitted(question, at)
    match decide(world.ledger, question, at=at):
        case Permit(obligations=duties, deidentification=level):
            event("permit")
            assert opinion is not None
            wanted_duties, wanted_level = opinion
            if is_research(question.purpose):
                wanted_duties |= {RESEARCH_DUTY}
                wanted_level = max(wanted_level, RESEARCH_FLOOR, key=lambda item: item.rank)
            assert (duties, level) == (wanted_duties, wanted_level)
        case _:
            assert opinion is None


@laws
@given(questions(), moments())
def test_l1_an_empty_ledger_permits_nothing(question: Question, at: object) -> None:
    assert not permitted(decide(World(()).ledger, question, at=at))  # type: ignore[arg-type]


@laws
@given(st.data())
def test_l2_adding_a_deny_lineage_never_permits_more(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    more = world.plus(data.draw(grants(only=Effect.DENY, grant_id="new")))
    if permitted(decide(more.ledger, question, at=at)):
        assert permitted(decide(world.ledger, question, at=at))


@laws
@given(st.data())
def test_l3_adding_a_permit_lineage_never_permits_less(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    seen = data.draw(st.sampled_from([frozenset(), world.heads()]))
    more = world.plus(data.draw(grants(only=Effect.PERMIT, grant_id="new")), seen=seen)
    if permitted(decide(world.ledger, question, at=at)):
        assert permitted(decide(more.ledger, question, at=at))


@laws
@given(st.data())
def test_l4_adding_a_withdrawal_never_permits_more(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    record = data.draw(withdrawals())
    assume(record.target.kind != "lift")
    more = world.plus(record, seen=data.draw(st.sampled_from([frozenset(), world.heads()])))
    if permitted(decide(more.ledger, question, at=at)):
        assert permitted(decide(world.ledger, question, at=at))


@laws
@given(st.data())
def test_l5_order_and_duplication_never_matter(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    shuffled = data.draw(st.permutations([*world.records, *world.records[:2]]))
    other = Ledger.of_verified(shuffled, subject=SUBJECT)
    assert other == world.ledger
    assert decide(other, question, at=at) == decide(world.ledger, question, at=at)


@laws
@given(st.data())
def test_l5_rule_order_inside_a_grant_never_matters(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    turned = tuple(
        replace(signed, record=replace(signed.record, rules=signed.record.rules[::-1]))
        if isinstance(signed.record, Grant)
        else signed
        for signed in world.records
    )
    one, two = (decide(w.ledger, question, at=at) for w in (world, World(turned)))
    assert one == two or not (permitted(one) or permitted(two))


@laws
@given(st.data())
def test_l6_a_withdrawal_beats_every_permit_that_has_not_seen_it(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    record = replace(data.draw(withdrawals()), target=Target("all"))
    # The clocks say it was signed before everything else: that changes nothing.
    record = replace(record, at=BASE - timedelta(days=data.draw(st.integers(0, 400))))
    assert not permitted(decide(world.plus(record).ledger, question, at=at))


@laws
@given(st.data())
def test_l6b_a_grant_that_has_seen_the_withdrawal_works(data: st.DataObject) -> None:
    grant = data.draw(grants(only=Effect.PERMIT, grant_id="new"))
    world = World(()).plus(grant)
    question, at = data.draw(likely(world)), data.draw(moments())
    withdrawn = World(()).plus(replace(data.draw(withdrawals()), target=Target("all")))
    again = withdrawn.plus(grant, seen=withdrawn.heads())
    first, second = decide(world.ledger, question, at=at), decide(again.ledger, question, at=at)
    assert permitted(first) == permitted(second)


@laws
@given(st.data())
def test_l7_nothing_is_permitted_outside_the_period(data: st.DataObject) -> None:
    grant = replace(data.draw(grants(only=Effect.PERMIT)), at=BASE - timedelta(days=1))
    world = World(()).plus(grant)
    question = data.draw(likely(world))
    second = timedelta(seconds=1)
    late = data.draw(st.integers(0, 10**8)) * second
    assert not permitted(decide(world.ledger, question, at=grant.period.until_at + late))
    assert not permitted(decide(world.ledger, question, at=grant.period.from_at - second))
    inside = {permitted(decide(world.ledger, question, at=grant.period.from_at + n * second)) for n in (0, 1)}
    assert len(inside) == 1


@laws
@given(st.data())
def test_l8_the_content_of_superseded_versions_is_inert(data: st.DataObject) -> None:
    old = data.draw(grants(grant_id="a"))
    new = data.draw(grants(grant_id="a"))
    other = data.draw(grants(grant_id="a"))
    at = data.draw(moments())
    one = World(()).plus(old)
    two = World(()).plus(replace(other, at=old.at))
    after_one, after_two = (w.plus(new, seen=w.heads()) for w in (one, two))
    question = data.draw(likely(after_one))
    first, second = (decide(w.ledger, question, at=at) for w in (after_one, after_two))
    assert permitted(first) == permitted(second)
    replayed = World((*after_one.records, one.records[0]))
    assert decide(replayed.ledger, question, at=at) == first


@laws
@given(st.data())
def test_l9_a_fork_permits_only_what_each_head_permits(data: st.DataObject) -> None:
    left, right = (data.draw(grants(grant_id="a")) for _ in range(2))
    at = data.draw(moments())
    fork = World(()).plus(left).plus(right)
    question = data.draw(likely(fork))
    alone = [decide(World((record,)).ledger, question, at=at) for record in fork.records]
    assert permitted(decide(fork.ledger, question, at=at)) == all(map(permitted, alone))


@laws
@given(st.data())
def test_l11_more_purposes_or_actions_asked_never_helps(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    assume(question.purpose and question.action)
    more = replace(
        question,
        purpose=question.purpose | {data.draw(st.sampled_from(PURPOSES))},
        action=question.action | {data.draw(st.sampled_from(list(Action)))},
    )
    if permitted(decide(world.ledger, more, at=at)):
        assert permitted(decide(world.ledger, question, at=at))


@settings(laws, max_examples=150)
@given(st.data())
def test_l13_what_is_permitted_unknown_is_permitted_known(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    facts = question.facts
    vague = data.draw(
        st.sampled_from(
            [
                replace(facts, sensitivity_unknown=True),
                replace(facts, possible_categories=frozenset(CATEGORIES) - facts.categories),
                replace(facts, dates=()),
                replace(facts, dates=(DateInterval(date(2019, 1, 1), date(2025, 12, 31)),)),
                replace(facts, reference=None),
                replace(facts, author=frozenset()),
            ]
        )
    )
    if not permitted(decide(world.ledger, replace(question, facts=vague), at=at)):
        return
    known = replace(
        vague,
        sensitivity_unknown=False,
        sensitivity=vague.sensitivity | frozenset(data.draw(st.sets(st.sampled_from(CLUSTERS))))
        if vague.sensitivity_unknown
        else vague.sensitivity,
        categories=vague.categories
        | frozenset(c for c in sorted(vague.possible_categories) if data.draw(st.booleans())),
        possible_categories=frozenset(),
        dates=tuple(
            DateInterval(day, day)
            for day in [data.draw(st.sampled_from(DAYS))]
            if vague.dates != facts.dates or not facts.dates
        )
        or vague.dates,
        reference=vague.reference or data.draw(st.sampled_from(["Observation/o1", "Observation/o2"])),
        author=vague.author
        or frozenset({data.draw(st.sampled_from(["Practitioner/p1", "Practitioner/p2"]))}),
    )
    assume(known.categories)
    assert permitted(decide(world.ledger, replace(question, facts=known), at=at))


@laws
@given(st.data())
def test_l14_research_is_always_stripped_of_identity(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    match decide(world.ledger, data.draw(likely(world)), at=at):
        case Permit(deidentification=level, obligations=duties, basis=basis):
            asked_for_research = any(
                is_research(rule.purpose or ())
                for signed in world.records
                if signed.hash in basis and isinstance(signed.record, Grant)
                for rule in signed.record.rules
            )
            if asked_for_research and RESEARCH_DUTY in duties:
                assert level.rank >= RESEARCH_FLOOR.rank
        case _:
            pass


@laws
@given(st.data())
def test_l14_a_research_question_carries_floor_and_duty(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    research = replace(
        question, purpose=frozenset({data.draw(st.sampled_from(["HRESCH", "DSRCH", "CLINTRL"]))})
    )
    match decide(world.ledger, research, at=at):
        case Permit(deidentification=level, obligations=duties):
            assert level.rank >= RESEARCH_FLOOR.rank
            assert RESEARCH_DUTY in duties
        case _:
            pass


@laws
@given(st.data())
def test_l15_every_cluster_on_a_permitted_resource_was_opted_in_by_name(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    question = replace(
        question,
        facts=replace(question.facts, sensitivity=frozenset(data.draw(st.sets(st.sampled_from(CLUSTERS))))),
    )
    match decide(world.ledger, question, at=at):
        case Permit(basis=basis):
            named: set[Sensitivity] = set()
            for signed in world.records:
                if signed.hash in basis and isinstance(signed.record, Grant):
                    for rule in signed.record.rules:
                        named |= set(Sensitivity) if rule.sensitivity == ANY else set(rule.sensitivity or ())
            assert needed_clusters(question.facts) <= named
        case _:
            pass


@laws
@given(st.data())
def test_l17_the_basis_with_its_causal_past_reproduces_the_permit(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    match decide(world.ledger, question, at=at):
        case Permit(basis=basis):
            past = world.ledger.past
            kept = frozenset(basis).union(*(past[name] for name in basis))
            alone = World(tuple(signed for signed in world.records if signed.hash in kept))
            assert permitted(decide(alone.ledger, question, at=at))
        case _:
            pass


@laws
@given(st.data())
def test_l20_a_missing_ancestor_never_permits(data: st.DataObject) -> None:
    grant = data.draw(grants(only=Effect.PERMIT, grant_id="new"))
    lost = World(()).plus(grant, seen=frozenset({LOST}))
    assert not permitted(decide(lost.ledger, data.draw(likely(lost)), at=data.draw(moments())))


@laws
@given(st.data())
def test_l20_a_missing_ancestor_never_silences_a_deny(data: st.DataObject) -> None:
    deny = replace(data.draw(grants(only=Effect.DENY, grant_id="a")), rules=(data.draw(denies()),))
    world = World(()).plus(deny).plus(data.draw(grants(only=Effect.PERMIT, grant_id="b")))
    question, at = data.draw(likely(world)), data.draw(moments())
    pending = replace(data.draw(grants(only=Effect.PERMIT, grant_id="a")), at=deny.at)
    seen = frozenset({world.records[0].hash, LOST})
    if not permitted(decide(world.ledger, question, at=at)):
        assert not permitted(decide(world.plus(pending, seen=seen).ledger, question, at=at))


@laws
@given(st.data())
def test_l21_adding_a_grant_never_weakens_obligations(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    more = world.plus(data.draw(grants(only=Effect.PERMIT, grant_id="new")))
    match decide(world.ledger, question, at=at), decide(more.ledger, question, at=at):
        case Permit() as before, Permit() as after:
            assert before.obligations <= after.obligations
            assert before.deidentification.rank <= after.deidentification.rank
        case _:
            pass


@laws
@given(st.data())
def test_a_permit_holds_until_its_valid_until_and_no_answer_changes_before(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    decision = decide(world.ledger, question, at=at)
    if isinstance(decision, Permit) and decision.valid_until is not None:
        assert decision.valid_until > at
        assert permitted(decide(world.ledger, question, at=decision.valid_until - timedelta(seconds=1)))


@laws
@given(st.data())
def test_l19_a_plan_answers_as_decide_does(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    question = data.draw(likely(world))
    plan = compile_plan(
        world.ledger, actor=question.actor, purpose=question.purpose, action=question.action, at=at
    )
    many = [question.facts, *data.draw(st.lists(resource_facts(), max_size=6)), question.facts]
    for facts in many:
        assert plan.decide(facts) == decide(world.ledger, replace(question, facts=facts), at=at)


def test_the_laws_are_not_vacuous() -> None:
    """Of the cases the laws draw, a good part is permitted and a good part is not."""
    outcomes: list[bool] = []

    @settings(laws, max_examples=100)
    @given(st.data())
    def count(data: st.DataObject) -> None:
        world = data.draw(worlds())
        outcomes.append(permitted(decide(world.ledger, data.draw(likely(world)), at=data.draw(moments()))))

    count()
    assert 0.1 < sum(outcomes) / len(outcomes) < 0.9


def test_every_universe_used_here_is_known_to_the_engine() -> None:
    assert set(CATEGORIES) <= set(Category)
    assert set(CLUSTERS) <= set(Sensitivity)
    assert len(set(ACTORS)) == 4
