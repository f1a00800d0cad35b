"""What an operator's programs ask a running service: does it live, is it ready, how does it do.

Promises:
1. ``/health/live`` answers as long as the process serves; ``/health/ready`` says yes only while the store
   answers, its key is there, and there is room on the disk, and no from the moment the service stops;
2. a stranger reads yes or no, never why; the reason is a line in the log, once per change;
3. every answer and its time are counted by route pattern; a refusal of a message by its code.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recipient.config import KEY_NAME
from recipient.errors import RecipientError
from recipient.logs import event
from recipient.metrics import Metrics
from recipient.store import Store

LEAST_FREE_BYTES: Final = 256 * 1024 * 1024
"""Below this no new mail: a write-ahead log and one large push must always fit."""

CODE: Final = "pgo.code"
"""Where in a request's scope the inbox leaves the code of a refusal, for counting."""

_READY: Final = ""


@dataclass
class Vitals:
    """What readiness depends on.

    Attributes:
        store: of the service.
        folder: where key and store lie; None where there is none to watch (tests, in memory).
        least_free_bytes: room on the disk that is needed.
        stopping: whether the service is about to end.
    """

    store: Store
    folder: Path | None = None
    least_free_bytes: int = LEAST_FREE_BYTES
    stopping: Callable[[], bool] = lambda: False
    _said: str = field(default=_READY, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def is_ready(self) -> bool:
        """Tell whether new work may come; a change of the reason goes to the log."""
        reason = self._reason()
        with self._lock:
            changed, self._said = reason != self._said, reason
        if changed and reason:
            event("not_ready", logging.WARNING, code=reason)
        elif changed:
            event("ready_again")
        return not reason

    def free_bytes(self) -> int:
        """Return the room on the disk, 0 where nothing is watched."""
        return shutil.disk_usage(self.folder).free if self.folder is not None else 0

    def _reason(self) -> str:
        if self.stopping():
            return "stopping"
        if self.folder is not None:
            if not (self.folder / KEY_NAME).is_file():
                return "key_missing"
            if self.free_bytes() < self.least_free_bytes:
                return "disk_full"
        return _READY if self._store_answers() else "store"

    def _store_answers(self) -> bool:
        try:
            return self.store.row("SELECT 1") is not None
        except RecipientError:  # anything else is unforeseen, and answered as such: no yes either way
            return False


def health_routes(vitals: Vitals) -> list[BaseRoute]:
    """Return the two questions that need no log-in."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        is_ready = await run_in_threadpool(vitals.is_ready)
        if is_ready:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "unavailable"}, status_code=503, headers={"retry-after": "30"})

    return [
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
    ]


class Measured:
    """ASGI layer that counts answers and their time."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # nothing was answered at all

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.started()
        start = time.perf_counter()
        try:
            await self._app(scope, receive, send_noting)
        finally:
            route = getattr(scope.get("route"), "path", "")
            self._metrics.answered(route, status=status, seconds=time.perf_counter() - start)
            if CODE in scope:
                self._metrics.refused(scope[CODE])


def route_patterns(routes: Iterable[BaseRoute]) -> frozenset[str]:
    """Return the patterns of routes, which are the only labels for what was asked."""
    return frozenset(route.path for route in routes if isinstance(route, Route))
