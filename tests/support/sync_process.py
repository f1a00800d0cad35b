"""Both ends of the line as processes that can be killed: a patient's app without screens, and a recipient.

Both are the real programs: the app's use cases on a real vault in a folder, ``recipient serve`` on its own
folder. They come from the fork server of ``fault_driver``, so that a restart costs a fork and not a start of
the interpreter. A fault may be planted in either.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from pgo.errors import AppError
from pgo.usecases import deliver, share
from pgo.usecases.collect import collect
from pgo.usecases.session import Application, Session
from pgo.usecases.statements import pairwise_for
from pgo.usecases.unlock import create_vault, unlock_with_code
from recipient.cli import main as recipient_command
from recipient.config import Listening
from recipient.service import serve
from sync.transport import InboxTransport, Transport
from tests.support.applications import CHEAP, PASSPHRASE
from tests.support.fault_driver import CONTEXT, PATIENCE_SECONDS, Gone
from tests.support.sharing import choice_of
from tests.support.sync_planted import PLANTED
from tests.support.vaults import a_weight

CODE, CARD, VAULT = "code.txt", "card.txt", "vault"
STEP_SECONDS = 10.0


@dataclass
class Patient:
    """One vault in a process of its own; what it answers is what its person would read."""

    place: Path
    planted: str = ""
    _process: Any = None
    _line: Any = None
    _answers: Any = None

    def start(self) -> None:
        """Run it; it opens its vault, or makes one the first time."""
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE_SECONDS)
        self._process = CONTEXT.Process(target=_live, args=(self.place, theirs, self.planted))
        self._process.start()
        theirs.close()
        self._line, self._answers = ours, ours.makefile("r", encoding="utf-8")

    def ask(self, verb: str, *words: Any) -> Any:
        """Let it do one thing.

        Raises:
            Gone: it was killed before it answered.
        """
        try:
            self._line.sendall(json.dumps([verb, *words]).encode() + b"\n")
            text = self._answers.readline()
        except (BrokenPipeError, ConnectionResetError):
            text = ""
        if not text.endswith("\n"):
            raise Gone
        answer = json.loads(text)
        if "error" in answer:
            raise RuntimeError(f"{verb} ended with {answer['error']}")
        return answer["done"]

    def kill(self) -> bool:
        """Kill -9; whether it lived until then."""
        lived = bool(self._process is not None and self._process.is_alive())
        if lived:
            self._process.kill()
        return lived

    def end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.join(PATIENCE_SECONDS)
        self._process.close()
        self._answers.close()
        self._line.close()
        self._process = None

    def restart(self) -> None:
        self.end()
        self.start()


def _live(place: Path, line: socket.socket, planted: str) -> None:
    with _planted(planted):
        verbs = _Verbs(opened(place), place)
        for text in line.makefile("r", encoding="utf-8"):
            verb, *words = json.loads(text)
            try:
                answer = {"done": getattr(verbs, verb)(*words)}
            except AppError as exc:
                answer = {"error": exc.code}
            line.sendall(json.dumps(answer).encode() + b"\n")


def _real_line() -> Transport:
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # http only here; loading authorities takes 20 ms
    return InboxTransport(step_seconds=STEP_SECONDS, ssl_context=no_tls)


def opened(place: Path, line: Callable[[], Transport] = _real_line) -> Session:
    """Open the vault of a place, or make one there that shares the usual with the recipient of its card."""
    app = Application(
        vaults=place,
        clock=lambda: datetime.now(UTC),
        argon2=CHEAP,
        open_transport=line,
        zone=UTC,
    )
    code = place / CODE
    if code.exists():
        return unlock_with_code(app, place / VAULT, code.read_text())
    made = create_vault(app, place / VAULT, PASSPHRASE)
    share.add_recipient(made.session, (place / CARD).read_bytes())
    share.sign_share(made.session, choice_of(made.session), lang="nl", shown_text="test")
    code.write_text(made.recovery_code_text)
    return made.session


@dataclass
class _Verbs:
    """What a patient can be told to do."""

    session: Session
    place: Path

    def record(self, number: int, value: str) -> int:
        """Keep one measurement; a later value is a newer version of it."""
        weight = a_weight(f"w{number}", kilos=value, at="2026-01-02")
        bundle = f'{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{weight}}}]}}'
        result = collect(self.session, bundle.encode(), name="meting.json")
        return result.imported

    def send(self) -> int:
        """Try everything that waits; how many still wait."""
        deliver.send_now(self.session)
        return self.session.store.outbox.count_open()

    def sub(self) -> str:
        """The name this patient goes by at the recipient."""
        (known,) = self.session.store.recipients.all()
        return pairwise_for(self.session.store, known.id).signing.public.text

    def withdraw(self) -> int:
        """Take back whatever was given."""
        for row in share.shares(self.session):
            share.withdraw(self.session, row.grant_id)
        return self.session.store.outbox.count_open()

    def lock(self) -> None:
        """Lock, and open again with the code that costs nothing."""
        self.session.lock()
        self.session = opened(self.place)

    def books(self) -> dict[str, Any]:
        """What this end says was sent, by number of the message, and what it thinks the other end has."""
        store = self.session.store
        (known,) = store.recipients.all()
        rows = vars(store)["_engine"].rows("SELECT message_id, state, attempts FROM outbox")
        return {
            "reply": pairwise_for(store, known.id).opening.seed.hex(),
            "receipts": {one.message_id: one.token for one in store.deliveries.receipts(known.id)},
            "entries": {str(mid): [str(state), int(attempts)] for mid, state, attempts in rows},
            "held": {n: one.sha256 for n, one in store.deliveries.held(known.id).items() if not one.refused},
            "records": len(store.records.present_ids()),
        }

    def weight(self) -> dict[str, int]:
        """What this process costs."""
        return weigh(os.getpid(), self.place / VAULT)


def weigh(pid: int, folder: Path) -> dict[str, int]:
    """What a process costs: memory, open descriptors, size of the log files in its folder."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    logs = [one.stat().st_size for one in folder.glob("*-wal")]
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    return {
        "kB": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "descriptors": descriptors,
        "log bytes": sum(logs),
    }


