"""Import speed beside the floor: plain `json` and plain `sqlite3` doing the same inserts.

    python benchmarks/store_bench.py FILE.json [--rounds 5]

Prints megabytes and resources per second of `collect` (strict reading, index, consent facts, encrypted
store, one durable commit) and of the floor, the ratio of their medians (interleaved rounds, CPU seconds),
and what a page of the timeline and a search cost with 10,000 records.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from crypto.passphrase import Argon2Parameters
from pgo.bootstrap import build_application
from pgo.store.opening import create_vault
from pgo.usecases.collect import collect
from pgo.usecases.read import timeline
from pgo.usecases.session import Session

_PAGE_RECORDS = 10_000


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    data = options.file.read_bytes()
    count = len(json.loads(data)["entry"])
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(options.rounds):
        floor.append(_cpu_seconds(lambda: _floor(data)))
        with tempfile.TemporaryDirectory() as folder:
            session = _open(Path(folder))
            ours.append(_cpu_seconds(lambda session=session: _ours(session, data)))  # type: ignore[misc]
            session.lock()
    for name, rounds in (("collect", ours), ("json + sqlite3", floor)):
        seconds = statistics.median(rounds)
        print(f"{name:16} {len(data) / seconds / 1e6:8.1f} MB/s {count / seconds:10.0f} resources/s")
    print(f"ratio            {statistics.median(ours) / statistics.median(floor):8.1f}")
    _pages()


def _cpu_seconds(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _open(folder: Path) -> Session:
    app = build_application(folder)
    cheap = Argon2Parameters(iterations=1)
    store, _ = create_vault(folder / "v", "only for measuring here", argon2=cheap, at=datetime.now(UTC))
    return Session(app, store, folder=folder / "v")


def _ours(session: Session, data: bytes) -> None:
    collect(session, data, name="bench.json")


def _floor(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE record (type, id, sha256, raw, PRIMARY KEY (type, id))")
        with connection:
            for entry in json.loads(data)["entry"]:
                body = entry["resource"]
                raw = json.dumps(body).encode()
                row = (body["resourceType"], body["id"], hashlib.sha256(raw).hexdigest(), raw)
                connection.execute("INSERT INTO record VALUES (?, ?, ?, ?)", row)
        connection.close()


def _pages() -> None:
    entries = [
        {
            "resource": {
                "resourceType": "Condition",
                "id": f"c{number}",
                "code": {"text": f"Synthetic condition number {number % 977}"},
                "subject": {"reference": "Patient/p1"},
                "onsetDateTime": f"{1990 + number % 35}-{1 + number % 12:02}-{1 + number % 28:02}",
            }
        }
        for number in range(_PAGE_RECORDS)
    ]
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    with tempfile.TemporaryDirectory() as folder:
        session = _open(Path(folder))
        collect(session, data, name="pages.json")
        for name, query, offset in (
            ("first page", "", 0),
            ("deep page", "", 9_000),
            ("search", "number 976", 0),
        ):
            rounds = []
            for _ in range(20):
                started = time.perf_counter()
                timeline(session, query=query, offset=offset)
                rounds.append(time.perf_counter() - started)
            print(f"{name:16} {statistics.median(rounds) * 1e3:8.1f} ms of {_PAGE_RECORDS} records")
        session.lock()


if __name__ == "__main__":
    main()
