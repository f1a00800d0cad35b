"""Cards whose choice works at once: language, colours, text size, auto-lock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.safety import component
from pgo.ui.state import AppState, Failed
from pgo.ui.text import LANGUAGES
from pgo.ui.theme import THEMES
from pgo.ui.widgets import radio_group, section_card
from pgo.usecases.settings import AUTO_LOCK_MINUTES, TEXT_SCALES, Settings, save_settings, settings

LANGUAGE_NAMES = {"nl": "Nederlands", "en": "English"}


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
