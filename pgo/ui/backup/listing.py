"""The backups this vault made: look one over again, or remove it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import flet as ft

from pgo.ui.backup.run import use_long
from pgo.ui.backup.words import age, size
from pgo.ui.hooks import use_app
from pgo.ui.safety import component
from pgo.ui.state import AppState, Failed
from pgo.ui.text import fmt_moment
from pgo.ui.theme import GAP, GAP_SMALL
from pgo.ui.widgets import (
    Ask,
    StatusKind,
    live,
    muted,
    note,
    section_card,
    status_badge,
    strong,
    text_button,
    toolbar,
    use_confirm,
)
from pgo.usecases.backup import BackupView, prove_again, remove_backup

MOST_SHOWN = 12


@component
def ListCard(found: tuple[BackupView, ...], now: datetime) -> ft.Control:
    """List them, newest first."""
    app, long, ask = use_app(), use_long(), use_confirm()

    async def remove(view: BackupView) -> None:
        outcome = await app.attempt(remove_backup, app.session, view.id)
        app.say(outcome.text if isinstance(outcome, Failed) else app.t("backup.removed"))

    def question(view: BackupView) -> Ask:
        async def work() -> None:
            await remove(view)

        return Ask(
            app.t("backup.remove.ask"),
            app.t("backup.remove.text", when=fmt_moment(app.lang, view.made_at)),
            app.t("backup.remove"),
            work,
            danger=True,
        )

    async def prove(view: BackupView) -> None:
        await long.start(prove_again, app.session, view.id)

    if not found:
        return ft.Container(width=0, height=0)
    told: list[ft.Control] = []
    if long.outcome is not None:
        failed = long.outcome.failed
        words = failed.text if failed else app.t("backup.prove.done")
        kind: StatusKind = "good" if failed is None else "info" if failed.code == "backup_stopped" else "bad"
        told = [note(words, kind), live(words)]
    rows = [
        _row(app, view, now, _buttons(app, view, lambda v: ask(question(v)), prove, busy=long.busy))
        for view in found[:MOST_SHOWN]
    ]
    listed = ft.Column(rows, spacing=GAP, tight=True)
    return section_card(app.t("backup.list.title"), *long.bar, *told, listed)


def _buttons(
    app: AppState,
    view: BackupView,
    remove: Callable[[BackupView], None],
    prove: Callable[[BackupView], Awaitable[None]],
    *,
    busy: bool,
) -> ft.Control:
    async def look() -> None:
        await prove(view)

    buttons: list[ft.Control] = []
    if view.present:
        words = app.t("backup.prove")
        buttons.append(text_button(words, look, key=f"backup-prove-{view.id}", disabled=busy))
    words = app.t("backup.remove")
    buttons.append(text_button(words, lambda: remove(view), key=f"backup-remove-{view.id}", disabled=busy))
    return toolbar(*buttons)


def _row(app: AppState, view: BackupView, now: datetime, buttons: ft.Control) -> ft.Control:
    badge = (
        status_badge(app.t("backup.badge.proved", when=age(app.lang, view.proved_at, now)), "good")
        if view.present
        else status_badge(app.t("backup.badge.away"), "attention")
    )
    made = app.t("backup.list.scheduled" if view.scheduled else "backup.list.by_hand")
    facts = (made, app.t("backup.records", n=view.records), size(app.lang, view.size_bytes))
    return ft.Column(
        [
            strong(fmt_moment(app.lang, view.made_at)),
            muted(" · ".join(facts)),
            muted(str(view.path.parent), small=True),
            ft.Row([badge], wrap=True),
            buttons,
        ],
        spacing=GAP_SMALL / 2,
        tight=True,
    )
