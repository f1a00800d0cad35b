"""The recipient as a running service: routes, the one wiring, and the clock.

Promises:
1. nothing is answered about a person except by ``recipient.inbox`` (to the patient's app), by
   ``recipient.portal`` (to a member) and by ``recipient.fhir_api`` (to a registered program); ``/health``,
   ``/v1/card`` and what the FHIR API says it can are public by nature;
2. an unexpected error becomes a bare 500; the log gets its class and place, never its text, because texts of
   foreign libraries may quote what they choked on;
3. the time of the service never goes back behind what its store has seen;
4. uvicorn trusts no forwarded header unless a proxy is named, keeps no access log and shows no version.

Source: security.md 3.7, 3.10, 3.16.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from recipient.accounts import Doorkeeper
from recipient.card_desk import CardDesk, card_routes
from recipient.config import CARD_NAME, Limits, Listening
from recipient.data_keys import care_for_kek
from recipient.draining import CUT_OFF_SECONDS, Draining, Server
from recipient.emergency import Emergency
from recipient.errors import RecipientError, Unusable
from recipient.fhir_api.routes import BASE, fhir_routes
from recipient.fhir_api.web import broken_answer
from recipient.gaps import count_gaps
from recipient.garbage import search_less
from recipient.gateway import inbox_routes
from recipient.holdings import erase_ended
from recipient.identity import Identity, build_card, load_identity, remember_port
from recipient.inbox import Inbox
from recipient.ingress import DeadlineProtocol, Ingress
from recipient.listener import bound
from recipient.login.brake import Brake, forget_old_tries
from recipient.login.fetch import ProviderWeb
from recipient.login.pending import Pending, forget_old_beginnings
from recipient.login.visit import Visits
from recipient.logs import event, write_logs
from recipient.metrics import Metrics
from recipient.operations import Measured, Vitals, health_routes, route_patterns
from recipient.portal.routes import portal_routes
from recipient.portal.sessions import Sessions
from recipient.portal.web import Office, broken_page
from recipient.reading import Reader
from recipient.rotation import successions
from recipient.store import Store, open_store
from recipient.supervisor import READY, STOPPING, forbid_core_dumps, notify
from recipient.timekeeping import SteadyClock
from sync.card import card_file

_HOUSEKEEPING_SECONDS = 3600.0
Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the present instant; only this module and the command line read the clock."""
    return datetime.now(UTC)


def build_app(
    store: Store,
    *,
    endpoint: str,
    clock: Clock,
    limits: Limits | None = None,
    hosts: frozenset[str] = frozenset(),
    vitals: Vitals | None = None,
    metrics: Metrics | None = None,
) -> ASGIApp:
    """Wire the service.

    Args:
        store: open store with an identity.
        endpoint: public address, on the card.
        clock: present instant, aware.
        limits: what a stranger may cost; defaults suit a practice.
        hosts: accepted ``Host`` values, empty for any (then only the count is checked).
        vitals: what readiness depends on; left out: the store alone.
        metrics: where answers are counted; left out: nobody reads them.

    Returns:
        The ASGI application, hardened layer outside.
    """
    limits = limits or Limits()
    identity = load_identity(store)
    figures = metrics or Metrics()
    office = replace(
        build_office(store, identity, clock=clock, limits=limits, base=endpoint), metrics=figures
    )

    def broken(request: Request, _exc: Exception) -> Response:
        if request.url.path.startswith("/portal"):
            return broken_page(office, request)
        if request.url.path.startswith(BASE):
            return broken_answer()
        return JSONResponse({"code": "internal"}, status_code=500)

    app = Starlette(
        exception_handlers={Exception: broken},
        routes=[*service_routes(office), *health_routes(vitals or Vitals(store))],
    )
    app.router.redirect_slashes = False
    figures.know(route_patterns(app.routes))
    counted = Measured(LastResort(app), figures)
    return Ingress(counted, max_header_bytes=limits.max_header_bytes, hosts=hosts)


