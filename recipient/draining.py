"""Stopping without losing anything: what was taken is finished, what comes new is told to come back.

Promises:
1. from the moment of ``begin`` every new request gets 503 with ``Retry-After`` and a closed connection;
2. ``wait`` returns when the last request that was inside is answered, or when the bound is over, whichever
   is first; a message cut off by the bound was not stored, because its effect is one transaction.

It counts requests, not connections: an idle connection keeps nobody waiting. A second signal stops at once.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recipient.logs import event

RETRY_AFTER_SECONDS = 10
CUT_OFF_SECONDS = 2
"""After draining: for connections that are still open without a request."""

_BODY = json.dumps({"code": "stopping"}).encode("ascii")
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BODY)).encode("ascii")),
    (b"retry-after", str(RETRY_AFTER_SECONDS).encode("ascii")),
    (b"connection", b"close"),
]


class Draining:
    """ASGI layer that knows who is inside, and closes the door when told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._inside = 0
        self._closed = False
        self._empty = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether the door is closed."""
        return self._closed

    @property
    def inside(self) -> int:
        """How many requests are being answered."""
        return self._inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or send away."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._closed:
            await send({"type": "http.response.start", "status": 503, "headers": list(_HEADERS)})
            await send({"type": "http.response.body", "body": _BODY})
            return
        self._inside += 1
        try:
            await self._app(scope, receive, self._closing(send))
        finally:
            self._inside -= 1
            if self._inside == 0:
                self._empty.set()

    def begin(self) -> None:
        """Close the door; called in the loop that serves."""
        self._closed = True
        if self._inside:
            self._empty.clear()
        else:
            self._empty.set()

    async def wait(self, *, bound_seconds: float) -> bool:
        """Wait for those inside; return whether all were answered in time."""
        while self._inside:
            self._empty.clear()
            try:
                await asyncio.wait_for(self._empty.wait(), bound_seconds)
            except TimeoutError:
                return False
        return True

    def _closing(self, send: Send) -> Send:
        async def send_closing(message: Message) -> None:
            """Whoever is answered while the door closes shall not send another request after it."""
            if self._closed and message["type"] == "http.response.start":
                headers = [*message.get("headers", []), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        return send_closing


class Server(uvicorn.Server):
    """Tells when requests are answered, and drains at the first signal."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_ready: Callable[[], None],
        door: Draining,
        stop_seconds: float,
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._door = door
        self._stop_seconds = stop_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._loop = asyncio.get_running_loop()
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal; uvicorn's own way, at once, at the second."""
        if self._loop is None or self._door.closed:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        """Close the door and end when everybody inside was answered."""
        if self._draining is None:
            event("stopping", count=self._door.inside)
            self._door.begin()
            self._draining = asyncio.get_running_loop().create_task(self._end_when_empty())

    async def _end_when_empty(self) -> None:
        if not await self._door.wait(bound_seconds=self._stop_seconds):
            event("cut_off", count=self._door.inside)
        self.should_exit = True
