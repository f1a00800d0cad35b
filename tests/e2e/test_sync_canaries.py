"""Check 40 of the security guide, on the app's sync: nothing personal is said when the line fails.

A server that answers every message wrongly, and repeats canaries while doing so, notes what it was sent:
addresses, headers, bodies. Logs, texts of errors and what the app remembers of a failure are searched.
"""

from __future__ import annotations

import http.server
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.keys import OpeningKey, SigningKey
from pgo.usecases import deliver, looked, share
from pgo.usecases.session import Session
from pgo.usecases.unlock import unlock
from sync.card import RecipientCard, sign_card
from sync.errors import SyncError
from sync.transport import InboxTransport
from tests.support import fault_figures
from tests.support.applications import PASSPHRASE
from tests.support.sharing import CLINIC_ID, an_open_vault
from tests.support.sharing_screens import a_choice

CANARY = "Kanarievogel-999990019"
ANSWERS: tuple[tuple[int, str, bytes], ...] = (
    (200, "text/html", f"<html>{CANARY}</html>".encode()),
    (200, "application/pgo-envelope", CANARY.encode()),
    (200, "application/pgo-envelope", b""),
    (400, "application/json", f'{{"code": "{CANARY}"}}'.encode()),
    (400, "application/json", b'{"code": "malformed"}'),
    (403, "application/json", f'{{"code": "clock", "time": "{CANARY}"}}'.encode()),
    (302, f"text/plain; name={CANARY}", CANARY.encode()),
    (429, "application/json", CANARY.encode()),
    (500, "text/plain", CANARY.encode()),
    (503, "application/json", b'{"code": "busy"}'),
)


class Server(http.server.ThreadingHTTPServer):
    """Answers every message in another wrong way, and keeps what it was sent."""

    daemon_threads = True
    heard: list[str]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Wrong)
        self.heard = []


class Wrong(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        said = (self.requestline, str(self.headers), body.decode("latin-1"))
        self.server.heard.append("\n".join(said))
        status, kind, answer = ANSWERS[len(self.server.heard) % len(ANSWERS)]
        self.send_response(status)
        for name, value in (
            ("content-type", kind),
            ("content-length", str(len(answer))),
            ("retry-after", "1"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def session(tmp_path: Path, server: Server) -> Iterator[Session]:
    """A vault that shares with the server; its clinic's name is a canary too."""
    made = an_open_vault(tmp_path)
    made.lock()
    opened = unlock(replace(made.app, open_transport=InboxTransport), made.folder, PASSPHRASE)
    key, at = SigningKey.generate(), datetime.now(UTC).replace(microsecond=0)
    card = RecipientCard(
        version=1,
        id=CLINIC_ID,
        kind="clinic",
        name=CANARY,
        identifiers=(),
        endpoint=f"http://127.0.0.1:{server.server_port}",
        verify_key=key.public,
        sealing_key=OpeningKey.generate().public,
        issued_at=at,
        expires_at=at + timedelta(days=9),
    )
    share.add_recipient(opened, sign_card(card, key))
    yield opened
    opened.lock()


def test_nothing_personal_is_said_when_the_line_fails(
    session: Session, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    with caplog.at_level(logging.DEBUG, "pgo"), caplog.at_level(logging.DEBUG, "sync"):
        for number in range(len(ANSWERS)):
            choice = a_choice(session)
            grant = share.sign_share(session, choice, lang="nl", shown_text=CANARY)
            deliver.deliver(session)
            try:
                looked.fetch_access(session, CLINIC_ID)
            except SyncError as exc:
                said += [repr(exc), str(exc), str(exc.__cause__)]
            if number % 3 == 2:
                share.withdraw(session, grant)
                deliver.deliver(session)
    said += [str(row) for row in session.store._engine.rows("SELECT last_error, state, kind FROM outbox")]
    said += [caplog.text, *(repr(record.__dict__) for record in caplog.records)]
    assert len(server.heard) >= len(ANSWERS)
    words = (CANARY, "Persoon", "Penicilline", "Observation", PASSPHRASE)
    heard = [word for word in words if any(word in one for one in server.heard)]
    found = [word for word in (CANARY, PASSPHRASE) if any(word in one for one in said)]
    assert (heard, found) == ([], [])
    fault_figures.figures["canaries, sync of the app"] = (
        f"{len(server.heard)} messages answered wrongly in {len(ANSWERS)} ways,"
        f" {len(said)} texts searched: 0 found"
    )
