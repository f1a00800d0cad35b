"""Figures of a running service for a monitoring program, without anything about a person.

Promises: labels come from fixed short lists (route patterns, status classes, codes of the wire format,
outcomes); whatever is not on them counts as ``other``, so no label can carry an address or grow without end.
The figures are served on a listener of their own, on this machine only, never beside the patients' addresses.

Form: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)

from recipient.errors import RecipientError, Unusable
from sync.wire import REFUSALS

_SECONDS: Final = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_CODES: Final = frozenset(REFUSALS) | {"busy", "stopping", "too_slow", "cut_off", "too_many_new_senders"}
_LOG_INS: Final = frozenset({"ok", "failed", "throttled"})
_OTHER: Final = "other"


class Metrics:
    """Counters of one process."""

    def __init__(self) -> None:
        self._routes: frozenset[str] = frozenset()
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "pgo_recipient_answers_total", "Answers.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "pgo_recipient_answer_seconds",
            "Time from request to answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refusals = Counter(
            "pgo_recipient_refusals_total", "Refused messages.", ("code",), registry=self._registry
        )
        self._log_ins = Counter(
            "pgo_recipient_log_ins_total",
            "Names and passwords that were tried.",
            ("outcome",),
            registry=self._registry,
        )
        self._running = Gauge(
            "pgo_recipient_requests_running", "Requests being answered now.", registry=self._registry
        )
        self._free = Gauge(
            "pgo_recipient_disk_free_bytes", "Space left for the store.", registry=self._registry
        )

        self._gaps = Gauge(
            "pgo_recipient_message_gaps",
            "Gaps in the numbers of messages.",
            registry=self._registry,
        )

    def know(self, routes: Collection[str]) -> None:
        """Take the patterns of the routes there are, the only ones that become labels."""
        self._routes = frozenset(routes)

    def started(self) -> None:
        """Count a request that is being answered."""
        self._running.inc()

    def answered(self, route: str, *, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            route: pattern of the route, with its braces; never the path itself.
            status: HTTP status.
            seconds: since the request came.
        """
        self._running.dec()
        known = route if route in self._routes else _OTHER
        self._answers.labels(known, f"{status // 100}xx").inc()
        self._seconds.labels(known).observe(seconds)

    def refused(self, code: str) -> None:
        """Count a message that was not taken."""
        self._refusals.labels(code if code in _CODES else _OTHER).inc()

    def logged_in(self, outcome: str) -> None:
        """Count a try to log in: ``ok``, ``failed``, ``throttled``."""
        self._log_ins.labels(outcome if outcome in _LOG_INS else _OTHER).inc()

    def watch_space(self, free_bytes: Callable[[], int]) -> None:
        """Ask for the space left whenever the figures are read."""
        self._free.set_function(lambda: float(free_bytes()))

    def watch_gaps(self, gaps: Callable[[], int]) -> None:
        """Ask how many gaps there are in the numbers of messages, whenever the figures are read."""

        def now() -> float:
            try:
                return float(gaps())
            except RecipientError:  # the store does not answer; the other figures are needed all the more
                return math.nan

        self._gaps.set_function(now)

    def text(self) -> str:
        """Write all figures."""
        return generate_latest(self._registry).decode("utf-8")

    @contextmanager
    def served(self, port: int | None) -> Iterator[int | None]:
        """Serve the figures on this machine while the block runs; None serves nothing, 0 takes a free port.

        Raises:
            Unusable: ``port_taken``.
        """
        if port is None:
            yield None
            return
        try:
            server, thread = start_http_server(port, addr="127.0.0.1", registry=self._registry)
        except OSError as exc:
            raise Unusable("port_taken") from exc
        try:
            yield int(server.server_port)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
