"""How fast is reading? Each variant does the same files, side by side; the ratio per round is what counts.

Run: ``python benchmarks/import_bench.py FILE_OR_FOLDER... [--rounds N]``

Variants: plain ``json`` (parse only, the floor), our reader (exact slices, strict parse, R4 check), and our
reader with the index of every resource. The store is measured in ``store_bench.py``. CPU time is measured,
not wall time, because the machine may be busy; a rate is per second of CPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from pgo.health.record.index import build_index
from pgo.health.record.reader import read_records
from pgo.health.record.resolve import resolver

Files = list[tuple[str, bytes]]


def plain(files: Files) -> int:
    """Parse with the standard library and count the entries: no check, no slices, no exact decimals."""
    return sum(len(json.loads(data).get("entry", ())) for _, data in files)


def read(files: Files) -> int:
    return sum(len(read_records(data, name=name).resources) for name, data in files)


def read_and_index(files: Files) -> int:
    count = 0
    for name, data in files:
        resources = read_records(data, name=name).resources
        look_up = resolver(resources)
        count += sum(1 for one in resources if build_index(one, resolve=look_up).title)
    return count


VARIANTS: dict[str, Callable[[Files], int]] = {
    "plain json": plain,
    "read": read,
    "read and index": read_and_index,
}


def measure(files: Files, rounds: int) -> dict[str, list[float]]:
    """Time every variant in every round, in turning order, so that a busy moment hits all alike."""
    names = list(VARIANTS)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            start = time.process_time()
            VARIANTS[name](files)
            taken[name].append(time.process_time() - start)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure reading of FHIR bundles in JSON.")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    paths: list[Path] = []
    for given in chosen.paths:
        paths += sorted(given.rglob("*.json")) if given.is_dir() else [given]
    files = [(path.name, path.read_bytes()) for path in paths]
    size, count = sum(len(data) for _, data in files), read(files)
    taken = measure(files, chosen.rounds)
    print(f"{len(files)} files, {size / 1e6:.1f} MB, {count} resources, {chosen.rounds} rounds")
    for name, seconds in taken.items():
        pairs = zip(seconds, taken["plain json"], strict=True)
        ratio, typical = statistics.median(own / floor for own, floor in pairs), statistics.median(seconds)
        rates = f"{size / typical / 1e6:8.1f} MB/s  {count / typical:10.0f} resources/s"
        print(f"{name:16} {ratio:6.2f}x  {rates}")


if __name__ == "__main__":
    main()
