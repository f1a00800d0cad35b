"""A recipient's statement never says more than the ledger, and says all of it when nothing is cut."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from consent.decision import Permit, decide
from consent.model import Effect, Grant
from consent.statement import (
    basis_name,
    build_statement,
    decide_under,
    reread_statement,
    sign_statement,
    statement_plan,
    verify_statement,
)
from tests.support.consent_builders import KEY
from tests.support.consent_strategies import ACTORS, World, grants, likely, moments, worlds
from tests.support.laws import laws


def statement_of(world: World, audience: object, at: object, *, held: object = None) -> object:
    built = build_statement(
        world.ledger,
        audience_actor=audience,  # type: ignore[arg-type]
        audience_id="ura:00000123",
        subject=KEY.public.text,
        reply_key="reply",
        sequence=1,
        previous=None,
        at=at,  # type: ignore[arg-type]
        held=held,  # type: ignore[arg-type]
    )
    token = sign_statement(built, KEY)
    assert reread_statement(token) == built
    verified = verify_statement(
        token,
        KEY.public,
        audience="ura:00000123",
        at=at,  # type: ignore[arg-type]
        highest_seen=0,
        previous_hash=None,
    )
    assert verified == built
    return built


@laws
@given(st.data())
def test_what_a_statement_permits_the_ledger_permits(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    audience = data.draw(st.sampled_from(ACTORS))
    question = replace(data.draw(likely(world)), actor=frozenset({audience}))
    statement = statement_of(world, audience, at)
    under = decide_under(
        statement,  # type: ignore[arg-type]
        actor=question.actor,
        purpose=question.purpose,
        action=question.action,
        facts=question.facts,
        at=at,
    )
    names = {
        signed.hash: basis_name(KEY.public.text, signed.record.id)
        for signed in world.records
        if isinstance(signed.record, Grant)
    }
    basis = statement.basis or frozenset()  # type: ignore[attr-defined]
    assert basis <= set(names.values())
    if isinstance(under, Permit):
        full = decide(world.ledger, question, at=at)
        assert isinstance(full, Permit)
        assert not basis.isdisjoint(names[head] for head in full.basis if head in names)


@laws
@given(st.data())
def test_an_uncut_grant_arrives_whole(data: st.DataObject) -> None:
    grant = data.draw(grants(only=Effect.PERMIT))
    plain = tuple(replace(rule, exception=(), unknown=frozenset()) for rule in grant.rules)
    world, at = World(()).plus(replace(grant, rules=plain)), data.draw(moments())
    question = data.draw(likely(world))
    assume(len(question.actor) == 1)
    (audience,) = question.actor
    statement = statement_of(world, audience, at)
    under = statement_plan(
        statement,  # type: ignore[arg-type]
        actor=question.actor,
        purpose=question.purpose,
        action=question.action,
        at=at,
    )(question.facts)
    match decide(world.ledger, question, at=at), under:
        case Permit() as full, Permit() as seen:
            assert full.obligations == seen.obligations
            assert full.deidentification == seen.deidentification
        case full, seen:
            researched = isinstance(full, Permit) and "HRESCH" in question.purpose
            assert (
                isinstance(full, Permit) == isinstance(seen, Permit) or researched or _names_registry(world)
            )


def _names_registry(world: World) -> bool:
    """A research permit delimited only by naming a registry does not carry over to another actor."""
    return any(
        len(rule.actor or ()) > 1 and any(ref.kind == "registry" for ref in rule.actor or ())
        for signed in world.records
        if isinstance(signed.record, Grant)
        for rule in signed.record.rules
    )


@laws
@given(st.data())
def test_of_what_a_recipient_holds_a_statement_permits_only_what_the_ledger_permits(
    data: st.DataObject,
) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    audience = data.draw(st.sampled_from(ACTORS))
    question = replace(data.draw(likely(world)), actor=frozenset({audience}))
    statement = statement_of(world, audience, at, held=[question.facts])
    under = decide_under(
        statement,  # type: ignore[arg-type]
        actor=question.actor,
        purpose=question.purpose,
        action=question.action,
        facts=question.facts,
        at=at,
    )
    if isinstance(under, Permit):
        assert isinstance(decide(world.ledger, question, at=at), Permit)


@laws
@given(st.data())
def test_knowing_what_is_held_never_ends_more_than_not_knowing(data: st.DataObject) -> None:
    world, at = data.draw(worlds()), data.draw(moments())
    audience = data.draw(st.sampled_from(ACTORS))
    question = replace(data.draw(likely(world)), actor=frozenset({audience}))
    strict, knowing = (statement_of(world, audience, at, held=held) for held in (None, [question.facts]))
    answers = [
        decide_under(
            statement,  # type: ignore[arg-type]
            actor=question.actor,
            purpose=question.purpose,
            action=question.action,
            facts=question.facts,
            at=at,
        )
        for statement in (strict, knowing)
    ]
    assert not isinstance(answers[0], Permit) or isinstance(answers[1], Permit)
