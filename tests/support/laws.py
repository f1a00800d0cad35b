"""Laws of consent as tests: one Hypothesis seed throws the dice for many plain cases.

`@law(1_000)` makes a test of a function that checks one case. Hypothesis chooses the seeds (and
repeats them on every ordinary run); within a seed the cases are plain random, which is some twenty
times faster than drawing every member. A failure names the seed of the one case that broke.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.scale import cases

SEEDS = 20
# For tests whose cases Hypothesis draws member by member.
laws = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
drawn: Counter[str] = Counter()


def law(ordinary: int) -> Callable[[Callable[[Random], None]], Callable[[], None]]:
    """Make a test that runs so many cases (twenty times as many at night)."""

    def make(check: Callable[[Random], None]) -> Callable[[], None]:
        # Asked here: while a test runs, Hypothesis shows that test's own settings.
        count = cases(ordinary) // SEEDS

        def run(seed: int) -> None:
            dice = Random(seed)
            for _ in range(count):
                one = dice.getrandbits(60)
                drawn[check.__name__] += 1
                try:
                    check(Random(one))
                except AssertionError as exc:
                    raise AssertionError(f"case {one} breaks the law: {exc}") from exc

        run.__name__, run.__doc__, run.__module__ = check.__name__, check.__doc__, check.__module__
        chosen = settings(
            max_examples=SEEDS, deadline=None, database=None, suppress_health_check=[*HealthCheck]
        )
        test = chosen(given(seed=st.integers(0, 2**62))(run))
        # The mutation check throws its own dice, without Hypothesis shrinking what it finds.
        setattr(test, "check", check)  # noqa: B010 (a function has no such attribute to its type)
        return test

    return make


def summary() -> str:
    """Tell how many random cases this run has checked, and what share of them was permitted."""
    permits, compared = drawn["permits"], drawn["compared"]
    checked = sum(count for name, count in drawn.items() if name.startswith("test_")) + compared
    share = f", {permits / compared:.0%} of {compared:,} compared decisions are permits" if compared else ""
    return f"consent: {checked:,} random cases checked{share}"
