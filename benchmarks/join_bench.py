"""What may this recipient see now, of all in the encrypted store? One join beside asking each record.

Run: ``python -m benchmarks.join_bench [--rounds 7] [--records 50000]``

The grants and records of ``consent_bench``, the records lying in a real vault. All variants start from a
compiled plan and end with the numbers of the permitted records; they are compared before anything is timed.

The aim is our own: a vault too large to read at each delivery must not be read at each delivery.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.consent_bench import Bench, Variants, measure, ratio
from benchmarks.goals import Goal, print_goals
from consent.catalog import Catalog
from consent.facts import ResourceFacts
from consent.outcome import Permit
from consent.plan import Plan
from crypto.passphrase import Argon2Parameters
from pgo.bootstrap import build_application
from pgo.store.opening import create_vault
from pgo.usecases.facts import permitted_now
from pgo.usecases.session import Session

AIM = 10
_INSERT = (
    "INSERT INTO record (type, resource_id, origin, full_url, kind, title, detail, start_on, end_on, status,"
    " code, unit, value, value_text, search, self_authored, version_id, versions, raw_sha256, canonical,"
    " facts, source_id, stored_at) VALUES ('Observation', ?, '', '', 'measurement', 'Synthetic', '', '', '',"
    " '', '', '', '', '', '', 0, 0, 1, '', '', ?, ?, '')"
)


def fill(session: Session, facts: list[ResourceFacts]) -> None:
    """Put rows with these facts into the vault; their bytes do not matter here."""
    store, at = session.store, datetime.now(UTC)
    engine = store.records._engine
    with store.write(at):
        source = store.records.add_source("bench", sha256="", kind="file", size_bytes=0, at=at)
        engine.run_many(_INSERT, [(f"o{n}", one.to_json(), source) for n, one in enumerate(facts)])
        store.records.consent.put(store.records.consent.missing())


def variants(session: Session, plan: Plan, count: int) -> Variants:
    """Three ways to the same numbers."""

    def rows() -> list[tuple[int, ResourceFacts]]:
        return [(n, ResourceFacts.from_json(text)) for n, text in session.store.records.facts()]

    def join() -> set[int]:
        return set(permitted_now(session, plan))

    def sweep() -> set[int]:
        found = rows()
        permits = plan.permits(Catalog(one for _, one in found))
        return {number for (number, _), permit in zip(found, permits, strict=True) if permit is not None}

    def each() -> set[int]:
        return {number for number, one in rows() if isinstance(plan.decide(one), Permit)}

    assert join() == sweep() == each()
    made = {"join in the store": join, "read all, one sweep": sweep, "read all, one by one": each}
    return {name: (work, count) for name, work in made.items()}


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Measure the join of consent cells with the store.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--records", type=int, default=50_000)
    chosen = parser.parse_args()
    bench = Bench(chosen.records)
    with tempfile.TemporaryDirectory() as folder:
        cheap = Argon2Parameters(iterations=1)
        at = datetime.now(UTC)
        store, _ = create_vault(Path(folder) / "v", "only for measuring here", argon2=cheap, at=at)
        session = Session(build_application(Path(folder)), store, folder=Path(folder) / "v")
        fill(session, bench.facts)
        taken = measure(variants(session, bench.plan, chosen.records), chosen.rounds)
        session.lock()
    print(f"{chosen.records} records in an encrypted store, {chosen.rounds} rounds, CPU time")
    for name, seconds in taken.items():
        print(f"  {name:24} {statistics.median(seconds) * 1e6:12.3f} us a record")
    gain = ratio(taken, "read all, one sweep", "join in the store")
    print_goals([Goal("one join, times faster than reading all", AIM, gain, least=True)])


if __name__ == "__main__":
    main()
