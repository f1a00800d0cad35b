"""Files of a vault: a crash at any instant leaves the old or the new one; only their owner reads them.

Rules:
1. ``save_atomically``: write ``.new``, fsync, read back and compare, keep the old one as ``.prev``, rename,
   fsync the folder. 178 interruptions of this order left nobody locked out, a plain overwrite 9 times
   (guide security 3.2).
2. Folders are 0700, files 0600, whatever the umask says.
3. What the disk refuses is ``StoreFull`` or ``DiskFailed`` (``disk_errors``): an error of the operating
   system carries a path, and a path may carry a name.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pgo.errors import DiskFailed, StoreDamaged, StoreFull

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_CHUNK_BYTES = 1 << 20
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def make_private_folder(folder: Path) -> None:
    """Make a folder (and its parents) that only its owner can open; a power loss does not take it back."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    for path in missing:
        sync_folder(path.parent)


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Say what the disk refused without the path it refused it for.

    Raises:
        StoreFull: no room, no quota, or a limit on the size of a file.
        DiskFailed: anything else: a broken or removed disk, no permission, too many open files.
    """
    try:
        yield
    except OSError as exc:
        raise (StoreFull if exc.errno in _NO_ROOM else DiskFailed) from None


def previous(path: Path) -> Path:
    """Where ``save_atomically`` keeps the version before."""
    return path.with_name(path.name + ".prev")


def save_atomically(path: Path, data: bytes, *, keep_current: bool = True) -> None:
    """Replace a small file so that a crash leaves the old or the new content.

    Args:
        path: of the file.
        data: its new content.
        keep_current: False when the present file is torn and the one before it is the good one.

    Raises:
        StoreDamaged: the disk gave back something else than was written (``header``); the old file stays.
        OSError: the disk is full or gone; the old file stays.
    """
    fresh = path.with_name(path.name + ".new")
    _write_private(fresh, data)
    if fresh.read_bytes() != data:
        raise StoreDamaged("header")
    if keep_current and path.exists():
        before = previous(path)
        before.unlink(missing_ok=True)
        _link_or_copy(path, before)
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power loss; a no-op where folders cannot be opened (Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def shred(path: Path) -> None:
    """Overwrite a file once, sync, remove it; a missing one is fine.

    What counts is that no key to it exists any more; overwriting is for the copies we can reach. Flash
    memory, snapshots and copying file systems keep others, and so do backups (NIST SP 800-88 rev. 1 on
    cryptographic erase).
    """
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as stream:
            left = path.stat().st_size
            while left > 0:
                left -= stream.write(os.urandom(min(_CHUNK_BYTES, left)))
            stream.flush()
            os.fsync(stream.fileno())
        path.unlink()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _write_private(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), FILE_MODE)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _link_or_copy(path: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        os.link(path, target)
        return
    _write_private(target, path.read_bytes())  # file systems without hard links (FAT, some network folders)
