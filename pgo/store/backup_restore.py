"""Put a vault back from a backup: beside what is there, checked whole, and only then in its place.

Rules:
1. Nothing of the old vault is touched before the switch. The database goes into a file of its own
   (``store-<generation>-r<number>.db``); the switch is the rename of the header (``header.save_header``). A
   crash at any instant leaves the old vault or the restored one, each whole.
2. The old vault stays beside it, its header as ``vault.hdr.before-r<number>``, until the person says so
   (``forget_before``) or changes their mind (``switch_back``).
3. In an empty place a vault is built beside it and renamed into it, as a new vault is.
4. A backup of another vault, or one older than the vault that is there, is refused; only the second may be
   insisted on.
5. A vault that was put back says so inside (``backups.RestoreRow``), from its first instant: nothing is sent
   until recipients were asked what they know. ``switch_back`` counts as putting back.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from crypto.kdf import erase
from pgo.errors import BackupRefused, InputRefused, NotFound, StoreDamaged
from pgo.store.backup_before import before, named_databases, next_number, present_header, unnamed_databases
from pgo.store.backup_format import BackupHeader
from pgo.store.backup_open import (
    OnProgress,
    OpenedBackup,
    Unwrap,
    no_progress,
    open_into,
    read_backup_header,
    remove_database,
    with_key,
)
from pgo.store.backups import Backups, RestoreRow
from pgo.store.database import open_database
from pgo.store.files import (
    FILE_MODE,
    disk_errors,
    make_private_folder,
    save_atomically,
    sha256_file,
    sync_folder,
)
from pgo.store.founding import LOCK_NAME, database_key, remove_half_made
from pgo.store.header import HEADER_NAME, Header, parse_header, save_header
from pgo.store.instants import to_text
from pgo.store.journal import Event, Journal
from pgo.store.ledger import LedgerTable
from pgo.store.lockfile import VaultLock
from pgo.store.meta import Meta
from pgo.store.migrations import STEPS, migrate
from pgo.store.opening import open_with


def restore_new(
    backup: Path, folder: Path, unwrap: Unwrap, *, at: datetime, on_progress: OnProgress = no_progress
) -> OpenedBackup:
    """Put a vault back where there is none.

    Args:
        backup: the file, untrusted.
        folder: does not exist or is empty.
        unwrap: gives the vault key from passphrase or recovery code.
        at: now.
        on_progress: told how far it is; what it raises stops and leaves nothing.

    Raises:
        InputRefused: ``vault_exists``, something lies in the folder.
        BackupRefused, WrongPassphrase, KeyLost, StoreFull: as ``open_into``.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputRefused("vault_exists")
    with disk_errors():
        if not folder.parent.exists():
            make_private_folder(folder.parent)
        remove_half_made(folder.parent)
        building = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.new")
        make_private_folder(building)
        try:
            with _locked(building):
                opened = _build(backup, building, unwrap, number=1, at=at, on_progress=on_progress)
            if folder.exists():
                folder.rmdir()
            building.rename(folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        sync_folder(folder.parent)
    return opened


def restore_over(
    backup: Path,
    folder: Path,
    unwrap: Unwrap,
    *,
    at: datetime,
    accept_older: bool,
    on_progress: OnProgress = no_progress,
) -> OpenedBackup:
    """Put a vault back in the place of the one that is there; that one stays beside it.

    Args:
        backup: the file, untrusted.
        folder: of the vault, which is not open.
        unwrap: gives the vault key from passphrase or recovery code.
        at: now.
        accept_older: the person knows that what was changed since the backup is not in it.
        on_progress: told how far it is; what it raises stops and leaves the old vault as it was.

    Raises:
        VaultBusy: the vault is open somewhere.
        BackupRefused: ``backup_other_vault``, ``backup_older``, and as ``open_into``.
        WrongPassphrase, KeyLost, StoreFull: as ``open_into``.
    """
    with disk_errors(), _locked(folder):
        present = present_header(folder)
        if present is not None:
            _refuse_other_or_older(read_backup_header(backup).header, present, accept_older=accept_older)
        for left in unnamed_databases(folder):
            remove_database(left)
        number = next_number(folder)
        return _build(backup, folder, unwrap, number=number, at=at, on_progress=on_progress)


def _build(
    backup: Path, folder: Path, unwrap: Unwrap, *, number: int, at: datetime, on_progress: OnProgress
) -> OpenedBackup:
    """Bring the database in, mark it, and let the header name it."""
    described = read_backup_header(backup).header.vault_header()
    vault_key = unwrap(described)
    target = folder / replace(described, restores=number).db_file
    try:
        opened = open_into(backup, target, with_key(vault_key), on_progress=on_progress)
        mark = RestoreRow(number, at, opened.header.made_at)
        _switch(folder, opened.header.vault_header(), vault_key, mark)
    finally:
        erase(vault_key)
    return opened


def _switch(folder: Path, header: Header, vault_key: bytes | bytearray, mark: RestoreRow) -> None:
    """Mark a database that lies ready and make it the vault: the last write is the switch."""
    header = replace(header, restores=mark.number)
    target = folder / header.db_file
    try:
        ready = mark_restored(target, header, vault_key, mark)
        present = folder / HEADER_NAME
        if present.exists():
            save_atomically(folder / f"{HEADER_NAME}.before-r{mark.number}", present.read_bytes())
        save_header(folder, ready, vault_key)
    except BaseException:
        # The rename may have happened although something after it failed: what a header names has to stay.
        if all(one.name != target.name for one in named_databases(folder)):
            with contextlib.suppress(OSError):
                remove_database(target)
        raise


def mark_restored(path: Path, header: Header, vault_key: bytes | bytearray, mark: RestoreRow) -> Header:
    """Bring a restored database up to date, write down that it was put back, and describe it."""
    engine = open_database(path, database_key(vault_key))
    try:
        with engine.transaction():
            migrate(engine)
            meta = Meta(engine)
            at = max(mark.at, meta.newest_at())
            Backups(engine).add_restore(replace(mark, at=at))
            Journal(engine).add(
                Event.BACKUP_RESTORED, at=at, number=mark.number, backup_made_at=to_text(mark.made_at)
            )
            commits = meta.count_commit(at)
        ledger_length, ledger_head = LedgerTable(engine).head()
        journal_length, journal_head = Journal(engine).head()
        engine.checkpoint()
    finally:
        engine.close()
    return replace(
        header,
        commits=commits,
        ledger_length=ledger_length,
        ledger_head=ledger_head,
        journal_length=journal_length,
        journal_head=journal_head,
        db_sha256=sha256_file(path),
    )


def compare_restored(folder: Path, unwrap: Unwrap, opened: OpenedBackup) -> tuple[str, ...]:
    """Open a vault just put back as the app does, and compare it with the manifest of its backup.

    Tables in which putting back itself writes are compared as far as the backup goes; the counters of
    ``meta`` move, and a backup of an older form has other columns by now: there step 9 of ``backup_open``
    was the comparison.

    Returns:
        The tables that were compared, all of them equal.

    Raises:
        BackupRefused: ``backup_damaged``, a table differs.
        StoreDamaged: the vault does not open, or a chain in it is broken.
    """
    tables = opened.manifest.tables
    vault = open_with(folder, unwrap)
    try:
        vault.check()
        if opened.header.schema == len(STEPS):
            for name in tables.keys() - {"meta"}:
                if vault.fingerprint(name, first=tables[name].rows) != tables[name]:
                    raise BackupRefused
    finally:
        vault.close()
    return tuple(sorted(tables))


def switch_back(folder: Path, unwrap: Unwrap, *, at: datetime) -> None:
    """Go back to the vault as it was before the last restore; the restored one then lies beside it.

    Raises:
        NotFound: ``vault``, nothing lies beside it.
        WrongPassphrase, VaultBusy, StoreDamaged: as opening a vault.
    """
    with disk_errors(), _locked(folder):
        kept = before(folder)
        if not kept:
            raise NotFound("vault")
        loaded = parse_header(kept[0].header.read_bytes())
        vault_key = unwrap(loaded.header)
        try:
            header = loaded.verify(vault_key)
            _refuse_changed(kept[0].database, header.db_sha256)
            number = next_number(folder)
            _copy_with_log(kept[0].database, folder / replace(header, restores=number).db_file)
            _switch(folder, header, vault_key, RestoreRow(number, at, at))
        finally:
            erase(vault_key)


def _copy_with_log(source: Path, target: Path) -> None:
    """Copy a closed database; one that was not locked cleanly has its newest changes in its log."""
    for ending in ("", "-wal"):
        part = source.with_name(source.name + ending)
        if part.exists():
            shutil.copyfile(part, target.with_name(target.name + ending))
            target.with_name(target.name + ending).chmod(FILE_MODE)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = VaultLock(folder / LOCK_NAME)
    try:
        yield
    finally:
        lock.release()


def _refuse_changed(database: Path, digest: str) -> None:
    if not database.exists():
        raise StoreDamaged("database_missing")
    if digest and sha256_file(database) != digest:
        raise StoreDamaged("database_changed")


def _refuse_other_or_older(backup: BackupHeader, present: Header, *, accept_older: bool) -> None:
    if backup.vault_id != present.vault_id:
        raise BackupRefused("backup_other_vault")
    if backup.commits < present.commits and not accept_older:
        raise BackupRefused("backup_older")
