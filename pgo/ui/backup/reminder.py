"""On the overview: a backup that is missing or old, and a vault that was put back and still waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.backup.words import age
from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.theme import GAP_SMALL
from pgo.ui.widgets import StatusKind, note, secondary_button, toolbar
from pgo.usecases.backup_plan import standing, was_restored

if TYPE_CHECKING:
    from pgo.usecases.session import Session


def read_reminder(session: Session) -> tuple[str, tuple[str, ...]]:
    """Why there should be another backup, '' for no reason, and who waits after a restore."""
    return standing(session).reminder, _waiting(session)


def row_badge(app: AppState, session: Session) -> tuple[str, StatusKind]:
    """Words and look of the badge behind the row in the settings."""
    now_is = standing(session)
    if _waiting(session):
        return app.t("backup.row.waits"), "attention"
    if now_is.newest is None:
        return app.t("backup.row.none"), "attention"
    words = app.t("backup.row.made", when=age(app.lang, now_is.newest.made_at, session.now()))
    return words, "attention" if now_is.reminder else "good"


@component
def BackupReminder() -> ft.Control:
    """Say it when there is something to say; nothing for the example patient."""
    app = use_app()
    found = use_query(read_reminder).value
    reminder, names = found or ("", ())
    notes: list[ft.Control] = []
    if names:
        notes.append(note(app.t("overview.restored", names=", ".join(names)), "attention"))
    if reminder and not app.is_example:
        words = app.t(f"overview.backup.{reminder}")
        notes.append(note(words, "attention", icon=ft.Icons.SAVE_OUTLINED))
    if not notes:
        return ft.Container(width=0, height=0)
    button = secondary_button(app.t("overview.backup.do"), lambda: go("/settings/backup"), key="to-backup")
    return ft.Column([*notes, toolbar(button)], spacing=GAP_SMALL, tight=True)


def _waiting(session: Session) -> tuple[str, ...]:
    if not was_restored(session):
        return ()
    from pgo.usecases.reconcile import after_restore  # the sending parts: only a restored vault pays for them

    after = after_restore(session)
    return tuple(one.name for one in after.waiting) if after is not None else ()
