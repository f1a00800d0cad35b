"""The recovery code: shown once and typed back; and the way in with it when the passphrase is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import flet as ft

from pgo.ui.hooks import use_action, use_app
from pgo.ui.safety import component
from pgo.ui.screens.passphrase import ChooseTwice
from pgo.ui.screens.unlock import enter
from pgo.ui.state import AppState, Failed, Ok
from pgo.ui.theme import FONT_STRONG, GAP, GAP_SMALL, RADIUS_SMALL
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
from pgo.usecases.keys import change_passphrase, confirm_recovery_code, renew_recovery_code
from pgo.usecases.unlock import VaultPlace, unlock_with_code

if TYPE_CHECKING:
    from pgo.usecases.session import Session


def code_sheet(app: AppState, code: str) -> ft.Control:
    """Show the code in its groups, large enough to copy by hand; a screen reader spells it."""
    groups: list[ft.Control] = [
        ft.Container(
            ft.Text(group, size=20 * app.prefs.text_scale, font_family=FONT_STRONG, selectable=True),
            bgcolor=ft.Colors.SURFACE_CONTAINER,
            border_radius=RADIUS_SMALL,
            padding=ft.Padding(left=12, right=12, top=8, bottom=8),
        )
        for group in code.split("-")
    ]
    spelled = ", ".join(" ".join(group) for group in code.split("-"))
    return ft.Semantics(
        identifier="recovery-code",
        container=True,
        exclude_semantics=True,
        label=app.t("recovery.spelled", code=spelled),
        content=ft.Row(groups, wrap=True, spacing=GAP_SMALL, run_spacing=GAP_SMALL),
    )


@component
def ConfirmCode(session: Session, code: str, on_done: Callable[[], object], later: bool) -> ft.Control:
    """Show the code, hide it, have it typed back; used for a new vault and for a renewed code."""
    app = use_app()
    typed, set_typed = ft.use_state("")
    writing, set_writing = ft.use_state(True)
    error, set_error = ft.use_state("")

    async def confirm() -> None:
        outcome = await app.attempt(confirm_recovery_code, session, typed)
        if isinstance(outcome, Ok) and outcome.value:
            on_done()
        else:
            set_error(app.t("recovery.differs") if isinstance(outcome, Ok) else outcome.text)

    action = use_action(confirm)
    skip = [text_button(app.t("recovery.later"), on_done, key="later")] if later else []
    if writing:
        return card(
            heading(app.t("recovery.title"), 2),
            muted(app.t("recovery.text")),
            code_sheet(app, code),
            note(app.t("recovery.once"), "attention", icon=ft.Icons.EDIT_NOTE_ROUNDED),
            toolbar(
                primary_button(app.t("recovery.written"), lambda: set_writing(False), key="written"), *skip
            ),
        )
    return card(
        heading(app.t("recovery.back.title"), 2),
        muted(app.t("recovery.back.text")),
        text_field(
            app.t("recovery.label"),
            typed,
            set_typed,
            key="recovery-typed",
            error=error,
            autofocus=True,
            on_submit=action.start,
        ),
        toolbar(
            primary_button(app.t("recovery.check"), action.start, key="confirm", disabled=action.busy),
            text_button(app.t("recovery.again"), lambda: set_writing(True), key="show-again"),
        ),
    )


@component
def CodeStep(session: Session, code: str, new: bool) -> ft.Control:
    """Last step of a new vault, or of a recovered one."""
    app = use_app()

    async def finish() -> None:
        await enter(app, session, new=new)

    done = use_action(finish)
    return ft.Column(
        [
            ConfirmCode(session, code, lambda: ft.context.page.run_task(done.start), True),
            *([progress(app.t("unlock.busy"), None)] if done.busy else []),
        ],
        spacing=GAP,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        tight=True,
    )


@component
def RecoverStep(vault: VaultPlace, on_back: Callable[[], None]) -> Any:
    """Open with the recovery code, then a new passphrase and a new code: a used code is replaced."""
    nothing: Session | None = None
    session, set_session = ft.use_state(nothing)
    code, set_code = ft.use_state("")
    if session is None:
        return AskCode(vault, on_back, lambda opened: set_session(lambda _old: opened))
    if not code:
        return NewPassphrase(vault, session, set_code)
    return CodeStep(session, code, False)


@component
def AskCode(vault: VaultPlace, on_back: Callable[[], None], on_open: Callable[[Session], None]) -> ft.Control:
    """Ask for the recovery code."""
    app = use_app()
    typed, set_typed = ft.use_state("")
    error, set_error = ft.use_state("")

    async def open_vault() -> None:
        set_error("")
        outcome = await app.attempt(unlock_with_code, app.application, vault.folder, typed)
        if isinstance(outcome, Failed):
            wrong = outcome.code == "wrong_passphrase"
            set_error(app.t("recovery.wrong") if wrong else outcome.text)
            return
        app.hold(outcome.value)
        on_open(outcome.value)

    action = use_action(open_vault)
    return card(
        heading(app.t("recover.title", name=vault.name), 2),
        muted(app.t("recover.text")),
        text_field(
            app.t("recovery.label"),
            typed,
            set_typed,
            key="recovery-typed",
            error=error,
            autofocus=True,
            on_submit=action.start,
        ),
        *([progress(app.t("unlock.busy"), None)] if action.busy else []),
        toolbar(
            primary_button(app.t("unlock.open"), action.start, key="unlock", disabled=action.busy),
            text_button(app.t("common.back"), on_back, key="back"),
        ),
    )


@component
def NewPassphrase(vault: VaultPlace, session: Session, on_code: Callable[[str], object]) -> ft.Control:
    """Choose a new passphrase after recovery."""
    app = use_app()

    def replace(passphrase: str) -> str:
        change_passphrase(session, passphrase)
        return renew_recovery_code(session)

    async def save(passphrase: str) -> str:
        outcome = await app.attempt(replace, passphrase)
        if isinstance(outcome, Failed):
            return outcome.text
        on_code(outcome.value)
        return ""

    return card(
        heading(app.t("recover.new.title"), 2),
        muted(app.t("recover.new.text")),
        ChooseTwice((vault.name,), app.t("passphrase.label"), "passphrase", save),
    )
