"""A recipient in a process of its own, seen from outside: its address, its memory, its log, its end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.flet_ui import PROJECT

START_SECONDS = 90.0
PASSWORD = "vier losse woorden tafel"


def command(folder: Path, *words: str, given: str = "") -> str:
    """Run one command of the program and return what it says."""
    line = [sys.executable, "-m", "recipient", *words, "--data", str(folder)]
    done = subprocess.run(
        line, input=given, capture_output=True, text=True, check=False, cwd=PROJECT, timeout=START_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class RecipientProcess:
    """One run of ``recipient serve``."""

    folder: Path
    log: Path
    process: subprocess.Popen[bytes]
    url: str = ""
    metrics: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def memory_bytes(self) -> int:
        """Resident memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found.group(1)) * 1024

    def log_text(self) -> str:
        """Everything it has written so far."""
        return self.log.read_text("utf-8")

    def wait_for(self, event: str) -> None:
        """Wait until an event is in the log."""
        ends = time.monotonic() + START_SECONDS
        while f'"event": "{event}"' not in self.log_text():
            assert time.monotonic() < ends, self.log_text()
            time.sleep(0.02)

    def stop(self) -> int:
        """Ask it to stop, and return how it ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(START_SECONDS)


@contextmanager
def running_recipient(
    folder: Path, *options: str, public_url: str | None = None
) -> Iterator[RecipientProcess]:
    """Initialise (the first time) and run a recipient until the block ends; ``public_url`` as on its card."""
    data = folder / "clinic"
    if not data.exists():
        address = ("--url", public_url) if public_url else ()
        command(data, "init", "--name", "Praktijk Zuid", "--id", "ura:00000123", *address)
        who = ("--display", "S. de Wit", "--role", "internist", "--password-file", "-", "--no-second-factor")
        command(data, "user", "add", "dewit", *who, given=PASSWORD + "\n")
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "recipient", "serve", "--data", str(data)),
                *("--ready-file", str(ready), *options),
            ],
            cwd=PROJECT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = RecipientProcess(data, log, process)
    try:
        ends = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert process.poll() is None, running.log_text()
            assert time.monotonic() < ends
            time.sleep(0.02)
        running.url = json.loads(ready.read_text("utf-8"))["url"]
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(START_SECONDS)
