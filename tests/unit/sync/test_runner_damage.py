"""A refusal that a changed byte on the way causes too is believed when one message has met enough of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.errors import RemoteRuleError
from sync.outbox import retry
from sync.runner import RunReport, run_once
from sync.wire import MAY_BE_DAMAGE, SURE_AFTER_REFUSALS
from tests.support.sync_world import (
    AT,
    CLINIC_ID,
    MemoryPort,
    RecipientSimulator,
    an_entry,
    lost_on_the_way,
)

LATER, REFUSED, DELIVERED = RunReport(later=(1,)), RunReport(refused=(1,)), RunReport(delivered=(1,))


class Line:
    """One message, tried a day apart."""

    def __init__(self) -> None:
        self.clinic = RecipientSimulator()
        self.port = MemoryPort(permitted={CLINIC_ID: b"content"})
        self.port.add(an_entry())
        self.days = 0

    def attempt(self, code: str | None = None) -> RunReport:
        at = AT + timedelta(days=self.days)
        self.days += 1
        self.clinic.clock = lambda: at
        self.clinic.refuse_with = RemoteRuleError(code, status=403) if code else None
        return run_once(self.port, self.clinic, at=at, jitter=lambda: 0.5)

    def lose(self) -> RunReport:
        self.clinic.faults = [lost_on_the_way]
        return self.attempt()


@pytest.mark.parametrize("code", sorted(MAY_BE_DAMAGE))
def test_enough_of_them_are_believed(code: str) -> None:
    line = Line()
    assert [line.attempt(code) for _ in range(SURE_AFTER_REFUSALS)] == [LATER] * 4 + [REFUSED]
    assert line.port.entries[1].last_error == code


def test_a_message_that_was_damaged_now_and_then_arrives() -> None:
    line = Line()
    codes = ("bad_signature", "malformed", None)
    assert [line.attempt(code) for code in codes] == [LATER, LATER, DELIVERED]


def test_attempts_that_met_no_answer_prove_nothing() -> None:
    line = Line()
    assert [line.lose() for _ in range(10)] == [LATER] * 10
    assert line.attempt("bad_signature") == LATER
    assert line.attempt() == DELIVERED


def test_after_a_person_asked_for_another_try_the_count_starts_again() -> None:
    line = Line()
    assert [line.attempt("malformed") for _ in range(SURE_AFTER_REFUSALS)][-1] == REFUSED
    line.port.entries[1] = retry(line.port.entries[1], at=AT)
    assert line.attempt("malformed") == LATER
