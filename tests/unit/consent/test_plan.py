"""The compiled plan answers as the engine does: a first look, before `tests/generative` takes its time."""

from __future__ import annotations

from tests.support.plan_agreement import agree


def test_the_plan_and_its_cells_answer_as_the_engine_does_in_a_few_thousand_cases() -> None:
    tally = agree(4_000)
    assert 0 < tally.permits < tally.cases
