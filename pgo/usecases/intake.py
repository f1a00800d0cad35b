"""How a file from outside is read: in a process of its own where the platform can, else here.

``FileReader`` is what the use cases ask. ``ReaderHere`` reads inside the app: it keeps every limit of size,
depth and count, but a hostile file costs the app its computing time and memory. It is for platforms that
start no processes (phones) and for tests; ``pgo.usecases.intake_process.ReaderProcess`` is for all others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from pgo.health.record.resource import Intake

Progress: TypeAlias = Callable[[int, int], None]


class FileReader(Protocol):
    """Reads one file at a time."""

    def read(
        self,
        data: bytes,
        *,
        name: str,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Intake:
        """Read every resource of a file.

        Args:
            data: Untrusted bytes.
            name: Its name as picked.
            on_progress: Called with (done, total) entries, from this thread.
            cancelled: Asked now and then whether to stop.

        Raises:
            Refused: Nothing can be used; ``cancelled`` when asked to stop.
        """
        ...

    def warm(self) -> None:
        """Get ready for a file that is likely to come."""
        ...

    def close(self) -> None:
        """Give back what waits."""
        ...


class ReaderHere:
    """Reads inside the app."""

    def read(
        self,
        data: bytes,
        *,
        name: str,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Intake:
        """Read a file; see ``FileReader.read``."""
        from pgo.health.record.reader import Refused, read_records  # few sessions read a file

        def report(done: int, total: int) -> None:
            if cancelled is not None and cancelled():
                raise Refused("cancelled", "")
            if on_progress is not None:
                on_progress(done, total)

        return read_records(data, name=name, on_progress=report)

    def warm(self) -> None:
        """Nothing to get ready."""

    def close(self) -> None:
        """Nothing to give back."""
