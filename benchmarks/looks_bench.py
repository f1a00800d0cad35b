"""How many looks does a recipient give when several clinicians look at once, and who waits for whom?

Run: ``python -m benchmarks.looks_bench [--records 200] [--looks 240]``

N threads of one process open patients' pages in turn, each look decided, recorded and committed; on SQLCipher
and on PostgreSQL with its durability left on. The pages themselves are not rendered. Then the one figure that
is compared: how long a look takes while another one is being chosen from for a second, in times of the same
look alone; a look that waited for the other would take hundreds of times as long.

And what the first look at a long record takes, beside the same look again.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.goals import Goal, print_goals
from benchmarks.recipient_bench import opened_stores
from recipient import audit
from recipient.accounts import Account
from recipient.audit_check import verify_all
from recipient.holdings import holding_of
from recipient.identity import load_identity
from recipient.look import Item, Look
from recipient.reading import Reader
from recipient.store import Store
from tests.support import clinical
from tests.support.recipient_direct import AT, a_patient_of, push

READERS: Final = (1, 4, 8)
PATIENTS: Final = 8
LONG: Final = 10_000
PART: Final = 1_000


@dataclass(frozen=True)
class Held:
    """A look that is being chosen from until it may go on."""

    inside: threading.Event
    go_on: threading.Event

    def choose(self, look: Look) -> Held:
        """Choose nothing, slowly."""
        self.inside.set()
        if not look.items or not self.go_on.wait(timeout=60):
            raise SystemExit("the benchmark does not measure what it says")
        return self

    @property
    def items(self) -> tuple[Item, ...]:
        """Nothing was taken."""
        return ()


def sharing(store: Store, number: int, records: int) -> str:
    """Let a patient share; return the handle."""
    patient = a_patient_of(store, number)
    observations = [clinical.lab(f"l{n}", "2026-01-05", str(5 + n % 7)) for n in range(records)]
    whole: list[dict[str, Any] | bytes] = [clinical.patient(), *observations]
    for start in range(0, len(whole), PART):
        push(store, patient, whole[start : start + PART])
    holding = holding_of(store, patient.sub)
    if holding is None:
        raise SystemExit("the benchmark does not measure what it says")
    return holding.handle


def looks_per_second(look: Callable[[int], object], readers: int, looks: int) -> float:
    """Let readers look; return how many looks all of them had in a second."""
    with ThreadPoolExecutor(readers) as pool:
        start = time.perf_counter()
        list(pool.map(look, range(looks)))
        return looks / (time.perf_counter() - start)


def beside_another(reader: Reader, account: Account, handles: list[str]) -> float:
    """Return what a look takes while another one is held, in times of what it takes alone."""
    alone = statistics.median(took(lambda: reader.open_record(account, handles[1], at=AT)) for _ in range(20))
    held = Held(threading.Event(), threading.Event())
    other = threading.Thread(
        target=reader.choose,
        args=(account, handles[0]),
        kwargs={"action": audit.API_SEARCH, "choose": held.choose, "at": AT},
    )
    other.start()
    held.inside.wait(timeout=60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(took, lambda: reader.open_record(account, handles[1], at=AT))
        threading.Timer(1.0, held.go_on.set).start()
        seconds = waiting.result(timeout=120)
    other.join()
    return seconds / alone


def took(work: Callable[[], object]) -> float:
    """Return the seconds something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(name: str, store: Store, account: Account, *, records: int, looks: int) -> Goal:
    """Measure one store and print its lines."""
    handles = [sharing(store, number, records) for number in range(1, PATIENTS + 1)]
    reader = Reader(store, load_identity(store))
    for handle in handles:
        reader.open_record(account, handle, at=AT)
    for readers in READERS:
        each = looks_per_second(
            lambda n: reader.open_record(account, handles[n % PATIENTS], at=AT), readers, looks
        )
        one = looks_per_second(lambda _: reader.open_record(account, handles[0], at=AT), readers, looks)
        print(
            f"  {name:>10}, {readers} readers: {each:6.0f} looks/s at {PATIENTS} patients, {one:6.0f} at one"
        )
    times = beside_another(reader, account, handles)
    if verify_all(store).faults:
        raise SystemExit("a chain of looks is broken")
    return Goal(f"{name}: a look beside one that takes a second, times alone", 20, times)


def first_look(store: Store, account: Account) -> Goal:
    """Print what the first and the next look at a long record take; compare with facts found at the look."""
    handle = sharing(store, 999, LONG - 1)

    def opened() -> Reader:
        reader = Reader(store, load_identity(store))
        reader.open_record(account, handle, at=AT)
        return reader

    opened()  # what is remembered of codes and words is there before anything is compared
    kept = min(spent(opened) for _ in range(3))
    first = took(opened)
    reader = opened()
    again = took(lambda: reader.open_record(account, handle, at=AT))
    store.run("UPDATE resource SET facts = NULL")
    found_anew = min(spent(opened) for _ in range(3))
    print(
        f"  first look at {LONG} records of 0.4 kB: {first:.2f} s, {kept:.2f} s of CPU; "
        f"facts found at the look: {found_anew:.2f} s of CPU; looked at again: {again:.3f} s"
    )
    return Goal("first look at small records, times without kept facts (CPU)", 1, kept / found_anew)


def spent(work: Callable[[], object]) -> float:
    """Return the seconds of CPU something takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description="Measure looks side by side.")
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--looks", type=int, default=240)
    chosen = parser.parse_args()
    goals = []
    with ExitStack() as stack:
        stores = opened_stores(stack, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stores.pop("SQLite")
        for name, store in stores.items():
            account = Account(1, "dewit", "S. de Wit", "internist")
            goals.append(measure(name, store, account, records=chosen.records, looks=chosen.looks))
            goals.append(first_look(store, account))
    print_goals(goals)


if __name__ == "__main__":
    main()
