"""The process that reads one file from outside, with little power and little time. Run by ``intake_process``.

Rules:

1. It reads one task from its standard input, answers on its standard output and ends. It is given no key, no
   folder and no environment; it opens nothing for writing, no connection and no other process.
2. Limits come before the first byte of the file: 512 MiB of memory, 10 s of computing (a second more for each
   megabyte beyond ten), no file of any size, no memory image. Where the platform has no such limits (Windows)
   the app's own wall clock and the size limits of the reader are what holds; see docs/intake.md.
3. A file it cannot read is answered with a reason. A fault of our own ends the process, and the app says so.

Sources: threat model, import; POSIX setrlimit.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import NoReturn

from pgo.health.record import cda, containers, documents, xml  # noqa: F401 - loaded before the limits
from pgo.health.record.reader import Refused, Resource, SetAside, read_pieces, read_records
from pgo.usecases.intake_frames import Aside, Counted, Finished, Refusal, Taken, read_task, write_frame

MEMORY_BYTES = 512 * 1024 * 1024
LEAST_CPU_SECONDS = 10
_MEGABYTE = 1_000_000
# Audit events of Python (https://docs.python.org/3/library/audit_events.html) that reading never needs.
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "ctypes.",
)
_WRITING = frozenset("wax+")


def cpu_seconds(size_bytes: int) -> int:
    """Give the computing time for a file of this size."""
    return max(LEAST_CPU_SECONDS, size_bytes // _MEGABYTE)


def limit_memory() -> None:
    """Set the limits that do not depend on the file; does nothing where the platform has none."""
    if sys.platform == "win32":
        return
    import resource

    for kind, amount in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS knows some of them by name only
            resource.setrlimit(kind, (amount, amount))


def limit_time(size_bytes: int) -> None:
    """Set the computing time, counted from now."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + cpu_seconds(size_bytes)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def refuse_power() -> None:
    """From here on every attempt to write, connect or start something ends the attempt with an error."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(event)
    if event == "open" and isinstance(mode := arguments[1], str) and _WRITING & set(mode):
        raise PermissionError(event)


def serve() -> None:
    """Read the one task and answer it."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    task = read_task(source)
    if task is None:
        return
    limit_time(len(task.data))
    refuse_power()
    try:
        form, pieces = read_pieces(task.data, name=task.name, report=_count)
        for piece in pieces:
            write_frame(sink, _told(piece))
        write_frame(sink, Finished(form))
    except Refused as exc:
        write_frame(sink, Refusal(exc.code, exc.detail))
    except MemoryError:
        gc.collect()
        write_frame(sink, Refusal("too_large", "needs too much memory"))
    sink.flush()


def _count(done: int, total: int) -> None:
    write_frame(sys.stdout.buffer, Counted(done, total))
    sys.stdout.buffer.flush()


def _told(piece: Resource | SetAside) -> Taken | Aside:
    if isinstance(piece, Resource):
        return Taken(piece.raw, piece.type, piece.id, piece.full_url, piece.original, piece.original_format)
    return Aside(piece.entry, piece.type, piece.id, piece.code, piece.detail, piece.raw, piece.full_url)


def load_tables() -> None:
    """Read one small resource of each kind of file, so that nobody waits for our own tables later."""
    body = b'{"resourceType":"Condition","assertedDate":"2017","subject":{"display":"-"}}'
    read_records(body, name="")
    read_records(b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>', name="")


def main() -> NoReturn:
    """Run as a process of its own."""
    load_tables()
    limit_memory()
    serve()
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing is left to put in order, and tearing down a large heap takes time


if __name__ == "__main__":
    main()
