"""The laws of consent, second half: what facts, duties, proofs and damage may do (guide, 2.7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from consent.codes import RESEARCH_DUTY, RESEARCH_FLOOR, Category, Effect, Sensitivity
from consent.dates import DateInterval
from consent.decision import Deny, Permit, decide
from consent.decision_json import decision_bytes
from consent.errors import ConsentError
from consent.fhir import grant_to_fhir
from consent.fhir_import import Proposal, import_consent
from consent.ledger import Ledger
from consent.matching import MAYBE, NO, YES, Tri, needed_clusters
from consent.model import (
    ANY,
    Basis,
    By,
    Grant,
    KeyRecord,
    Period,
    RecordHash,
    Rule,
    Study,
    Target,
    Withdrawal,
)
from consent.plan import compile_plan
from consent.research import Subsumption, struck, topics_inside
from consent.rules import is_research
from tests.generative.test_consent_laws import a_case, after_all, permitted
from tests.support.consent_asked import a_question, some_facts
from tests.support.consent_builders import KEY, SUBJECT, chained, unsigned
from tests.support.consent_random import (
    AUTHORS,
    BASE,
    CATEGORIES,
    CLUSTERS,
    DAYS,
    ICD,
    PARENT_KEY,
    World,
    a_grant_record,
    a_limit,
    a_research_use,
    a_withdrawal_record,
    an_authority,
    chance,
    some,
)
from tests.support.laws import law

LOST = RecordHash("sha256:" + "0" * 63 + "1")


def _tree(edges: frozenset[tuple[str, str]]) -> Subsumption:
    """Subsumption by the edges (child, parent) alone: YES below, MAYBE above, NO elsewhere."""

    def inside(asked: str, granted: str) -> Tri:
        if asked == granted or _below(edges, asked, granted):
            return YES
        return MAYBE if _below(edges, granted, asked) else NO

    return inside


def _below(edges: frozenset[tuple[str, str]], low: str, high: str) -> bool:
    return any(child == low and (up == high or _below(edges, up, high)) for child, up in edges)


@law(2_000)
def test_l12_more_ontology_edges_only_widen_permits_and_denies_on_that_code(dice: Random) -> None:
    codes = "abcdef"
    pairs = [(low, high) for high in codes for low in codes if high < low]
    before = some(dice, pairs, most=4)
    after = before | some(dice, pairs, most=2)
    use = replace(a_research_use(dice), topics=frozenset(dice.sample(codes, 2)))
    study = Study(topics=frozenset(dice.sample(codes, dice.randint(0, 2))))
    narrow, wide = _tree(before), _tree(after)
    assert topics_inside(use, study, inside=narrow) <= topics_inside(use, study, inside=wide)
    assert struck(use, study, inside=narrow) <= struck(use, study, inside=wide)


@law(3_000)
def test_l13_what_is_permitted_unknown_is_permitted_known(dice: Random) -> None:
    world, question, at = a_case(dice)
    facts = question.facts
    wide = DateInterval(date(2019, 1, 1), date(2025, 12, 31))
    vague = dice.choice(
        [
            replace(facts, sensitivity_unknown=True),
            replace(facts, possible_categories=frozenset(CATEGORIES) - facts.categories),
            replace(facts, dates=(wide,)),
            replace(facts, dates=()),
            replace(facts, reference=None),
            replace(facts, author=frozenset()),
            replace(facts, codes=frozenset()),
        ]
    )
    ledger = world.ledger
    if not permitted(decide(ledger, replace(question, facts=vague), at=at)):
        return
    day = dice.choice(DAYS)
    hidden = some(dice, CLUSTERS, most=3) if vague.sensitivity_unknown else frozenset[Sensitivity]()
    known = replace(
        vague,
        sensitivity_unknown=False,
        sensitivity=vague.sensitivity | hidden,
        categories=vague.categories
        | {c for c in sorted(vague.possible_categories) if chance(dice, 0.5) or not vague.categories},
        possible_categories=frozenset(),
        dates=(DateInterval(day, day),) if vague.dates in ((), (wide,)) else vague.dates,
        reference=vague.reference or dice.choice(["Observation/o1", "Observation/o2"]),
        author=vague.author or frozenset({dice.choice(AUTHORS)}),
        codes=vague.codes or frozenset({ICD + dice.choice(["E11", "C50"])}),
    )
    assert permitted(decide(ledger, replace(question, facts=known), at=at))


@law(1_000)
def test_l13_what_is_permitted_to_a_vague_study_is_permitted_to_a_clear_one(dice: Random) -> None:
    world, question, at = a_case(dice)
    clear = Study(
        topics=some(dice, ("E11", "C50")), nonprofit=chance(dice, 0.5), commercial=chance(dice, 0.5)
    )
    hidden = dict.fromkeys(dice.sample(["topics", "nonprofit", "commercial", "ethics"], 2))
    ledger = world.ledger
    if permitted(decide(ledger, replace(question, study=replace(clear, **hidden)), at=at)):
        assert permitted(decide(ledger, replace(question, study=clear), at=at))


@law(2_000)
def test_l14_research_carries_floor_and_duty(dice: Random) -> None:
    world, question, at = a_case(dice)
    match decide(world.ledger, question, at=at):
        case Permit(deidentification=level, obligations=duties) if is_research(question.purpose):
            assert level.rank >= RESEARCH_FLOOR.rank
            assert RESEARCH_DUTY in duties
        case _:
            pass


@law(2_000)
def test_l15_every_cluster_on_a_permitted_resource_was_opted_in_by_name(dice: Random) -> None:
    world, question, at = a_case(dice)
    extra = frozenset(dice.sample(CLUSTERS, dice.randint(0, 2)))
    facts = replace(question.facts, sensitivity=question.facts.sensitivity | extra)
    match decide(world.ledger, replace(question, facts=facts), at=at):
        case Permit(basis=basis):
            named: set[Sensitivity] = set()
            for rule in _rules_of(world, basis):
                outside = rule.sensitivity == ANY and not is_research(question.purpose)
                named |= set(Sensitivity) if outside else set(rule.sensitivity or ()) - set(ANY)  # type: ignore[arg-type]
            assert needed_clusters(facts) <= named
        case _:
            pass


def _rules_of(world: World, basis: tuple[RecordHash, ...]) -> list[Rule]:
    return [
        rule
        for signed in world.records
        if signed.hash in basis and isinstance(signed.record, Grant)
        for rule in signed.record.rules
    ]


@law(2_000)
def test_l17_the_basis_with_its_causal_past_reproduces_the_permit(dice: Random) -> None:
    world, question, at = a_case(dice)
    ledger = world.ledger
    match decide(ledger, question, at=at):
        case Permit(basis=basis):
            kept = frozenset(basis).union(*(ledger.past[name] for name in basis))
            alone = World(tuple(signed for signed in world.records if signed.hash in kept))
            assert permitted(decide(alone.ledger, question, at=at))
        case _:
            pass


@law(1_000)
def test_l18_export_to_fhir_and_reimport_gives_the_same_decisions(dice: Random) -> None:
    drawn = a_grant_record(dice, only=Effect.PERMIT, grant_id="g")
    flat = tuple(_without_deep_carve_outs(rule) for rule in drawn.rules if not rule.unknown)
    if not flat:
        return
    grant = replace(drawn, rules=flat, after_death=False, review_by=None)
    back = [import_consent(consent) for consent in grant_to_fhir(grant)]
    assert all(isinstance(proposal, Proposal) for proposal in back), back
    rules = tuple(r for p in back if isinstance(p, Proposal) for r in p.rules)
    question = a_question(dice, World(()).plus(grant))
    one, two = (World(()).plus(g).ledger for g in (grant, replace(grant, rules=rules)))
    at = after_all(dice)
    assert permitted(decide(one, question, at=at)) == permitted(decide(two, question, at=at))


def _without_deep_carve_outs(rule: Rule) -> Rule:
    return replace(rule, exception=tuple(replace(child, exception=()) for child in rule.exception))


@law(1_000)
def test_l19_a_plan_answers_as_a_fresh_decision_does(dice: Random) -> None:
    world, question, at = a_case(dice)
    ledger = world.ledger
    plan = compile_plan(
        ledger,
        actor=question.actor,
        purpose=question.purpose,
        action=question.action,
        at=at,
        study=question.study,
    )
    for facts in (question.facts, some_facts(dice), some_facts(dice), question.facts):
        assert plan.decide(facts) == decide(ledger, replace(question, facts=facts), at=at)


@law(1_000)
def test_l19_an_answer_holds_until_its_valid_until(dice: Random) -> None:
    world, question, at = a_case(dice)
    decision = decide(world.ledger, question, at=at)
    if decision.valid_until is not None:
        assert decision.valid_until > at
        later = decide(world.ledger, question, at=decision.valid_until - timedelta(seconds=1))
        assert decision_bytes(later) == decision_bytes(decision)


@law(1_000)
def test_l20_a_missing_ancestor_never_permits(dice: Random) -> None:
    lost = World(()).plus(a_grant_record(dice, only=Effect.PERMIT, grant_id="new"), seen=frozenset({LOST}))
    assert not permitted(decide(lost.ledger, a_question(dice, lost), at=after_all(dice)))


@law(2_000)
def test_l20_a_missing_ancestor_never_silences_a_deny(dice: Random) -> None:
    deny = replace(
        a_grant_record(dice, only=Effect.DENY, grant_id="a"),
        rules=(replace(a_limit(dice, Effect.DENY), exception=()),),
    )
    world = World(()).plus(deny).plus(a_grant_record(dice, only=Effect.PERMIT, grant_id="b"))
    pending = replace(a_grant_record(dice, only=Effect.PERMIT, grant_id="a"), at=deny.at)
    seen = frozenset({world.records[0].hash, LOST})
    question, at = a_question(dice, world), after_all(dice)
    if not permitted(decide(world.ledger, question, at=at)):
        assert not permitted(decide(world.plus(pending, seen=seen).ledger, question, at=at))


@law(2_000)
def test_l20_a_distrusted_key_never_silences_a_deny(dice: Random) -> None:
    deny = a_grant_record(dice, only=Effect.DENY, grant_id="a")
    world = World(()).plus(deny).plus(a_grant_record(dice, only=Effect.PERMIT, grant_id="b"))
    newer = replace(a_grant_record(dice, only=Effect.PERMIT, grant_id="a"), at=deny.at)
    stolen = world.plus(newer, seen=frozenset({world.records[0].hash}))
    thief = stolen.records[-1].kid
    revoked = stolen.plus(
        KeyRecord(action="revoke", kid=thief, from_position=0, subject=SUBJECT, by=By("x"), at=BASE)
    )
    question, at = a_question(dice, world), after_all(dice)
    if not permitted(decide(world.ledger, question, at=at)):
        assert not permitted(decide(revoked.ledger, question, at=at))


@law(2_000)
def test_l20_a_second_record_at_one_place_never_permits_more(dice: Random) -> None:
    world, question, at = a_case(dice)
    before = dice.choice(world.records)
    drawn = a_grant_record(dice) if chance(dice, 0.7) else a_withdrawal_record(dice)
    told = replace(drawn, by=By(before.kid), seen=some_seen(dice, world))
    twin = unsigned(told, "twin", kid=before.kid, position=before.position, previous=before.previous)
    split = World((*world.records, twin))
    if permitted(decide(split.ledger, question, at=at)):
        assert permitted(decide(world.ledger, question, at=at))


def some_seen(dice: Random, world: World) -> frozenset[RecordHash]:
    return frozenset(signed.hash for signed in world.records if chance(dice, 0.7))


@law(100)
def test_l20_a_gap_or_a_bad_signature_lets_nothing_through(dice: Random) -> None:
    grants = [replace(a_grant_record(dice), by=By(KEY.public.id)) for _ in range(3)]
    readable = [g for g in grants if not any(rule.unknown for rule in g.rules)]
    tokens = [signed.token for signed in chained(*readable)]
    if len(tokens) < 2:
        return
    head, dot, signature = tokens[-1].rpartition(".")
    spoiled = head + dot + ("A" if signature[0] != "A" else "B") + signature[1:]
    for damaged in (tokens[1:], [*tokens[:-1], spoiled]):
        try:
            Ledger.of(damaged, keys=[KEY.public], subject=SUBJECT)
        except ConsentError:
            continue
        raise AssertionError("a damaged log was read")


@law(2_000)
def test_l21_adding_a_grant_never_weakens_obligations(dice: Random) -> None:
    world, question, at = a_case(dice)
    before = decide(world.ledger, question, at=at)
    if not permitted(before):
        return
    more = world.plus(a_grant_record(dice, only=Effect.PERMIT, grant_id="new"))
    match before, decide(more.ledger, question, at=at):
        case Permit(), Permit() as after:
            assert before.obligations <= after.obligations
            assert before.deidentification.rank <= after.deidentification.rank
        case _:
            raise AssertionError("an added permit took one away")


@law(2_000)
def test_l22_denying_needs_no_more_signatures_than_permitting(dice: Random) -> None:
    """One signature, of any device in the log and without a second one, denies what took several."""
    world, question, at = a_case(dice)
    if not permitted(decide(world.ledger, question, at=at)):
        return
    kid = dice.choice(world.records).kid
    tip = max((r for r in world.records if r.kid == kid), key=lambda r: r.position)
    by = replace(tip.record.by)
    deny = Grant(
        id=a_grant_record(dice, grant_id="no").id,
        subject=SUBJECT,
        by=by,
        at=BASE,
        period=Period(BASE, at + timedelta(days=1)),
        rules=(Rule(effect=Effect.DENY),),
    )
    stop = replace(a_withdrawal_record(dice), target=Target("all"), by=by)
    for record in (deny, stop):
        signed = unsigned(record, "single", kid=tip.kid, position=tip.position + 1, previous=tip.hash)
        assert isinstance(decide(World((*world.records, signed)).ledger, question, at=at), Deny)


@law(2_000)
def test_l22_a_representative_never_ends_the_persons_own_deny(dice: Random) -> None:
    adult = replace(an_authority(dice), basis=Basis.MENTOR, scope=(), cosigners=frozenset(), born_on=None)
    deny = replace(a_grant_record(dice, only=Effect.DENY, grant_id="a"), by=By("k1"))
    permit = replace(a_grant_record(dice, only=Effect.PERMIT, grant_id="b"), by=By("k2"))
    log = [unsigned(replace(r, by=By(kid)), kid, kid=kid) for r, kid in ((adult, "root"), (deny, "k1"))]
    log.append(unsigned(permit, "k2", kid="k2"))
    ending: Grant | Withdrawal
    if chance(dice, 0.5):
        ending = replace(a_withdrawal_record(dice), target=Target("lift", ("a",)))
    else:
        ending = a_grant_record(dice, only=Effect.PERMIT, grant_id="a")
    by = By(PARENT_KEY, "representative", "auth")
    told = replace(ending, by=by, at=BASE, seen=frozenset(signed.hash for signed in log))
    after = World((*log, unsigned(told, "rep", kid=PARENT_KEY)))
    question, at = a_question(dice, World((log[2],))), after_all(dice)
    before = decide(World(tuple(log)).ledger, question, at=at)
    if isinstance(before, Deny) and before.basis == (log[1].hash,):
        assert not permitted(decide(after.ledger, question, at=at))


@law(1_000)
def test_what_could_be_known_then_is_what_a_replay_knows(dice: Random) -> None:
    world, question, at = a_case(dice)
    then = BASE + timedelta(days=dice.randint(0, 45))
    ledger = world.ledger
    early = tuple(
        r
        for r in world.records
        if all(o.record.at <= then for o in world.records if o.hash in ledger.past[r.hash] or o is r)
    )
    replay = decide(ledger, question, at=at, known_as_of=then)
    assert decision_bytes(replay) == decision_bytes(decide(World(early).ledger, question, at=at))


def test_every_universe_used_here_is_known_to_the_engine() -> None:
    assert set(CATEGORIES) <= set(Category)
    assert set(CLUSTERS) <= set(Sensitivity)
