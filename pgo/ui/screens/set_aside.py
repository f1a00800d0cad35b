"""Set aside: what of your files could not be read, why, and what you can do with it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.records.frame import answered, stacked
from pgo.ui.records.intake_words import as_sentence, place_words, reason_words
from pgo.ui.safety import component
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_moment
from pgo.ui.widgets import (
    card,
    empty_state,
    list_row,
    list_section,
    live,
    muted,
    note,
    page_body,
    primary_button,
    progress,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases import intake_retry

if TYPE_CHECKING:
    from pgo.usecases.intake_retry import Waiting

PAGE = 20


@component
def Screen() -> ft.Control:
    """Draw what waits."""
    app = use_app()
    found = use_query(intake_retry.waiting)
    return page_body(
        app.t("aside.title"),
        answered(app, found, lambda rows: Everything(rows)),
        lead=app.t("aside.lead"),
        back=("/collect", app.t("collect.title")),
    )


@component
def Everything(rows: tuple[Waiting, ...]) -> ft.Control:
    """The button that tries all again, and the files with what lies aside of each."""
    app = use_app()
    said, set_said = ft.use_state("")

    async def again() -> None:
        outcome = await app.run(intake_retry.retry, app.session)
        if isinstance(outcome, Ok):
            done = outcome.value
            set_said(app.t("aside.retried", n=done.imported) if done.settled else app.t("aside.retried.none"))
            app.changed()

    trying = use_action(again)
    parts: list[ft.Control] = [note(said, "info"), live(said)] if said else []
    if not rows:
        nothing = empty_state(ft.Icons.TASK_ALT_ROUNDED, app.t("aside.none"), app.t("aside.none.text"))
        return stacked(*parts, nothing)
    button = primary_button(
        app.t("aside.retry"), trying.start, key="retry", icon=ft.Icons.REFRESH_ROUNDED, disabled=trying.busy
    )
    parts.append(card(muted(app.t("aside.retry.lead")), toolbar(button)))
    if trying.busy:
        parts.append(card(progress(app.t("aside.retrying"), None, "")))
    for source, group in groupby(rows, key=lambda row: row.source_id):
        parts.append(OneFile(tuple(group), key=f"file-{source}"))
    return stacked(*parts)


@component
def OneFile(rows: tuple[Waiting, ...]) -> ft.Control:
    """One file: when it was read, and its pieces, a page at a time."""
    app = use_app()
    shown, set_shown = ft.use_state(PAGE)
    more: list[ft.Control] = []
    if shown < len(rows):
        more.append(
            text_button(app.t("aside.more", n=len(rows) - shown), lambda: set_shown(shown + PAGE), key="more")
        )
    return section_card(
        rows[0].source_name,
        list_section([Piece(row, key=f"piece-{row.id}") for row in rows[:shown]]),
        *more,
        lead=fmt_moment(app.lang, rows[0].collected_at),
    )


@component
def Piece(row: Waiting) -> ft.Control:
    """One piece: what it is, why it waits, and a way to save it or throw it away."""
    app = use_app()
    asking, set_asking = ft.use_state(False)
    picker = ft.use_memo(ft.FilePicker, [])

    async def save() -> None:
        outcome = await app.run(intake_retry.entry_file, app.session, row.id)
        if isinstance(outcome, Ok):
            name, data = outcome.value
            await picker.save_file(file_name=name, src_bytes=data)

    async def drop() -> None:
        outcome = await app.run(intake_retry.throw_away, app.session, row.id)
        if isinstance(outcome, Ok):
            app.changed()

    saving, dropping = use_action(save), use_action(drop)
    said = list_row(
        as_sentence(reason_words(app, row.code)), key=f"aside-{row.id}", detail=where_words(app, row)
    )
    if asking:
        buttons = [
            text_button(app.t("aside.drop.yes"), dropping.start, key=f"drop-yes-{row.id}"),
            text_button(app.t("aside.drop.no"), lambda: set_asking(False), key=f"drop-no-{row.id}"),
        ]
        return ft.Column([said, muted(app.t("aside.drop.ask")), toolbar(*buttons)], spacing=4, tight=True)
    buttons = [
        text_button(app.t("aside.save"), saving.start, key=f"save-{row.id}", icon=ft.Icons.DOWNLOAD_ROUNDED),
        text_button(
            app.t("aside.drop"),
            lambda: set_asking(True),
            key=f"drop-{row.id}",
            icon=ft.Icons.DELETE_OUTLINE_ROUNDED,
        ),
    ]
    return ft.Column([said, toolbar(*buttons)], spacing=4, tight=True)


def where_words(app: AppState, row: Waiting) -> str:
    """Say what kind it seems to be and where in the file it stood."""
    return " · ".join(part for part in (row.type or "", place_words(app, row.entry)) if part)
