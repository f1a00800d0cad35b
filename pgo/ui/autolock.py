"""When nobody is there: lock the vault, empty the screen.

`IdleWatch` is pure: it is told when somebody was there and asked whether that is too long ago. Two clocks are
looked at, because the monotonic one stands still while a laptop sleeps (Linux CLOCK_MONOTONIC) and the wall
clock can be set: whichever says longer counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

CHECK_EVERY_SECONDS: Final = 1.0


@dataclass(slots=True)
class IdleWatch:
    """Measures how long nobody was there.

    Attributes:
        ticks: Seconds of a clock that only goes forward.
        wall: Aware UTC instant.
    """

    ticks: Callable[[], float]
    wall: Callable[[], datetime]
    _tick: float = field(init=False)
    _wall: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.touch()

    def touch(self) -> None:
        """Somebody is there."""
        self._tick, self._wall = self.ticks(), self.wall()

    def idle(self) -> timedelta:
        """How long nobody was there; never less than zero."""
        by_ticks = timedelta(seconds=self.ticks() - self._tick)
        return max(by_ticks, self.wall() - self._wall, timedelta())

    def is_over(self, limit: timedelta) -> bool:
        """Whether it is time to lock."""
        return self.idle() >= limit
