"""Settings: language, colours, text size, auto-lock, passphrase and code, taking the records out, about."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from typing import Any

import flet as ft

from pgo.ui.safety import component
from pgo.ui.screens.passphrase import Meter, SecretField, use_meter
from pgo.ui.screens.recovery import ConfirmCode
from pgo.ui.state import AppState, Failed, Ok, use_action, use_app, use_query
from pgo.ui.text import LANGUAGES
from pgo.ui.theme import GAP, THEMES
from pgo.ui.widgets import (
    body,
    key_values,
    muted,
    note,
    page_body,
    primary_button,
    progress,
    radio_group,
    secondary_button,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases.export import export_records
from pgo.usecases.settings import AUTO_LOCK_MINUTES, TEXT_SCALES, Settings, save_settings, settings
from pgo.usecases.unlock import change_passphrase, recovery_confirmed, renew_recovery_code

LANGUAGE_NAMES = {"nl": "Nederlands", "en": "English"}
EXPORT_NAME = "pgo-records.json"


@component
def Screen() -> ft.Control:
    """Draw all settings; each works at once."""
    app = use_app()
    return page_body(app.t("settings.title"), LookCard(), LockCard(), KeysCard(), ExportCard(), AboutCard())


async def keep(app: AppState, **changes: Any) -> None:
    """Keep changed settings in the vault, then show them."""

    def save() -> Settings:
        new = replace(settings(app.session), **changes)
        save_settings(app.session, new)
        return new

    outcome = await app.run(save)
    if isinstance(outcome, Failed):
        return
    new = outcome.value
    app.prefs.lang, app.prefs.theme = new.language, new.theme
    app.prefs.text_scale, app.prefs.auto_lock_minutes = new.text_scale, new.auto_lock_minutes


@component
def LookCard() -> ft.Control:
    """Language, colours, text size."""
    app = use_app()

    async def set_lang(value: str) -> None:
        await keep(app, language=value)

    async def set_theme(value: str) -> None:
        await keep(app, theme=value)

    async def set_scale(value: str) -> None:
        await keep(app, text_scale=float(value))

    sizes = {
        str(scale): app.t("settings.text_size.value", percent=round(scale * 100)) for scale in TEXT_SCALES
    }
    return section_card(
        app.t("settings.look"),
        radio_group(
            app.t("settings.language"),
            app.lang,
            {k: LANGUAGE_NAMES[k] for k in LANGUAGES},
            set_lang,
            key="language",
        ),
        radio_group(
            app.t("settings.theme"),
            app.prefs.theme,
            {name: app.t(f"settings.theme.{name}") for name in THEMES},
            set_theme,
            key="theme",
        ),
        radio_group(
            app.t("settings.text_size"), str(app.prefs.text_scale), sizes, set_scale, key="text-size"
        ),
    )


@component
def LockCard() -> ft.Control:
    """After how many idle minutes the vault locks; there is no "never"."""
    app = use_app()

    async def set_minutes(value: str) -> None:
        await keep(app, auto_lock_minutes=int(value))

    options = {str(n): app.t("settings.lock.minutes", n=n) for n in AUTO_LOCK_MINUTES}
    return section_card(
        app.t("settings.lock"),
        radio_group(
            app.t("settings.lock.after"),
            str(app.prefs.auto_lock_minutes),
            options,
            set_minutes,
            key="auto-lock",
        ),
        lead=app.t("settings.lock.lead"),
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
        lead=app.t("settings.keys.lead"),
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


@component
def ExportCard() -> ft.Control:
    """Take everything out: one file, each record byte for byte as it came."""
    app = use_app()
    picker: ft.FilePicker = ft.use_memo(ft.FilePicker, [])

    async def export() -> None:
        outcome = await app.run(export_records, app.session)
        if isinstance(outcome, Ok):
            await picker.save_file(file_name=EXPORT_NAME, src_bytes=outcome.value)
            app.say(app.t("settings.export.done"))

    action = use_action(export)
    return section_card(
        app.t("settings.export"),
        note(app.t("settings.export.warning"), "attention"),
        *([progress(app.t("common.busy"), None)] if action.busy else []),
        toolbar(
            secondary_button(
                app.t("settings.export.do"),
                action.start,
                key="export",
                icon=ft.Icons.DOWNLOAD_ROUNDED,
                disabled=action.busy,
            )
        ),
        lead=app.t("settings.export.lead"),
    )


@component
def AboutCard() -> ft.Control:
    """What this is, what it promises and what not."""
    app = use_app()
    try:
        version = importlib.metadata.version("pgo")
    except importlib.metadata.PackageNotFoundError:  # run from the folder, not installed
        version = app.t("common.unknown")
    return section_card(
        app.t("settings.about"),
        body(app.t("settings.about.text")),
        muted(app.t("settings.about.not")),
        key_values([(app.t("settings.about.version"), version)]),
        ft.Container(height=GAP / 2),
    )
