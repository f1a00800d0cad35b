"""Read files from outside in a process of their own, so that a hostile file costs that process and no more.

Rules:

1. One process reads one file and ends. The next one is started then, while the app stores what was read, so
   that its start costs the person nothing; it holds nothing but loaded code, and ends when the app does.
2. Everything goes through pipes: no byte of a file touches the disk.
3. A process that overruns its time, dies or says something unexpected is killed, and the file is refused with
   ``reader_stopped``. The vault has not been touched then.
4. ``cancelled`` is asked ten times a second; yes kills the process and refuses with ``cancelled``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, TypeAlias, cast

from crypto.canonical import parse_strict
from crypto.errors import Malformed
from pgo.health.record.reader import MAX_FILE_BYTES, Refused, Resource, SetAside, gather
from pgo.health.record.resource import Intake
from pgo.usecases.intake_frames import (
    Aside,
    BrokenFrame,
    Counted,
    Finished,
    Refusal,
    Taken,
    Task,
    read_answer,
    write_frame,
)

Progress: TypeAlias = Callable[[int, int], None]

CHILD = ("-s", "-S", "-B", "-m", "pgo.usecases.intake_child")
LEAST_WALL_SECONDS = 60
WALL_SECONDS_PER_MEGABYTE = 3
_MEGABYTE = 1_000_000
_LOOK_SECONDS = 0.1
_MAX_RESOURCE_BYTES = 60_000_000
_MAX_DEPTH = 64


class ReaderProcess:
    """Reads files by child processes; safe to use from several threads."""

    def __init__(
        self, *, command: Sequence[str] = CHILD, least_wall_seconds: float = LEAST_WALL_SECONDS
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            command: What to start, after the interpreter.
            least_wall_seconds: Time a small file may take.
        """
        self._command = tuple(command)
        self._least_wall_seconds = least_wall_seconds
        self._guard = threading.Lock()
        self._spare: subprocess.Popen[bytes] | None = None
        self._closed = False

    def warm(self) -> None:
        """Start a process that waits for a file, if none does."""
        with self._guard:
            if self._closed:
                return
            if self._spare is not None and self._spare.poll() is not None:
                end_child(self._spare)
                self._spare = None
            self._spare = self._spare or start_child(self._command)

    def close(self) -> None:
        """End the waiting process; from here on none waits any more."""
        with self._guard:
            self._closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            end_child(spare)

    def read(
        self,
        data: bytes,
        *,
        name: str,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Intake:
        """Read every resource of one file; as ``pgo.health.record.reader.read_records``, in a child.

        Args:
            data: Untrusted bytes.
            name: Its name as picked.
            on_progress: Called with (done, total) entries, from this thread.
            cancelled: Asked now and then whether to stop, from another thread.

        Raises:
            Refused: Nothing can be used; ``reader_stopped`` (rule 3) and ``cancelled`` (rule 4) included.
        """
        if len(data) > MAX_FILE_BYTES:
            raise Refused("too_large", f"more than {MAX_FILE_BYTES} bytes")
        process = self._take()
        seconds = max(self._least_wall_seconds, WALL_SECONDS_PER_MEGABYTE * len(data) / _MEGABYTE)
        asked = cancelled or _never
        try:
            with _watched(process, seconds, asked):
                return _read(process, Task(name, data), on_progress or _silent)
        except (BrokenFrame, BrokenPipeError, ConnectionError) as exc:
            if asked():
                raise Refused("cancelled", "") from exc
            raise Refused("reader_stopped", "the reading process ended early") from exc
        finally:
            end_child(process)
            self.warm()

    def _take(self) -> subprocess.Popen[bytes]:
        """Take the waiting process, or start one when none waits."""
        with self._guard:
            spare, self._spare = self._spare, None
            if spare is not None and spare.poll() is not None:
                end_child(spare)
                spare = None
            return spare or start_child(self._command)


def start_child(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a child that knows where our code is and nothing else of this process."""
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    if sys.platform == "win32":
        environment["SYSTEMROOT"] = os.environ.get(
            "SYSTEMROOT", r"C:\Windows"
        )  # Python does not start without
    return subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        close_fds=True,
    )


def end_child(process: subprocess.Popen[bytes]) -> None:
    """End a child whatever it is doing, and its pipes with it."""
    with suppress(OSError):
        process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):  # what was still to be written has nobody to read it
                stream.close()
    process.wait()


@contextmanager
def _watched(
    process: subprocess.Popen[bytes], seconds: float, cancelled: Callable[[], bool]
) -> Iterator[None]:
    """Kill the process when its time is over or the person wants to stop."""
    over = threading.Event()

    def watch() -> None:
        looks = int(seconds / _LOOK_SECONDS)
        for _ in range(looks):
            if over.wait(_LOOK_SECONDS):
                return
            if cancelled():
                break
        process.kill()

    watcher = threading.Thread(target=watch, name="pgo-reader-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _read(process: subprocess.Popen[bytes], task: Task, report: Progress) -> Intake:
    source, sink = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
    write_frame(source, task)
    source.flush()
    pieces: list[Resource | SetAside] = []
    while True:
        answer = read_answer(sink)
        match answer:
            case Counted():
                report(answer.done, answer.total)
            case Taken():
                pieces.append(_resource(answer))
            case Aside():
                pieces.append(_aside(answer))
            case Refusal():
                raise Refused(answer.code, answer.detail)
            case Finished():
                return gather(answer.form, iter(pieces))


def _resource(taken: Taken) -> Resource:
    """Decode the bytes once more: what the store keeps never rests on the child's word."""
    try:
        body = parse_strict(taken.raw, max_bytes=_MAX_RESOURCE_BYTES, max_depth=_MAX_DEPTH)
    except Malformed as exc:
        raise BrokenFrame from exc
    if not isinstance(body, dict) or body.get("resourceType") != taken.type or body.get("id") != taken.id:
        raise BrokenFrame
    return Resource(
        taken.raw, body, taken.type, taken.id, taken.full_url, taken.original, taken.original_format
    )


def _aside(told: Aside) -> SetAside:
    return SetAside(told.entry, told.type, told.id, told.code, told.detail, told.raw, told.full_url)


def _never() -> bool:
    return False


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
