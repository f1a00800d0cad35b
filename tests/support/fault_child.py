"""The process under fault: does one step of a scenario when told, and says truthfully how it went.

It speaks lines of JSON over a socket, not over a pipe: its answers are ``sendto`` calls, which no fault is
injected into, and which show in a trace where a change was acknowledged.
"""

from __future__ import annotations

import _strptime  # noqa: F401 - these three are needed late; loaded here, they are loaded once
import contextlib
import ctypes
import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import consent.plan_cells  # noqa: F401
import crypto.strength  # noqa: F401
from pgo.errors import AppError, StoreDamaged
from tests.support.fault_figures import PR_SET_PTRACER
from tests.support.fault_markers import day
from tests.support.fault_planted import PLANTED
from tests.support.fault_scenarios import ALL, Bench, Step, small_change

_ANY = ctypes.c_ulong(-1)


@dataclass(frozen=True)
class Order:
    """What a child has to do: which scenario, where, with which fault planted in the code itself.

    ``kill_at_progress``: the process kills itself when an import reports its progress for that time.
    """

    scenario: str
    place: Path
    code: str = ""
    planted: str = ""
    kill_at_progress: int = 0


def work(order: Order, line: socket.socket) -> None:
    """Run in a process of its own until told to stop; the parent may kill it at any moment."""
    sys.dont_write_bytecode = True  # compiled files would count among the calls that faults are counted in
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, _ANY, 0, 0, 0)
    with _planted(order.planted):
        bench = Bench(order.place, order.code, kill_at_progress=order.kill_at_progress)
        _serve(bench, {**ALL, "a day": day}[order.scenario](bench), line)


def _serve(bench: Bench, steps: list[Step], line: socket.socket) -> None:
    _say(line, ready=len(steps))
    for text in line.makefile("r", encoding="utf-8"):
        told = json.loads(text)
        if "step" in told:
            _say(line, **_outcome(bench, steps[told["step"]]))
        elif "forever" in told:
            _write_forever(bench, line)
        elif "reopen" in told:
            _say(line, **_outcome(bench, lambda: _reopen(bench)))
        else:
            _say(line, **_outcome(bench, bench.locked))
            return


def _reopen(bench: Bench) -> None:
    with contextlib.suppress(
        AppError
    ):  # locking may be what the fault hits; the vault is closed all the same
        bench.locked()
    bench.opened()


def _outcome(bench: Bench, step: Step) -> dict[str, Any]:
    try:
        learned = step()
    except AppError as exc:
        return {"error": exc.code, "reason": exc.reason if isinstance(exc, StoreDamaged) else ""}
    except Exception as exc:  # told to the parent, which counts it as an error without a type
        return {"error": "untyped", "reason": f"{type(exc).__name__} {getattr(exc, 'sqlite_errorname', '')}"}
    return {"done": learned if isinstance(learned, str) else "", "reports": bench.reports}


def _write_forever(bench: Bench, line: socket.socket) -> None:
    number = int(bench.opened().store.settings.get("fault.number") or 0)
    while True:
        number += 1
        small_change(bench.opened(), number)
        _say(line, wrote=number)


def _say(line: socket.socket, **words: Any) -> None:
    line.sendall(json.dumps(words).encode() + b"\n")


@contextlib.contextmanager
def _planted(name: str) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for target, replacement in PLANTED[name].items() if name else ():
            stack.enter_context(mock.patch(target, replacement))
        yield
