"""Run every benchmark of this folder, each in a process of its own, and say which failed.

Run: ``make bench``, or ``python -m benchmarks [--table] [NAME...]``

With ``--table`` the goals and what was measured replace the table in the README.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.goals import RESULTS, as_markdown, read_results

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
START, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


def main() -> int:
    """Run them one after the other; the exit status says whether all ran."""
    names = sorted(path.stem for path in HERE.glob("*_bench.py"))
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(names)}")
    parser.add_argument("--table", action="store_true", help="write the table of the README")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(names)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.ndjson"
        failed = [name for name in chosen.names or names if _run(name, results)]
        table = as_markdown(read_results(results))
    print(f"\n{table}")
    if chosen.table:
        _write(table)
    for name in failed:
        print(f"failed: {name}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, results: Path) -> int:
    print(f"\n== {name}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    return subprocess.call(command, cwd=HERE.parent, env={**os.environ, RESULTS: str(results)})


def _write(table: str) -> None:
    """Put the table between its marks in the README, with where and when it was measured."""
    before, _, rest = README.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    cores = os.cpu_count()
    told = (
        f"Measured {datetime.now(UTC).date()}, Python {platform.python_version()}, {platform.machine()},"
        f" {cores} cores."
    )
    README.write_text(f"{before}{START}\n{told}\n\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