def service_routes(office: Office) -> list[BaseRoute]:
    """Return every route of the service; the description for developers is made from them."""
    store, clock, limits = office.store, office.clock, office.limits
    return [
        *_public_routes(),
        *card_routes(CardDesk(store, office.identity, endpoint=office.base, clock=clock)),
        *inbox_routes(store, office.identity, clock=clock, limits=limits),
        *portal_routes(office),
        *fhir_routes(store, office.identity, address=office.base, clock=clock, limits=limits),
    ]


def build_office(store: Store, identity: Identity, *, clock: Clock, limits: Limits, base: str) -> Office:
    """Gather what the pages of a service share."""
    reader = Reader(store, identity)
    return Office(
        store=store,
        identity=identity,
        reader=reader,
        emergency=Emergency(store, identity, reader.glass),
        doorkeeper=Doorkeeper(store, tries=limits.login_tries_per_minute),
        sessions=Sessions(store, idle=limits.session_idle, absolute=limits.session_absolute),
        limits=limits,
        clock=clock,
        base=base,
        steps=Pending(store, "step"),
        setups=Pending(store, "setup"),
        visits=Visits(store, ProviderWeb(), base=base),
        brake=Brake(store, tries=limits.login_tries_per_minute),
    )


def _public_routes() -> list[BaseRoute]:
    """Return what anybody may ask: that we live and where the portal is."""

    async def to_portal(_request: Request) -> Response:
        return RedirectResponse("/portal", status_code=303)

    async def show_health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return [
        Route("/", to_portal, methods=["GET"]),
        Route("/health", show_health, methods=["GET"]),
    ]


