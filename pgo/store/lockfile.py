"""One process per vault: a lock the operating system gives back when the process dies, however it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pgo.errors import VaultBusy
from pgo.store.files import FILE_MODE


class VaultLock:
    """Exclusive lock on a file in the vault folder; held until ``release`` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            VaultBusy: another process, or another session of this one, holds it.
        """
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            _take(self._handle)
        except OSError as exc:
            os.close(self._handle)
            self._handle = None
            raise VaultBusy from exc

    def release(self) -> None:
        """Give the lock back; safe to call twice. The file stays: removing it would race with the next."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


if sys.platform == "win32":  # pragma: no cover - the build box runs Linux
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
