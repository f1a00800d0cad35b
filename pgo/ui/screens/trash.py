"""Trash: what was thrown away, and the way back. Nothing here is destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import use_app, use_query
from pgo.ui.records.frame import answered, stacked
from pgo.ui.records.removal import use_restore
from pgo.ui.records.rows import kind_icon, line, second_line
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.widgets import card, empty_state, page_body, secondary_button
from pgo.ui.widgets.layout import muted, strong
from pgo.usecases import medicate

if TYPE_CHECKING:
    from pgo.usecases.read import RecordRow


@component
def Screen() -> ft.Control:
    """Draw the trash."""
    app = use_app()
    rows = use_query(medicate.trash)
    return page_body(
        app.t("trash.title"),
        answered(app, rows, lambda found: _list(app, found)),
        lead=app.t("trash.lead"),
        back=("/medication", app.t("records.tab.medication")),
    )


def _list(app: AppState, rows: tuple[RecordRow, ...]) -> ft.Control:
    if not rows:
        return empty_state(
            ft.Icons.DELETE_OUTLINE_ROUNDED, app.t("trash.empty.title"), app.t("trash.empty.text")
        )
    return stacked(*[Thrown(row, key=f"thrown-{row.id}") for row in rows], spacing=12)


@component
def Thrown(row: RecordRow) -> ft.Control:
    """One thrown-away record with its way back."""
    app = use_app()

    action = use_restore(row)
    words = second_line(app, row, with_kind=True, with_status=True)
    button = secondary_button(
        app.t("trash.restore", title=row.title),
        action.start,
        key=f"restore-{row.id}",
        icon=ft.Icons.RESTORE_FROM_TRASH_OUTLINED,
        disabled=action.busy,
    )
    return card(
        line(
            [strong(row.title), muted(words, small=True)], key=f"trash-{row.id}", leading=kind_icon(row.kind)
        ),
        ft.Row([button], wrap=True),
    )
