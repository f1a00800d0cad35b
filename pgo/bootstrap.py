"""Put the application together: the only place that reads the clock and chooses the real parts.

``build_application`` makes what screens and commands start from; ``Deliverer`` runs beside each open vault
and sends what is due, by itself, when something changed and when a wait is over.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import os
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.passphrase import RFC_9106_SECOND_CHOICE, Price, calibrate
from pgo.config import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS
from pgo.errors import AppError, Locked
from pgo.usecases.backup_keeper import BackupKeeper
from pgo.usecases.intake import FileReader, ReaderHere
from pgo.usecases.session import Application, DemoInfo, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgo.store.oskeyring import KeyKeeper
    from sync.fhir_server.transport import FhirTransport
    from sync.transport import Transport

_log = logging.getLogger("pgo.bootstrap")
_METERED_SECONDS = 30.0
_PR_SET_DUMPABLE = 4  # Linux, prctl(2)


def wall_clock() -> datetime:
    """Now, as an aware UTC instant."""
    return datetime.now(UTC)


def build_application(vaults: Path, *, demo: DemoInfo | None = None, deliver: bool = False) -> Application:
    """The application with its real parts.

    The demonstration neither measures what a passphrase may cost here nor asks for the key ring: its
    passphrase is public, and its first start should not wait.

    Args:
        vaults: folder that holds one folder per vault.
        demo: what the demonstration shows on its start screen.
        deliver: run a ``Deliverer`` and a ``BackupKeeper`` beside each open vault; commands do by themselves
            what they are told instead.
    """
    application = Application(
        vaults=vaults,
        clock=wall_clock,
        argon2=RFC_9106_SECOND_CHOICE,
        open_transport=_open_transport,
        open_reader=_open_reader,
        metered=_Metered(),
        open_plain=_open_plain,
        demo=demo,
    )
    if demo is None:
        application = replace(application, calibrate=measured_price, keyring=_os_keyring)
    return replace(application, on_open=start_helpers) if deliver else application


@functools.cache
def measured_price() -> Price:
    """What a passphrase should cost on this machine; measured once per run, at the first new passphrase."""
    return calibrate(time.perf_counter)


def harden_process() -> None:
    """New files for this user only, and no memory image of an open vault on disk (guide security 3.1)."""
    os.umask(0o077)
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def start_helpers(session: Session) -> None:
    """Run beside an open vault what sends, makes the planned backups and tries unread entries again."""
    Deliverer(session).start()
    BackupKeeper(session).start()
    threading.Thread(target=_retry_set_aside, args=(session,), name="pgo-retry", daemon=True).start()


def _retry_set_aside(session: Session) -> None:
    """After an update: make older indexes anew, and read again what an older reader set aside."""
    from pgo.usecases.intake_retry import retry_after_update
    from pgo.usecases.reindex import refresh_index

    try:
        refresh_index(session)
        retry_after_update(session)
    except AppError as exc:
        _log.warning("retry_stopped code=%s", exc.code)


class Deliverer:
    """Sends what is due: right after a change, after each wait, and once in a while to renew statements."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pgo-deliverer", daemon=True)

    def start(self) -> None:
        """Begin; ends by itself when the vault is locked."""
        self._session.on_change(self._wake.set)
        self._session.on_lock(self._wake.set)
        self._thread.start()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the end. Returns whether it has ended."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._session.closed:
            try:
                pause_seconds = self._one_pass()
            except Locked:
                return
            except AppError as exc:
                # The screens meet the same error at their next step and show it; here it must only not spin.
                _log.warning("delivery_stopped code=%s", exc.code)
                pause_seconds = LONGEST_PAUSE_SECONDS
            self._wake.wait(pause_seconds)
            self._wake.clear()

    def _one_pass(self) -> float:
        store = self._session.store
        if not store.recipients.all():
            return LONGEST_PAUSE_SECONDS  # nobody to send to: the sending parts need not even be loaded
        from pgo.usecases.deliver import deliver, next_try_at

        deliver(self._session)
        next_at = next_try_at(self._session)
        if next_at is None:
            return LONGEST_PAUSE_SECONDS
        wait_seconds = (next_at - self._session.now()).total_seconds()
        return min(max(wait_seconds, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)


def _os_keyring() -> KeyKeeper:
    from pgo.store.oskeyring import find_os_keyring  # loads every plug-in of its library

    return find_os_keyring()


def _open_reader() -> FileReader:
    # Phones start no processes, and in a packaged app the executable is the app, not an interpreter.
    if sys.platform in ("ios", "android") or not Path(sys.executable).stem.lower().startswith("python"):
        return ReaderHere()
    from pgo.usecases.intake_process import ReaderProcess

    return ReaderProcess()


class _Metered:
    """Asks the system at most every half minute: each round of sending wants to know."""

    def __init__(self) -> None:
        self._until, self._costs = 0.0, False

    def __call__(self) -> bool:
        from pgo.metered import connection_is_metered

        if time.monotonic() >= self._until:
            self._costs, self._until = connection_is_metered(), time.monotonic() + _METERED_SECONDS
        return self._costs


def _open_transport() -> Transport:
    from sync.transport import InboxTransport

    return InboxTransport()


def _open_plain(clock: Callable[[], datetime]) -> FhirTransport:
    from sync.fhir_server.transport import FhirTransport
    from sync.transport import InboxTransport

    return FhirTransport(InboxTransport(), clock=clock)
