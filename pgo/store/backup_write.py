"""Make a backup of an open vault, and prove that it can be put back before saying that it is there.

Steps of ``write_backup``; a failure or a stop at any of them leaves neither a backup nor a part of one:

1. copy the database, while it is in use, to a file beside it: one state, under its own key; 2. read from
   that copy what header and manifest say, and its identity, which signs; 3. write header, sealed chunks and
   signature to ``.part``, sync; 4. read the file back from the disk and do every step of
   ``backup_open.open_into``; 5. rename, sync the folder.

Nothing readable is written anywhere: the copies beside the database are encrypted as the database is.
What a crash leaves behind (a copy, a ``.part``) is removed by the next backup.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from crypto.canonical import canonical_bytes
from crypto.stream import seal_stream
from pgo.errors import BackupRefused, DiskFailed
from pgo.store.backup_digest import content_digests
from pgo.store.backup_format import (
    SALT_BYTES,
    SUFFIX,
    BackupHeader,
    backup_signer,
    build_header,
    portable_slots,
    signed_bytes,
    stream_key,
)
from pgo.store.backup_open import (
    OnProgress,
    OpenedBackup,
    no_progress,
    open_into,
    with_key,
)
from pgo.store.database import copy_database, open_database
from pgo.store.files import FILE_MODE, disk_errors, make_private_folder, sha256_file, sync_folder
from pgo.store.founding import database_key
from pgo.store.header import Header
from pgo.store.ledger import LedgerTable
from pgo.store.meta import Meta
from pgo.store.migrations import schema_version

_WORK_PREFIX = ".backup-"
PART = ".part"
_NAME_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Source:
    """An open vault, as far as a backup of it needs it."""

    folder: Path
    header: Header
    vault_key: bytearray = field(repr=False)


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup that was written, read back and found whole."""

    path: Path
    header: BackupHeader
    size_bytes: int
    sha256: str


def backup_name(vault_id: str, at: datetime) -> str:
    """A file name that tells backups apart and says nothing about anybody."""
    return f"pgo-{vault_id[:_NAME_DIGITS]}-{at:%Y%m%d-%H%M%S}{SUFFIX}"


def write_backup(
    source: Source, target: Path, *, at: datetime, on_progress: OnProgress = no_progress
) -> MadeBackup:
    """Make and prove a backup (steps of this module).

    Args:
        source: the vault.
        target: the file to make; its folder exists, the file does not.
        at: now.
        on_progress: told with the phases ``copy``, ``write``, ``read``, ``compare``; what it raises stops.

    Raises:
        BackupRefused: ``backup_folder``, the target cannot be written; ``backup_damaged``, what was read back
            is not what was written.
        StoreFull: no room beside the vault or in the target folder.
    """
    if not target.parent.is_dir() or target.exists():
        raise BackupRefused("backup_folder")
    sweep_parts(target.parent, source.header.vault_id)
    part = target.with_name(target.name + PART)
    with disk_errors(), work_folder(source.folder) as work:
        try:
            return _written(source, target, part, work, at=at, on_progress=on_progress)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def _written(
    source: Source, target: Path, part: Path, work: Path, *, at: datetime, on_progress: OnProgress
) -> MadeBackup:
    copy = work / "copy.db"
    copy_database(
        source.folder / source.header.db_file,
        database_key(source.vault_key),
        copy,
        on_pages=lambda done, total: on_progress("copy", done, total),
    )  # 1
    header, manifest, seed = _describe(source, copy, at=at)  # 2
    with _target_errors():
        _write(part, header, manifest, copy, source.vault_key, seed, on_progress=on_progress)  # 3
    copy.unlink()
    opened = prove(part, work / "proof.db", source.vault_key, on_progress=on_progress)  # 4
    with _target_errors():
        size = part.stat().st_size
        part.replace(target)  # 5
        sync_folder(target.parent)
    return MadeBackup(target, opened.header, size, opened.sha256)


