"""One backup at a time, and none across a lock: closing a vault stops the backup that runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pgo.errors import BackupRefused
from pgo.store.backup_open import OnProgress


class BackupGate:
    """Lets one backup in and tells it to stop when the vault closes."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._closing = threading.Event()

    @contextmanager
    def turn(self, on_progress: OnProgress) -> Iterator[OnProgress]:
        """Take the turn; what is yielded is told how far it is, and raises when it is time to stop.

        Raises:
            BackupRefused: ``backup_running``, another one has the turn; ``backup_stopped``, too late.
        """
        if not self._turn.acquire(blocking=False):
            raise BackupRefused("backup_running")
        try:
            self._step(on_progress, "copy", 0, 0)
            yield lambda phase, done, total: self._step(on_progress, phase, done, total)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Stop the one that runs, and whoever comes later; returns when it has ended. Safe to call twice."""
        self._closing.set()
        with self._turn:
            return

    def _step(self, on_progress: OnProgress, phase: str, done: int, total: int) -> None:
        if self._closing.is_set():
            raise BackupRefused("backup_stopped")
        on_progress(phase, done, total)
