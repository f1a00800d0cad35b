"""Open a backup and believe it only when everything in it agrees; the only way a backup is read.

Steps of ``open_into``; any that fails is a ``BackupRefused`` and leaves nothing behind:

1. the header (``backup_format.read_header``); 2. a form of the tables this program knows; 3. a key slot opens
   (``WrongPassphrase``); 4. every chunk opens at its place; 5. the signature covers every byte; 6. the
   database file is the one the manifest names; 7. it opens with its key and every page carries its code;
8. it is of the vault, counters and consent ledger that the header names, and its own identity made the
   signature; 9. every row of every table has the hash that was written down when the backup was made.

Memory: two chunks and one row, however large the vault.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from crypto.canonical import parse_strict
from crypto.errors import CryptoError
from crypto.kdf import erase
from crypto.recovery import parse_recovery_code
from crypto.stream import open_stream
from pgo.errors import BackupRefused, StoreDamaged
from pgo.store.backup_digest import TableDigest, content_digests
from pgo.store.backup_format import (
    MAX_MANIFEST_BYTES,
    SIGNATURE_BYTES,
    BackupHeader,
    ReadHeader,
    backup_signer,
    read_header,
    signed_bytes,
    stream_key,
)
from pgo.store.database import EncryptedDatabase, open_database
from pgo.store.files import FILE_MODE, disk_errors, sha256_file
from pgo.store.founding import database_key
from pgo.store.header import Header
from pgo.store.ledger import LedgerTable
from pgo.store.meta import Meta
from pgo.store.migrations import STEPS, schema_version
from pgo.store.slots import open_passphrase_slot, open_recovery_slot

Unwrap = Callable[[Header], bytearray]
"""Gives the vault key behind a header, from whatever secret the caller has."""


OnProgress = Callable[[str, int, int], None]
"""Told (phase, bytes done, bytes in all); phases are ``copy``, ``write``, ``read`` and ``compare``. What it
raises ends the work and leaves nothing behind."""


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """For callers that do not ask."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the sealed part says of the database after it: its file hash, and the hash of every table."""

    db_bytes: int
    db_sha256: str
    tables: Mapping[str, TableDigest]


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    """A backup that passed all steps; the database lies where the caller asked for it, closed."""

    header: BackupHeader
    manifest: Manifest
    sha256: str


def with_passphrase(passphrase: str) -> Unwrap:
    """Open with the passphrase the vault had when the backup was made."""
    return lambda header: open_passphrase_slot(header, passphrase)


def with_code(code_text: str) -> Unwrap:
    """Open with the recovery code the vault had when the backup was made.

    Raises:
        crypto.errors.Malformed: the code was mistyped.
    """
    code = parse_recovery_code(code_text)
    return lambda header: open_recovery_slot(header, code)


def with_key(vault_key: bytes | bytearray) -> Unwrap:
    """Open with the key of the vault that is open; a backup from before a new key was made needs a secret."""
    return lambda _header: bytearray(vault_key)


