"""The card that renews the vault key, for when somebody may have had both the file and the passphrase."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import flet as ft

from pgo.ui.hooks import use_action, use_app
from pgo.ui.safety import component
from pgo.ui.screens.passphrase import SecretField
from pgo.ui.state import Failed
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
from pgo.usecases.keys import renew_vault_key

_PERCENT = 100
_LOOK_SECONDS = 0.1


@component
def RenewalCard(on_code: Callable[[str], None]) -> ft.Control:
    """Explain, ask for the passphrase, show how far it is, then hand over the new recovery code."""
    app = use_app()
    asking, set_asking = ft.use_state(False)
    typed, set_typed = ft.use_state("")
    error, set_error = ft.use_state("")
    share, set_share = ft.use_state(0.0)

    async def renew() -> None:
        if not typed:
            set_error(app.t("unlock.type"))
            return
        set_error("")
        done = [0.0]  # written by the working thread, read here
        work = asyncio.ensure_future(
            app.attempt(
                renew_vault_key, app.session, typed, on_progress=lambda part: done.__setitem__(0, part)
            )
        )
        while not work.done():
            set_share(round(done[0], 2))
            await asyncio.wait({work}, timeout=_LOOK_SECONDS)
        outcome = work.result()
        if isinstance(outcome, Failed):
            set_error(outcome.text)
            return
        renewal = outcome.value
        if app.reopened(renewal.session):
            on_code(renewal.recovery_code_text)
        else:  # locked meanwhile; the passphrase opens it, and the app will ask for a new code
            await asyncio.to_thread(renewal.session.lock)

    action = use_action(renew)
    parts: list[ft.Control] = [body(app.t("renewal.text")), muted(app.t("renewal.what"), small=True)]
    if not asking:
        start = secondary_button(app.t("renewal.do"), lambda: set_asking(True), key="renew-key")
        return section_card(app.t("renewal.title"), *parts, toolbar(start))
    field = SecretField(
        app.t("renewal.passphrase"),
        typed,
        set_typed,
        "renew-passphrase",
        error,
        on_submit=action.start,
        autofocus=True,
    )
    if action.busy:
        words = app.t("renewal.percent", percent=round(share * _PERCENT))
        parts.append(progress(app.t("renewal.busy"), share or None, words))
    else:
        parts += [
            field,
            toolbar(
                primary_button(app.t("renewal.start"), action.start, key="renew-start"),
                text_button(app.t("common.cancel"), lambda: set_asking(False), key="renew-cancel"),
            ),
        ]
    return section_card(app.t("renewal.title"), *parts)
