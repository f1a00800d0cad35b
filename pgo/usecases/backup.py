"""Backups of an open vault: make one, prove one again, see where they are, and plan them.

Rules:
1. A backup counts from the moment it was read back whole; "proved on" is that moment, never a hope.
2. It is written down in the vault and its journal in one transaction after its file is in its place. A crash
   in between leaves a good file that the vault does not mention; the next backup is made all the same.
3. Of the planned ones the newest few stay. What goes is only what this vault made by itself, and only after a
   newer one was proved. A backup made by hand stays until a person removes it.
4. A planned one is due after a change, when the newest is as old as the plan says, or when the secrets that
   open it are not today's any more.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from pgo.errors import BackupRefused, InputRefused, NotFound
from pgo.store.backup_open import OnProgress, no_progress, read_backup_header
from pgo.store.backup_write import backup_name, sweep_parts
from pgo.store.backups import BackupRow
from pgo.store.files import sha256_file
from pgo.store.journal import Event
from pgo.usecases.session import Session

Every = Literal["never", "day", "week"]
KEEP_CHOICES = (3, 5, 10, 20)
EVERY_CHOICES: tuple[Every, ...] = get_args(Every)
GRACE = timedelta(days=2)
"""A reminder waits this much longer than the plan: a device that was off at night is no reason to nag."""

_AGE: dict[Every, timedelta] = {"day": timedelta(days=1), "week": timedelta(days=7)}
_UNPLANNED_AGE = timedelta(days=30)
_FIRST_DAY = timedelta(days=1)
_KEY = "backup_plan"


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """Where backups go, how often one is made without being asked, how many of those are kept."""

    folder: str = ""
    every: Every = "never"
    keep: int = 5


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


@dataclass(frozen=True, slots=True)
class BackupStanding:
    """What a person must know about backups at a glance.

    Attributes:
        newest: the newest one that is where it was put, None for none.
        changed: something was changed since.
        reminder: why there should be another one, '' for no reason: ``none``, ``old``, ``away`` (the folder
            or the file cannot be reached), ``secrets`` (it opens with an older passphrase only).
        reachable: whether the planned folder is there.
    """

    plan: BackupPlan
    newest: BackupView | None
    changed: bool
    reminder: str
    reachable: bool


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
    _make_folder(folder)
    sweep_parts(folder, store.vault_id)
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
        number = store.backups.add(
            BackupRow(
                id=0,
                folder=str(folder),
                name=made.path.name,
                made_at=made.header.made_at,
                proved_at=at,
                size_bytes=made.size_bytes,
                sha256=made.sha256,
                commits=made.header.commits,
                settled=events,
                records=made.header.records,
                scheduled=scheduled,
                keys=store.keys.fingerprint(),
            )
        )
    if scheduled:
        _drop_old(session, folder, keep=plan_of(session).keep)
    session.changed()
    return backup(session, number)


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


def plan_of(session: Session) -> BackupPlan:
    """The plan of this vault; nothing planned when none was made."""
    return _plan(session.store.settings.get(_KEY))


def save_plan(session: Session, plan: BackupPlan) -> None:
    """Keep a plan.

    Raises:
        InputRefused: ``settings_invalid``.
        BackupRefused: ``backup_folder``, a plan needs a folder that can be written.
    """
    if plan != _plan(asdict(plan)):
        raise InputRefused("settings_invalid")
    if plan.every != "never":
        if not plan.folder:
            raise BackupRefused("backup_folder")
        _make_folder(Path(plan.folder))
    store, at = session.store, session.now()
    with store.write(at):
        store.settings.put(_KEY, asdict(plan))
        store.journal.add(Event.BACKUP_PLANNED, at=at, every=plan.every, keep=plan.keep)
    session.changed()


def standing(session: Session) -> BackupStanding:
    """Where the newest backup is, whether it still says everything, and whether a person should act."""
    plan, all_ = plan_of(session), backups(session)
    newest = next((one for one in all_ if one.present), None)
    rows = {row.id: row for row in session.store.backups.all()}
    changed = newest is None or session.store.backups.events() > rows[newest.id].settled
    return BackupStanding(
        plan=plan,
        newest=newest,
        changed=changed,
        reminder=_reminder(session, plan, all_, newest, changed=changed),
        reachable=plan.every == "never" or Path(plan.folder).is_dir(),
    )


def was_restored(session: Session) -> bool:
    """Whether this vault was ever put back from a backup."""
    return session.store.backups.last_restore() is not None


def is_due(session: Session) -> bool:
    """Whether the plan asks for a backup now (rule 4)."""
    plan = plan_of(session)
    if plan.every == "never":
        return False
    rows = [row for row in session.store.backups.all() if row.folder == plan.folder]
    newest = rows[0] if rows else None
    if newest is None or newest.keys != session.store.keys.fingerprint():
        return True
    changed = session.store.backups.events() > newest.settled
    return changed and newest.made_at + _AGE[plan.every] <= session.now()


def run_plan(session: Session, *, on_progress: OnProgress = no_progress) -> BackupView | None:
    """Make a backup when the plan asks for one; None when it does not.

    Raises:
        BackupRefused, StoreFull: as ``make_backup``.
    """
    if not is_due(session):
        return None
    return make_backup(session, Path(plan_of(session).folder), scheduled=True, on_progress=on_progress)


def _reminder(
    session: Session,
    plan: BackupPlan,
    all_: tuple[BackupView, ...],
    newest: BackupView | None,
    *,
    changed: bool,
) -> str:
    if not all_:
        # A vault with nothing in it needs none yet, and the first day has enough to do.
        first = session.store.backups.oldest_record_at()
        return "none" if first is not None and first + _FIRST_DAY <= session.now() else ""
    if newest is None:
        return "away"
    if not newest.opens_today:
        return "secrets"
    limit = _AGE[plan.every] + GRACE if plan.every != "never" else _UNPLANNED_AGE
    return "old" if changed and newest.made_at + limit <= session.now() else ""


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


def _drop_old(session: Session, folder: Path, *, keep: int) -> None:
    """Rule 3; what cannot be removed now is tried again after the next one."""
    mine = [one for one in backups(session) if one.scheduled and one.path.parent == folder]
    for one in mine[keep:]:
        with contextlib.suppress(BackupRefused):
            remove_backup(session, one.id)


def _make_folder(folder: Path) -> None:
    """Make only the last part of a path: a drive that is away must not become a folder on this one."""
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


def _plan(value: Any) -> BackupPlan:
    kept = value if isinstance(value, dict) else {}
    default = BackupPlan()
    folder = kept.get("folder")
    return BackupPlan(
        folder=folder if isinstance(folder, str) else default.folder,
        every=kept["every"] if kept.get("every") in EVERY_CHOICES else default.every,
        keep=kept["keep"] if kept.get("keep") in KEEP_CHOICES else default.keep,
    )
