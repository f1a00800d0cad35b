"""A reload: the new socket reaches the app after the end of the one it replaces, however late that is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pgo.ui import host
from pgo.ui.gate import Keys
from pgo.ui.host import Guard

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

    def __init__(self) -> None:
        self.app = Sockets()
        keys = Keys(4711, lambda: 1.0)
        header = keys.use_link(keys.new_link().partition("?")[2])
        assert header is not None
        self._guard, self._keys, self._cookie = Guard(self.app, keys), keys, header.partition(";")[0]
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
        """Nobody listens."""


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
