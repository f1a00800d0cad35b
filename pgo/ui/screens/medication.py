"""Medication: what is in use, what is over, and the patient's own entries to change.

Only what the patient typed can be changed here; what came from a file opens as a record and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.records.frame import Folded, answered, quiet, record_tabs, stacked
from pgo.ui.records.removal import use_remove
from pgo.ui.records.rows import record_line
from pgo.ui.safety import component
from pgo.ui.state import AppState, Ok, go, use_action, use_app, use_query
from pgo.ui.widgets import (
    card,
    date_field,
    empty_state,
    list_section,
    page_body,
    primary_button,
    section_card,
    strong,
    text_button,
    toolbar,
)
from pgo.usecases import medicate, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from pgo.usecases.read import Medications, RecordRow


@component
def Screen() -> ft.Control:
    """Draw the medication list."""
    app = use_app()
    found = use_query(read.medications)
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


def _lists(app: AppState, lists: Medications) -> ft.Control:
    if not (lists.current or lists.past):
        return empty_state(
            ft.Icons.MEDICATION_OUTLINED, app.t("medication.empty.title"), app.t("medication.empty.text")
        )
    now = [_entry(app, row) for row in lists.current]
    parts: list[ft.Control] = [
        section_card(
            app.t("medication.current"),
            list_section(now) if now else quiet(app.t("medication.current.none")),
        )
    ]
    if lists.past:
        past = [_entry(app, row) for row in lists.past]
        parts.append(Folded(app.t("medication.past"), past, name="past-medication"))
    return stacked(*parts)


def _entry(app: AppState, row: RecordRow) -> ft.Control:
    if not row.self_authored:
        return record_line(app, row, icon=False)
    own: ft.Control = OwnEntry(row, key=f"own-{row.id}")
    return own


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
