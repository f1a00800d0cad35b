"""Destroy a vault: first what could open it, then what is left.

The folder is renamed out of the list in one step; a crash after that leaves a folder nobody offers, which
the next making of a vault removes (``founding.remove_half_made``).
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from pgo.store.files import shred, sync_folder
from pgo.store.founding import LOCK_NAME
from pgo.store.lockfile import VaultLock


def remove_vault(folder: Path) -> None:
    """Destroy a closed vault.

    Raises:
        VaultBusy: it is open somewhere; nothing changed.
        OSError: something could not be removed; the key slots are overwritten before everything else.
    """
    VaultLock(folder / LOCK_NAME).release()
    # Ends as an unfinished vault does, so that the same sweep finds it after a crash.
    gone = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.gone.new")
    folder.rename(gone)
    sync_folder(gone.parent)
    for path in sorted(gone.glob("vault.hdr*")):
        shred(path)
    for path in sorted(gone.iterdir()):
        if path.is_file() and path.name != LOCK_NAME:
            shred(path)
    shutil.rmtree(gone)