def prove(
    path: Path, proof: Path, vault_key: bytes | bytearray, *, on_progress: OnProgress = no_progress
) -> OpenedBackup:
    """Open a backup for the proof alone: all steps of ``open_into`` into a file that goes at once.

    Raises:
        BackupRefused, StoreFull: as ``open_into``.
    """
    _forget_cached(path)
    opened = open_into(path, proof, with_key(vault_key), on_progress=on_progress)
    proof.unlink(missing_ok=True)
    return opened


@contextlib.contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """A folder for copies beside the database; those that a crash left there go first."""
    for left in folder.glob(_WORK_PREFIX + "*"):
        shutil.rmtree(left, ignore_errors=True)
    work = folder / f"{_WORK_PREFIX}{secrets.token_hex(4)}"
    make_private_folder(work)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sweep_parts(folder: Path, vault_id: str) -> None:
    """Remove what interrupted backups of this vault left in a folder."""
    with contextlib.suppress(OSError):
        for left in folder.glob(f"pgo-{vault_id[:_NAME_DIGITS]}-*{SUFFIX}{PART}"):
            left.unlink(missing_ok=True)


def _describe(source: Source, copy: Path, *, at: datetime) -> tuple[BackupHeader, bytes, bytes]:
    """Header, manifest and identity seed of a copy, read from the copy alone."""
    engine = open_database(copy, database_key(source.vault_key))
    try:
        tables = content_digests(engine)
        schema, commits, ledger = schema_version(engine), Meta(engine).commits(), LedgerTable(engine).head()
        seed = Meta(engine).identity_seed()
        engine.checkpoint()
    finally:
        engine.close()
    manifest = canonical_bytes(
        {
            "db_bytes": copy.stat().st_size,
            "db_sha256": sha256_file(copy),
            "tables": {name: {"rows": one.rows, "sha256": one.sha256} for name, one in tables.items()},
        }
    )
    header = BackupHeader(
        vault_id=source.header.vault_id,
        generation=source.header.generation,
        cipher=source.header.cipher,
        schema=schema,
        made_at=at,
        commits=commits,
        ledger_length=ledger[0],
        ledger_head=ledger[1],
        records=tables["record"].rows,
        plain_bytes=len(manifest) + 1 + copy.stat().st_size,
        salt=secrets.token_bytes(SALT_BYTES),
        signer=backup_signer(seed).public,
        slots=portable_slots(source.header.slots),
        recovery_confirmed=source.header.recovery_confirmed,
    )
    return header, manifest, seed


def _write(
    part: Path,
    header: BackupHeader,
    manifest: bytes,
    copy: Path,
    vault_key: bytes | bytearray,
    seed: bytes,
    *,
    on_progress: OnProgress,
) -> None:
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), FILE_MODE)
    with os.fdopen(handle, "wb") as out, copy.open("rb") as database:
        raw = build_header(header)
        digest = hashlib.sha256(raw)
        out.write(raw)
        done = 0
        for chunk in seal_stream(_Joined(manifest + b"\n", database), stream_key(vault_key, raw)):
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            on_progress("write", min(done, header.plain_bytes), header.plain_bytes)
        out.write(backup_signer(seed).sign(signed_bytes(digest.digest())))
        out.flush()
        os.fsync(out.fileno())


class _Joined:
    """Some bytes and then a file, read as one."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start = io.BytesIO(start)
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        data = self._start.read(size)
        return data if len(data) == size else data + self._rest.read(size - len(data))


def _forget_cached(path: Path) -> None:
    """Ask the system to read the file from the disk again, not from memory; a wish, not a promise."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError), path.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def _target_errors() -> Iterator[None]:
    """A full target is ``StoreFull``; anything else says that the folder cannot be used."""
    try:
        with disk_errors():
            yield
    except DiskFailed as exc:
        raise BackupRefused("backup_folder") from exc
