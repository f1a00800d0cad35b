"""Run variants side by side: all of them in every round, in turning order, in CPU and in wall time.

The ratio is taken inside a round and the figure is the median of the rounds, so that a busy moment of the
machine hits all alike.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ROUNDS = 7
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds of every variant in every round."""

    cpu: Mapping[str, list[float]]
    wall: Mapping[str, list[float]]

    def ratio(self, slow: str, fast: str, *, wall: bool = False) -> float:
        """How many times the second the first takes, median over rounds."""
        taken = self.wall if wall else self.cpu
        return statistics.median(a / b for a, b in zip(taken[slow], taken[fast], strict=True))

    def seconds(self, name: str, *, wall: bool = False) -> float:
        """Median seconds of one variant."""
        return statistics.median((self.wall if wall else self.cpu)[name])


def side_by_side(
    variants: Mapping[str, Work], *, rounds: int = ROUNDS, after: Mapping[str, Work] | None = None
) -> Timings:
    """Time every variant in every round; one round before the first is thrown away.

    Args:
        variants: What to time, by name.
        rounds: How many count.
        after: Work that makes a variant ready for its next round, not timed.
    """
    names = list(variants)
    cpu: dict[str, list[float]] = {name: [] for name in names}
    wall: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-1, rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            gc.collect()
            began, started = time.perf_counter(), time.process_time()
            variants[name]()
            used, gone = time.process_time() - started, time.perf_counter() - began
            if after and name in after:
                after[name]()
            if number >= 0:
                cpu[name].append(used)
                wall[name].append(gone)
    return Timings(cpu, wall)


def print_timings(timings: Timings, reference: str, *, per: int = 1, unit: str = "ms") -> None:
    """Print CPU and wall time of each variant, and both as multiples of the reference."""
    scale = {"s": 1, "ms": 1e3, "us": 1e6}[unit] / per
    print(f"  {'':34} {f'CPU {unit}':>12} {f'wall {unit}':>12} {'x CPU':>8} {'x wall':>8}")
    for name in timings.cpu:
        own, gone = timings.seconds(name) * scale, timings.seconds(name, wall=True) * scale
        ratios = f"{timings.ratio(name, reference):8.2f} {timings.ratio(name, reference, wall=True):8.2f}"
        print(f"  {name:34} {own:12.3f} {gone:12.3f} {ratios}")
