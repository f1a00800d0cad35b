"""Settings: how the app looks, when it locks, what leads to a screen of its own, and what this is."""

from __future__ import annotations

import importlib.metadata

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.safety import component
from pgo.ui.settings.look import LockCard, LookCard
from pgo.ui.settings.sections import SECTIONS, SectionCard
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    body,
    key_values,
    muted,
    page_body,
    section_card,
)


@component
def Screen() -> ft.Control:
    """Draw all settings."""
    app = use_app()
    sections = [SectionCard(section, key=section.name) for section in SECTIONS if section.rows]
    return page_body(app.t("settings.title"), *sections, LookCard(), LockCard(), AboutCard())


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
