"""What does a start load, and how long is it until a person can do something? (G18)

Run: ``python -m benchmarks.start_bench [--rounds 7] [--no-browser]``

Imports are measured in fresh interpreters, side by side: the names of Flet that our screens use; our app up
to its first screen; and everything at once, with the libraries that the app loads only when it needs them.
Then the real thing, if a browser is there: from ``pgo demo`` to the first button on screen. The first start
in a new folder makes the clinic and the example person and is shown apart; the aim is about every later one.
The browser runs already, as it does on a person's computer, and keeps nothing from the round before.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.goals import Goal, print_goals
from tests.support.flet_ui import ARGS, find_browser

PROJECT = Path(__file__).resolve().parents[1]
GOAL_SECONDS = 3.0
FIRST_BUTTON = "flt-semantics[role=button]"


LATE = ("fhir.resources.R4B", "pydantic", "httpx", "jwt", "zxcvbn", "fastapi", "jinja2", "recipient.service")
NOT_AT_START = {"fhir", "pydantic", "httpx", "duckdb", "fastapi", "zxcvbn", "jinja2", "jwt"}
_APP = "import pgo.bootstrap, pgo.ui.host, pgo.ui.app, pgo.ui.screens.start, pgo.ui.screens.unlock\n"
_REPORT = """
import json, re, sys, time
used = time.process_time()
status = open("/proc/self/status").read() if sys.platform == "linux" else "VmRSS: 0 kB"
size = int(re.search("VmRSS:[^0-9]*([0-9]+)", status)[1]) / 1024
print(json.dumps([used, size, sorted({name.partition('.')[0] for name in sys.modules})]))
"""


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description="Measure the start of the app.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-browser", action="store_true", help="measure the imports only")
    chosen = parser.parse_args()
    goals = imports(chosen.rounds)
    executable = None if chosen.no_browser else find_browser()
    if executable is None:
        print("  no browser: the start itself is not measured")
    else:
        goals.append(started(executable, chosen.rounds))
    print_goals(goals)


def imports(rounds: int) -> list[Goal]:
    """Load in fresh interpreters: Flet alone, the app, everything."""
    flet = f"import flet as ft\n[getattr(ft, name) for name in {flet_names()!r}]\n"
    programs = {
        "nothing": "",
        "Flet, the names we use": flet,
        "app, to its first screen": flet + _APP,
        "everything at once": flet + _APP + "".join(f"import {name}\n" for name in LATE),
    }
    found: dict[str, list[tuple[float, float, set[str]]]] = {name: [] for name in programs}
    for number in range(rounds):
        turn = number % len(programs)
        for name in [*programs][turn:] + [*programs][:turn]:
            found[name].append(fresh(programs[name]))
    print(f"  {'':28} {'CPU ms':>10} {'MB':>8}")
    for name, taken in found.items():
        cpu, size = (statistics.median(one[place] for one in taken) for place in (0, 1))
        print(f"  {name:28} {cpu * 1e3:10.0f} {size:8.1f}")
    ours = found["app, to its first screen"]

    def ratio(other: str) -> float:
        return statistics.median(a[0] / b[0] for a, b in zip(ours, found[other], strict=True))

    return [
        Goal("imports of the app, times Flet alone", 1.15, ratio("Flet, the names we use"), code="G18"),
        Goal("imports of the app, times all at once", 0.35, ratio("everything at once"), code="G18b"),
        Goal(
            "memory at the first screen, MB (Linux)",
            45,
            statistics.median(one[1] for one in ours),
            code="G18c",
        ),
        Goal("libraries loaded too early", 0, len(ours[0][2] & NOT_AT_START), code="G18d"),
    ]


def flet_names() -> list[str]:
    """Names of Flet that our screens use, as they are written there."""
    used: set[str] = set()
    for path in sorted((PROJECT / "pgo" / "ui").rglob("*.py")):
        used.update(re.findall(r"\bft\.([A-Za-z]\w*)", path.read_text("utf-8")))
    return sorted(used)


def fresh(program: str) -> tuple[float, float, set[str]]:
    """CPU seconds, memory in MB and modules of a new interpreter that runs this program."""
    command = [sys.executable, "-c", program + _REPORT]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True, text=True)
    cpu, size, modules = json.loads(done.stdout.splitlines()[-1])
    return cpu, size, set(modules)


def started(executable: str, rounds: int) -> Goal:
    """Start the demonstration again and again, with a browser."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGS)
        first = one_start(browser, folder)
        later = [one_start(browser, folder) for _ in range(rounds)]
        browser.close()
    link, screen = (statistics.median(column) for column in zip(*later, strict=True))
    print(f"  {'':28} {'link (s)':>10} {'first screen (s)':>18}")
    print(f"  {'first start':28} {first[0]:10.2f} {first[1]:18.2f}")
    print(f"  {'later, median':28} {link:10.2f} {screen:18.2f}")
    return Goal("start to the first button, s", GOAL_SECONDS, screen)


def one_start(browser: Browser, folder: str) -> tuple[float, float]:
    """Seconds from the command to the link, and to the first button on screen."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "pgo", "demo", "--data", folder, "--no-browser"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            link = next(
                found[0] for line in process.stdout or () if (found := re.search(r"http\S+launch\S+", line))
            )
            linked = time.perf_counter() - started
            page = browser.new_page()
            page.goto(link)
            page.wait_for_selector(FIRST_BUTTON, state="attached")
            shown = time.perf_counter() - started
            page.context.close()
        finally:
            process.terminate()
    return linked, shown


if __name__ == "__main__":
    main()
