"""Shared fixtures. Data tests skip with a clear reason where the shared data folder is absent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same cases on every machine, and no verdict by stopwatch on a busy one. `--hypothesis-profile=night`
# looks for new cases.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("night", deadline=None, max_examples=2_000)
settings.load_profile("steady")

pytest_plugins = ["tests.support.node_modules", "tests.support.recipient_fixtures"]
PROJECT = Path(__file__).resolve().parents[1]
_FAULTS = "tests.support.fault_figures"
SHARED_DATA = PROJECT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real test input (see its README); lies beside the project, never inside it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared test data folder ../shared/data is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server of this test process; skips, or fails with PGO_REQUIRE_POSTGRES, where none is."""
    from tests.support.postgres import running_cluster

    with running_cluster() as cluster:
        yield cluster


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Programs tried in this process close their files to others; for the next test that is undone."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the run is spread over processes, hand the figures of this one to the one that prints them."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["drawn"] = dict(laws.drawn) if (laws := sys.modules.get("tests.support.laws")) else {}
        output["figures"] = dict(faults.figures) if (faults := sys.modules.get(_FAULTS)) else {}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the figures of a process that is done."""
    from tests.support import fault_figures, laws

    output = getattr(node, "workeroutput", {})
    laws.drawn.update(output.get("drawn", {}))
    fault_figures.figures.update(output.get("figures", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many random cases of consent and how many faults this run checked, when it checked any."""
    laws = sys.modules.get("tests.support.laws")
    if laws is not None and laws.drawn:
        terminalreporter.write_line(laws.summary())
    faults = sys.modules.get(_FAULTS)
    for line in faults.lines() if faults is not None else ():
        terminalreporter.write_line(line)
