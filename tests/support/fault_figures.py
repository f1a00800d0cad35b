"""One line of figures per harness, printed at the end of the run, and the tools those harnesses need."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys

import pytest

PR_SET_PTRACER = 0x59616D61
"""prctl(2): with it a process under fault lets the tracer attach where Yama restricts that."""

figures: dict[str, str] = {}
"""Name of the harness to what it counted; a harness that ran writes its line here."""


def lines() -> list[str]:
    """The lines for the end of the run, in the order in which the harnesses ran."""
    return [f"{name}: {counted}" for name, counted in figures.items()]


_PROBE = f"""
import ctypes, sys
ctypes.CDLL(None).prctl({PR_SET_PTRACER:#x}, ctypes.c_ulong(-1), 0, 0, 0)
print("ready", flush=True)
sys.stdin.read()
"""


@functools.cache
def missing_tool() -> str:
    """Why system calls cannot be watched here, '' when they can: found out by watching a process."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    command = [sys.executable, "-S", "-c", _PROBE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as probe:
        assert probe.stdout is not None
        assert probe.stdin is not None
        probe.stdout.readline()
        watcher = subprocess.Popen(
            ["strace", "-p", str(probe.pid), "-o", os.devnull, "-e", "trace=fsync"], stderr=subprocess.PIPE
        )
        assert watcher.stderr is not None
        told = watcher.stderr.readline()
        probe.stdin.close()
        watcher.communicate(timeout=60)
    return "" if b"attached" in told else "strace may not attach to a process here"


def require_strace() -> None:
    """Skip where strace is absent; fail there when ``PGO_REQUIRE_FAULT_TOOLS`` says it has to be there."""
    reason = missing_tool()
    if reason and os.environ.get("PGO_REQUIRE_FAULT_TOOLS") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(f"{reason}: faults of single system calls cannot be made")
