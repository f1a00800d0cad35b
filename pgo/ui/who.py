"""Who is open: name and sign in the top bar of every screen, and the way to another person."""

from __future__ import annotations

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.safety import component
from pgo.ui.theme import GAP_SMALL, RADIUS_SMALL
from pgo.ui.widgets import avatar
from pgo.ui.widgets.buttons import keyed
from pgo.usecases.people import take_face

SIGN_SIZE = 36


@component
def WhoIsOpen() -> ft.Control:
    """The sign and name of the open vault; pressing it shows what can be changed about it."""
    app = use_app()
    face = use_query(take_face).value
    if face is None:
        return ft.Container(height=SIGN_SIZE)
    name = app.t("app.example") if app.is_example else face.name
    words = ft.Text(
        name,
        theme_style=ft.TextThemeStyle.TITLE_MEDIUM,
        color=ft.Colors.PRIMARY,
        max_lines=2,
        overflow=ft.TextOverflow.ELLIPSIS,
        expand=True,
        expand_loose=True,
    )
    row = ft.Row([avatar(face.initial, face.colour, size=SIGN_SIZE), words], spacing=GAP_SMALL, tight=True)
    tap = ft.Container(
        row,
        ink=True,
        border_radius=RADIUS_SMALL,
        padding=ft.Padding(left=4, right=8, top=4, bottom=4),
        on_click=lambda _e: go("/settings/person"),
    )
    return keyed("who", ft.Semantics(button=True, label=app.t("who.open"), content=tap))
