"""Makes the planned backups by itself while a vault is open: after a change, when the newest is old enough.

It works in a thread of its own and holds nobody up: the copy is made beside the connection that everybody
uses. What goes wrong (a drive that is not there, a full disk) is kept for the screens, and tried again.
"""

from __future__ import annotations

import logging
import threading

from pgo.config import LONGEST_PAUSE_SECONDS
from pgo.errors import AppError, Locked
from pgo.usecases.session import Session

SETTLE_SECONDS = 20.0
"""After a change: several in a row make one backup."""

_log = logging.getLogger("pgo.backup")


class BackupKeeper:
    """Looks after every change, and once in a while, whether the plan asks for a backup."""

    def __init__(self, session: Session, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._session = session
        self._settle_seconds = settle_seconds
        self._changed = threading.Event()
        self._locked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pgo-backup-keeper", daemon=True)

    def start(self) -> None:
        """Begin; ends by itself when the vault is locked."""
        self._session.on_change(self._changed.set)
        self._session.on_lock(self._end)
        self._thread.start()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the end. Returns whether it has ended."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _end(self) -> None:
        self._locked.set()
        self._changed.set()

    def _run(self) -> None:
        while not self._locked.wait(self._settle_seconds):
            self._changed.clear()
            try:
                self._one_pass()
            except Locked:
                return
            except AppError as exc:
                # The screens say that the newest backup is old, or its folder away; here it must not spin.
                _log.warning("planned_backup_failed code=%s", exc.code)
            self._changed.wait(LONGEST_PAUSE_SECONDS)

    def _one_pass(self) -> None:
        if self._session.store.settings.get("backup_plan") is None:
            return  # nothing was ever planned: the backup parts need not even be loaded
        from pgo.usecases.backup_plan import run_plan

        run_plan(self._session)
