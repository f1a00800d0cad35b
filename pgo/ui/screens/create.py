"""Make a vault: a name, a passphrase with an honest meter. No composition rules, no hints stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import flet as ft

from pgo.ui.hooks import use_action, use_app
from pgo.ui.safety import component
from pgo.ui.screens.passphrase import Meter, SecretField, Typed, use_meter
from pgo.ui.state import AppState, Failed
from pgo.ui.widgets import (
    card,
    heading,
    muted,
    note,
    primary_button,
    progress,
    text_button,
    text_field,
    toolbar,
)
from pgo.usecases.keys import cloud_service
from pgo.usecases.session import Application
from pgo.usecases.unlock import NewVault, create_vault, new_vault_folder


def fault(app: AppState, typed: Typed, again: str) -> dict[str, str]:
    """What is still wrong with the two passphrases: field to sentence; empty when all is well."""
    if typed.quality is not None and not typed.quality.acceptable:
        return {"passphrase": app.t("error.weak_passphrase")}
    if typed.text != again:
        return {"again": app.t("passphrase.differs")}
    return {}


def make(application: Application, name: str, passphrase: str) -> NewVault:
    """Make the folder's name and the vault in one go."""
    folder: Path = new_vault_folder(application, name)
    return create_vault(application, folder, passphrase)


@component
def CreateStep(on_back: Callable[[], None], on_made: Callable[[NewVault], None]) -> ft.Control:
    """Ask for a name and a passphrase, then make the vault."""
    app = use_app()
    name, set_name = ft.use_state(app.t("create.name.default"))
    typed, change = use_meter((name,))
    again, set_again = ft.use_state("")
    nothing: dict[str, str] = {}
    errors, set_errors = ft.use_state(nothing)
    cloud = cloud_service(app.application)

    async def create() -> None:
        found = fault(app, typed, again)
        if not typed.text:
            found = {"passphrase": app.t("unlock.type")}
        set_errors(found)
        if found:
            return
        outcome = await app.attempt(make, app.application, name, typed.text)
        if isinstance(outcome, Failed):
            field = "name" if outcome.code.startswith("vault_") else "passphrase"
            set_errors({field: outcome.text})
            return
        app.hold(outcome.value.session)
        on_made(outcome.value)

    action = use_action(create)
    return card(
        heading(app.t("create.title"), 2),
        muted(app.t("create.text")),
        text_field(
            app.t("create.name"),
            name,
            set_name,
            key="vault-name",
            error=errors.get("name", ""),
            helper=app.t("create.name.helper"),
            max_length=40,
        ),
        SecretField(
            app.t("passphrase.label"), typed.text, change, "passphrase", errors.get("passphrase", "")
        ),
        Meter(typed.quality),
        SecretField(
            app.t("passphrase.again"),
            again,
            set_again,
            "passphrase-again",
            errors.get("again", ""),
            on_submit=action.start,
        ),
        note(app.t("create.warning"), "attention", icon=ft.Icons.KEY_ROUNDED),
        *([note(app.t("keys.cloud", service=cloud), "attention")] if cloud else []),
        *([progress(app.t("create.busy"), None)] if action.busy else []),
        toolbar(
            primary_button(app.t("create.make"), action.start, key="make", disabled=action.busy),
            text_button(app.t("common.back"), on_back, key="back", disabled=action.busy),
        ),
    )
