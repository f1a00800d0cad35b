"""What does taking in a file cost, in time and in memory? (G4, G19)

Run: ``python -m benchmarks.import_bench [FILE] [--rounds 7]``

``collect`` is all of it: strict reading, the check at the border, index, consent facts, links, numbers, the
encrypted store, one durable commit. Beside it, with the same file:

* the floor: plain ``sqlite3`` putting ready rows into one table;
* parsing with ``json`` and putting the parts into that table, without any check;
* the models of ``fhir.resources``: read the Bundle, write each resource again, put it into that table.

Memory is the peak of Python's own allocations while reading and storing, over the size of the file, and what
the garbage collector adds to the time.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

from fhir.resources.R4B.bundle import Bundle

from benchmarks.data import large_bundle, open_session
from benchmarks.goals import Goal, print_goals
from benchmarks.side_by_side import print_timings, side_by_side
from pgo.usecases.collect import collect

Rows = list[tuple[str, str, str, bytes]]


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description="Measure taking in a file.")
    parser.add_argument("file", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    data = large_bundle(chosen.file)
    rows = list(ready(data))
    timings = side_by_side(
        {
            "ready rows into sqlite3": lambda: put(rows),
            "json, into sqlite3": lambda: put(list(ready(data))),
            "collect": lambda: take_in(data),
            "fhir.resources, into sqlite3": lambda: put(modelled(data)),
        },
        rounds=chosen.rounds,
    )
    print(f"{len(data) / 1e6:.1f} MB, {len(rows)} resources, {chosen.rounds} rounds, per resource:")
    print_timings(timings, "ready rows into sqlite3", per=len(rows), unit="us")
    print_goals(
        [
            Goal(
                "import, times ready rows",
                4.0,
                timings.ratio("collect", "ready rows into sqlite3"),
                code="G4",
            ),
            Goal(
                "import, times parse + insert unchecked",
                1.5,
                timings.ratio("collect", "json, into sqlite3"),
                code="G4b",
            ),
            Goal(
                "import, times faster than fhir.resources",
                16,
                timings.ratio("fhir.resources, into sqlite3", "collect"),
                least=True,
                code="G4c",
            ),
            Goal("peak memory, times the file", 3, peak(data) / len(data), code="G19"),
            Goal("time with garbage collection, times without", 1.2, collected(data), code="G19b"),
        ]
    )


def ready(data: bytes) -> Iterable[tuple[str, str, str, bytes]]:
    """Parse a Bundle and give a row for each resource, unchecked."""
    for entry in json.loads(data)["entry"]:
        body = entry["resource"]
        raw = json.dumps(body).encode()
        yield body["resourceType"], body["id"], hashlib.sha256(raw).hexdigest(), raw


def modelled(data: bytes) -> Rows:
    """Read a Bundle into models and write every resource again."""
    found: Rows = []
    for entry in Bundle.model_validate_json(data).entry:
        raw = entry.resource.model_dump_json().encode()
        kind, name = entry.resource.get_resource_type(), entry.resource.id
        found.append((kind, name, hashlib.sha256(raw).hexdigest(), raw))
    return found


def put(rows: Rows) -> None:
    """Put rows into one plain table with three indexes, durably."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE record (type, id, sha256, raw, PRIMARY KEY (type, id))")
        connection.execute("CREATE INDEX by_hash ON record (sha256)")
        connection.execute("CREATE INDEX by_id ON record (id)")
        with connection:
            connection.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", rows)
        connection.close()


def take_in(data: bytes) -> None:
    """Take the file into a new vault."""
    with open_session() as session:
        collect(session, data, name="bench.json", accept_person=True)


def peak(data: bytes) -> int:
    """Most bytes that Python held at once because of the import, the file itself included."""
    with open_session() as session:
        gc.collect()
        tracemalloc.start()
        collect(session, data, name="bench.json", accept_person=True)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most + len(data)


def collected(data: bytes) -> float:
    """How many times the CPU seconds of an import the same takes with the garbage collector on."""

    def seconds(*, on: bool) -> float:
        with open_session() as session:
            gc.collect()
            if not on:
                gc.disable()
            started = time.process_time()
            collect(session, data, name="bench.json", accept_person=True)
            used = time.process_time() - started
            gc.enable()
        return used

    ratios = sorted(seconds(on=True) / seconds(on=False) for _ in range(5))
    return ratios[2]


if __name__ == "__main__":
    main()
