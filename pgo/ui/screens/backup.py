"""Backups: where the newest one is and whether it is enough, make one, plan them, and what a restore left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import flet as ft

from pgo.ui.backup.after import AfterCards
from pgo.ui.backup.listing import ListCard
from pgo.ui.backup.places import FolderChoice
from pgo.ui.backup.plan import PlanCard
from pgo.ui.backup.run import use_long
from pgo.ui.backup.words import age, size
from pgo.ui.hooks import use_app, use_query
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.text import fmt_moment
from pgo.ui.widgets import (
    StatusKind,
    body,
    key_values,
    live,
    muted,
    note,
    page_body,
    primary_button,
    query_placeholder,
    section_card,
    toolbar,
)
from pgo.usecases.backup import BackupView, backups, make_backup
from pgo.usecases.backup_plan import BackupStanding, standing
from pgo.usecases.backup_restore import kept_before
from pgo.usecases.reconcile import AfterRestore, after_restore

if TYPE_CHECKING:
    from pgo.usecases.session import Session


_NEWS: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the screen shows, read in one go."""

    now: datetime
    vault: Path
    standing: BackupStanding
    backups: tuple[BackupView, ...]
    after: AfterRestore | None
    kept_bytes: int


def read_page(session: Session) -> Page:
    """Read what the screen shows."""
    return Page(
        now=session.now(),
        vault=session.folder,
        standing=standing(session),
        backups=backups(session),
        after=after_restore(session),
        kept_bytes=kept_before(session.folder),
    )


@component
def Screen() -> ft.Control:
    """Draw the screen."""
    app = use_app()
    read = use_query(read_page)
    content: list[ft.Control]
    if read.value is None:
        waiting = query_placeholder(read, app.t("common.loading"))
        content = [waiting] if waiting is not None else []
    else:
        page = read.value
        content = [
            AfterCards(_still_news(page), page.kept_bytes),
            StandingCard(page.standing, page.now),
            MakeCard(page.standing, page.vault),
            PlanCard(page.standing.plan, page.vault),
            ListCard(page.backups, page.now),
            _keys_card(app),
        ]
    return page_body(
        app.t("backup.title"),
        *content,
        lead=app.t("backup.lead"),
        back=("/settings", app.t("settings.title")),
    )


def _still_news(page: Page) -> AfterRestore | None:
    """What a restore left, as long as somebody waits or it is recent."""
    after = page.after
    if after is None or after.waiting or page.now < after.restored_at + _NEWS:
        return after
    return None


@component
def StandingCard(now_is: BackupStanding, now: datetime) -> ft.Control:
    """Where the newest backup is, how old, proved when, and whether the person should act."""
    app = use_app()
    words, kind = sentence(app, now_is, now)
    newest = now_is.newest
    rows: list[tuple[str, str]] = []
    if newest is not None:
        rows = [
            (app.t("backup.where"), str(newest.path)),
            (app.t("backup.made"), fmt_moment(app.lang, newest.made_at)),
            (app.t("backup.proved"), fmt_moment(app.lang, newest.proved_at)),
            (app.t("backup.holds"), app.t("backup.records", n=newest.records)),
            (app.t("backup.size"), size(app.lang, newest.size_bytes)),
        ]
    return section_card(app.t("backup.newest"), note(words, kind), *([key_values(rows)] if rows else []))


def sentence(app: AppState, now_is: BackupStanding, now: datetime) -> tuple[str, StatusKind]:
    """One or two sentences about the newest backup, and how serious they are."""
    newest = now_is.newest
    match now_is.reminder, newest:
        case "away", _:
            return app.t("backup.standing.away"), "attention"
        case _, None:
            return app.t("backup.standing.none"), "attention"
        case "folder", _:
            return app.t("backup.standing.folder", folder=now_is.plan.folder), "attention"
        case "secrets", _:
            return app.t("backup.standing.secrets"), "attention"
        case "old", BackupView() as view:
            return app.t("backup.standing.old", when=age(app.lang, view.made_at, now)), "attention"
        case _, view:
            key = "backup.standing.changed" if now_is.changed else "backup.standing.good"
            return app.t(key, when=age(app.lang, view.made_at, now)), "good"


@component
def MakeCard(now_is: BackupStanding, vault: Path) -> ft.Control:
    """Make one now."""
    app, long = use_app(), use_long()
    first = now_is.plan.folder or (str(now_is.newest.path.parent) if now_is.newest else "")
    folder, set_folder = ft.use_state(first)
    error, set_error = ft.use_state("")

    async def make() -> None:
        if not folder.strip():
            set_error(app.t("backup.place.first"))
            return
        set_error("")
        await long.start(make_backup, app.session, Path(folder.strip()).expanduser())

    result: list[ft.Control] = []
    if long.outcome is not None:
        result = [_told(app, long.outcome)]
    return section_card(
        app.t("backup.make.title"),
        FolderChoice(folder, vault, set_folder, "make", error),
        *long.bar,
        *result,
        toolbar(
            primary_button(
                app.t("backup.make"),
                make,
                key="backup-make",
                icon=ft.Icons.SAVE_OUTLINED,
                disabled=long.busy,
            )
        ),
        lead=app.t("backup.make.lead"),
    )


def _told(app: AppState, outcome: Any) -> ft.Control:
    if outcome.failed is not None:
        kind: StatusKind = "info" if outcome.failed.code == "backup_stopped" else "bad"
        words = outcome.failed.text
        return ft.Column([note(words, kind), live(words)], tight=True)
    made: BackupView = outcome.value
    words = app.t("backup.make.done", n=made.records)
    return ft.Column([note(words, "good"), live(words)], tight=True)


def _keys_card(app: AppState) -> ft.Control:
    return section_card(
        app.t("backup.keys.title"),
        body(app.t("backup.keys.1")),
        body(app.t("backup.keys.2")),
        muted(app.t("backup.keys.3")),
    )
