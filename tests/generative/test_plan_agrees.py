"""The compiled plan and the engine give the same answers; a million cases run by script.

``python -m tests.support.plan_agreement --cases 1000000``
"""

from __future__ import annotations

import pytest

from tests.support.plan_agreement import agree

CASES = 100_000


@pytest.mark.timeout(900)  # half a minute of work; a busy machine may take many times that
def test_the_plan_answers_as_the_engine_does_in_100_000_random_cases() -> None:
    tally = agree(CASES)
    assert tally.cases >= CASES
    # Vacuous otherwise: a plan that refuses everything would agree with an engine that does.
    assert 0.1 < tally.permits / tally.cases < 0.9
