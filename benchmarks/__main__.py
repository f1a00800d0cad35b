"""Run every benchmark of this folder, each in a process of its own, and say which failed.

Run: ``make bench``, or ``python -m benchmarks [--records FILE] [NAME...]``

Without a file of records the invented person of the demonstration is read and stored.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pgo.health.demo import demo_bundle

HERE = Path(__file__).parent
NEED_RECORDS = frozenset({"import_bench", "store_bench"})


def main() -> int:
    """Run them one after the other; the exit status says whether all ran."""
    names = sorted(path.stem for path in HERE.glob("*_bench.py"))
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(names)}")
    parser.add_argument("--records", type=Path, help="a FHIR bundle to read and store")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(names)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        records = chosen.records
        if records is None:
            records = Path(folder) / "demo.json"
            records.write_bytes(demo_bundle(datetime.now(UTC).date()))
        failed = [name for name in chosen.names or names if _run(name, records)]
    for name in failed:
        print(f"failed: {name}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, records: Path) -> int:
    print(f"\n== {name}", flush=True)
    extra = [str(records)] if name in NEED_RECORDS else []
    return subprocess.call([sys.executable, "-m", f"benchmarks.{name}", *extra], cwd=HERE.parent)


if __name__ == "__main__":
    raise SystemExit(main())
