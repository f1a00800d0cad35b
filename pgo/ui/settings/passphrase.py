"""The card that changes the passphrase."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.safety import component
from pgo.ui.screens.passphrase import ChooseTwice
from pgo.ui.state import Failed
from pgo.ui.widgets import (
    body,
    muted,
    secondary_button,
    section_card,
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

    async def save(passphrase: str) -> str:
        outcome = await app.attempt(change_passphrase, app.session, passphrase)
        if isinstance(outcome, Failed):
            return outcome.text
        app.changed(app.t("settings.passphrase.done"))
        on_done()
        return ""

    words = (app.session.folder.name,)
    form = ChooseTwice(words, app.t("keys.passphrase.new"), "new-passphrase", save, on_done)
    return section_card(app.t("settings.passphrase"), form)
