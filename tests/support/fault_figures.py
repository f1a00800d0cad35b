"""One line of figures per harness, printed at the end of the run, and the tools those harnesses need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

figures: dict[str, str] = {}
"""Name of the harness to what it counted; a harness that ran writes its line here."""


def lines() -> list[str]:
    """The lines for the end of the run, in the order in which the harnesses ran."""
    return [f"{name}: {counted}" for name, counted in figures.items()]


def missing_tool() -> str:
    """Why system calls cannot be watched here, '' when they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(
        ["strace", "-qq", "-o", "/dev/null", "-e", "trace=fsync", sys.executable, "-S", "-c", ""],
        capture_output=True,
        timeout=60,
    )
    return "" if done.returncode == 0 else "strace may not trace here"


def require_strace() -> None:
    """Skip where strace is absent; fail there when ``PGO_REQUIRE_FAULT_TOOLS`` says it has to be there."""
    reason = missing_tool()
    if reason and os.environ.get("PGO_REQUIRE_FAULT_TOOLS") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(f"{reason}: faults of single system calls cannot be made")