@dataclass
class Recipient:
    """A recipient below a folder whose card names another address than its own: that of the line.

    ``database`` is the address of an empty PostgreSQL database; without it the store is a file.
    """

    data: Path
    port: int
    planted: str = ""
    database: str = ""
    ahead: timedelta = field(default=timedelta())
    _process: Any = None

    def make(self, url: str) -> None:
        """Make an installation that is reached at ``url``."""
        words = ["--name", "Oefenkliniek De Linde", "--id", "ura:00000123", "--url", url]
        words += ["--database", self.database] if self.database else []
        if recipient_command(["init", "--data", str(self.data), *words]):
            raise RuntimeError("the recipient was not made")

    @property
    def card(self) -> bytes:
        return (self.data / "card.txt").read_bytes()

    def start(self) -> None:
        """Run it until it answers."""
        ready = self.data / "ready.json"
        ready.unlink(missing_ok=True)
        self._process = CONTEXT.Process(target=_serve, args=(self, ready))
        self._process.start()
        end = time.monotonic() + PATIENCE_SECONDS
        while not ready.exists():
            if not self._process.is_alive() or time.monotonic() > end:
                raise RuntimeError("the recipient did not start")
            time.sleep(0.01)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to the child without the handle of the process that ran before."""
        return {**vars(self), "_process": None}

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def kill(self) -> bool:
        """Kill -9; whether it lived until then."""
        lived = self.runs
        if lived:
            self._process.kill()
        return lived

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, kindly unless told otherwise."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        self._process.join(PATIENCE_SECONDS)
        self._process.kill()
        self._process.join(PATIENCE_SECONDS)
        self._process.close()
        self._process = None


def _serve(told: Recipient, ready: Path) -> None:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, _planted(told.planted):
        sys.stdout = sys.stderr = nowhere
        if told.ahead:
            at = Listening(port=told.port)
            serve(told.data, at, ready_file=ready, clock=lambda: datetime.now(UTC) + told.ahead)
        else:
            words = ["--data", str(told.data), "--port", str(told.port), "--ready-file", str(ready)]
            recipient_command(["serve", *words])


@contextlib.contextmanager
def _planted(name: str) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for target, replacement in PLANTED[name].items() if name else ():
            stack.enter_context(mock.patch(target, replacement))
        yield


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
