"""A real Secret Service on a bus of its own, as a desktop session has it: started, locked, stopped.

Nothing of the machine's own session is touched: home, run-time folder and bus are in the given folder, and
the bus starts no other program (no prompt ever appears).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.flet_ui import PROJECT

PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")
PASSWORD = b"het wachtwoord van deze computer"
_SECONDS = 30.0
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type><listen>unix:dir={folder}</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
_IS_THERE = (
    "import secretstorage as s;c=s.dbus_init();raise SystemExit(0 if s.check_service_availability(c) else 1)"
)


def require_secret_service() -> None:
    """Skip where the programs are absent; fail there when they have to be there."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    if os.environ.get("PGO_REQUIRE_FAULT_TOOLS") == "1":
        pytest.fail(f"not installed: {', '.join(missing)}")
    pytest.skip(f"needs {' and '.join(missing)}")


class SecretService:
    """One bus, and a key ring on it that can be unlocked, locked and gone."""

    def __init__(self, folder: Path) -> None:
        home, run = folder / "home", folder / "run"
        for place in (home, run):
            place.mkdir(mode=0o700)
        config = folder / "bus.conf"
        config.write_text(_BUS.format(folder=run), encoding="utf-8")
        places = {"HOME": str(home), "XDG_RUNTIME_DIR": str(run), "XDG_DATA_HOME": str(home)}
        self.environment = os.environ | places
        self._bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment,
        )
        if self._bus.stdout is None:
            raise RuntimeError("no output to read the address from")
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self._bus.stdout.readline().decode().strip()
        self._ring: subprocess.Popen[bytes] | None = None

    def start(self, password: bytes | None) -> None:
        """Start the key ring: unlocked with a password, locked with None or a wrong one."""
        self.stop()
        call = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        self._ring = subprocess.Popen(
            call if password is None else [*call, "--unlock"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment,
        )
        if self._ring.stdin is not None:
            self._ring.stdin.write(password or b"")
            self._ring.stdin.close()
        ends_at = time.monotonic() + _SECONDS
        while subprocess.run([sys.executable, "-c", _IS_THERE], env=self.environment, check=False).returncode:
            if time.monotonic() > ends_at:
                pytest.fail("the key ring did not come up")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the key ring; what it keeps stays on disk."""
        if self._ring is not None:
            self._ring.terminate()
            self._ring.wait(_SECONDS)
            self._ring = None

    def close(self) -> None:
        """Stop everything."""
        self.stop()
        self._bus.terminate()
        self._bus.communicate(timeout=_SECONDS)

    def python(self, module: str, *arguments: str) -> str:
        """Run a module of ours inside this session and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
