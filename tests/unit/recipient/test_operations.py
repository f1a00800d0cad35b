"""Logs, figures, health, stopping, time: what an operator relies on, and what must never be in it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recipient.config import KEY_NAME
from recipient.draining import Draining
from recipient.errors import Unusable
from recipient.logs import event, write_logs
from recipient.metrics import Metrics
from recipient.operations import Measured, Vitals, health_routes, route_patterns
from recipient.store import Store
from recipient.supervisor import READY, notify
from recipient.timekeeping import SteadyClock, newest_instant
from tests.support.recipient_direct import AT, a_patient_of, found, push

CANARY = "Kanarie-van-Geel 999990019"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the service writes; logging is as it was afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("recipient")
    before = list(root.handlers), root.level, ours.level
    stream = io.StringIO()
    write_logs(stream)
    yield stream
    root.handlers[:], root.level, ours.level = before[0], before[1], before[2]


def said(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


class TestLogs:
    def test_a_line_has_the_allowed_fields(self, lines: io.StringIO) -> None:
        event("stopping", code="signal", count=3, seconds=0.123456)
        (line,) = said(lines)
        assert line.pop("at")
        assert line == {
            "level": "info",
            "event": "stopping",
            "code": "signal",
            "count": 3,
            "seconds": 0.1235,
        }

    def test_a_field_that_is_not_allowed_is_our_mistake(self) -> None:
        with pytest.raises(ValueError, match="not allowed"):
            event("look", name="x")  # type: ignore[call-arg, unused-ignore]

    def test_nothing_but_words_of_a_small_alphabet_gets_in(self, lines: io.StringIO) -> None:
        event("refused", code=CANARY, route="/portal/patient/{handle}")
        logging.getLogger("recipient").error("unexpected %s", CANARY)
        assert CANARY not in lines.getvalue()
        assert [line["event"] for line in said(lines)] == ["refused", "?"]

    def test_foreign_libraries_are_logged_without_their_texts(self, lines: io.StringIO) -> None:
        try:
            raise ValueError(CANARY)
        except ValueError:
            logging.getLogger("httpx").exception("could not read %s", CANARY)
        assert CANARY not in lines.getvalue()
        (line,) = said(lines)
        assert (line["event"], line["code"], line["kind"]) == ("foreign", "httpx", "ValueError")


class Client:
    """Asks an application without a network."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            carrier = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=carrier, base_url="http://here") as client:
                return await client.get(path)

        return asyncio.run(ask())


