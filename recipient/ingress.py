"""The first layer every request passes: what no HTTP parser refuses for us, and what every answer carries.

Promises:
1. exactly one ``Host`` header, and when names are configured one of those (DNS rebinding);
2. no ``Transfer-Encoding`` beside ``Content-Length`` (request smuggling, RFC 9112 section 6.1);
3. request headers of at most 16 kB, and complete within a deadline; few connections wait at a time (slow
   connections);
4. bodies are counted as they come and never collected beyond a limit, within a deadline that grows with what
   came;
5. every answer carries ``nosniff``, ``no-store`` and a referrer policy.

It leaves rules about content to ``recipient.inbox`` and about browsers to ``recipient.portal``.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from typing import Any, ClassVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from recipient.errors import Refused

SLOWEST = 64 * 1024
"""Bytes a second at which a body may come for as long as it comes: half a megabit, the upload of an old line.
The largest message then takes under two minutes, which is what an app waits for (`sync.transport`)."""

_ANSWER_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Ingress:
    """ASGI layer in front of the application."""

    def __init__(self, app: ASGIApp, *, max_header_bytes: int, hosts: frozenset[str]) -> None:
        self._app = app
        self._max_header_bytes = max_header_bytes
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no WebSockets here
            return
        refusal = self._refusal(scope["headers"])
        if refusal is not None:
            await _answer(send, *refusal)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                missing = [(name, value) for name, value in _ANSWER_HEADERS if name not in given]
                message = {**message, "headers": [*message["headers"], *missing]}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _refusal(self, headers: list[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        names = [name for name, _ in headers]
        if sum(len(name) + len(value) + 4 for name, value in headers) > self._max_header_bytes:
            return 431, "headers_too_large"
        if names.count(b"host") != 1:
            return 400, "bad_host"
        if b"transfer-encoding" in names and b"content-length" in names:
            return 400, "ambiguous_length"
        if names.count(b"content-length") > 1:
            return 400, "ambiguous_length"
        host = dict(headers)[b"host"].decode("latin-1").lower()
        if self._hosts and host not in self._hosts:
            return 421, "unknown_host"
        return None


async def read_body(request: Request, *, max_bytes: int, deadline_seconds: float) -> bytes:
    """Read a request body with counted bytes.

    Args:
        request: untrusted; its ``Content-Length`` is believed only when it is too large.
        max_bytes: one byte more refuses.
        deadline_seconds: for the whole body, and a second more for each ``SLOWEST`` bytes that came.

    Returns:
        The body.

    Raises:
        Refused: ``too_large`` (413), ``too_slow`` (408), ``cut_off`` (400).
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 12 or int(announced) > max_bytes):
        raise Refused("too_large", status=413)
    chunks: list[bytes] = []
    size = 0
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(deadline_seconds) as deadline:
            async for chunk in request.stream():
                size += len(chunk)
                if size > max_bytes:
                    raise Refused("too_large", status=413)
                chunks.append(chunk)
                deadline.reschedule(began + deadline_seconds + size / SLOWEST)
    except TimeoutError as exc:
        raise Refused("too_slow", status=408) from exc
    except ClientDisconnect as exc:
        raise Refused("cut_off") from exc
    return b"".join(chunks)


class DeadlineProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with what it lacks against slow and idle connections.

    A connection without a request in progress is *waiting*. Two rules hold for those:

    1. request headers are complete within a deadline, which starts with the connection and with the first
       byte of a following request;
    2. there are at most ``max_waiting``; one more closes the one that waits longest. Without it half-open
       connections use up ``limit_concurrency``, and everybody else is sent away.
    """

    header_deadline_seconds = 10.0
    max_waiting = 64
    waiting: ClassVar[OrderedDict[DeadlineProtocol, None]] = OrderedDict()
    """Of one server: a server makes a class of its own, with a list of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn types it
        """Wait, and start the clock with the connection."""
        super().connection_made(transport)
        self._wait()
        self._start_clock()

    def data_received(self, data: bytes) -> None:
        """Start the clock again with the first byte of a next request; stop it when one is complete."""
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._start_clock()
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self.waiting.pop(self, None)
            self._stop_clock()

    def on_response_complete(self) -> None:
        """Wait for a next request."""
        super().on_response_complete()
        if self.cycle is None or self.cycle.response_complete:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self.waiting.pop(self, None)
        self._stop_clock()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        self.waiting[self] = None
        self.waiting.move_to_end(self)
        while len(self.waiting) > self.max_waiting:
            longest, _ = self.waiting.popitem(last=False)
            longest._too_slow()

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(self.header_deadline_seconds, self._too_slow)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._stop_clock()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()


async def _answer(send: Send, status: int, code: str) -> None:
    body = json.dumps({"code": code}).encode("ascii")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"connection", b"close"),
        *_ANSWER_HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
