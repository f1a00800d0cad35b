"""Backups of an open vault: make one, prove one again, see where they are, remove one.

Rules:
1. A backup counts from the moment it was read back whole; "proved on" is that moment, never a hope.
2. It is written down in the vault and its journal in one transaction after its file is in its place. A crash
   in between leaves a good file that the vault does not mention; the next backup is made all the same.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pgo.errors import BackupRefused, NotFound
from pgo.store.backup_open import OnProgress, no_progress, read_backup_header
from pgo.store.backup_write import MadeBackup, backup_name
from pgo.store.backups import BackupRow
from pgo.store.files import sha256_file
from pgo.store.journal import Event
from pgo.usecases.session import Session


@dataclass(frozen=True, slots=True)
class BackupView:
    """One backup as far as this vault knows it.

    Attributes:
        present: the file is there now; False when it was moved, or its folder cannot be reached.
        opens_today: with today's passphrase and recovery code; False means with those of then.
    """

    id: int
    path: Path
    made_at: datetime
    proved_at: datetime
    size_bytes: int
    records: int
    scheduled: bool
    present: bool
    opens_today: bool


def make_backup(
    session: Session, folder: Path, *, scheduled: bool = False, on_progress: OnProgress = no_progress
) -> BackupView:
    """Make and prove a backup in a folder; everything else goes on meanwhile.

    Args:
        session: the open vault.
        folder: where to; made when its parent is there.
        scheduled: made by itself.
        on_progress: told (phase, bytes done, bytes in all); what it raises stops and leaves nothing.

    Raises:
        BackupRefused: ``backup_folder``, ``backup_running``, ``backup_stopped``, ``backup_damaged``.
        StoreFull: no room.
    """
    store, at = session.store, session.now()
    make_folder(folder)
    events = store.backups.events()  # what comes in from here on may or may not be in it
    made = store.write_backup(_free(folder, store.vault_id, at), at=at, on_progress=on_progress)
    at = session.now()
    with store.write(at):
        store.journal.add(
            Event.BACKUP_MADE,
            at=at,
            records=made.header.records,
            size=made.size_bytes,
            sha256=made.sha256,
            scheduled=int(scheduled),
        )
        row = _row(made, at=at, settled=events, scheduled=scheduled, keys=store.keys.fingerprint())
        number = store.backups.add(row)
    session.changed()
    return backup(session, number)


def _row(made: MadeBackup, *, at: datetime, settled: int, scheduled: bool, keys: str) -> BackupRow:
    return BackupRow(
        id=0,
        folder=str(made.path.parent),
        name=made.path.name,
        made_at=made.header.made_at,
        proved_at=at,
        size_bytes=made.size_bytes,
        sha256=made.sha256,
        commits=made.header.commits,
        settled=settled,
        records=made.header.records,
        scheduled=scheduled,
        keys=keys,
    )


def prove_again(session: Session, backup_id: int, *, on_progress: OnProgress = no_progress) -> BackupView:
    """Read a backup from its place again, every step, as putting it back would.

    Raises:
        NotFound: ``backup``.
        BackupRefused: ``backup_folder``, ``backup_damaged``; ``backup_older``, the file is a good backup but
            not the one that was made here under this name; ``backup_other_vault``.
    """
    store = session.store
    known = next((row for row in store.backups.all() if row.id == backup_id), None)
    if known is None:
        raise NotFound("backup")
    path = Path(known.folder) / known.name
    header = read_backup_header(path).header
    if header.vault_id != store.vault_id:
        raise BackupRefused("backup_other_vault")
    if header.generation == store.keys.generation():
        digest = store.prove_backup(path, on_progress=on_progress).sha256
    else:  # another vault key: byte for byte the file that was proved when it was made
        digest = sha256_file(path)
    if digest != known.sha256:
        raise BackupRefused("backup_older" if header.made_at < known.made_at else "backup_damaged")
    at = session.now()
    with store.write(at):
        store.backups.proved(backup_id, at=at)
        store.journal.add(Event.BACKUP_PROVED, at=at, sha256=known.sha256)
    session.changed()
    return backup(session, backup_id)


def backups(session: Session) -> tuple[BackupView, ...]:
    """The backups this vault made, newest first, those that cannot be reached included."""
    keys = session.store.keys.fingerprint()
    return tuple(_view(row, keys=keys) for row in session.store.backups.all())


def backup(session: Session, backup_id: int) -> BackupView:
    """One backup.

    Raises:
        NotFound: ``backup``.
    """
    found = next((one for one in backups(session) if one.id == backup_id), None)
    if found is None:
        raise NotFound("backup")
    return found


def remove_backup(session: Session, backup_id: int) -> None:
    """Remove a backup's file, and forget one whose file is gone already.

    Raises:
        NotFound: ``backup``.
        BackupRefused: ``backup_folder``, the file cannot be removed.
    """
    view, store, at = backup(session, backup_id), session.store, session.now()
    try:
        view.path.unlink(missing_ok=True)
    except OSError as exc:
        raise BackupRefused("backup_folder") from exc
    with store.write(at):
        store.backups.remove(backup_id)
        store.journal.add(Event.BACKUP_REMOVED, at=at, made_at=view.made_at.isoformat())
    session.changed()


def _view(row: BackupRow, *, keys: str) -> BackupView:
    path = Path(row.folder) / row.name
    present = False
    with contextlib.suppress(OSError):
        present = path.stat().st_size == row.size_bytes
    return BackupView(
        id=row.id,
        path=path,
        made_at=row.made_at,
        proved_at=row.proved_at,
        size_bytes=row.size_bytes,
        records=row.records,
        scheduled=row.scheduled,
        present=present,
        opens_today=row.keys == keys,
    )


def make_folder(folder: Path) -> None:
    """Make only the last part of a path: a drive that is away must not become a folder on this one.

    Raises:
        BackupRefused: ``backup_folder``, it cannot be made, or its path does not say where it begins.
    """
    if not folder.is_absolute():
        raise BackupRefused("backup_folder")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise BackupRefused("backup_folder") from exc


def _free(folder: Path, vault_id: str, at: datetime) -> Path:
    path = folder / backup_name(vault_id, at)
    while path.exists():
        at += timedelta(seconds=1)
        path = folder / backup_name(vault_id, at)
    return path
