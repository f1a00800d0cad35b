"""Whose vault this is: name, initial and colour; another person; off the list; delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import flet as ft

from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.safety import component
from pgo.ui.settings.removal import DeleteCard
from pgo.ui.state import AppState, Failed
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    AVATAR_COLOURS,
    avatar,
    body,
    muted,
    page_body,
    primary_button,
    query_placeholder,
    secondary_button,
    section_card,
    text_field,
    toolbar,
)
from pgo.ui.widgets.buttons import keyed
from pgo.usecases.faces import Face
from pgo.usecases.people import change_face, face, hide


@component
def Screen() -> ft.Control:
    """Draw everything about whose vault is open."""
    app = use_app()
    found = use_query(face)
    waiting = query_placeholder(found, app.t("common.busy"))
    cards: list[ft.Control] = [waiting] if waiting is not None else []
    if found.value is not None:
        cards = [FaceCard(found.value), OthersCard(), DeleteCard(found.value.name)]
    return page_body(
        app.t("person.title"), *cards, lead=app.t("person.lead"), back=("/settings", app.t("settings.title"))
    )


@component
def FaceCard(kept: Face) -> ft.Control:
    """Name, initial, colour; what they look like shows at once."""
    app = use_app()
    name, set_name = ft.use_state(kept.name)
    initial, set_initial = ft.use_state(kept.initial)
    colour, set_colour = ft.use_state(kept.colour)
    nothing: Mapping[str, str] = {}
    errors, set_errors = ft.use_state(nothing)

    async def save() -> None:
        outcome = await app.attempt(change_face, app.session, name=name, initial=initial, colour=colour)
        if isinstance(outcome, Failed):
            fields = getattr(outcome.error, "fields", {})
            wrong = {field: app.t(f"person.wrong.{key}") for field, key in fields.items()}
            set_errors(wrong or {"name": outcome.text})
            return
        set_errors({})
        app.say(app.t("person.saved"))

    action = use_action(save)
    shown = ft.Row([avatar(initial[:2].upper(), colour, size=56), body(name)], spacing=GAP)
    return section_card(
        app.t("person.face"),
        shown,
        text_field(
            app.t("create.name"),
            name,
            set_name,
            key="person-name",
            error=errors.get("name", ""),
            helper=app.t("create.name.helper"),
            max_length=40,
        ),
        text_field(
            app.t("person.initial"),
            initial,
            set_initial,
            key="person-initial",
            error=errors.get("initial", ""),
            max_length=2,
        ),
        _colours(app, colour, set_colour),
        toolbar(primary_button(app.t("common.save"), action.start, key="person-save", disabled=action.busy)),
    )


def _colours(app: AppState, chosen: str, on_choose: Callable[[str], None]) -> ft.Control:
    """Eight colours, each with its name for who does not see it; the chosen one has a mark."""

    def swatch(colour: str) -> ft.Control:
        ring = ft.Colors.ON_SURFACE if colour == chosen else ft.Colors.TRANSPARENT
        mark = ft.Icon(ft.Icons.CHECK_ROUNDED, color=ft.Colors.WHITE) if colour == chosen else None
        dot = ft.Container(
            mark,
            width=48,
            height=48,
            border_radius=24,
            bgcolor=AVATAR_COLOURS[colour],
            border=ft.Border.all(3, ring),
            alignment=ft.Alignment.CENTER,
            ink=True,
            on_click=lambda _e: on_choose(colour),
        )
        label = app.t(f"person.colour.{colour}")
        return keyed(
            f"colour-{colour}",
            ft.Semantics(button=True, selected=colour == chosen, label=label, content=dot, tooltip=label),
        )

    row = ft.Row([swatch(colour) for colour in AVATAR_COLOURS], wrap=True, spacing=8, run_spacing=8)
    return ft.Column([muted(app.t("person.colour")), row], spacing=8, tight=True)


@component
def OthersCard() -> ft.Control:
    """Another person; this one off the list."""
    app = use_app()

    async def take_off() -> None:
        session = app.session
        outcome = await app.run(hide, app.application, session.folder)
        if not isinstance(outcome, Failed):
            await app.lock("person.hidden")

    action = use_action(take_off)
    return section_card(
        app.t("person.others"),
        body(app.t("person.others.text")),
        toolbar(
            secondary_button(
                app.t("person.switch"),
                app.lock_now,
                key="switch-person",
                icon=ft.Icons.SWITCH_ACCOUNT_OUTLINED,
            ),
        ),
        muted(app.t("person.hide.text"), small=True),
        toolbar(secondary_button(app.t("person.hide"), action.start, key="hide-vault", disabled=action.busy)),
    )
