"""What stays behind, record by record with its reason, and objections in the way of a choice."""

from __future__ import annotations

from functools import partial
from typing import Final

import flet as ft

from pgo.ui.hooks import use_app, use_query
from pgo.ui.objection_words import title
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import sentences
from pgo.ui.sharing_words import held_reason
from pgo.ui.state import AppState, Ok
from pgo.ui.theme import GAP_SMALL
from pgo.ui.why_words import by_rule, verdict
from pgo.ui.widgets import Ask, body, muted, note, secondary_button, text_button, use_confirm
from pgo.ui.widgets.buttons import keyed
from pgo.usecases import objections, share
from pgo.usecases.read import RecordRow
from pgo.usecases.session import Session
from pgo.usecases.share import Conflict, SharePreview
from pgo.usecases.why import why

PAGE: Final = 20


@component
def HeldList(preview: SharePreview) -> ft.Control:
    """The records that stay, a page at a time, closed until asked for."""
    app = use_app()
    shown, set_shown = ft.use_state(0)

    def read(session: Session) -> tuple[tuple[RecordRow, str], ...]:
        why = dict(preview.held)
        page = share.held_page(session, preview, limit=shown)
        return tuple((row, str(why[row.id])) for row in page.rows)

    rows = use_query(read, preview.held, shown).value or ()
    total = len(preview.held)
    toggle = text_button(
        app.t("share.new.held_hide") if shown else app.t("share.new.held_show", n=total),
        lambda: set_shown(0 if shown else PAGE),
        key="preview-held",
        icon=ft.Icons.EXPAND_LESS_ROUNDED if shown else ft.Icons.EXPAND_MORE_ROUNDED,
    )
    more = text_button(app.t("share.new.held_more"), lambda: set_shown(shown + PAGE), key="preview-held-more")
    lines = [_line(app, row, why) for row, why in rows] if shown else []
    return stacked(
        ft.Row([toggle], wrap=True),
        *lines,
        *([ft.Row([more], wrap=True)] if 0 < shown < total else []),
        spacing=GAP_SMALL,
    )


def _line(app: AppState, row: RecordRow, why: str) -> ft.Control:
    reason = held_reason(app.lang, why)
    words = stacked(body(row.title), muted(reason, small=True), spacing=0)
    words.expand = True
    icon = ft.Icon(ft.Icons.LOCK_OUTLINE_ROUNDED, size=20, color=ft.Colors.ON_SURFACE_VARIANT)
    spoken = app.t("share.new.held_row", title=row.title, why=reason)
    said = ft.Semantics(
        container=True,
        label=spoken,
        exclude_semantics=True,
        expand=True,
        content=ft.Row([icon, words], spacing=12, vertical_alignment=ft.CrossAxisAlignment.START),
    )
    return stacked(said, WhoSees(row, key=f"sees-{row.id}"), spacing=0)


@component
def WhoSees(row: RecordRow) -> ft.Control:
    """Who could see this record now and by which rule not, opened on the spot: the choice above stays."""
    app = use_app()
    opened, set_opened = ft.use_state(False)
    found = use_query(lambda session: why(session, row.id) if opened else None, row.id, opened).value
    label = app.t("why.button")
    toggle = keyed(
        f"held-why-{row.id}",
        ft.TextButton(
            content=ft.Text(label, semantics_label=app.t("share.button_for", label=label, name=row.title)),
            icon=ft.Icons.EXPAND_LESS_ROUNDED if opened else ft.Icons.EXPAND_MORE_ROUNDED,
            on_click=lambda: set_opened(not opened),
        ),
    )
    lines = (
        [text for one in found.rows for text in (verdict(app.lang, one), by_rule(app.lang, one)) if text]
        if found
        else []
    )
    if found is not None and not lines:
        lines = [app.t("why.nobody_body")]
    return stacked(
        ft.Row([toggle], wrap=True),
        *([sentences(app, lines)] if lines else []),
        spacing=0,
    )


@component
def ConflictNote(conflict: Conflict) -> ft.Control:
    """An objection in the way: what it holds back, and the choice to lift it or to leave it."""
    app = use_app()
    ask = use_confirm()
    row = conflict.objection
    said = title(app.lang, row)

    async def lift() -> None:
        if isinstance(await app.run(objections.lift, app.session, row.id), Ok):
            app.changed(app.t("objection.lifted"))

    question = Ask(
        title=app.t("objection.lift_sure"),
        text=app.t("objection.lift_body", what=said),
        yes=app.t("objection.lift_yes"),
        no=app.t("objection.lift_no"),
        work=lift,
    )
    button = secondary_button(
        app.t("share.conflict.lift"),
        partial(ask, question),
        key=f"conflict-lift-{row.id}",
        icon=ft.Icons.UNDO_ROUNDED,
    )
    words = app.t("share.conflict", n=conflict.records, what=said)
    return stacked(
        note(f"{words} {app.t('share.conflict.keep')}", "attention", icon=ft.Icons.SHIELD_ROUNDED),
        ft.Row([button], wrap=True),
        spacing=GAP_SMALL,
    )
