"""Take in a request: paste its text or pick the file. Nothing changes by taking it in."""

from __future__ import annotations

from typing import Final

import flet as ft

from pgo.errors import InputRefused
from pgo.ui.files import pick_file
from pgo.ui.request_words import refusal
from pgo.ui.safety import component
from pgo.ui.state import Ok, go, use_action, use_app
from pgo.ui.widgets import page_body, primary_button, secondary_button, section_card, text_field, toolbar
from pgo.usecases import requests

MAX_FILE_BYTES: Final = 128 * 1024  # a request is at most 64 KiB (consent.request); line breaks count too


@component
def Screen() -> ft.Control:
    """Ask for the request."""
    app = use_app()
    pasted, set_pasted = ft.use_state("")
    problem, set_problem = ft.use_state("")
    picker = ft.use_memo(ft.FilePicker, [])

    async def take(source: str | bytes) -> None:
        outcome = await app.attempt(requests.take_in, app.session, source)
        if isinstance(outcome, Ok):
            app.changed()
            go("/share/requests")
        else:
            set_problem(refusal(app.lang, outcome.code))

    async def take_pasted() -> None:
        if pasted.strip():
            await take(pasted)
        else:
            set_problem(app.t("request.empty"))

    async def pick() -> None:
        try:
            picked = await pick_file(picker, app.uploads, limit=MAX_FILE_BYTES)
        except InputRefused as error:
            set_problem(app.t(f"share.add.file.{error.code}"))
            return
        if picked is not None:
            await take(picked.data)

    taking, picking = use_action(take_pasted), use_action(pick)
    busy = taking.busy or picking.busy
    field = text_field(
        app.t("request.paste"), pasted, set_pasted, key="request-text", multiline=True, error=problem
    )
    buttons = toolbar(
        primary_button(app.t("request.check"), taking.start, key="request-check", disabled=busy),
        secondary_button(
            app.t("share.add.pick"),
            picking.start,
            key="request-pick",
            icon=ft.Icons.UPLOAD_FILE_OUTLINED,
            disabled=busy,
        ),
    )
    return page_body(
        app.t("request.add"),
        section_card(app.t("request.where"), field, buttons),
        lead=app.t("request.add_lead"),
        back=("/share/requests", app.t("request.title")),
    )
