"""The way back in: a running app hands a new one-time link to a later start.

The app writes a control file (0600, in the folder of the vaults) with its port and a secret. ``pgo open``
and a second ``pgo app`` read it and ask the running process for a link; whoever can read the file is the
same user, who could start the app anyway. A browser cannot use this door: it always says where it comes
from (gate step 3).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pgo.ui.gate import CONTROL_PATH

CONTROL_FILE: Final = "running.json"
_ASK_SECONDS: Final = 3.0
_MAX_FILE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running app listens for the same user's programs."""

    port: int
    secret: str

    def __repr__(self) -> str:
        return f"Running(port={self.port})"


def write_control_file(folder: Path, running: Running) -> Path:
    """Write the control file so that only this user can read it, whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, fresh = folder / CONTROL_FILE, folder / f"{CONTROL_FILE}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump({"port": running.port, "secret": running.secret}, file)
    fresh.replace(path)
    return path


def remove_control_file(path: Path, running: Running) -> None:
    """Remove the control file, unless a later process has written its own."""
    if read_control_file(path.parent) == running:
        path.unlink(missing_ok=True)


def read_control_file(folder: Path) -> Running | None:
    """Read the control file; None when there is none or it is not ours."""
    try:
        with (folder / CONTROL_FILE).open("rb") as file:
            value = json.loads(file.read(_MAX_FILE_BYTES))
        port, secret = value["port"], value["secret"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(port, int) or not isinstance(secret, str) or not 0 < port < 65536:
        return None
    return Running(port, secret)


def ask_for_link(folder: Path) -> str | None:
    """Ask the running app of this folder for a new one-time link.

    Args:
        folder: The folder of the vaults.

    Returns:
        The link, or None when no app answers there (its control file may be a left-over).
    """
    running = read_control_file(folder)
    if running is None:
        return None
    # http.client and not httpx: this must be quick, and it follows no proxy settings.
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=_ASK_SECONDS)
    try:
        connection.request("POST", CONTROL_PATH, headers={"Authorization": f"Bearer {running.secret}"})
        answer = connection.getresponse()
        link = answer.read(_MAX_FILE_BYTES).decode("ascii", "replace")
        good = answer.status == http.client.OK and link.startswith(f"http://127.0.0.1:{running.port}/")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return link if good else None
