"""How long does a screen take with 100,000 records in the vault, and does the window stay awake? (G9)

Run: ``python -m benchmarks.screens_bench [--records 100000] [--rounds 9]``

The use cases behind the screens, on invented records: the timeline (a page of 50, the first and one far
down), words looked for in everything, and the chart of ten years with a value a day. Then the window's event
loop is watched while the same work runs where screens run it, in a thread: its longest silence, beside the
silence when the work runs in the loop itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from benchmarks.data import large_bundle, open_session
from benchmarks.goals import Goal, print_goals
from benchmarks.side_by_side import side_by_side
from pgo.ui.host import keep_window_awake
from pgo.usecases.collect import collect
from pgo.usecases.read import series, series_list, timeline
from pgo.usecases.session import Session

PAGE = 50
YEARS = 10
_PER_FILE = 10_000


def entries(count: int) -> Iterator[dict[str, object]]:
    """Ten years of weight, a value a day; the rest conditions over 35 years."""
    first = date(2015, 1, 1)
    for number in range(365 * YEARS):
        yield {
            "resourceType": "Observation",
            "id": f"w{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Weight"},
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": (first + timedelta(days=number)).isoformat(),
            "valueQuantity": {"value": 70 + number % 9, "unit": "kg", "code": "kg"},
        }
    for number in range(count - 365 * YEARS):
        yield {
            "resourceType": "Condition",
            "id": f"c{number}",
            "code": {"text": f"Synthetic condition number {number % 977}"},
            "subject": {"reference": "Patient/p1"},
            "onsetDateTime": f"{1990 + number % 35}-{1 + number % 12:02}-{1 + number % 28:02}",
        }


def fill(session: Session, count: int) -> None:
    """Take the records in, file by file."""
    made = [{"resource": one} for one in entries(count)]
    for start in range(0, count, _PER_FILE):
        part = {"resourceType": "Bundle", "type": "collection", "entry": made[start : start + _PER_FILE]}
        collect(session, json.dumps(part).encode(), name=f"{start}.json", accept_person=True)


async def silence(work: Callable[[], object], *, threaded: bool) -> float:
    """Longest time in seconds in which the event loop did nothing else."""
    longest, running = 0.0, True

    async def watch() -> None:
        nonlocal longest
        before = time.perf_counter()
        while running:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, before = max(longest, now - before - 0.001), now

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    longest = 0.0
    if threaded:
        await asyncio.to_thread(work)
    else:
        work()
    await asyncio.sleep(0)
    running = False
    await watcher
    return longest


def lag(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median silence in a thread, and as a share of the silence inline."""
    pairs = [
        (asyncio.run(silence(work, threaded=True)), asyncio.run(silence(work, threaded=False)))
        for _ in range(rounds)
    ]
    middle = sorted(pairs)[len(pairs) // 2]
    return middle[0], sorted(own / inline for own, inline in pairs)[len(pairs) // 2]


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Measure the screens on a large vault.")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    keep_window_awake()
    with open_session() as session:
        fill(session, chosen.records)
        key = next(one.key for one in series_list(session) if one.title == "Weight")
        works: dict[str, Callable[[], object]] = {
            "timeline, first page of 50": lambda: timeline(session, limit=PAGE),
            "timeline, page in the middle": lambda: timeline(session, offset=chosen.records // 2, limit=PAGE),
            "search for a rare word": lambda: timeline(session, query="number 976", limit=PAGE),
            "search for a word of all": lambda: timeline(session, query="synthetic", limit=PAGE),
            "chart of ten years": lambda: series(session, key),
        }
        timings = side_by_side(works, rounds=chosen.rounds)
        print(f"{chosen.records} records in an encrypted store, {chosen.rounds} rounds")
        print(f"  {'':34} {'CPU ms':>10} {'wall ms':>10}")
        for name in works:
            own, gone = timings.seconds(name) * 1e3, timings.seconds(name, wall=True) * 1e3
            print(f"  {name:34} {own:10.1f} {gone:10.1f}")
        search = lag(works["search for a word of all"], chosen.rounds)
    file = large_bundle([])
    with open_session() as session:
        numbers = iter(range(1_000_000))

        def once() -> None:
            # Another text each time, so that each time everything is new.
            collect(session, file, name=f"{next(numbers)}.json", accept_person=True)
            session.store.records._engine.run("UPDATE record SET resource_id = resource_id || 'x'")

        taking = lag(once, 3)
    print_goals(
        [
            Goal("window silent in a search, ms", 16, search[0] * 1e3, code="G9"),
            Goal("window silent in an import, ms", 16, taking[0] * 1e3, code="G9b"),
            Goal("window silent in an import, % of inline", 5, taking[1] * 100, code="G9c"),
        ]
    )


if __name__ == "__main__":
    main()
