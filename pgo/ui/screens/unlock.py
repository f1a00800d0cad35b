"""Open a vault with its passphrase."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.safety import component
from pgo.ui.screens.passphrase import SecretField
from pgo.ui.state import AppState, Failed, use_action, use_app
from pgo.ui.widgets import card, heading, primary_button, progress, text_button, toolbar
from pgo.usecases.settings import settings
from pgo.usecases.unlock import VaultPlace, unlock

if TYPE_CHECKING:
    from pgo.usecases.session import Session


async def enter(app: AppState, session: Session) -> None:
    """Show an opened vault with the person's own preferences."""
    kept = await app.run(settings, session)
    if not isinstance(kept, Failed):
        chosen = kept.value
        app.prefs.lang, app.prefs.theme = chosen.language, chosen.theme
        app.prefs.text_scale = chosen.text_scale
        app.prefs.auto_lock_minutes = chosen.auto_lock_minutes
    app.opened(session)


@component
def UnlockStep(
    vault: VaultPlace,
    on_back: Callable[[], None] | None,
    on_recover: Callable[[], None],
    on_create: Callable[[], None],
) -> ft.Control:
    """Ask for the passphrase."""
    app = use_app()
    typed, set_typed = ft.use_state("")
    error, set_error = ft.use_state("")

    async def open_vault() -> None:
        if not typed:
            set_error(app.t("unlock.type"))
            return
        set_error("")
        outcome = await app.attempt(unlock, app.application, vault.folder, typed)
        if isinstance(outcome, Failed):
            set_error(outcome.text)
        else:
            await enter(app, outcome.value)

    action = use_action(open_vault)

    def change(text: str) -> None:
        set_typed(text)
        set_error("")

    buttons: list[ft.Control] = [
        primary_button(
            app.t("unlock.open"),
            action.start,
            key="unlock",
            icon=ft.Icons.LOCK_OPEN_ROUNDED,
            disabled=action.busy,
        )
    ]
    if on_back is not None:
        buttons.append(text_button(app.t("common.back"), on_back, key="back"))
    return card(
        heading(app.t("unlock.title", name=vault.name), 2),
        SecretField(
            app.t("passphrase.label"),
            typed,
            change,
            "passphrase",
            error,
            on_submit=action.start,
            autofocus=True,
        ),
        *([progress(app.t("unlock.busy"), None)] if action.busy else []),
        toolbar(*buttons),
        toolbar(
            text_button(app.t("unlock.lost"), on_recover, key="lost"),
            *([text_button(app.t("start.create"), on_create, key="create-vault")] if on_back is None else []),
        ),
    )
