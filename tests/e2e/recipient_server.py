"""A real recipient on a real port, in a thread of the test process, with a clock the test sets."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from recipient.accounts import add_account
from recipient.config import Limits, Listening
from recipient.draining import Draining, Server
from recipient.identity import create_identity, load_identity
from recipient.listener import bound
from recipient.service import _uvicorn_config, build_app
from recipient.store import Store, create_store

PASSWORD = "vier losse woorden tafel"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """Time that moves only when told."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class Clinic:
    """A running recipient and what a test wants to know about it."""

    url: str
    folder: Path
    store: Store
    clock: Clock = field(default_factory=Clock)
    opened: list[httpx.Client] = field(default_factory=list)

    def browser(self, **headers: str) -> httpx.Client:
        """Return a browser-like client with its own cookies; Dutch unless said otherwise."""
        merged = {"accept-language": "nl", **headers}
        client = httpx.Client(base_url=self.url, headers=merged, trust_env=False, timeout=20)
        self.opened.append(client)
        return client

    def member(self, name: str = "dewit", **headers: str) -> httpx.Client:
        """Return a client that is logged in."""
        browser = self.browser(**headers)
        answer = log_in(browser, name)
        assert answer.status_code == 303, answer.text
        return browser


def form_token(page: httpx.Response) -> str:
    """Return the token that forms of a page carry."""
    found = re.search(r'name="token" value="([0-9a-f]+)"', page.text)
    assert found is not None
    return found.group(1)


def log_in(browser: httpx.Client, name: str = "dewit", password: str = PASSWORD) -> httpx.Response:
    """Fill in the log-in form."""
    token = form_token(browser.get("/portal/login"))
    return browser.post("/portal/login", data={"token": token, "name": name, "password": password})


@contextmanager
def running_clinic(
    folder: Path,
    *,
    limits: Limits | None = None,
    recipient_id: str = "ura:00000123",
    kind: str = "clinic",
    database: str | None = None,
    trusted_proxy: str | None = None,
    public_url: str | None = None,
) -> Iterator[Clinic]:
    """Initialise and run a recipient until the block ends.

    ``database`` is the address of an empty one; ``public_url`` is what browsers and apps call it, when they
    reach it by a proxy.
    """
    limits = limits or Limits()
    clock = Clock()
    store = create_store(folder, database=database)
    create_identity(store, recipient_id=recipient_id, name="Praktijk Zuid", kind=kind, url=None, at=clock())
    add_account(
        store,
        name="dewit",
        display="S. de Wit",
        role="internist",
        password=PASSWORD,
        at=clock(),
        second_step=False,
    )
    with bound("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        endpoint = public_url or url
        hosts = frozenset({endpoint.partition("://")[2]})
        app = build_app(store, endpoint=endpoint, clock=clock, limits=limits, hosts=hosts)
        ready = threading.Event()
        door = Draining(app)
        config = _uvicorn_config(door, Listening(trusted_proxy=trusted_proxy), limits)
        server = Server(config, on_ready=ready.set, door=door, stop_seconds=5.0)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        assert ready.wait(20)
        clinic = Clinic(url, folder, store, clock)
        try:
            yield clinic
        finally:
            for client in clinic.opened:
                client.close()
            server.should_exit = True
            thread.join(20)
            store.close()


__all__ = ["PASSWORD", "START", "Clinic", "Clock", "form_token", "load_identity", "log_in", "running_clinic"]