def read_backup_header(path: Path) -> ReadHeader:
    """Read what a backup says in the open; nothing of it is proved.

    Raises:
        BackupRefused: steps 1 and 2, or ``backup_folder``: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            found = read_header(stream, file_bytes=os.fstat(stream.fileno()).st_size)
    except OSError as exc:
        raise BackupRefused("backup_folder") from exc
    if found.header.schema > len(STEPS):
        raise BackupRefused("backup_newer")
    return found


def open_into(
    path: Path, target: Path, unwrap: Unwrap, *, on_progress: OnProgress = no_progress
) -> OpenedBackup:
    """Decrypt a backup's database into a new file and check everything (steps of this module).

    Args:
        path: the backup, untrusted.
        target: where the database goes; must not exist. It is removed again when a step fails.
        unwrap: gives the vault key.
        on_progress: told with the phases ``read`` and ``compare``.

    Raises:
        BackupRefused: the step that failed, see ``backup_format`` for the codes.
        WrongPassphrase, KeyLost: the secret opens no slot of this backup.
        StoreFull, DiskFailed: no room for the copy, or the disk failed.
    """
    found = read_backup_header(path)  # 1, 2
    with disk_errors():
        return _open_into(path, found, target, unwrap, on_progress=on_progress)


def _open_into(
    path: Path, found: ReadHeader, target: Path, unwrap: Unwrap, *, on_progress: OnProgress
) -> OpenedBackup:
    vault_key = unwrap(found.header.vault_header())  # 3; a copy of our own, erased below
    try:
        manifest, digest = _decrypt(path, found, target, vault_key, on_progress=on_progress)
        _compare(target, found.header, manifest, vault_key, on_progress=on_progress)
    except BaseException:
        with contextlib.suppress(OSError):
            remove_database(target)
        raise
    finally:
        erase(vault_key)
    return OpenedBackup(found.header, manifest, digest)


def remove_database(path: Path) -> None:
    """Remove a copy of a database and what its engine may have left beside it."""
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _decrypt(
    path: Path, found: ReadHeader, target: Path, vault_key: bytes | bytearray, *, on_progress: OnProgress
) -> tuple[Manifest, str]:
    """Steps 4, 5, 6. Returns the manifest and the hash of the whole file."""
    with _reading(path) as stream, _new_file(target) as out:
        stream.seek(len(found.raw))
        sealed = _Sealed(stream, found.sealed_bytes, hashlib.sha256(found.raw))
        plain = _Plain(open_stream(sealed, stream_key(vault_key, found.raw)))
        try:
            manifest = _parse_manifest(plain.line(MAX_MANIFEST_BYTES))
            for chunk in plain.rest():  # 4
                out.write(chunk)
                on_progress("read", found.sealed_bytes - sealed.left, found.sealed_bytes)
        except CryptoError as exc:
            raise BackupRefused from exc
        signature = stream.read(SIGNATURE_BYTES + 1)
        try:
            found.header.signer.verify(signature, signed_bytes(sealed.hasher.digest()))  # 5
        except CryptoError as exc:
            raise BackupRefused from exc
        sealed.hasher.update(signature)
        out.flush()
        os.fsync(out.fileno())
    if target.stat().st_size != manifest.db_bytes or sha256_file(target) != manifest.db_sha256:  # 6
        raise BackupRefused
    return manifest, sealed.hasher.hexdigest()


def _compare(
    target: Path,
    header: BackupHeader,
    manifest: Manifest,
    vault_key: bytes | bytearray,
    *,
    on_progress: OnProgress,
) -> None:
    """Steps 7, 8, 9."""
    on_progress("compare", 0, manifest.db_bytes)
    try:
        engine = open_database(target, database_key(vault_key))
    except StoreDamaged as exc:
        raise BackupRefused from exc
    try:
        if not engine.check_pages() or not describes(engine, header):  # 7, 8
            raise BackupRefused
        on_progress("compare", manifest.db_bytes // 2, manifest.db_bytes)
        if dict(content_digests(engine)) != dict(manifest.tables):  # 9
            raise BackupRefused
    except StoreDamaged as exc:
        raise BackupRefused from exc
    finally:
        engine.close()
    on_progress("compare", manifest.db_bytes, manifest.db_bytes)


def describes(engine: EncryptedDatabase, header: BackupHeader) -> bool:
    """Step 8: whether a header says what is in a database."""
    ledger, meta = LedgerTable(engine), Meta(engine)
    return (
        schema_version(engine) == header.schema
        and meta.vault_id() == header.vault_id
        and meta.commits() == header.commits
        and ledger.head() == (header.ledger_length, header.ledger_head)
        and backup_signer(meta.identity_seed()).public == header.signer
    )


class _Sealed:
    """The sealed part of a file: read no further than its end, and hash what is read."""

    def __init__(self, stream: BinaryIO, length: int, hasher: Any) -> None:
        self._stream = stream
        self.left = length
        self.hasher = hasher

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(min(size, self.left))
        self.left -= len(data)
        self.hasher.update(data)
        return data


class _Plain:
    """Opened chunks as one text: first a line, then the rest."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._first = b""

    def line(self, limit: int) -> bytes:
        chunk = next(self._chunks, b"")  # a manifest is smaller than a chunk
        line, newline, self._first = chunk.partition(b"\n")
        if not newline or len(line) > limit:
            raise BackupRefused
        return line

    def rest(self) -> Iterator[bytes]:
        yield self._first
        yield from self._chunks


def _parse_manifest(line: bytes) -> Manifest:
    try:
        value: Any = parse_strict(line, max_bytes=MAX_MANIFEST_BYTES, max_depth=4)
        tables = {
            str(name): TableDigest(int(one["rows"]), str(one["sha256"]))
            for name, one in value["tables"].items()
        }
        return Manifest(int(value["db_bytes"]), str(value["db_sha256"]), tables)
    except (CryptoError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BackupRefused from exc


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as exc:
        raise BackupRefused("backup_folder") from exc


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file for this user only; what the disk refuses is ``StoreFull`` or ``DiskFailed``."""
    with disk_errors():  # here already, so that it is not taken for a fault of the file that is read
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), FILE_MODE)
        with os.fdopen(handle, "wb") as stream:
            yield stream
