"""How many requests a minute one client or address gets, spread evenly with room for a burst.

Promises: the count is kept in memory, bounded, per process; whoever waits as long as told is let in; time
is a parameter. A bucket holds a minute's worth and fills all the time.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from datetime import datetime

from recipient.errors import Throttled

_MAX_TRACKED = 10_000


class Pace:
    """One limit for many keys."""

    def __init__(self, per_minute: int) -> None:
        self._room = float(per_minute)
        self._per_second = per_minute / 60
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def take(self, key: str, *, at: datetime) -> None:
        """Count one request.

        Raises:
            Throttled: with the whole seconds until there is room for one.
        """
        with self._lock:
            left, since = self._left.pop(key, (self._room, at))
            seconds = max(0.0, (at - since).total_seconds())
            left = min(self._room, left + seconds * self._per_second)
            full = left < 1
            self._left[key] = (left if full else left - 1, max(at, since))
            while len(self._left) > _MAX_TRACKED:
                self._left.popitem(last=False)
        if full:
            raise Throttled(math.ceil((1 - left) / self._per_second))
