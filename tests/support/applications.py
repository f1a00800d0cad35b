"""An `Application` for tests: real vaults in a folder of their own, cheap key derivation, no network."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.passphrase import Argon2Parameters
from pgo.usecases.session import Application, DemoInfo

if TYPE_CHECKING:
    from sync.transport import Transport

PASSPHRASE = "vier losse woorden fietsbel"
CHEAP = Argon2Parameters(memory_kib=64 * 1024, iterations=1, lanes=4)


def no_network() -> Transport:
    """Fail the test that reaches for the network."""
    raise AssertionError("this test must not open a connection")


def clock() -> datetime:
    """The real time: sessions, links and auto-lock are about real seconds."""
    return datetime.now(UTC)


def an_application(folder: Path, *, demo: DemoInfo | None = None) -> Application:
    """Build an application whose vaults lie in `folder`."""
    return Application(vaults=folder, clock=clock, argon2=CHEAP, open_transport=no_network, demo=demo)
