"""The systemd unit as systemd reads it, and the service as the unit runs it: told when ready, kept small."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conftest import PROJECT
from tests.support import fault_figures
from tests.support.proxies import DOCUMENTED, NAME, free_port, require
from tests.support.recipient_process import PASSWORD, START_SECONDS, command
from tests.support.systemd_unit import UNIT, options_of_the_unit, permitted_calls

# -D: the tracer is the child, so that the service has the place it would have under systemd
_STRACE = ("strace", "-D", "-f", "-c", "-U", "name", "-o")
MOST_EXPOSED = 1.5  # of 10; what is left is the network, which a service on a network needs


def test_caddy_accepts_its_file_as_it_is_and_as_it_would_write_it(tmp_path: Path) -> None:
    caddy, file = require("caddy"), str(DOCUMENTED / "Caddyfile")
    home = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    words = [caddy, "validate", "--adapter", "caddyfile", "--config", file]
    done = subprocess.run(words, env=home, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"level":"warn"' not in done.stderr
    tidy = subprocess.run([caddy, "fmt", file], env=home, capture_output=True, text=True, timeout=60)
    assert tidy.stdout == (DOCUMENTED / "Caddyfile").read_text("utf-8")


def test_systemd_rates_the_unit_as_closed(tmp_path: Path) -> None:
    words = [require("systemd-analyze"), "security", "--offline=true", "--no-pager", str(UNIT)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found.group(1)) <= MOST_EXPOSED
    fault_figures.figures["systemd unit of a recipient"] = f"exposure {found.group(1)} of 10"


@contextmanager
def told(folder: Path) -> Iterator[socket.socket]:
    """Where systemd would listen for the state of the service."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(folder / "notify"))
        channel.settimeout(START_SECONDS)
        yield channel


def test_the_filter_leaves_every_system_call_the_service_makes(tmp_path: Path) -> None:
    """From its start to its stop, with a page, a card and a wrong password between; traced call by call."""
    permitted = permitted_calls()
    fault_figures.require_strace()
    data, trace = tmp_path / "clinic", tmp_path / "calls"
    command(data, "init", "--name", "Praktijk Zuid", "--id", "ura:00000123", "--url", f"https://{NAME}")
    port, metrics = free_port("127.0.0.1"), free_port("127.0.0.1")
    serve = [sys.executable, "-m", "recipient", "serve", "--data", str(data)]
    with told(tmp_path) as channel:
        process = subprocess.Popen(
            [*_STRACE, str(trace), *serve, *options_of_the_unit(port, metrics)],
            cwd=PROJECT,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert channel.recv(100) == b"READY=1"
            use(f"http://127.0.0.1:{port}")
            process.terminate()
            assert channel.recv(100) == b"STOPPING=1"
            assert process.wait(START_SECONDS) == 0
        finally:
            process.kill()
            process.wait()
    made = calls_in(trace)
    if os.geteuid() == 0:
        made.discard(
            "fchown"
        )  # SQLite passes the owner of the database on when it runs as root, and only then
    assert {"sendto", "pwrite64"} <= made
    assert made - permitted == set()
    fault_figures.figures["system calls of a recipient"] = f"{len(made)}, all among the {len(permitted)} left"


def use(url: str) -> None:
    """Ask what touches store, pages and passwords."""
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as browser:
        assert browser.get("/v1/card").status_code == 200
        page = browser.get("/portal/login")
        token = re.search(r'name="token" value="([0-9a-f]+)"', page.text)
        assert token is not None
        cookie = page.headers["set-cookie"].partition(";")[0]  # Secure, and this line is not
        form = {"token": token.group(1), "name": "dewit", "password": PASSWORD}
        assert browser.post("/portal/login", data=form, headers={"cookie": cookie}).status_code == 401


def calls_in(trace: Path) -> set[str]:
    """The calls of a summary, which the tracer writes at the end of its process; `total` is the last line."""
    ends = time.monotonic() + START_SECONDS
    while not trace.exists() or "total" not in (lines := trace.read_text("ascii").split()):
        assert time.monotonic() < ends, "the tracer wrote no summary"
        time.sleep(0.02)
    return {line for line in lines if re.fullmatch(r"[a-z0-9_]+", line)} - {"syscall", "total"}
