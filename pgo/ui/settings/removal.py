"""The card that deletes a vault: what goes, what does not, and the name typed before anything happens."""

from __future__ import annotations

import asyncio

import flet as ft

from pgo.ui.hooks import go, use_action, use_app, use_query
from pgo.ui.safety import component
from pgo.ui.state import Failed
from pgo.ui.widgets import (
    body,
    danger_button,
    note,
    progress,
    secondary_button,
    section_card,
    text_button,
    text_field,
    toolbar,
)
from pgo.usecases.people import active_shares, delete_vault


@component
def DeleteCard(name: str) -> ft.Control:
    """Delete the open vault for good."""
    app = use_app()
    shares = use_query(active_shares)
    asking, set_asking = ft.use_state(False)
    typed, set_typed = ft.use_state("")
    error, set_error = ft.use_state("")

    async def delete() -> None:
        set_error("")
        session = app.session
        outcome = await app.attempt(delete_vault, session, typed)
        if isinstance(outcome, Failed):
            set_error(outcome.text)
            return
        await asyncio.sleep(0)
        app.closed("person.deleted")

    action = use_action(delete)
    parts: list[ft.Control] = [body(app.t("person.delete.text"))]
    if shares.value:
        parts += [
            note(app.t("person.delete.shares", n=shares.value), "attention"),
            toolbar(
                secondary_button(app.t("person.delete.to_shares"), lambda: go("/share"), key="to-shares")
            ),
        ]
    if not asking:
        start = danger_button(app.t("person.delete"), lambda: set_asking(True), key="delete-vault")
        return section_card(app.t("person.delete"), *parts, toolbar(start))
    parts += [
        note(app.t("person.delete.final"), "bad"),
        text_field(
            app.t("person.delete.type", name=name),
            typed,
            set_typed,
            key="delete-name",
            error=error,
            autofocus=True,
        ),
        *([progress(app.t("person.delete.busy"), None)] if action.busy else []),
        toolbar(
            danger_button(app.t("person.delete.do"), action.start, key="delete-do", disabled=action.busy),
            text_button(
                app.t("common.cancel"), lambda: set_asking(False), key="delete-cancel", disabled=action.busy
            ),
        ),
    ]
    return section_card(app.t("person.delete"), *parts)