async def _one(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def _broken(_request: Request) -> Response:
    raise RuntimeError(CANARY)


def application(metrics: Metrics) -> Client:
    app = Starlette(routes=[Route("/patient/{handle}", _one), Route("/broken", _broken)])
    metrics.know(route_patterns(app.routes))
    return Client(Measured(app, metrics))


class TestMetrics:
    def test_answers_are_counted_by_pattern_and_never_by_address(self) -> None:
        metrics = Metrics()
        client = application(metrics)
        for path in (f"/patient/{CANARY}", "/patient/x", f"/{CANARY}", "/broken"):
            client.get(path)
        text = metrics.text()
        assert 'answers_total{route="/patient/{handle}",status="2xx"} 2.0' in text
        assert 'answers_total{route="other",status="4xx"} 1.0' in text
        assert 'answers_total{route="/broken",status="5xx"} 1.0' in text
        assert "requests_running 0.0" in text
        assert "Kanarie" not in text

    def test_codes_and_outcomes_come_from_short_lists(self) -> None:
        metrics = Metrics()
        for code in ("clock", CANARY, *map(str, range(50))):
            metrics.refused(code)
            metrics.logged_in(code)
        text = metrics.text()
        assert 'refusals_total{code="clock"} 1.0' in text
        assert 'refusals_total{code="other"} 51.0' in text
        assert 'log_ins_total{outcome="other"} 52.0' in text

    def test_figures_are_served_on_this_machine_while_wanted(self) -> None:
        metrics = Metrics()
        metrics.watch_space(lambda: 42)
        with metrics.served(0) as port:
            assert port is not None
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                assert b"disk_free_bytes 42.0" in answer.read()
            with pytest.raises(Unusable), Metrics().served(port):
                pass
        with Metrics().served(None) as nowhere:
            assert nowhere is None


class TestHealth:
    def client(self, vitals: Vitals) -> Client:
        return Client(Starlette(routes=health_routes(vitals)))

    def test_ready_while_store_key_and_room_are_there(self, store: Store, tmp_path: Path) -> None:
        client = self.client(Vitals(store, tmp_path / "clinic", least_free_bytes=0))
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").json() == {"status": "ok"}

    @pytest.mark.parametrize("reason", ["key_missing", "disk_full", "stopping"])
    def test_not_ready_tells_strangers_nothing_and_the_log_why_once(
        self, store: Store, tmp_path: Path, lines: io.StringIO, reason: str
    ) -> None:
        vitals = Vitals(store, tmp_path / "clinic", least_free_bytes=0)
        if reason == "key_missing":
            (tmp_path / "clinic" / KEY_NAME).unlink()
        elif reason == "disk_full":
            vitals.least_free_bytes = 2**62
        else:
            vitals.stopping = lambda: True
        client = self.client(vitals)
        for _ in range(3):
            answer = client.get("/health/ready")
            assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
            assert answer.headers["retry-after"] == "30"
        assert client.get("/health/live").status_code == 200
        assert [(line["event"], line["code"]) for line in said(lines)] == [("not_ready", reason)]


def _request_to(app: Draining) -> tuple[asyncio.Task[None], list[Message]]:
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    return asyncio.ensure_future(app({"type": "http"}, receive, send)), answers


class TestDraining:
    def test_who_is_inside_is_finished_who_comes_is_sent_away(self) -> None:
        async def story() -> None:
            go_on = asyncio.Event()

            async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
                await go_on.wait()
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"done"})

            door = Draining(slow)
            inside, answers = _request_to(door)
            await asyncio.sleep(0)
            door.begin()
            late, refusal = _request_to(door)
            await late
            assert (refusal[0]["status"], dict(refusal[0]["headers"])[b"retry-after"]) == (503, b"10")
            waiting = asyncio.ensure_future(door.wait(bound_seconds=60))
            await asyncio.sleep(0)
            assert not waiting.done()
            go_on.set()
            assert await waiting
            await inside
            assert answers[0]["status"] == 200
            assert (b"connection", b"close") in answers[0]["headers"]

        asyncio.run(story())

    def test_the_bound_ends_the_waiting(self) -> None:
        async def story() -> None:
            async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
                await asyncio.Event().wait()

            door = Draining(never)
            inside, _ = _request_to(door)
            await asyncio.sleep(0)
            door.begin()
            assert not await door.wait(bound_seconds=0.01)
            inside.cancel()

        asyncio.run(story())

    def test_nobody_inside_nothing_to_wait_for(self) -> None:
        async def story() -> None:
            async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
                """Answers nothing."""

            door = Draining(app)
            door.begin()
            assert await door.wait(bound_seconds=0)

        asyncio.run(story())


class TestSupervisor:
    def test_says_ready_where_somebody_listens(self, tmp_path: Path) -> None:
        path = str(tmp_path / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(path)
            assert notify(READY, address=path)
            assert channel.recv(64) == b"READY=1"

    @pytest.mark.parametrize("address", [None, "", "elsewhere", "/nobody/listens/here", "@nobody"])
    def test_nobody_to_tell_is_no_failure(self, address: str | None) -> None:
        assert not notify(READY, address=address)


class TestClock:
    def test_it_never_goes_back_behind_the_store(self, store: Store, lines: io.StringIO) -> None:
        assert newest_instant(store) is None
        found(store)
        push(store, a_patient_of(store, 1), [])
        assert newest_instant(store) == AT
        machine = [AT - timedelta(days=7300)]
        clock = SteadyClock(store, lambda: machine[0])
        assert clock() == AT
        machine[0] = AT + timedelta(hours=1)
        assert clock() == machine[0]
        machine[0] = AT
        assert clock() == AT + timedelta(hours=1)
        assert [line["event"] for line in said(lines)] == ["clock_went_back"]

    def test_an_empty_store_takes_the_machines_time(self, store: Store) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        assert SteadyClock(store, lambda: now)() == now


def test_no_core_dump_is_written() -> None:
    code = "import resource; from recipient.supervisor import forbid_core_dumps; forbid_core_dumps(); "
    code += "print(resource.getrlimit(resource.RLIMIT_CORE))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(0, 0)"
