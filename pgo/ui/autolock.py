"""When nobody is there, or the computer slept: lock the vault, empty the screen.

Rules:

1. ``IdleWatch`` is pure: it is told when somebody was there and asked whether that is too long ago. Two
   clocks are looked at, because the monotonic one stands still while a laptop sleeps (``CLOCK_MONOTONIC`` on
   Linux, ``mach_absolute_time`` on macOS) and the wall clock can be set: whichever says longer counts.
2. ``SleepWatch`` is pure too: it is asked every second and says whether the computer slept since the last
   time. Where the monotonic clock stands still during sleep, the wall clock jumps ahead of it; where it goes
   on (Windows), the question itself comes much too late. Either is enough.
3. In doubt it locks: a wall clock set forward looks like sleep. A clock set back does not, and neither does a
   busy machine that is some seconds late.

Sources: Python documentation of ``time.monotonic``; guide security 2 (locked at suspend).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

CHECK_EVERY_SECONDS: Final = 1.0
SLEPT: Final = timedelta(seconds=20)
"""More than a correction of the clock over the network does in one step, less than anybody calls sleep."""
ASLEEP: Final = timedelta(seconds=60)
"""A question that should come every second and comes this late: the whole process stood still."""


@dataclass(slots=True)
class _TwoClocks:
    """Two clocks and what they said last.

    Attributes:
        ticks: Seconds of a clock that only goes forward.
        wall: Aware UTC instant.
    """

    ticks: Callable[[], float]
    wall: Callable[[], datetime]
    _tick: float = field(init=False)
    _wall: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._look()

    def _look(self) -> None:
        self._tick, self._wall = self.ticks(), self.wall()

    def _passed(self) -> tuple[timedelta, timedelta]:
        """Time since the last look, by either clock."""
        return timedelta(seconds=self.ticks() - self._tick), self.wall() - self._wall


class IdleWatch(_TwoClocks):
    """Measures how long nobody was there."""

    __slots__ = ()

    def touch(self) -> None:
        """Somebody is there."""
        self._look()

    def idle(self) -> timedelta:
        """How long nobody was there; never less than zero."""
        return max(*self._passed(), timedelta())

    def is_over(self, limit: timedelta) -> bool:
        """Whether it is time to lock."""
        return self.idle() >= limit


class SleepWatch(_TwoClocks):
    """Finds out that the computer slept between two questions."""

    __slots__ = ()

    def slept(self) -> bool:
        """Whether it slept since the last time this was asked."""
        by_ticks, by_wall = self._passed()
        self._look()
        return by_wall - by_ticks >= SLEPT or by_ticks >= ASLEEP
