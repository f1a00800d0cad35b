"""Taking along: everything in one file, a summary on paper, tables. Says first who can read it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import flet as ft

from pgo.ui.hooks import Action, go, use_action, use_app
from pgo.ui.paper_words import PaperWords
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.state import AppState, Failed, Ok
from pgo.ui.text import fmt_number
from pgo.ui.theme import GAP_SMALL
from pgo.ui.uploads import MAX_FILE_BYTES
from pgo.ui.widgets import (
    body,
    checkbox_row,
    live,
    muted,
    note,
    page_body,
    primary_button,
    progress,
    secondary_button,
    section_card,
    toolbar,
)
from pgo.usecases.export_archive import Archive, export_archive
from pgo.usecases.export_tables import Table, export_table

_LOOK_SECONDS: Final = 0.1
_CONTENTS: Final = ("records", "trash", "documents", "sharing", "journal", "tables")


@dataclass(slots=True)
class Count:
    """How far the work in the thread is; written there, read here."""

    done: int = 0
    total: int = 0

    def tell(self, done: int, total: int) -> None:
        """Note how far it is."""
        self.done, self.total = done, total


@component
def Screen() -> ft.Control:
    """Draw the three ways to take data along."""
    app = use_app()
    return page_body(
        app.t("export.title"),
        note(app.t("export.readable"), "attention", icon=ft.Icons.LOCK_OPEN_ROUNDED),
        ArchiveCard(),
        PaperCard(),
        TablesCard(),
        UseCard(),
        lead=app.t("export.intro"),
        back=("/settings", app.t("settings.title")),
    )


@component
def ArchiveCard() -> ft.Control:
    """Everything in one file."""
    app = use_app()
    picker: ft.FilePicker = ft.use_memo(ft.FilePicker, [])
    paper, set_paper = ft.use_state(True)
    hook: Any = ft.use_state(None)
    state: Count | Archive | None = hook[0]

    async def make() -> None:
        outcome = await _archive(app, paper=paper, show=lambda count: hook[1](count))
        hook[1](None)
        if isinstance(outcome, Failed):
            app.failure = outcome.text
            return
        name = app.t("export.file.all", day=app.session.today().isoformat())
        await picker.save_file(file_name=name, src_bytes=outcome.data)
        hook[1](outcome)

    action = use_action(make)
    return section_card(
        app.t("export.all"),
        *[_bullet(app.t(f"export.all.{name}")) for name in _CONTENTS],
        checkbox_row(app.t("export.all.paper"), paper, set_paper, key="export-with-paper"),
        muted(app.t("export.all.not")),
        *([_running(app, state)] if isinstance(state, Count) else []),
        *([_made(app, state)] if isinstance(state, Archive) else []),
        toolbar(
            primary_button(
                app.t("export.all.do"),
                action.start,
                key="export-all",
                icon=ft.Icons.ARCHIVE_OUTLINED,
                disabled=action.busy,
            )
        ),
        lead=app.t("export.all.lead"),
    )


async def _archive(app: AppState, *, paper: bool, show: Callable[[Count], None]) -> Archive | Failed:
    """Make the archive in a thread, showing the count meanwhile."""
    session, words, count = app.session, PaperWords(app.lang), Count()

    def with_paper() -> bytes:
        from pgo.usecases.export_summary import SummaryChoice, make_pdf

        return make_pdf(session, SummaryChoice(), words)

    work = asyncio.ensure_future(
        app.attempt(
            export_archive, session, words, paper=with_paper if paper else None, on_progress=count.tell
        )
    )
    while not work.done():
        show(Count(count.done, count.total))
        await asyncio.wait({work}, timeout=_LOOK_SECONDS)
    outcome = work.result()
    return outcome.value if isinstance(outcome, Ok) else outcome


def _running(app: AppState, count: Count) -> ft.Control:
    share = count.done / count.total if count.total else None
    numbers = {"done": fmt_number(app.lang, count.done), "total": fmt_number(app.lang, count.total)}
    return progress(app.t("export.all.busy"), share, app.t("collect.progress", **numbers) if share else "")


def _made(app: AppState, made: Archive) -> ft.Control:
    numbers = {
        "records": fmt_number(app.lang, made.records),
        "trashed": fmt_number(app.lang, made.trashed),
        "documents": fmt_number(app.lang, made.documents),
    }
    lines = [app.t("export.all.done", **numbers)]
    if made.documents_left:
        lines.append(app.t("export.all.left", n=made.documents_left))
    if len(made.data) > MAX_FILE_BYTES:
        lines.append(app.t("export.all.large"))
    said = [note(line, "good" if place == 0 else "attention") for place, line in enumerate(lines)]
    return stacked(live(lines[0]), *said, spacing=GAP_SMALL)


def _bullet(text: str) -> ft.Control:
    words = body(text)
    words.expand = True
    mark = ft.Icon(ft.Icons.CHECK_ROUNDED, size=20, color=ft.Colors.PRIMARY)
    return ft.Row([mark, words], spacing=10, vertical_alignment=ft.CrossAxisAlignment.START)


@component
def PaperCard() -> ft.Control:
    """The way to the summary."""
    app = use_app()
    return section_card(
        app.t("export.paper"),
        toolbar(
            secondary_button(
                app.t("export.paper.choose"),
                lambda: go("/settings/export/paper"),
                key="export-paper",
                icon=ft.Icons.PICTURE_AS_PDF_OUTLINED,
            )
        ),
        lead=app.t("export.paper.lead"),
    )


@component
def TablesCard() -> ft.Control:
    """Measurements and medication for a spreadsheet."""
    app = use_app()
    picker: ft.FilePicker = ft.use_memo(ft.FilePicker, [])

    async def save(table: Table) -> None:
        outcome = await app.run(export_table, app.session, table, PaperWords(app.lang))
        if isinstance(outcome, Ok):
            name = f"{app.t(f'paper.file.{table}')}-{app.session.today().isoformat()}.csv"
            await picker.save_file(file_name=name, src_bytes=outcome.value)
            app.say(app.t("export.saved"))

    async def measurements() -> None:
        await save("measurements")

    async def medication() -> None:
        await save("medication")

    first, second = use_action(measurements), use_action(medication)
    busy = first.busy or second.busy
    return section_card(
        app.t("export.tables"),
        *([progress(app.t("common.busy"), None)] if busy else []),
        toolbar(
            _table_button(app, "measurements", first, disabled=busy),
            _table_button(app, "medication", second, disabled=busy),
        ),
        lead=app.t("export.tables.lead"),
    )


def _table_button(app: AppState, table: Table, action: Action, *, disabled: bool) -> ft.Control:
    return secondary_button(
        app.t(f"export.tables.{table}"),
        action.start,
        key=f"export-{table}",
        icon=ft.Icons.TABLE_CHART_OUTLINED,
        disabled=disabled,
    )


@component
def UseCard() -> ft.Control:
    """What somebody can do with the files."""
    app = use_app()
    return section_card(
        app.t("export.use"), *[_bullet(app.t(f"export.use.{name}")) for name in ("app", "other", "backup")]
    )
