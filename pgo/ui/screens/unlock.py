"""Open a vault with its passphrase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import use_action, use_app
from pgo.ui.safety import component
from pgo.ui.screens.passphrase import SecretField
from pgo.ui.state import AppState, Failed
from pgo.ui.theme import GAP, ThemeName
from pgo.ui.widgets import (
    avatar,
    card,
    heading,
    primary_button,
    progress,
    secondary_button,
    text_button,
    toolbar,
)
from pgo.usecases.settings import Settings, save_settings, settings
from pgo.usecases.unlock import VaultPlace, unlock, unlock_with_keyring

if TYPE_CHECKING:
    from pgo.usecases.session import Session


def preferences(session: Session, *, language: str, theme: ThemeName, chosen_here: bool) -> Settings:
    """The vault's settings; what was chosen on the start screen goes before them and is kept."""
    kept = settings(session)
    if not chosen_here:
        return kept
    wanted = replace(kept, language="en" if language == "en" else "nl", theme=theme)
    if wanted != kept:
        save_settings(session, wanted)
    return wanted


async def enter(app: AppState, session: Session, *, new: bool = False) -> None:
    """Show an opened vault with the person's own preferences; a new one takes those of the start screen."""
    kept = await app.run(
        preferences,
        session,
        language=app.prefs.lang,
        theme=app.prefs.theme,
        chosen_here=new or app.chosen_at_start,
    )
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

    async def open_with_ring() -> None:
        set_error("")
        outcome = await app.attempt(unlock_with_keyring, app.application, vault.folder)
        if isinstance(outcome, Failed):
            set_error(outcome.text)
        else:
            await enter(app, outcome.value)

    action, ring = use_action(open_vault), use_action(open_with_ring)
    busy = action.busy or ring.busy

    def change(text: str) -> None:
        set_typed(text)
        set_error("")

    buttons: list[ft.Control] = [
        primary_button(
            app.t("unlock.open"),
            action.start,
            key="unlock",
            icon=ft.Icons.LOCK_OPEN_ROUNDED,
            disabled=busy,
        )
    ]
    if vault.keyring:
        buttons.append(
            secondary_button(
                app.t("unlock.keyring"),
                ring.start,
                key="unlock-keyring",
                icon=ft.Icons.KEY_OUTLINED,
                disabled=busy,
            )
        )
    if on_back is not None:
        buttons.append(text_button(app.t("common.back"), on_back, key="back"))
    return card(
        ft.Row(
            [
                avatar(vault.face.initial, vault.face.colour),
                ft.Container(heading(app.t("unlock.title", name=vault.name), 2), expand=True),
            ],
            spacing=GAP,
        ),
        SecretField(
            app.t("passphrase.label"),
            typed,
            change,
            "passphrase",
            error,
            on_submit=action.start,
            autofocus=True,
        ),
        *([progress(app.t("unlock.busy"), None)] if busy else []),
        toolbar(*buttons),
        toolbar(
            text_button(app.t("unlock.lost"), on_recover, key="lost"),
            *([text_button(app.t("start.create"), on_create, key="create-vault")] if on_back is None else []),
        ),
    )
