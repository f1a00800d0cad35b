"""Settings: how the app looks, when it locks, what leads to a screen of its own, and what this is."""

from __future__ import annotations

import importlib.metadata

import flet as ft

from pgo.ui.safety import component
from pgo.ui.settings.look import LockCard, LookCard
from pgo.ui.settings.sections import SECTIONS, SectionCard
from pgo.ui.state import Ok, use_action, use_app
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    body,
    key_values,
    muted,
    note,
    page_body,
    progress,
    secondary_button,
    section_card,
    toolbar,
)
from pgo.usecases.export import export_records

EXPORT_NAME = "pgo-records.json"


@component
def Screen() -> ft.Control:
    """Draw all settings."""
    app = use_app()
    sections = [SectionCard(section, key=section.name) for section in SECTIONS if section.rows]
    return page_body(app.t("settings.title"), *sections, LookCard(), LockCard(), ExportCard(), AboutCard())


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
