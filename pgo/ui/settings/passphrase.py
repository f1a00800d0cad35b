"""The card that changes the passphrase."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from pgo.ui.safety import component
from pgo.ui.screens.passphrase import Meter, SecretField, use_meter
from pgo.ui.state import Failed, use_action, use_app
from pgo.ui.widgets import (
    body,
    muted,
    primary_button,
    progress,
    secondary_button,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases.keys import change_passphrase


@component
def PassphraseCard(price: str) -> ft.Control:
    """What the passphrase costs to guess, and the way to another one."""
    app = use_app()
    changing, set_changing = ft.use_state(False)
    if changing:
        return NewPassphrase(lambda: set_changing(False))  # type: ignore[no-any-return]
    return section_card(
        app.t("passphrase.label"),
        body(app.t("keys.passphrase.text")),
        muted(price, small=True),
        toolbar(
            secondary_button(
                app.t("settings.passphrase"), lambda: set_changing(True), key="change-passphrase"
            )
        ),
    )


@component
def NewPassphrase(on_done: Callable[[], None]) -> ft.Control:
    """Choose another passphrase, typed twice; nothing is encrypted again."""
    app = use_app()
    typed, change = use_meter((app.session.folder.name,))
    again, set_again = ft.use_state("")
    nothing: dict[str, str] = {}
    errors, set_errors = ft.use_state(nothing)

    async def save() -> None:
        if typed.text != again:
            set_errors({"again": app.t("passphrase.differs")})
            return
        outcome = await app.attempt(change_passphrase, app.session, typed.text)
        if isinstance(outcome, Failed):
            set_errors({"new": outcome.text})
            return
        app.changed(app.t("settings.passphrase.done"))
        on_done()

    action = use_action(save)
    return section_card(
        app.t("settings.passphrase"),
        SecretField(
            app.t("keys.passphrase.new"), typed.text, change, "new-passphrase", errors.get("new", "")
        ),
        Meter(typed.quality),
        SecretField(
            app.t("passphrase.again"),
            again,
            set_again,
            "new-passphrase-again",
            errors.get("again", ""),
            on_submit=action.start,
        ),
        *([progress(app.t("create.busy"), None)] if action.busy else []),
        toolbar(
            primary_button(app.t("common.save"), action.start, key="save-passphrase", disabled=action.busy),
            text_button(app.t("common.cancel"), on_done, key="cancel-passphrase", disabled=action.busy),
        ),
    )
