"""Dutch precedence: the more specific statement wins, an objection wins ties."""

from __future__ import annotations

from dataclasses import replace

from consent.codes import Effect
from consent.decision import Permit, Question, decide
from consent.model import Action, ActorRef, Rule, deny_rule
from consent.precedence import beats, compile_precedence
from tests.support.consent_builders import CLINIC, NOW, a_grant, a_ledger, a_permit, facts

HOSPITALS = ActorRef("orgtype", "V4")


def test_my_own_hospital_beats_an_objection_to_all_hospitals() -> None:
    mine, others = a_permit(), deny_rule(actor=[HOSPITALS])
    compiled = compile_precedence([others, mine])
    ledger = a_ledger(a_grant(*compiled))
    question = _asks({CLINIC, HOSPITALS})
    assert isinstance(decide(ledger, question, at=NOW), Permit)
    assert not isinstance(decide(ledger, _asks({HOSPITALS}), at=NOW), Permit)


def test_an_objection_as_specific_as_the_permit_wins() -> None:
    assert not beats(a_permit(), deny_rule(actor=[CLINIC]))
    assert not beats(a_permit(), deny_rule(actor=[HOSPITALS], instance=["Observation/o1"]))
    assert beats(a_permit(), deny_rule(actor=[HOSPITALS]))


def test_a_permit_that_cannot_beat_an_objection_to_everything_is_left_out() -> None:
    anybody = replace(a_permit(), actor=None)
    everything = Rule(effect=Effect.DENY)
    assert compile_precedence([anybody, everything]) == (everything,)
    assert len(compile_precedence([a_permit(), everything])) == 2


def _asks(actor: set[ActorRef]) -> Question:
    return Question(frozenset(actor), frozenset({"TREAT"}), frozenset({Action.VIEW}), facts())
