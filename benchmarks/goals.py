"""Goals of a benchmark, printed in one form: what was aimed at, what was measured, whether it is met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure to reach; smaller is better unless `least`."""

    name: str
    wanted: float
    measured: float
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is reached, to the digit."""
        return self.measured >= self.wanted if self.least else self.measured <= self.wanted


def print_goals(goals: Iterable[Goal]) -> None:
    """Print a table: goal, measured, met."""
    print(f"  {'goal':34} {'wanted':>10} {'measured':>12}  met")
    for goal in goals:
        sign = ">=" if goal.least else "<="
        print(
            f"  {goal.name:34} {sign} {goal.wanted:>7g} {goal.measured:>12.4g}  {'yes' if goal.met else 'NO'}"
        )
