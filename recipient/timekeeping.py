"""A clock that never goes back behind what the store has seen.

A machine whose clock was set back would show shares that had ended, and take old mail for fresh. So the time
of the service is the later of the machine's clock and the newest instant in the store. A clock that was set
far ahead once keeps everything closed until it is that late: the safe side, and ``recipient`` says so.

Source: security.md 3.4 (time used for decisions).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from recipient.instants import parse_instant
from recipient.logs import event
from recipient.store import Store

_TOLERATED = timedelta(minutes=5)
"""Differences up to here are ordinary correction of clocks and need no line in the log."""


class SteadyClock:
    """The machine's clock, never earlier than what was seen before."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._latest = newest_instant(store)
        self._said = False

    def __call__(self) -> datetime:
        """Return the present instant."""
        now = self._clock()
        with self._lock:
            if self._latest is not None and now < self._latest:
                self._say(self._latest - now)
                return self._latest
            self._latest = now
            return now

    def _say(self, behind: timedelta) -> None:
        if behind > _TOLERATED and not self._said:
            self._said = True
            event("clock_went_back", logging.WARNING, seconds=int(behind.total_seconds()))


def newest_instant(store: Store) -> datetime | None:
    """Return the newest instant the store has seen, None for an empty one."""
    row = store.row(
        "SELECT max(at) FROM (SELECT max(changed_at) AS at FROM sender "
        "UNION ALL SELECT max(received_at) FROM message UNION ALL SELECT max(at) FROM access_event) AS seen"
    )
    return parse_instant(row[0]) if row and row[0] else None
