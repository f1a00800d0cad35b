"""Medication: what is in use, what is over, and the patient's own entries to change.

A medicine is one line, whoever wrote about it: what was agreed, what the pharmacy gave, what the patient
takes. It opens to all its records. Only what the patient typed can be changed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import go, use_action, use_app, use_query
from pgo.ui.records.frame import Folded, answered, quiet, record_tabs, stacked
from pgo.ui.records.medicine_words import differences_of, period_of, rows_of, sources_of
from pgo.ui.records.removal import use_remove
from pgo.ui.records.rows import line, open_record, record_line
from pgo.ui.safety import component
from pgo.ui.state import AppState, Ok
from pgo.ui.widgets import (
    card,
    date_field,
    empty_state,
    list_section,
    muted,
    page_body,
    primary_button,
    section_card,
    status_badge,
    strong,
    text_button,
    toolbar,
)
from pgo.usecases import medicate
from pgo.usecases.medicines import medicines

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from pgo.usecases.medicines import Medicine, Medicines
    from pgo.usecases.read import RecordRow


@component
def Screen() -> ft.Control:
    """Draw the medication list."""
    app = use_app()
    found = use_query(medicines)
    add = primary_button(
        app.t("medication.add"),
        lambda: go("/medication/new"),
        key="medication-add",
        icon=ft.Icons.ADD_ROUNDED,
    )
    return page_body(
        app.t("medication.title"),
        record_tabs(app, "/medication"),
        answered(app, found, lambda lists: _lists(app, lists)),
        toolbar(
            text_button(
                app.t("trash.title"), lambda: go("/trash"), key="trash", icon=ft.Icons.DELETE_OUTLINE_ROUNDED
            )
        ),
        actions=[add],
    )


def _lists(app: AppState, lists: Medicines) -> ft.Control:
    if not (lists.current or lists.past):
        return empty_state(
            ft.Icons.MEDICATION_OUTLINED, app.t("medication.empty.title"), app.t("medication.empty.text")
        )
    now = [_entry(app, one) for one in lists.current]
    parts: list[ft.Control] = [
        section_card(
            app.t("medication.current"),
            list_section(now) if now else quiet(app.t("medication.current.none")),
        )
    ]
    if lists.past:
        past = [_entry(app, one) for one in lists.past]
        parts.append(Folded(app.t("medication.past"), past, name="past-medication"))
    return stacked(*parts)


def _entry(app: AppState, one: Medicine) -> ft.Control:
    if len(one.line.record_ids) > 1 or not one.row.self_authored:
        return medicine_line(app, one)
    own: ft.Control = OwnEntry(one.row, key=f"own-{one.row.id}")
    return own


def medicine_line(app: AppState, one: Medicine) -> ft.Control:
    """A medicine as a row that opens it: its parts in words, and what differs for certain."""
    said = rows_of(app.lang, one.line)
    words = [ft.Text(f"{name}: {value}", theme_style=ft.TextThemeStyle.BODY_MEDIUM) for name, value in said]
    about = " · ".join(filter(None, (period_of(app.lang, one.line), sources_of(app.lang, one))))
    state = str(one.line.status)
    badges = [status_badge(sentence, "attention") for sentence in differences_of(app.lang, one.line)]
    if state in ("planned", "entered_in_error"):
        badges.append(status_badge(app.t(f"records.status.{state}"), "attention"))
    alone = len(one.line.record_ids) == 1
    return line(
        [strong(one.title), *words, *([muted(about, small=True)] if about else []), *_each_on_a_row(badges)],
        key=f"medicine-{one.id}",
        on_click=open_record(one.id) if alone else lambda: go(f"/medication/line/{one.id}"),
    )


def _each_on_a_row(badges: list[ft.Control]) -> list[ft.Control]:
    return [ft.Row([badge]) for badge in badges]


@component
def OwnEntry(row: RecordRow) -> ft.Control:
    """A medication the patient typed: its line, and what can be done with it."""
    app = use_app()
    stopping, set_stopping = ft.use_state(False)
    remove = use_remove(row)
    buttons = [
        text_button(
            app.t("medication.edit"),
            lambda: go(f"/medication/{row.id}/edit"),
            key=f"edit-{row.id}",
            icon=ft.Icons.EDIT_OUTLINED,
        )
    ]
    if row.status != "past" and not stopping:
        buttons.append(
            text_button(
                app.t("medication.stop"),
                lambda: set_stopping(True),
                key=f"stop-{row.id}",
                icon=ft.Icons.STOP_CIRCLE_OUTLINED,
            )
        )
    buttons.append(
        text_button(
            app.t("medication.remove"),
            remove.start,
            key=f"remove-{row.id}",
            icon=ft.Icons.DELETE_OUTLINE_ROUNDED,
            disabled=remove.busy,
        )
    )
    named = ft.Semantics(
        container=True, label=app.t("medication.actions", title=row.title), content=toolbar(*buttons)
    )
    question = [StopQuestion(row, lambda: set_stopping(False))] if stopping else []
    return stacked(record_line(app, row, icon=False), named, *question, spacing=0)


@component
def StopQuestion(row: RecordRow, close: Callable[[], None]) -> ft.Control:
    """Ask from which day a medication is no longer used; today unless another day is chosen."""
    app = use_app()
    today = app.application.clock().astimezone().date()
    on, set_on = ft.use_state(today)

    async def stop() -> None:
        if isinstance(await app.run(medicate.stop_medication, app.session, row.id, on), Ok):
            close()
            app.changed(app.t("medication.stopped", title=row.title))

    def choose(day: date | None) -> None:
        set_on(day or today)

    action = use_action(stop)
    return card(
        strong(app.t("medication.stop.question", title=row.title)),
        date_field(app.t("medication.stop.date"), on, choose, key="stop-date", last=today, today=today),
        toolbar(
            primary_button(app.t("medication.stop.yes"), action.start, key="stop-yes", disabled=action.busy),
            text_button(app.t("common.cancel"), close, key="stop-no"),
        ),
        padding=16,
    )
