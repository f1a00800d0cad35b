"""Passphrase and recovery code: change the one, renew the other."""

from __future__ import annotations

from typing import Any

import flet as ft

from pgo.ui.safety import component
from pgo.ui.screens.passphrase import Meter, SecretField, use_meter
from pgo.ui.screens.recovery import ConfirmCode
from pgo.ui.state import Failed, Ok, use_action, use_app, use_query
from pgo.ui.widgets import (
    note,
    page_body,
    primary_button,
    progress,
    secondary_button,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases.keys import change_passphrase, recovery_confirmed, renew_recovery_code


@component
def Screen() -> ft.Control:
    """Draw everything about the ways in."""
    app = use_app()
    return page_body(
        app.t("settings.keys"),
        KeysCard(),
        lead=app.t("settings.keys.lead"),
        back=("/settings", app.t("settings.title")),
    )


@component
def KeysCard() -> ft.Control:
    """A new passphrase; a new recovery code."""
    app = use_app()
    confirmed = use_query(recovery_confirmed)
    code, set_code = ft.use_state("")
    changing, set_changing = ft.use_state(False)

    async def renew() -> None:
        outcome = await app.run(renew_recovery_code, app.session)
        if isinstance(outcome, Ok):
            set_code(outcome.value)

    def done() -> None:
        set_code("")
        app.changed(app.t("settings.code.done"))

    if code:
        return ConfirmCode(app.session, code, done, False)  # type: ignore[no-any-return]
    if changing:
        return PassphraseCard(lambda: set_changing(False))  # type: ignore[no-any-return]
    warning = [] if confirmed.value in (None, True) else [note(app.t("overview.recovery"), "attention")]
    return section_card(
        app.t("settings.keys"),
        *warning,
        toolbar(
            secondary_button(
                app.t("settings.passphrase"), lambda: set_changing(True), key="change-passphrase"
            ),
            secondary_button(app.t("settings.code"), renew, key="renew-code"),
        ),
    )


@component
def PassphraseCard(on_done: Any) -> ft.Control:
    """Choose another passphrase; nothing is encrypted again."""
    app = use_app()
    typed, change = use_meter((app.session.folder.name,))
    error, set_error = ft.use_state("")

    async def save() -> None:
        outcome = await app.attempt(change_passphrase, app.session, typed.text)
        if isinstance(outcome, Failed):
            set_error(outcome.text)
            return
        app.say(app.t("settings.passphrase.done"))
        on_done()

    action = use_action(save)
    return section_card(
        app.t("settings.passphrase"),
        SecretField(
            app.t("passphrase.label"), typed.text, change, "new-passphrase", error, on_submit=action.start
        ),
        Meter(typed.quality),
        *([progress(app.t("create.busy"), None)] if action.busy else []),
        toolbar(
            primary_button(app.t("common.save"), action.start, key="save-passphrase", disabled=action.busy),
            text_button(app.t("common.cancel"), on_done, key="cancel-passphrase"),
        ),
    )
