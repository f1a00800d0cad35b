"""A reload: the new socket reaches the app after the end of the one it replaces, however late that is.

And that end is an orderly one: Flet forgets to let go of a session when writing to its socket fails.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pgo.ui import host
from pgo.ui.gate import Keys
from pgo.ui.host import AsgiApp, Guard

CLOSED = {"type": "websocket.disconnect", "code": 1001}


class Sockets:
    """An ASGI app that notes which sockets begin and end; each lives until its browser closes it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, scope: Any, receive: Any, _send: Any) -> None:
        name = scope["name"]
        self.seen.append(f"{name} begins")
        while (await receive())["type"] != "websocket.disconnect":
            pass
        await asyncio.sleep(0)  # what is done after the end takes a moment
        self.seen.append(f"{name} ends")


class Browser:
    """Sockets to the gate, opened and closed at will."""

    def __init__(self, app: AsgiApp | None = None) -> None:
        self.app = Sockets()
        self.writes = 0
        self.is_gone = False
        keys = Keys(4711, lambda: 1.0)
        header = keys.use_link(keys.new_link().partition("?")[2])
        assert header is not None
        self._guard, self._keys = Guard(app or self.app, keys), keys
        self._cookie = header.partition(";")[0]
        self._lines: dict[str, asyncio.Queue[dict[str, Any]]] = {}

    def open(self, name: str) -> asyncio.Task[None]:
        line = self._lines[name] = asyncio.Queue()
        headers = {"host": self._keys.authority, "origin": self._keys.origin, "cookie": self._cookie}
        scope = {
            "type": "websocket",
            "name": name,
            "path": f"{self._keys.prefix}/ws",
            "query_string": b"",
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        }
        return asyncio.create_task(self._guard(scope, line.get, self._sent))

    async def close(self, name: str) -> None:
        await self._lines[name].put(CLOSED)

    async def begun(self, name: str) -> None:
        while f"{name} begins" not in self.app.seen:
            await asyncio.sleep(0.001)

    async def _sent(self, _message: Any) -> None:
        self.writes += 1
        if self.is_gone:
            raise OSError("as uvicorn says it (ClientDisconnected)")


def test_a_socket_that_comes_before_the_end_of_the_last_one_waits_for_it() -> None:
    async def reload() -> list[str]:
        browser = Browser()
        first = browser.open("first")
        await browser.begun("first")
        second = browser.open("second")
        for _ in range(20):
            await asyncio.sleep(0)
        await browser.close("first")
        await browser.close("second")
        await asyncio.gather(first, second)
        return browser.app.seen

    assert asyncio.run(reload()) == ["first begins", "first ends", "second begins", "second ends"]


def test_a_second_window_is_let_through_although_the_first_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "RELOAD_SECONDS", 0.01)

    async def two_windows() -> list[str]:
        browser = Browser()
        tasks = [browser.open("first")]
        await browser.begun("first")
        tasks.append(browser.open("second"))
        await browser.begun("second")
        for name in ("first", "second"):
            await browser.close(name)
        await asyncio.gather(*tasks)
        return browser.app.seen[:2]

    assert asyncio.run(two_windows()) == ["first begins", "second begins"]


def test_what_is_written_to_a_window_that_just_closed_is_lost_without_an_error() -> None:
    done: list[str] = []

    async def window(_scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            await send({"type": "websocket.send", "bytes": b"a change of the screen"})
        assert await receive() == CLOSED
        done.append("the session was let go")

    async def closes_while_something_changes() -> int:
        browser = Browser(window)
        browser.is_gone = True
        only = browser.open("only")
        await browser.close("only")
        await only
        return browser.writes

    assert asyncio.run(closes_while_something_changes()) == 3
    assert done == ["the session was let go"]
