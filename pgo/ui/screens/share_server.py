"""Add a plain FHIR server: say which, let the app ask what it can, read what it cannot, accept.

Nothing is kept, and nothing of the patient goes there, before the last step. A typed secret leaves the form
for the vault only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flet as ft

from pgo.ui.fhir_words import refusal, type_names
from pgo.ui.hooks import go, use_action, use_app
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.sharing.server import lacks
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_moment
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    body,
    copyable,
    key_values,
    live,
    note,
    page_body,
    primary_button,
    radio_group,
    section_card,
    text_button,
    text_field,
    toolbar,
)
from pgo.usecases import fhir_servers
from pgo.usecases.fhir_logins import BEARER, NONE, SMART
from pgo.usecases.fhir_servers import ServerAnswer, ServerForm

Change = Callable[[ServerForm], Any]


@component
def Screen() -> ft.Control:
    """Ask for a server, then show what it says."""
    app = use_app()
    form, set_form = ft.use_state(ServerForm("", ""))
    nothing: ServerAnswer | None = None
    answer, set_answer = ft.use_state(nothing)
    content: ft.Control = (
        AskForm(form, set_form, set_answer)
        if answer is None
        else Answer(form, answer, lambda: set_answer(None))
    )
    return page_body(
        app.t("fhir.add.title"),
        content,
        lead=app.t("fhir.add.intro"),
        back=("/share/add", app.t("share.add.title")),
    )


@component
def AskForm(form: ServerForm, change: Change, on_answer: Callable[[ServerAnswer | None], Any]) -> ft.Control:
    """Which server, and how it knows us."""
    app = use_app()
    problem, set_problem = ft.use_state("")

    async def ask() -> None:
        set_problem("")
        outcome = await app.attempt(fhir_servers.ask_server, app.session, form)
        if isinstance(outcome, Ok):
            on_answer(outcome.value)
        else:
            set_problem(refusal(app.lang, outcome.code))

    asking = use_action(ask)
    said = app.t("fhir.add.asking") if asking.busy else ""
    asking_button = primary_button(
        app.t("fhir.add.ask"),
        asking.start,
        key="server-ask",
        icon=ft.Icons.SYNC_ROUNDED,
        disabled=asking.busy,
    )
    return section_card(
        app.t("fhir.add.form"),
        *_who(app, form, change),
        radio_group(
            app.t("fhir.add.login"),
            form.login,
            {kind: app.t(f"fhir.login.{kind}") for kind in (NONE, BEARER, SMART)},
            lambda kind: change(_with_login(form, kind)),
            key="server-login",
        ),
        *_secret(app, form, change),
        *([note(problem, "bad")] if problem else []),
        toolbar(asking_button),
        live(said, visible=bool(said)),
    )


def _who(app: AppState, form: ServerForm, change: Change) -> list[ft.Control]:
    return [
        text_field(
            app.t("fhir.add.url"), form.url, lambda text: change(replace(form, url=text)), key="server-url"
        ),
        text_field(
            app.t("fhir.add.name"),
            form.name,
            lambda text: change(replace(form, name=text)),
            key="server-name",
        ),
        text_field(
            app.t("fhir.add.organisation"),
            form.organisation,
            lambda text: change(replace(form, organisation=text)),
            key="server-organisation",
            helper=app.t("fhir.add.organisation_help"),
        ),
    ]


def _with_login(form: ServerForm, kind: str) -> ServerForm:
    key = form.key or (fhir_servers.new_client_key() if kind == SMART else None)
    return replace(form, login=kind, key=key)


def _secret(app: AppState, form: ServerForm, change: Change) -> list[ft.Control]:
    if form.login == BEARER:
        field = text_field(
            app.t("fhir.add.token"),
            form.token,
            lambda text: change(replace(form, token=text)),
            key="server-token",
            password=True,
            helper=app.t("fhir.add.token_help"),
        )
        return [field]
    if form.login == SMART and form.key is not None:
        return [
            text_field(
                app.t("fhir.add.client_id"),
                form.client_id,
                lambda text: change(replace(form, client_id=text)),
                key="server-client",
                helper=app.t("fhir.add.client_id_help"),
            ),
            body(app.t("fhir.add.key")),
            copyable(fhir_servers.public_key_text(form.key)),
        ]
    return []


@component
def Answer(form: ServerForm, answer: ServerAnswer, on_back: Callable[[], Any]) -> ft.Control:
    """What the server says, what that means, and the choice."""
    app = use_app()
    name = answer.server.name

    async def accept() -> None:
        outcome = await app.run(fhir_servers.add_server, app.session, form)
        if isinstance(outcome, Ok):
            app.changed(app.t("share.add.added", name=name))
            go(f"/share/new/{outcome.value}")

    adding = use_action(accept)
    takes = type_names(app.lang, answer.check.takes) or app.t("fhir.add.takes_none")
    facts = [
        (app.t("share.add.name"), name),
        (app.t("share.add.address"), answer.server.endpoint),
        (app.t("fhir.add.software"), answer.software or "-"),
        (app.t("fhir.add.takes"), takes),
        (app.t("fhir.add.asked_at"), fmt_moment(app.lang, answer.asked_at)),
    ]
    warning = "fhir.add.identity" if answer.encrypted else "fhir.add.local"
    accepting = primary_button(
        app.t("fhir.add.accept"), adding.start, key="server-accept", disabled=adding.busy
    )
    return stacked(
        section_card(app.t("fhir.add.answer"), key_values(facts), lacks(app, answer)),
        note(app.t(warning), "attention", icon=ft.Icons.WARNING_AMBER_ROUNDED),
        *([] if answer.check.usable else [note(app.t("fhir.add.cannot"), "bad")]),
        toolbar(
            *([accepting] if answer.check.usable else []),
            text_button(app.t("fhir.add.back"), on_back, key="server-back"),
        ),
        spacing=GAP,
    )
