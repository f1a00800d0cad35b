"""One record or one author left out: the statement names what the recipient holds, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from consent.decision import Deny, Permit
from consent.errors import InvalidDocument
from consent.facts import ResourceFacts
from consent.model import Action, Category, Effect, Rule, deny_rule
from consent.scope import MAX_NAMED
from consent.statement import (
    Statement,
    build_statement,
    decide_under,
    reread_statement,
    sign_statement,
    verify_statement,
)
from tests.support.consent_builders import CLINIC, KEY, NOW, OTHER, a_grant, a_ledger, a_permit, facts

KEPT = facts(reference="Observation/kept")
LEFT_OUT = facts(reference="Observation/left-out")
NEVER_SENT = facts(reference="Observation/never-sent")
NAMELESS = facts(reference=None)


def a_statement(*rules: Rule, held: Collection[ResourceFacts] | None, extra: Any = ()) -> Statement:
    return build_statement(
        a_ledger(a_grant(*rules), *extra),
        audience_actor=CLINIC,
        audience_id="ura:00000123",
        subject=KEY.public.text,
        reply_key="reply",
        sequence=1,
        previous=None,
        at=NOW,
        held=held,
    )


def permits(statement: Statement, one: ResourceFacts) -> bool:
    said = decide_under(
        statement,
        actor=[CLINIC],
        purpose=["TREAT"],
        action=[Action.COPY],
        facts=one,
        at=NOW,
    )
    assert isinstance(said, Permit | Deny)
    return isinstance(said, Permit)


WITHOUT_TWO = a_permit(exception=[deny_rule(instance=["Observation/left-out", "Observation/never-sent"])])


def test_a_record_left_out_does_not_end_the_rest() -> None:
    statement = a_statement(WITHOUT_TWO, held=[KEPT, LEFT_OUT])
    assert permits(statement, KEPT)
    assert not permits(statement, LEFT_OUT)


def test_what_was_never_sent_is_not_named() -> None:
    statement = a_statement(WITHOUT_TWO, held=[KEPT, LEFT_OUT])
    assert "never-sent" not in sign_statement(statement, KEY)
    (rule,) = statement.scope
    assert [child.instance for child in rule.exception] == [frozenset({"Observation/left-out"})]


def test_a_recipient_that_holds_nothing_learns_nothing() -> None:
    assert a_statement(WITHOUT_TWO, held=[]).scope == (a_permit(),)


def test_without_knowing_what_is_held_the_region_ends() -> None:
    assert a_statement(WITHOUT_TWO, held=None).scope == ()


def test_an_author_left_out_names_what_the_author_wrote_and_what_nobody_signed() -> None:
    theirs = facts(reference="Observation/theirs", author=frozenset({"Organization/x"}))
    unknown = facts(reference="Observation/unknown", author=frozenset())
    rule = a_permit(exception=[deny_rule(author=["Organization/x"])])
    statement = a_statement(rule, held=[KEPT, theirs, unknown])
    assert permits(statement, KEPT)
    assert not permits(statement, theirs)
    assert not permits(statement, unknown)


def test_a_resource_without_a_reference_is_cut_with_the_named_ones() -> None:
    rule = a_permit(exception=[deny_rule(instance=["Observation/elsewhere"])])
    statement = a_statement(rule, held=[KEPT, NAMELESS])
    assert permits(statement, KEPT)
    assert not permits(statement, NAMELESS)


def test_an_objection_to_one_record_leaves_the_rest_of_every_grant() -> None:
    objection = a_grant(deny_rule(instance=["Observation/left-out"]), grant_id="never", shown=None)
    statement = a_statement(a_permit(), held=[KEPT, LEFT_OUT], extra=(objection,))
    assert permits(statement, KEPT)
    assert not permits(statement, LEFT_OUT)


def test_an_objection_about_another_recipient_names_nothing_here() -> None:
    objection = a_grant(deny_rule(actor=[OTHER], instance=["Observation/left-out"]), grant_id="o", shown=None)
    statement = a_statement(a_permit(), held=[LEFT_OUT], extra=(objection,))
    assert statement.scope == (a_permit(),)


def test_categories_are_still_taken_out_positively() -> None:
    rule = a_permit(
        category=[Category.LABS, Category.VITALS], exception=[deny_rule(category=[Category.VITALS])]
    )
    assert a_statement(rule, held=[KEPT]).scope == (a_permit(),)


def test_more_than_a_statement_can_name_ends_the_region() -> None:
    many = [facts(reference=f"Observation/{i}") for i in range(MAX_NAMED + 1)]
    rule = a_permit(exception=[deny_rule(author=["Practitioner/p1"])])
    assert a_statement(rule, held=many).scope == ()


def test_a_statement_with_names_verifies_and_reads_back() -> None:
    statement = a_statement(WITHOUT_TWO, held=[LEFT_OUT])
    token = sign_statement(statement, KEY)
    verified = verify_statement(
        token, KEY.public, audience="ura:00000123", at=NOW, highest_seen=0, previous_hash=None
    )
    assert verified == statement == reread_statement(token)


@pytest.mark.parametrize(
    "child",
    [
        deny_rule(category=[Category.LABS]),
        deny_rule(instance=["Observation/x"], category=[Category.LABS]),
        deny_rule(author=["Practitioner/p1"]),
        Rule(
            effect=Effect.DENY,
            instance=frozenset({"Observation/x"}),
            exception=(Rule(effect=Effect.PERMIT, instance=frozenset({"Observation/x"})),),
        ),
    ],
)
def test_any_other_carve_out_in_a_statement_is_refused(child: Rule) -> None:
    sound = a_statement(a_permit(), held=None)
    with pytest.raises(InvalidDocument) as caught:
        Statement(
            **{name: getattr(sound, name) for name in sound.__dataclass_fields__}
            | {"scope": (a_permit(exception=[child]),)}
        )
    assert caught.value.reason == "scope_not_positive"