class LastResort:
    """Keeps what nobody foresaw out of foreign loggers: writes down class and place, never the text.

    Starlette has answered by then (``broken`` in ``build_app``) and raises again for the server to log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        try:
            await self._app(scope, receive, send)
        except Exception as exc:  # noqa: BLE001  the boundary of the service, the one place for it
            trace = exc.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
            event("unexpected", logging.ERROR, kind=type(exc).__name__, place=place)


@dataclass(frozen=True, slots=True)
class Ready:
    """What a starter of the service wants to know."""

    url: str
    card: Path

    def json(self) -> str:
        """Return one line of JSON."""
        return json.dumps({"url": self.url, "card": str(self.card)})


def serve(
    folder: Path,
    listening: Listening,
    *,
    ready_file: Path | None = None,
    metrics_port: int | None = None,
    clock: Clock = wall_clock,
) -> None:
    """Run until stopped by a signal.

    Args:
        folder: of an initialised recipient.
        listening: where; port 0 takes the port of last time when it is free, else any free one.
        ready_file: gets the line of JSON that is also printed, once requests are answered.
        metrics_port: where this machine reads figures; None for nowhere.
        clock: present instant; what the store has seen already is never later than what is made of it.

    Raises:
        Unusable: see ``open_store``, ``load_identity`` and ``Listening.check``; ``port_taken``.
    """
    listening.check()
    os.umask(0o077)
    forbid_core_dumps()
    write_logs(sys.stderr)
    search_less()
    store = open_store(folder)
    try:
        identity, steady = load_identity(store), SteadyClock(store, clock)
        with _bind(listening, identity) as listener:
            port = int(listener.getsockname()[1])
            if identity.port is None and listening.port == 0:
                remember_port(store, port)
            scheme = "http" if listening.certificate is None else "https"
            url = identity.url or f"{scheme}://{listening.host}:{port}"
            card = write_card(folder, identity, endpoint=url, at=steady(), former=successions(store))
            ready = Ready(url=url, card=card)
            service = _Service(folder, store, identity, listening, steady)
            service.run(listener, ready, ready_file=ready_file, metrics_port=metrics_port)
    finally:
        store.close()


class _Service:
    """One run of the service: wired, served until a signal, drained."""

    def __init__(
        self, folder: Path, store: Store, identity: Identity, listening: Listening, clock: Clock
    ) -> None:
        self._folder, self._store, self._identity = folder, store, identity
        self._listening, self._clock, self._limits = listening, clock, Limits()

    def run(
        self, listener: socket.socket, ready: Ready, *, ready_file: Path | None, metrics_port: int | None
    ) -> None:
        """Serve on a listener until stopped."""
        limits, port = self._limits, int(listener.getsockname()[1])
        metrics = Metrics()
        vitals = Vitals(self._store, self._folder)
        app = build_app(
            self._store,
            endpoint=ready.url,
            clock=self._clock,
            limits=limits,
            hosts=_hosts(ready.url, port),
            vitals=vitals,
            metrics=metrics,
        )
        door = Draining(app)
        vitals.stopping = lambda: door.closed
        metrics.watch_space(vitals.free_bytes)
        metrics.watch_gaps(lambda: count_gaps(self._store).gaps)
        supervisor = os.environ.get("NOTIFY_SOCKET")

        def announce() -> None:
            _announce(ready, ready_file)
            notify(READY, address=supervisor)
            event("ready", port=port)

        config = _uvicorn_config(door, self._listening, limits)
        server = Server(config, on_ready=announce, door=door, stop_seconds=limits.stop_seconds)
        with (
            metrics.served(metrics_port),
            _housekeeping(self._store, Inbox(self._store, self._identity), limits, self._clock),
        ):
            asyncio.run(server.serve(sockets=[listener]))
        notify(STOPPING, address=supervisor)
        event("stopped")


def write_card(
    folder: Path, identity: Identity, *, endpoint: str, at: datetime, former: Sequence[str] = ()
) -> Path:
    """Write the signed card beside the store, whole or not at all; it is public."""
    path = folder / CARD_NAME
    _, text = build_card(identity, endpoint=endpoint, at=at)
    write_whole(path, card_file(text, former))
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never half."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)


def tidy_log_ins(store: Store, limits: Limits, *, at: datetime) -> None:
    """Remove sessions, tries and beginnings that ended by themselves; what is asked never shows them."""
    Sessions(store, idle=limits.session_idle, absolute=limits.session_absolute).tidy(at=at)
    forget_old_tries(store, at=at)
    forget_old_beginnings(store, at=at)


@contextmanager
def _housekeeping(store: Store, inbox: Inbox, limits: Limits, clock: Clock) -> Iterator[None]:
    """Erase what ended, and the key around destroyed keys: now and every hour, while the block runs."""
    stop = threading.Event()

    def work() -> None:
        while True:
            try:
                erase_ended(store, at=clock(), keep_hidden=limits.keep_hidden_after_end)
                inbox.erase_overdue(at=clock())
                tidy_log_ins(store, limits, at=clock())
                care_for_kek(store)
            except RecipientError as exc:  # the database is away, or a file is: the next round does it
                event("housekeeping_failed", logging.ERROR, code=exc.code)
            if stop.wait(_HOUSEKEEPING_SECONDS):
                return

    thread = threading.Thread(target=work, name="housekeeping")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _uvicorn_config(app: ASGIApp, listening: Listening, limits: Limits) -> uvicorn.Config:
    class Protocol(DeadlineProtocol):
        header_deadline_seconds = limits.header_deadline_seconds
        max_waiting = limits.max_waiting_connections
        waiting: ClassVar[OrderedDict[DeadlineProtocol, None]] = OrderedDict()

    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=listening.trusted_proxy is not None,
        forwarded_allow_ips=listening.trusted_proxy or "",
        limit_concurrency=limits.max_connections,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=CUT_OFF_SECONDS,
        h11_max_incomplete_event_size=limits.max_header_bytes,
        ssl_certfile=listening.certificate,
        ssl_keyfile=listening.certificate_key,
    )


def _bind(listening: Listening, identity: Identity) -> socket.socket:
    wishes = [listening.port] if listening.port else [identity.port or 0, 0]
    for port in wishes:
        with suppress(OSError):
            return bound(listening.host, port)
    raise Unusable("port_taken")


def _hosts(url: str, port: int) -> frozenset[str]:
    """Accept the public name, and this machine's own names for whoever is on this machine."""
    public = url.partition("://")[2].partition("/")[0].lower()
    return frozenset({public, f"127.0.0.1:{port}", f"localhost:{port}"})


def _announce(ready: Ready, ready_file: Path | None) -> None:
    if ready_file is not None:
        write_whole(ready_file, ready.json() + "\n")
    sys.stdout.write(ready.json() + "\n")
    sys.stdout.flush()
