"""Copies of a store in a file, and putting one back; on PostgreSQL ``pg_dump`` copies the data.

Promises:
1. a copy is a whole encrypted store without a single data key; it is proved by opening it before it gets its
   name, and an existing file is never overwritten;
2. the keys go into a file of their own, of which only the newest exists (``recipient.key_copy``);
3. putting back makes a new installation in an empty folder; what patients withdrew after the copy was made,
   and before the newest keys file was, opens nowhere and is erased.

What arrived after the copy was made is not in it. The patients' apps notice that and say so (``/v1/head``).
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from recipient.config import DATABASE_NAME, KEK_NAME, KEY_NAME, STORE_NAME
from recipient.errors import Busy, Unusable
from recipient.key_copy import KeyCopy, PutBack, data_keys_of, put_keys_back, read_key_copy, write_key_copy
from recipient.key_files import sync_folder, write_private
from recipient.store import open_store
from recipient.store_protocol import Store
from recipient.store_sqlcipher import SqlcipherStore, is_whole

_CHUNK_BYTES = 1024 * 1024
_TRIES = 3


def back_up(store: Store, folder: Path, *, to: Path, keys_to: Path) -> int:
    """Copy the data to a new file and the keys over the keys file.

    Args:
        store: open; may be in use by a running service.
        folder: of the installation.
        to: the file to make.
        keys_to: the keys file; what is there is replaced.

    Returns:
        Size of the copy in bytes.

    Raises:
        Unusable: ``not_a_file_store`` for PostgreSQL, ``backup_exists``, ``store_damaged`` when the copy does
            not open.
        Busy: the KEK was renewed each time it was tried.
    """
    if not isinstance(store, SqlcipherStore):
        raise Unusable("not_a_file_store")
    if to.exists():
        raise Unusable("backup_exists")
    working = folder / f"{STORE_NAME}.copy"  # beside the store, because for a moment it holds data keys
    try:
        keys = _copy_with_keks(store, folder / KEK_NAME, working)
        if not is_whole(working, store.secrets):
            raise Unusable("store_damaged")
        _copy_private(working, to)
    finally:
        _remove(working)
    write_key_copy(keys_to, keys)
    return to.stat().st_size


def copy_keys(store: Store, folder: Path, *, to: Path) -> int:
    """Write the keys file as it is now; return how many data keys are in it."""
    with store.transaction():  # so that no KEK is renewed between the two
        copy = KeyCopy(store.secrets.raw(), (folder / KEK_NAME).read_bytes(), data_keys_of(store))
    write_key_copy(to, copy)
    return len(copy.data_keys)


def put_back(
    folder: Path, *, keys_from: Path, copy: Path | None = None, database: str | None = None
) -> PutBack:
    """Make an installation out of a copy of the data and the newest keys file.

    Args:
        folder: empty or absent.
        keys_from: the keys file.
        copy: a file made by ``back_up``; or
        database: address of a PostgreSQL database into which a dump was restored.

    Returns:
        What is there now, and what was erased.

    Raises:
        Unusable: ``already_initialised``; ``key_unsafe``; ``store_damaged``; see also ``open_store``.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Unusable("already_initialised")
    keys = read_key_copy(keys_from)
    try:
        write_private(folder / KEY_NAME, keys.store_key)
        write_private(folder / KEK_NAME, keys.kek_file)
        if copy is not None:
            _copy_private(copy, folder / STORE_NAME)
        elif database is not None:
            write_private(folder / DATABASE_NAME, database.encode("utf-8"))
        with closing(open_store(folder)) as store:
            return put_keys_back(store, keys.data_keys)
    except BaseException:
        for path in folder.iterdir():  # it was empty: all of it is ours, and copies of what lies elsewhere
            path.unlink()
        raise


def _copy_with_keks(store: SqlcipherStore, kek_file: Path, working: Path) -> KeyCopy:
    """Copy the store together with the KEKs its data keys are wrapped by."""
    for _ in range(_TRIES):
        _remove(working)
        keks = kek_file.read_bytes()
        data_keys = store.copy_without_data_keys(working)
        if kek_file.read_bytes() == keks:  # none was destroyed meanwhile
            return KeyCopy(store.secrets.raw(), keks, data_keys)
    raise Busy


def _copy_private(source: Path, target: Path) -> None:
    """Copy a file for the owner only; it has its name only once it is whole and on disk."""
    temporary = target.with_name(target.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, source.open("rb") as origin:
        while chunk := origin.read(_CHUNK_BYTES):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    sync_folder(target.parent)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
