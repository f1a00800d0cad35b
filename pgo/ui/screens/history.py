"""The history of sharing: every decision with its receipt, and what recipients did; all of it as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import flet as ft

from pgo.ui.history_words import change_sentence, receipt_sentences
from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.records.frame import answered, stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import sentences
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_moment
from pgo.ui.widgets import (
    body,
    card,
    copyable,
    empty_state,
    list_section,
    muted,
    page_body,
    secondary_button,
    text_button,
    toolbar,
)
from pgo.usecases import history
from pgo.usecases.history import Change, ChangeKind

EXPORT_NAME: Final = "delen-geschiedenis.json"
PAGE: Final = 30

_ICONS: Final[Mapping[ChangeKind, ft.IconData]] = {
    ChangeKind.SHARED: ft.Icons.SEND_ROUNDED,
    ChangeKind.STOPPED: ft.Icons.BLOCK_ROUNDED,
    ChangeKind.OBJECTED: ft.Icons.SHIELD_OUTLINED,
    ChangeKind.LIFTED: ft.Icons.UNDO_ROUNDED,
    ChangeKind.RECIPIENT_ADDED: ft.Icons.PERSON_ADD_ALT_ROUNDED,
    ChangeKind.RECIPIENT_REMOVED: ft.Icons.PERSON_REMOVE_OUTLINED,
    ChangeKind.RECEIVED: ft.Icons.VERIFIED_OUTLINED,
    ChangeKind.REFUSED: ft.Icons.ERROR_OUTLINE_ROUNDED,
    ChangeKind.LOOKED: ft.Icons.VISIBILITY_OUTLINED,
}


@component
def Screen() -> ft.Control:
    """Draw the history."""
    app = use_app()
    found = use_query(history.history)
    return page_body(
        app.t("history.title"),
        answered(app, found, lambda rows: Changes(rows)),
        lead=app.t("history.intro"),
        back=("/share", app.t("share.title")),
    )


@component
def Changes(rows: tuple[Change, ...]) -> ft.Control:
    """The list, newest first, and the file."""
    app = use_app()
    shown, set_shown = ft.use_state(PAGE)
    picker = ft.use_memo(ft.FilePicker, [])

    async def export() -> None:
        outcome = await app.run(history.export_history, app.session)
        if isinstance(outcome, Ok):
            await picker.save_file(file_name=EXPORT_NAME, src_bytes=outcome.value)

    exporting = use_action(export)
    if not rows:
        nothing = app.t("history.none"), app.t("history.none_body")
        return card(empty_state(ft.Icons.HISTORY_ROUNDED, *nothing))
    lines = [Line(row, key=f"change-{len(rows) - place}") for place, row in enumerate(rows[:shown])]
    more = text_button(app.t("share.new.held_more"), lambda: set_shown(shown + PAGE), key="history-more")
    save = secondary_button(
        app.t("history.export"),
        exporting.start,
        key="history-export",
        icon=ft.Icons.DOWNLOAD_ROUNDED,
        disabled=exporting.busy,
    )
    return stacked(
        toolbar(save),
        card(list_section(lines)),
        *([ft.Row([more], wrap=True)] if shown < len(rows) else []),
    )


@component
def Line(change: Change) -> ft.Control:
    """One change; a decision opens to its receipt."""
    app = use_app()
    is_open, set_open = ft.use_state(False)
    words = stacked(
        body(change_sentence(app.lang, change)), muted(fmt_moment(app.lang, change.at), small=True), spacing=2
    )
    words.expand = True
    icon = ft.Icon(_ICONS.get(change.kind, ft.Icons.HISTORY_ROUNDED), color=ft.Colors.PRIMARY)
    row = ft.Row([icon, words], spacing=12, vertical_alignment=ft.CrossAxisAlignment.START)
    inside: list[ft.Control] = [row]
    if change.receipt_id:
        toggle = text_button(
            app.t("history.receipt_hide" if is_open else "history.receipt"),
            lambda: set_open(not is_open),
            key=f"receipt-{change.receipt_id[-12:]}",
            icon=ft.Icons.EXPAND_LESS_ROUNDED if is_open else ft.Icons.RECEIPT_LONG_OUTLINED,
        )
        inside.append(ft.Row([toggle], wrap=True))
        inside += _receipt(app, change) if is_open else []
    padding = ft.Padding(left=0, right=0, top=12, bottom=12)
    return ft.Container(stacked(*inside, spacing=8), padding=padding)


def _receipt(app: AppState, change: Change) -> list[ft.Control]:
    lines = receipt_sentences(app.lang, change)
    return [
        *([sentences(app, lines)] if lines else []),
        muted(app.t("history.receipt_number"), small=True),
        copyable(change.receipt_id),
    ]
