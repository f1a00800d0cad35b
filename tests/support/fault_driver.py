"""The parent of a process under fault: starts it, tells it what to do, watches its system calls, kills it.

Children come from a fork server that has everything loaded, so that a run costs a fork and not a start of
the interpreter. ``strace`` is attached after the child is ready: calls are counted from the first step on.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import multiprocessing.reduction  # teaches sockets how to travel to a child
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.fault_child import Order, work

PATIENCE_SECONDS = 90.0
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.fault_child", "tests.support.sync_process"])


class Gone(Exception):
    """The child died before it answered."""


@dataclass
class Child:
    """One process under fault."""

    process: Any
    _line: socket.socket
    _answers: Any
    steps: int = 0
    tracers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def tell(self, **words: Any) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._line.sendall(json.dumps(words).encode() + b"\n")

    def answer(self) -> dict[str, Any]:
        """The next answer.

        Raises:
            Gone: there is none and never will be.
        """
        try:
            text = self._answers.readline()
        except ConnectionResetError:
            text = ""
        if not text.endswith("\n"):
            raise Gone
        return dict(json.loads(text))

    def ask(self, **words: Any) -> dict[str, Any]:
        self.tell(**words)
        return self.answer()

    def kill(self) -> None:
        self.process.kill()

    def attach(self, *options: str, output: str = os.devnull) -> None:
        """Let ``strace`` watch the child's main thread, which is the one that does the steps."""
        tracer = subprocess.Popen(
            ["strace", "-p", str(self.pid), "-o", output, *options], stderr=subprocess.PIPE
        )
        self.tracers.append(tracer)
        assert tracer.stderr is not None
        told = tracer.stderr.readline()
        if b"attached" not in told:
            raise RuntimeError(f"strace says: {told.decode(errors='replace')}")

    def detach(self) -> None:
        """Stop watching; from here on nothing fails any more."""
        for tracer in self.tracers:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=PATIENCE_SECONDS)
        self.tracers.clear()

    def end(self) -> None:
        """Be rid of the child, whatever state it is in."""
        self.kill()
        self.process.join(PATIENCE_SECONDS)
        for tracer in self.tracers:
            tracer.communicate(timeout=PATIENCE_SECONDS)
        self.tracers.clear()
        self._answers.close()
        self._line.close()
        self.process.close()


@contextlib.contextmanager
def child(order: Order) -> Iterator[Child]:
    """Start a child; it has opened what its scenario starts from and waits for the first step."""
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_SECONDS)
    process = CONTEXT.Process(target=work, args=(order, theirs))
    process.start()
    theirs.close()
    started = Child(process, ours, ours.makefile("r", encoding="utf-8"))
    try:
        started.steps = started.answer()["ready"]
        yield started
    finally:
        started.end()


@dataclass(frozen=True)
class Fault:
    """One injected fault: the ``number``-th call of ``call`` (and all after it, when ``lasting``)."""

    call: str
    effect: str
    number: int
    lasting: bool = False

    def __str__(self) -> str:
        return f"{self.effect} at {self.call} {self.number}{'+' if self.lasting else ''}"

    def options(self, folder: Path) -> list[str]:
        effect = "signal=KILL" if self.effect == "KILL" else f"error={self.effect}"
        when = f"{self.number}{'+' if self.lasting else ''}"
        return ["-e", f"trace={self.call}", "-e", f"inject={self.call}:{effect}:when={when}"]


def count_calls(started: Child, calls: tuple[str, ...], report: Path) -> dict[str, int]:
    """Do all steps without a fault and count the calls that could have failed."""
    started.attach("-e", f"trace={','.join(calls)}", output=str(report))
    for step in range(started.steps):
        answer = started.ask(step=step)
        if "error" in answer:
            raise RuntimeError(f"step {step} fails without any fault: {answer}")
    started.detach()
    names = [line.partition("(")[0] for line in report.read_text(errors="replace").splitlines()]
    return {call: names.count(call) for call in calls}
