"""A line that does everything a network can do to a message, and notes every byte that came in.

It stands between an app and a recipient and speaks just enough HTTP/1.1 (RFC 9112): one request per
connection, a body by Content-Length. What happens to each request is chosen by its number, so a seed repeats
a run. Nothing that it does is an answer of the recipient: what the two ends make of it is what is tested.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

PATIENCE_SECONDS = 60.0
MAX_HEAD_BYTES = 64 * 1024


class Fault(StrEnum):
    """What can happen to one request."""

    NONE = "none"
    DROP_REQUEST = "request dropped"
    DROP_ANSWER = "answer dropped"
    CUT_REQUEST = "request cut short"
    CUT_ANSWER = "answer cut short"
    DELAY = "delayed"
    TWICE = "sent twice"
    LATE = "overtaken by a later one"
    REPLAY = "an old one first"
    OLD_ANSWER = "an old answer"
    FAKE_OK = "a made-up 200"
    FLIP_REQUEST = "a bit of the request"
    FLIP_ANSWER = "a bit of the answer"


FAULTS = tuple(fault for fault in Fault if fault is not Fault.NONE)
FAKES = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>Welkom op de wifi</html>",
)
"""What a sign-in page, a cache or a helpful middle box answers for somebody else."""

Weather = Callable[[int], Fault]
"""What happens to the request with this number."""


def fair(_number: int) -> Fault:
    """A line that works."""
    return Fault.NONE


def storm(seed: int, share: float) -> Weather:
    """A line on which this share of the requests meets a fault, all kinds alike."""

    def weather(number: int) -> Fault:
        dice = Random(f"{seed}:{number}")
        return dice.choice(FAULTS) if dice.random() < share else Fault.NONE

    return weather


@dataclass(frozen=True)
class Request:
    """One request as it came from the app; ``body`` is what came of it, whole or not."""

    number: int
    path: str
    head: bytes = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def raw(self) -> bytes:
        return self.head + self.body


Moment = Callable[[str, Request], None]
"""Told that a request ``arrived``, was ``forwarded``, was ``answered``, is ``done``."""


@dataclass
class Proxy:
    """The line; runs in a thread of its own.

    Attributes:
        target: port of the recipient on this machine.
        tap: sees every whole request before anything of it goes on.
        counted: how often each fault happened.
        received: bytes of bodies that came in so far, those of broken requests included.
        broken: how much came in of each body that was broken off.
    """

    target: int
    weather: Weather = fair
    tap: Callable[[Request], None] = lambda _request: None
    moment: Moment = lambda _name, _request: None
    seen: list[Request] = field(default_factory=list)
    counted: Counter[Fault] = field(default_factory=Counter)
    received: int = 0
    broken: list[int] = field(default_factory=list)
    _pause_after: int | None = None
    paused: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    _held: list[bytes] = field(default_factory=list)
    _old_answer: bytes = b""

    def __post_init__(self) -> None:
        self._listener = socket.socket()
        # A small buffer: what the app has handed over is then close to what has left the machine.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Proxy]:
        """Run until the end of the block."""
        loop = asyncio.new_event_loop()
        ready, over = threading.Event(), asyncio.Event()

        async def serve() -> None:
            server = await asyncio.start_server(self._serve, sock=self._listener, limit=MAX_HEAD_BYTES)
            ready.set()
            await over.wait()
            server.close()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        def run() -> None:
            loop.run_until_complete(serve())
            loop.close()

        thread = threading.Thread(target=run, name="fault-proxy", daemon=True)
        thread.start()
        assert ready.wait(PATIENCE_SECONDS)
        try:
            yield self
        finally:
            self.go_on.set()
            loop.call_soon_threadsafe(over.set)
            thread.join(PATIENCE_SECONDS)

    def pause(self, after_bytes: int) -> None:
        """Let the line stand still once, when so much of a body has come in: ``paused``, until ``go_on``."""
        self.paused.clear()
        self.go_on.clear()
        self._pause_after = after_bytes

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A side that was killed, and bytes that make no sense, are what this line is for.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            request = await self._read(reader)
            answer = await self._treat(request, self._next_fault(request))
            if answer:
                writer.write(answer)
                await writer.drain()
            self.moment("done", request)
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()

    def _next_fault(self, request: Request) -> Fault:
        fault = self.weather(request.number)
        self.counted[fault] += 1
        self.seen.append(request)
        self.tap(request)
        self.moment("arrived", request)
        return fault

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        lines = [line for line in lines if not line.lower().startswith("connection:")]
        sizes = [int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:")]
        body = bytearray()
        while len(body) < sum(sizes):
            if self._pause_after is not None and len(body) >= self._pause_after:
                self._pause_after = None
                self.paused.set()
                await asyncio.get_running_loop().run_in_executor(None, self.go_on.wait, PATIENCE_SECONDS)
            piece = await reader.read(min(4096, sum(sizes) - len(body)))
            if not piece:
                self.broken.append(len(body))
                raise asyncio.IncompleteReadError(bytes(body), sum(sizes))
            body += piece
            self.received += len(piece)
        alone = "\r\n".join([first, *lines, "connection: close", "", ""])  # one request, then the end
        return Request(len(self.seen), first.split(" ")[1], alone.encode("latin-1"), bytes(body))

    async def _treat(self, request: Request, fault: Fault) -> bytes:
        """Return what the app hears: bytes of an answer, or nothing and the end of the connection."""
        match fault:
            case Fault.DROP_REQUEST:
                return b""
            case Fault.LATE:
                self._held.append(request.raw)
                return b""
            case Fault.FAKE_OK:
                return FAKES[request.number % len(FAKES)]
            case Fault.OLD_ANSWER:
                return self._old_answer
            case Fault.CUT_REQUEST:
                half = request.raw[: len(request.head) + len(request.body) // 2]
                await self._exchange(request, half, whole=False)
                return b""
            case Fault.FLIP_REQUEST:
                return await self._exchange(request, request.head + _flipped(request.body, request.number))
            case Fault.REPLAY:
                await self._exchange(request, self.seen[request.number // 2].raw)
            case Fault.TWICE:
                await self._exchange(request, request.raw)
            case Fault.DELAY:
                await asyncio.sleep(0.03)
        return self._spoilt(await self._exchange(request, request.raw), fault, request.number)

    def _spoilt(self, answer: bytes, fault: Fault, number: int) -> bytes:
        if fault is Fault.DROP_ANSWER:
            return b""
        if fault is Fault.CUT_ANSWER:
            return answer[: len(answer) - 1 - number % max(len(answer) // 2, 1)]
        if fault is Fault.FLIP_ANSWER:
            head, separator, body = answer.partition(b"\r\n\r\n")
            return head + separator + _flipped(body, number)
        self._old_answer = answer
        return answer

    async def _exchange(self, request: Request, raw: bytes, *, whole: bool = True) -> bytes:
        """Send bytes to the recipient and return all it says; b"" when it does not listen."""
        held, self._held = self._held, []
        self.moment("forwarded", request)
        try:
            answer = await _talk(self.target, raw, whole=whole)
            for late in held:
                await _talk(self.target, late)
        except OSError:
            return b""
        self.moment("answered", request)
        return answer


async def _talk(port: int, raw: bytes, *, whole: bool = True) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        await writer.drain()
        if not whole:  # hang up in the middle; after a whole request this would lose the answer
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _flipped(body: bytes, number: int) -> bytes:
    if not body:
        return body
    place = Random(number).randrange(len(body))
    return body[:place] + bytes([body[place] ^ (1 << number % 8)]) + body[place + 1 :]
