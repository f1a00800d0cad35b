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

import gc
import os
import sys
from typing import NoReturn

from pgo.health.record import cda, containers, documents, xml  # noqa: F401 - loaded before the limits
from pgo.health.record.reader import Refused, Resource, SetAside, read_pieces, read_records
from pgo.usecases.child_limits import limit_memory, limit_time, refuse_power
from pgo.usecases.intake_frames import Aside, Counted, Finished, Refusal, Taken, read_task, write_frame


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
