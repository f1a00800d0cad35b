"""The keys a recipient keeps beside its store, in files for the owner only.

``recipient.key`` is the store key: it never changes. SQLCipher opens its file with it; on either database it
seals the secrets of the installation (signing and opening keys, second factors), so that a dump of the tables
holds none of them.

A file is 0600 from its first byte on; one that others can read is refused. Windows knows no such modes: there
the folder's own permissions have to do it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from crypto.aead import KEY_BYTES, AeadKey
from crypto.errors import WrongKey
from recipient.errors import Unusable


class StoreKey:
    """The store key and what follows from it."""

    __slots__ = ("_derived", "_sealing")

    def __init__(self, key: bytes) -> None:
        self._derived = AeadKey(key)
        self._sealing = AeadKey(self._derived.derive("recipient/1/secrets"))

    def raw(self) -> bytes:
        """Return the 32 bytes."""
        return self._derived.raw()

    def derived(self, label: str) -> bytes:
        """Return 32 bytes for one use of their own; the same ones after every start."""
        return self._derived.derive(f"recipient/1/use/{label}")

    def seal(self, label: str, secret: bytes) -> bytes:
        """Seal a secret of the installation under what it is."""
        return self._sealing.seal(secret, aad=label.encode("utf-8"))

    def open(self, label: str, sealed: bytes) -> bytes:
        """Open a secret again.

        Raises:
            Unusable: ``key_wrong``, the store belongs to another key or was changed.
        """
        try:
            return self._sealing.open(sealed, aad=label.encode("utf-8"))
        except WrongKey as exc:
            raise Unusable("key_wrong") from exc


def make_key(path: Path) -> StoreKey:
    """Make a fresh store key in a file that is not there yet."""
    key = secrets.token_bytes(KEY_BYTES)
    write_private(path, key)
    return StoreKey(key)


def read_key(path: Path) -> StoreKey:
    """Read the store key.

    Raises:
        Unusable: ``key_missing``, ``key_unsafe``.
    """
    key = read_private(path, missing="key_missing")
    if len(key) != KEY_BYTES:
        raise Unusable("key_unsafe")
    return StoreKey(key)


def write_private(path: Path, data: bytes) -> None:
    """Write a new file for the owner only and make sure it is on disk.

    Raises:
        FileExistsError: nothing is ever overwritten.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def replace_private(path: Path, data: bytes) -> None:
    """Put a file for the owner only in the place of another: whole or not at all, also after power loss."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    write_private(temporary, data)
    temporary.replace(path)
    sync_folder(path.parent)


def read_private(path: Path, *, missing: str) -> bytes:
    """Read a file that only its owner may read.

    Raises:
        Unusable: the code ``missing``, or ``key_unsafe``.
    """
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError as exc:
        raise Unusable(missing) from exc
    if os.name == "posix" and mode & 0o077:
        raise Unusable("key_unsafe")
    return data


def sync_folder(folder: Path) -> None:
    """Make sure that names made or renamed in a folder survive power loss, where the system can say so."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
