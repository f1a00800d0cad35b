"""Planned backups, and what a person must know about backups at a glance.

Rules:
1. A planned one is due after a change, when the newest is as old as the plan says, or when the secrets that
   open it are not today's any more.
2. Of the planned ones the newest few stay. What goes is only what this vault made by itself, and only after a
   newer one was proved. A backup made by hand stays until a person removes it.
3. A reminder comes late rather than often: not on the first day, and after the plan had its chance.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from pgo.errors import BackupRefused, InputRefused
from pgo.store.backup_open import OnProgress, no_progress
from pgo.store.journal import Event
from pgo.usecases.backup import BackupView, backups, make_backup, make_folder, remove_backup
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
class BackupStanding:
    """What a person must know about backups at a glance.

    Attributes:
        newest: the newest one that is where it was put, None for none.
        changed: something was changed since.
        reminder: why there should be another one, '' for no reason: ``none``, ``old``, ``away`` (none can be
            reached), ``folder`` (the planned place cannot), ``secrets`` (the newest opens with an older
            passphrase or code only).
        reachable: whether the planned folder is there.
    """

    plan: BackupPlan
    newest: BackupView | None
    changed: bool
    reminder: str
    reachable: bool


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
        make_folder(Path(plan.folder))
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
        reachable=_reachable(plan),
    )


def was_restored(session: Session) -> bool:
    """Whether this vault was ever put back from a backup."""
    return session.store.backups.last_restore() is not None


def is_due(session: Session) -> bool:
    """Whether the plan asks for a backup now (rule 1)."""
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
    plan = plan_of(session)
    made = make_backup(session, Path(plan.folder), scheduled=True, on_progress=on_progress)
    _drop_old(session, Path(plan.folder), keep=plan.keep)
    return made


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
    if changed and not _reachable(plan):
        return "folder"
    limit = _AGE[plan.every] + GRACE if plan.every != "never" else _UNPLANNED_AGE
    return "old" if changed and newest.made_at + limit <= session.now() else ""


def _reachable(plan: BackupPlan) -> bool:
    """Whether the planned folder, or the drive it will be made on, is there."""
    return plan.every == "never" or Path(plan.folder).is_dir() or Path(plan.folder).parent.is_dir()


def _drop_old(session: Session, folder: Path, *, keep: int) -> None:
    """Rule 2; what cannot be removed now is tried again after the next one."""
    mine = [one for one in backups(session) if one.scheduled and one.path.parent == folder]
    for one in mine[keep:]:
        with contextlib.suppress(BackupRefused):
            remove_backup(session, one.id)


def _plan(value: Any) -> BackupPlan:
    kept = value if isinstance(value, dict) else {}
    default = BackupPlan()
    folder = kept.get("folder")
    return BackupPlan(
        folder=folder if isinstance(folder, str) else default.folder,
        every=kept["every"] if kept.get("every") in EVERY_CHOICES else default.every,
        keep=kept["keep"] if kept.get("keep") in KEEP_CHOICES else default.keep,
    )
