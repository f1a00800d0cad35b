"""Reminders about shares that end soon or wait for another look; each can rest for a week."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import named_button
from pgo.ui.state import Ok
from pgo.ui.text import fmt_date
from pgo.ui.widgets import note, toolbar
from pgo.usecases import reminders
from pgo.usecases.reminders import Reminder


@component
def Reminders() -> ft.Control:
    """All reminders of now; takes no room when there are none."""
    found = use_query(reminders.reminders).value or ()
    if not found:
        return ft.Container(height=0)
    return stacked(*[Line(one, key=one.id) for one in found], spacing=12)


@component
def Line(one: Reminder) -> ft.Control:
    """One reminder: what it is about, a way to the share, and "not now"."""
    app = use_app()
    name = one.recipient.name
    day = fmt_date(app.lang, one.on)

    async def rest() -> None:
        if isinstance(await app.run(reminders.put_aside, app.session, one.id), Ok):
            app.changed(app.t("reminder.rests"))

    def named(what: str, on_click: Callable[..., Any], icon: ft.IconData) -> ft.Control:
        label = app.t(f"reminder.{what}")
        spoken = app.t("share.button_for", label=label, name=name)
        return named_button(label, spoken, on_click, key=f"reminder-{what}-{one.share_id}", icon=icon)

    look = named("look", lambda: go(f"/share/{one.share_id}"), ft.Icons.ARROW_FORWARD_ROUNDED)
    later = named("later", rest, ft.Icons.SNOOZE_ROUNDED)
    words = app.t(f"reminder.{one.kind}", name=name, date=day)
    return stacked(
        note(words, "attention", icon=ft.Icons.EVENT_REPEAT_ROUNDED), toolbar(look, later), spacing=8
    )
