"""A real recipient in a process of its own, run by its own command line; a test can stop and start it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.flet_ui import PROJECT

CLINIC_NAME = "Oefenkliniek De Linde"
CLINIC_ID = "ura:00000123"
CLINICIAN = "L. de Wit"
LOGIN = "dewit"
PASSWORD = "paars stoel wandelt zachtjes"
START_SECONDS = 30.0


@contextlib.contextmanager
def running_clinic(folder: Path, *, program: str = "recipient") -> Iterator[ClinicProcess]:
    """Run a clinic until the end of a test, or of a module whose tests each bring a patient of their own."""
    clinic = ClinicProcess(folder, program=program)
    try:
        yield clinic
    finally:
        clinic.stop()


class ClinicProcess:
    """The practice clinic.

    Args:
        folder: where it keeps everything; a fresh one.
        program: module that is run to serve.
    """

    def __init__(self, folder: Path, *, program: str = "recipient") -> None:
        self.data = folder / "clinic"
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        secret = folder / "password.txt"
        secret.write_text(PASSWORD, encoding="utf-8")
        self._command("init", "--name", CLINIC_NAME, "--id", CLINIC_ID)
        who = (
            "--display",
            CLINICIAN,
            "--role",
            "reumatoloog",
            "--password-file",
            str(secret),
            "--no-second-factor",
        )
        self._command("user", "add", LOGIN, *who)
        self.url = ""
        self.start()

    def _command(self, *arguments: str) -> str:
        call = [sys.executable, "-m", "recipient", *arguments, "--data", str(self.data)]
        done = subprocess.run(call, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def card(self) -> str:
        """The signed card, as the clinic hands it out."""
        return self._command("card")

    def card_file(self, folder: Path) -> Path:
        """The same card as the file that a clinic would send."""
        path = folder / "kaartje.txt"
        self._command("card", "--out", str(path))
        return path

    def start(self) -> None:
        """Run it; the port is the same each time."""
        ready = self._folder / f"ready-{time.monotonic_ns()}.json"
        call = [
            sys.executable,
            "-m",
            self._program,
            "serve",
            "--data",
            str(self.data),
            "--ready-file",
            str(ready),
        ]
        self._process = subprocess.Popen(
            call, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + START_SECONDS
        while not (ready.exists() and ready.read_text(encoding="utf-8").endswith("\n")):
            assert self._process.poll() is None, "the clinic stopped by itself"
            assert time.monotonic() < end, "the clinic did not start"
            time.sleep(0.05)
        self.url = json.loads(ready.read_text(encoding="utf-8"))["url"]

    def stop(self) -> None:
        """Stop exactly this process; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
