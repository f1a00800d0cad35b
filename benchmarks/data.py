"""What the benchmarks read: real test data when it lies beside the project, else the invented person."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crypto.passphrase import Argon2Parameters
from pgo.bootstrap import build_application
from pgo.health.demo import demo_bundle
from pgo.health.record.reader import read_records
from pgo.health.record.resource import Resource
from pgo.store.opening import create_vault
from pgo.usecases.session import Session

SYNTHEA = Path(__file__).resolve().parents[2] / "shared" / "data" / "synthea"
CHEAP = Argon2Parameters(iterations=1)


def bundles(given: list[Path]) -> list[bytes]:
    """Give the files named, else the generated patients, else the person of the demonstration."""
    paths = given or sorted((SYNTHEA / "generated-sample-data-r4").glob("*.json"))
    return [path.read_bytes() for path in paths] or [demo_bundle(datetime.now(UTC).date())]


def large_bundle(given: list[Path]) -> bytes:
    """Give one large file: the one named, else the largest generated patient, else the demonstration."""
    paths = given or sorted(
        (SYNTHEA / "bulk-data-server-r4").glob("*.json"), key=lambda one: one.stat().st_size
    )
    return paths[-1].read_bytes() if paths else demo_bundle(datetime.now(UTC).date())


def resources(files: list[bytes], most: int = 1_500) -> list[Resource]:
    """Give the first resources of the files."""
    found = [one for data in files for one in read_records(data, name="bench.json").resources]
    return found[:most]


@contextmanager
def open_session(**parts: Any) -> Iterator[Session]:
    """Make a vault in a folder of its own, open; it is gone afterwards. `parts` replace parts of the app."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        app = replace(build_application(home), **parts)
        store, _ = create_vault(home / "v", "only for measuring here", argon2=CHEAP, at=datetime.now(UTC))
        session = Session(app, store, folder=home / "v")
        try:
            yield session
        finally:
            session.lock()
