"""The card that lets the key ring of this computer open the vault; off until the person wants it."""

from __future__ import annotations

import flet as ft

from pgo.ui.hooks import use_action, use_app
from pgo.ui.safety import component
from pgo.ui.state import Failed
from pgo.ui.widgets import Ask, body, note, secondary_button, section_card, status_badge, toolbar, use_confirm
from pgo.usecases.keys import keyring_off, keyring_on


@component
def KeyringCard(on: bool) -> ft.Control:
    """Say what the key ring means and switch it."""
    app = use_app()
    error, set_error = ft.use_state("")
    ask = use_confirm()

    async def switch() -> None:
        set_error("")
        outcome = await app.attempt(keyring_off if on else keyring_on, app.session)
        if isinstance(outcome, Failed):
            set_error(outcome.text)
        else:
            app.changed(app.t("keyring.off.done" if on else "keyring.on.done"))

    action = use_action(switch)

    async def asked() -> None:
        if on:  # switching off takes nothing away that cannot be had again
            await action.start()
            return
        ask(
            Ask(
                app.t("keyring.ask.title"),
                app.t("keyring.ask.text"),
                app.t("keyring.on"),
                action.start,
            )
        )

    state = status_badge(app.t("keyring.is_on" if on else "keyring.is_off"), "info" if on else "neutral")
    return section_card(
        app.t("keyring.title"),
        body(app.t("keyring.text")),
        note(app.t("keyring.shared"), "attention", icon=ft.Icons.GROUP_OUTLINED),
        ft.Row([state], wrap=True),
        *([note(error, "bad")] if error else []),
        toolbar(
            secondary_button(
                app.t("keyring.off" if on else "keyring.on"), asked, key="keyring", disabled=action.busy
            )
        ),
    )
