"""The document of a record: what kind it is and how large, and the way to save it. It is never drawn here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.state import Ok
from pgo.ui.text import fmt_number
from pgo.ui.widgets import (
    body,
    heading,
    key_values,
    muted,
    secondary_button,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases.intake_documents import document_file

if TYPE_CHECKING:
    from pgo.health.record.narrative import Line

_KILOBYTE = 1_000
_PAGE = 60


@component
def DocumentCard(record_id: int) -> ft.Control:
    """Draw the document of a record; nothing at all when it has none."""
    app = use_app()
    found = use_query(lambda session: document_file(session, record_id), record_id)
    picker = ft.use_memo(ft.FilePicker, [])

    async def save() -> None:
        outcome = await app.run(document_file, app.session, record_id)
        if isinstance(outcome, Ok) and outcome.value is not None:
            await picker.save_file(file_name=outcome.value.name, src_bytes=outcome.value.data)

    saving = use_action(save)
    if found.value is None:
        return ft.Container(visible=False)
    size = max(1, round(len(found.value.data) / _KILOBYTE))
    card = section_card(
        app.t("document.title"),
        key_values(
            [
                (app.t("document.kind"), app.t(f"document.kind.{found.value.kind}")),
                (app.t("document.size"), app.t("document.kilobytes", n=fmt_number(app.lang, size))),
            ]
        ),
        muted(app.t("document.lead"), small=True),
        toolbar(
            secondary_button(
                app.t("document.save"),
                saving.start,
                key="document-save",
                icon=ft.Icons.DOWNLOAD_ROUNDED,
                disabled=saving.busy,
            )
        ),
    )
    return stacked(card, DocumentText(found.value.lines)) if found.value.lines else card


@component
def DocumentText(lines: tuple[Line, ...]) -> ft.Control:
    """The words of a document, a page of lines at a time."""
    app = use_app()
    shown, set_shown = ft.use_state(_PAGE)
    rows = [heading(line.words, 3) if line.heading else body(line.words) for line in lines[:shown]]
    if shown < len(lines):
        rows.append(
            text_button(app.t("document.more"), lambda: set_shown(shown + 5 * _PAGE), key="document-more")
        )
    return section_card(app.t("document.text"), *rows, lead=app.t("document.text.lead"))
