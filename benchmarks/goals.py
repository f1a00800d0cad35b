"""Goals of a benchmark, printed in one form: what was aimed at, what was measured, whether it is met.

With the variable ``BENCH_RESULTS`` set to a file, each goal is also added to it as one line of JSON; the
table in the README is made of these lines.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = "BENCH_RESULTS"


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure to reach; smaller is better unless `least`.

    Attributes:
        name: What is measured.
        wanted: The figure aimed at.
        measured: The figure of this run.
        least: Whether more is better.
        code: Number of the goal in the list of goals, empty for an aim of our own.
    """

    name: str
    wanted: float
    measured: float
    least: bool = False
    code: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure is reached, to the digit."""
        return self.measured >= self.wanted if self.least else self.measured <= self.wanted

    @property
    def sign(self) -> str:
        """The comparison as it is written."""
        return ">=" if self.least else "<="


def print_goals(goals: Iterable[Goal]) -> None:
    """Print a table: goal, measured, met."""
    print(f"  {'':4} {'goal':48} {'wanted':>10} {'measured':>12}  met")
    for goal in goals:
        verdict = "yes" if goal.met else "NO"
        print(
            f"  {goal.code:4} {goal.name:48} {goal.sign} {goal.wanted:>7g} {goal.measured:>12.4g}  {verdict}"
        )
        _keep(goal)


def _keep(goal: Goal) -> None:
    target = os.environ.get(RESULTS)
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(goal)) + "\n")


def read_results(path: Path) -> list[Goal]:
    """Read the goals that a run has kept, in the order of their numbers."""
    goals = (
        [Goal(**json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )
    return sorted(goals, key=lambda goal: int(goal.code[1:].rstrip("abcdef")) if goal.code else 1_000)


def as_markdown(goals: Iterable[Goal]) -> str:
    """Write goals as a table."""
    rows = [
        f"| {goal.code} | {goal.name} | {goal.sign} {goal.wanted:g} | {_figure(goal.measured)} |"
        f" {'yes' if goal.met else '**no**'} |"
        for goal in goals
    ]
    return "\n".join(["| | goal | wanted | measured | met |", "|---|---|---|---|---|", *rows])


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
