"""Put a vault back from a backup, and drill it: for the start screen and the command line, no vault open.

Rules:
1. The secret is the one the vault had when the backup was made.
2. An existing vault stays beside the restored one until the person says so.
3. A drill does everything that putting back does, in a folder that goes afterwards, then opens the result as
   the app would and compares every record, the consent ledger and the journal with what the backup says.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crypto.errors import Malformed
from pgo.errors import AppError, BackupRefused, InputRefused
from pgo.store import backup_before as beside
from pgo.store import backup_restore as store
from pgo.store.backup_format import SUFFIX
from pgo.store.backup_open import (
    OnProgress,
    Unwrap,
    no_progress,
    open_into,
    read_backup_header,
    with_code,
    with_passphrase,
)
from pgo.store.header import load_header
from pgo.store.opening import vault_present
from pgo.usecases.session import Application
from pgo.usecases.unlock import VaultPlace, vaults

_MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class FoundBackup:
    """What a file says of itself; nothing of it is proved before it is opened.

    Attributes:
        problem: why it cannot be used, a code of ``BackupRefused``; '' when its form is right.
    """

    path: Path
    vault_id: str
    made_at: datetime | None
    records: int
    size_bytes: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A passphrase, or a recovery code, as typed."""

    text: str
    is_code: bool = False

    def __repr__(self) -> str:
        return "Secret()"


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill compared: rows per table, all of them equal."""

    made_at: datetime
    tables: int
    rows: int
    records: int
    journal_lines: int
    ledger_records: int


def look_at(path: Path) -> FoundBackup:
    """Read what a backup says in the open."""
    size = path.stat().st_size if path.is_file() else 0
    try:
        header = read_backup_header(path).header
    except BackupRefused as exc:
        return FoundBackup(path, "", None, 0, size, exc.code)
    return FoundBackup(path, header.vault_id, header.made_at, header.records, size)


def backups_in(folder: Path) -> tuple[FoundBackup, ...]:
    """The backups of a folder, newest first, those that cannot be used last.

    Raises:
        BackupRefused: ``backup_folder``.
    """
    try:
        paths = sorted(folder.glob(f"*{SUFFIX}"))[-_MAX_LISTED:]
        if not folder.is_dir():
            raise BackupRefused("backup_folder")
    except OSError as exc:
        raise BackupRefused("backup_folder") from exc
    found = [look_at(path) for path in paths]
    usable = sorted((one for one in found if one.made_at), key=lambda one: str(one.made_at), reverse=True)
    return (*usable, *(one for one in found if not one.made_at))


def vault_of(app: Application, found: FoundBackup) -> VaultPlace | None:
    """The vault on this device that a backup is of, None when there is none."""
    for place in vaults(app):
        with contextlib.suppress(AppError):
            if load_header(place.folder).header.vault_id == found.vault_id:
                return place
    return None


def check_file(path: Path, secret: Secret, *, on_progress: OnProgress = no_progress) -> FoundBackup:
    """Open a backup with a secret and check everything in it.

    Raises:
        BackupRefused, WrongPassphrase, KeyLost, StoreFull: which step failed.
        InputRefused: ``recovery_code``, mistyped.
    """
    with tempfile.TemporaryDirectory(prefix="pgo-check-") as work:
        opened = open_into(path, Path(work) / "proof.db", _unwrap(secret), on_progress=on_progress)
    return FoundBackup(
        path,
        opened.header.vault_id,
        opened.header.made_at,
        opened.header.records,
        path.stat().st_size,
    )


def restore(
    app: Application,
    path: Path,
    folder: Path,
    secret: Secret,
    *,
    accept_older: bool = False,
    on_progress: OnProgress = no_progress,
) -> FoundBackup:
    """Put a vault back; where one is, it stays beside the restored one.

    Args:
        app: for the time.
        path: the backup.
        folder: of the vault, there already or not.
        secret: of the time the backup was made.
        accept_older: the person knows that later changes are not in it.
        on_progress: told how far it is; what it raises stops and leaves everything as it was.

    Raises:
        BackupRefused: which step failed; ``backup_older`` may be insisted on.
        WrongPassphrase, KeyLost, VaultBusy, StoreFull: nothing changed.
        InputRefused: ``recovery_code``, mistyped; ``vault_exists``, something else lies in that folder.
    """
    unwrap, at = _unwrap(secret), app.clock()
    if vault_present(folder):
        opened = store.restore_over(
            path, folder, unwrap, at=at, accept_older=accept_older, on_progress=on_progress
        )
    else:
        opened = store.restore_new(path, folder, unwrap, at=at, on_progress=on_progress)
    header = opened.header
    return FoundBackup(path, header.vault_id, header.made_at, header.records, path.stat().st_size)


def drill(
    app: Application,
    path: Path,
    secret: Secret,
    *,
    work: Path | None = None,
    on_progress: OnProgress = no_progress,
) -> Drill:
    """Rehearse putting back, to the end, and compare everything (rule 3).

    Args:
        app: for the time.
        path: the backup.
        secret: of the time the backup was made.
        work: where the rehearsal takes place; the system's folder for temporary files when None. Everything
            written there is encrypted, and goes.
        on_progress: told how far it is.

    Raises:
        BackupRefused, WrongPassphrase, KeyLost, StoreDamaged, StoreFull: it could not be put back.
    """
    with tempfile.TemporaryDirectory(prefix="pgo-drill-", dir=work) as place:
        folder = Path(place) / "vault"
        unwrap = _unwrap(secret)
        opened = store.restore_new(path, folder, unwrap, at=app.clock(), on_progress=on_progress)
        compared = store.compare_restored(folder, unwrap, opened)
    tables = opened.manifest.tables
    return Drill(
        made_at=opened.header.made_at,
        tables=len(compared),
        rows=sum(tables[name].rows for name in compared),
        records=tables["record"].rows,
        journal_lines=tables["journal"].rows,
        ledger_records=tables["ledger"].rows,
    )


def kept_before(folder: Path) -> int:
    """Bytes of vaults from before a restore that still lie beside this one, 0 for none."""
    return sum(one.size_bytes for one in beside.before(folder))


def forget_before(folder: Path) -> int:
    """Destroy what lies beside the vault from before its restores. Returns how many vaults went."""
    return beside.forget_before(folder)


def go_back(app: Application, folder: Path, secret: Secret) -> None:
    """Take the vault from before the last restore again; the restored one then lies beside it.

    Raises:
        NotFound: ``vault``, nothing lies beside it.
        WrongPassphrase, VaultBusy, StoreDamaged: nothing changed.
    """
    store.switch_back(folder, _unwrap(secret), at=app.clock())


def _unwrap(secret: Secret) -> Unwrap:
    if not secret.is_code:
        return with_passphrase(secret.text)
    try:
        return with_code(secret.text)
    except Malformed as exc:
        raise InputRefused("recovery_code", "" if exc.group is None else f"group {exc.group}") from exc
