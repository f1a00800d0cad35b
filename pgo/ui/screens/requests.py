"""The inbox of requests: who asks, what for, what is new in it, and the answer. No answer is no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.frame import answered, stacked
from pgo.ui.request_words import difference, own_words
from pgo.ui.safety import component
from pgo.ui.sharing.parts import named_button, sentences
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_date
from pgo.ui.widgets import (
    body,
    card,
    empty_state,
    heading,
    key_values,
    muted,
    note,
    page_body,
    primary_button,
    toolbar,
)
from pgo.usecases import requests
from pgo.usecases.requests import RequestRow


@component
def Screen() -> ft.Control:
    """Draw the inbox."""
    app = use_app()
    found = use_query(requests.requests)
    return page_body(
        app.t("request.title"),
        answered(app, found, lambda rows: _inbox(app, rows)),
        lead=app.t("request.intro"),
        back=("/share", app.t("share.title")),
    )


def _inbox(app: AppState, rows: tuple[RequestRow, ...]) -> ft.Control:
    add = primary_button(
        app.t("request.add"),
        lambda: go("/share/requests/new"),
        key="request-add",
        icon=ft.Icons.MARK_EMAIL_READ_OUTLINED,
    )
    if not rows:
        words = app.t("request.none"), app.t("request.none_body")
        return card(empty_state(ft.Icons.MARK_EMAIL_READ_OUTLINED, *words, add))
    return stacked(*[Asked(row, key=f"request-{row.id}") for row in rows], toolbar(add))


@component
def Asked(row: RequestRow) -> ft.Control:
    """One request and its answers: yes or part of it, later, no."""
    app = use_app()
    name = row.recipient.name

    async def later() -> None:
        if isinstance(await app.run(requests.say_later, app.session, row.id), Ok):
            app.changed(app.t("request.said_later"))

    async def refuse() -> None:
        if isinstance(await app.run(requests.say_no, app.session, row.id), Ok):
            app.changed(app.t("request.said_no"))

    def named(
        what: str, on_click: Callable[..., Any], icon: ft.IconData, *, primary: bool = False
    ) -> ft.Control:
        label = app.t(f"request.{what}")
        spoken = app.t("share.button_for", label=label, name=name)
        key = f"request-{what}-{row.id}"
        return named_button(label, spoken, on_click, key=key, icon=icon, primary=primary)

    yes = named("yes", lambda: go(f"/share/answer/{row.id}"), ft.Icons.VISIBILITY_OUTLINED, primary=True)
    facts = [
        (app.t("request.study"), row.study),
        (app.t("request.ethics"), row.ethics),
        (app.t("request.answer_by"), fmt_date(app.lang, row.answer_by)),
    ]
    quoted = own_words(app.lang, row)
    said = [muted(app.t("request.they_say", name=name)), body(f"“{quoted}”")] if quoted else []
    title = "request.asks_more" if row.has_something else "request.asks"
    return card(
        heading(app.t(title, name=name), 2),
        *said,
        heading(app.t("request.new" if row.has_something else "asked.title"), 3),
        sentences(app, difference(app.lang, row)),
        key_values(facts),
        *([] if row.choice else [note(app.t("request.cannot"), "info")]),
        toolbar(
            *([yes] if row.choice else []),
            named("later", later, ft.Icons.SNOOZE_ROUNDED),
            named("no", refuse, ft.Icons.BLOCK_ROUNDED),
        ),
        muted(app.t("request.no_answer"), small=True),
    )
