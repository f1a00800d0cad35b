"""A PostgreSQL server of our own for tests: made in a temporary folder, reached by a socket in it only.

One server per test process, a database per store. Where PostgreSQL is not installed, tests that need it are
skipped and say so; with ``PGO_REQUIRE_POSTGRES`` set they fail instead.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SERVER_USER = "postgres"


@dataclass
class Cluster:
    """A running server."""

    folder: Path
    programs: Path
    durable: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def start(self) -> None:
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", "max_connections=60"]
        settings += [] if self.durable else _FAST
        options = " ".join(f"-c {setting}" for setting in settings)
        self._run(
            "pg_ctl", "start", "-w", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-o", options
        )

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "stop", "-m", mode, "-D", f"{self.folder}/data")

    def database(self) -> str:
        """Make an empty database; return its address."""
        name = f"store{next(self._numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy".encode())
        return self.address(name)

    def address(self, name: str) -> str:
        return f"postgresql://{_SERVER_USER}@/{name}?host={self.folder}"

    def program(self, name: str) -> str:
        return str(self.programs / name)

    def initialise(self) -> None:
        arguments = ("-U", _SERVER_USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self._run("initdb", "-D", f"{self.folder}/data", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [self.program(program), *arguments]
        if os.name == "posix" and os.geteuid() == 0:  # the server refuses to run as root
            command = ["runuser", "-u", _SERVER_USER, "--", *command]
        done = subprocess.run(
            command,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=100,
            cwd=self.folder,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')[-500:]}")


def _programs() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if folders:
        return folders[-1]
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Run a server until the block ends; skip the test where there is none."""
    programs = _programs()
    if programs is None:
        if os.environ.get("PGO_REQUIRE_POSTGRES"):
            pytest.fail("PostgreSQL is not installed, and PGO_REQUIRE_POSTGRES is set")
        pytest.skip("PostgreSQL is not installed here")
    # A socket's path must be short, and the server's user must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="pgo-pg-", dir="/tmp"))
    cluster = Cluster(folder, programs, durable)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _SERVER_USER, pwd.getpwnam(_SERVER_USER).pw_gid)
        folder.chmod(0o755)
        cluster.initialise()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
