"""What a process that looks at something from outside may do: little, and not for long.

Source: threat model, import; POSIX setrlimit.
"""

from __future__ import annotations

import contextlib
import sys

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
