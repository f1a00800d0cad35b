"""Objections: what nobody, or one recipient, may ever see; each can be taken back with one action."""

from __future__ import annotations

from functools import partial

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.objection_words import title
from pgo.ui.records.frame import answered, stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import named_button
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_moment
from pgo.ui.widgets import (
    Ask,
    body,
    card,
    empty_state,
    heading,
    muted,
    page_body,
    primary_button,
    toolbar,
    use_confirm,
)
from pgo.usecases import objections
from pgo.usecases.objections import ObjectionRow


@component
def Screen() -> ft.Control:
    """Draw the list."""
    app = use_app()
    found = use_query(objections.objections)
    return page_body(
        app.t("objection.title"),
        answered(app, found, lambda rows: _list(app, rows)),
        lead=app.t("objection.intro"),
        back=("/share", app.t("share.title")),
    )


def _list(app: AppState, rows: tuple[ObjectionRow, ...]) -> ft.Control:
    new = primary_button(
        app.t("objection.new"),
        lambda: go("/share/objections/new"),
        key="objection-new",
        icon=ft.Icons.SHIELD_OUTLINED,
    )
    now = [row for row in rows if row.lifted_at is None]
    past = [row for row in rows if row.lifted_at is not None]
    if not now:
        start = empty_state(
            ft.Icons.SHIELD_OUTLINED, app.t("objection.none"), app.t("objection.none_body"), new
        )
        return stacked(card(start), *_past(app, past), spacing=24)
    cards = [Objection(row, key=f"objection-{row.id}") for row in now]
    return stacked(*cards, toolbar(new), *_past(app, past), spacing=12)


def _past(app: AppState, rows: list[ObjectionRow]) -> list[ft.Control]:
    if not rows:
        return []
    lines = [
        stacked(
            body(title(app.lang, row)),
            muted(app.t("objection.lifted_at", when=_moment(app, row)), small=True),
            spacing=2,
        )
        for row in rows
    ]
    return [card(heading(app.t("objection.past"), 2), *lines)]


def _moment(app: AppState, row: ObjectionRow) -> str:
    return fmt_moment(app.lang, row.lifted_at or row.signed_at)


@component
def Objection(row: ObjectionRow) -> ft.Control:
    """One objection that holds, and the way to take it back."""
    app = use_app()
    ask = use_confirm()
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
    label = app.t("objection.lift")
    button = named_button(
        label,
        app.t("share.button_for", label=label, name=said),
        partial(ask, question),
        key=f"objection-lift-{row.id}",
        icon=ft.Icons.UNDO_ROUNDED,
    )
    words = body(said)
    words.expand = True
    return card(
        ft.Row(
            [ft.Icon(ft.Icons.SHIELD_ROUNDED, color=ft.Colors.PRIMARY), words],
            spacing=12,
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
        muted(app.t("objection.signed_at", when=fmt_moment(app.lang, row.signed_at)), small=True),
        ft.Row([button], wrap=True),
    )
