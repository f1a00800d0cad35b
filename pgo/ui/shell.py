"""The frame around every open screen: navigation, lock button, banner, bottom message.

Phone: a bar of five at the bottom. From 760 px: a rail at the side. In the top bar of both: whose vault is
open, and the lock button.
"""

from __future__ import annotations

from typing import Any, Final

import flet as ft

from pgo.ui.hooks import go, use_app
from pgo.ui.room import use_layout
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.theme import GAP
from pgo.ui.who import WhoIsOpen
from pgo.ui.widgets import NoticeHost, error_banner, icon_button, live, secondary_button

RAIL_WIDTH: Final = 132
LARGE_TEXT: Final = 1.3  # above this, words beside each other do not fit a phone
# route, text key, icon, icon when selected, routes that belong to it
TABS: Final = (
    ("/", "nav.overview", ft.Icons.HOME_OUTLINED, ft.Icons.HOME_ROUNDED, ("/collect",)),
    (
        "/profile",
        "nav.record",
        ft.Icons.FOLDER_SHARED_OUTLINED,
        ft.Icons.FOLDER_SHARED_ROUNDED,
        ("/profile", "/medication", "/allergy", "/trash", "/measurements", "/timeline", "/record"),
    ),
    ("/check", "nav.check", ft.Icons.FACT_CHECK_OUTLINED, ft.Icons.FACT_CHECK_ROUNDED, ("/check",)),
    ("/share", "nav.share", ft.Icons.HANDSHAKE_OUTLINED, ft.Icons.HANDSHAKE_ROUNDED, ("/share",)),
    ("/settings", "nav.settings", ft.Icons.SETTINGS_OUTLINED, ft.Icons.SETTINGS_ROUNDED, ("/settings",)),
)


def active_tab(path: str) -> int:
    """Return the number of the tab a route belongs to."""
    for index, (_, _, _, _, prefixes) in enumerate(TABS):
        if any(path == p or path.startswith(p + "/") for p in prefixes):
            return index
    return 0


def _choose(e: ft.Event[Any]) -> None:
    go(TABS[int(e.control.selected_index)][0])


def _rail(app: AppState, selected: int) -> ft.Control:
    return ft.NavigationRail(
        selected_index=selected,
        on_change=_choose,
        label_type=ft.NavigationRailLabelType.ALL,
        min_width=RAIL_WIDTH,
        group_alignment=-1,
        bgcolor=ft.Colors.SURFACE,
        indicator_color=ft.Colors.PRIMARY_CONTAINER,
        destinations=[
            ft.NavigationRailDestination(
                icon=icon, selected_icon=chosen, label=app.t(key), padding=ft.Padding(top=4, bottom=4)
            )
            for _, key, icon, chosen, _ in TABS
        ],
    )


def _bar(app: AppState, selected: int) -> ft.NavigationBar:
    return ft.NavigationBar(
        selected_index=selected,
        on_change=_choose,
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
        indicator_color=ft.Colors.PRIMARY_CONTAINER,
        destinations=[
            ft.NavigationBarDestination(icon=icon, selected_icon=chosen, label=app.t(f"{key}.short"))
            for _, key, icon, chosen, _ in TABS
        ],
    )


def _lock_button(app: AppState, *, tight: bool) -> ft.Control:
    name, icon = app.t("lock.now"), ft.Icons.LOCK_OUTLINE_ROUNDED
    if tight:
        return icon_button(icon, name, app.lock_now, key="lock")
    return secondary_button(name, app.lock_now, key="lock", icon=icon)


def _top_bar(app: AppState, *, wide: bool) -> ft.AppBar:
    return ft.AppBar(
        title=WhoIsOpen(),
        automatically_imply_leading=False,
        actions=[_lock_button(app, tight=not wide and app.prefs.text_scale > LARGE_TEXT)],
        actions_padding=ft.Padding(right=GAP),
        toolbar_height=64 * max(1.0, app.prefs.text_scale * 0.85),
    )


@component
def Shell() -> ft.View:
    """Draw the frame and the active screen in it."""
    app, layout = use_app(), use_layout()
    outlet = ft.use_route_outlet()
    selected = active_tab(ft.use_route_location())
    failure: list[ft.Control] = []
    if app.failure:
        failure = [error_banner(app.failure, app.t("common.close"), lambda: setattr(app, "failure", ""))]
    content: ft.Control = ft.Column(
        [*failure, ft.Container(expand=True, content=outlet)],
        expand=True,
        spacing=0,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    # The same places on phone and desktop: a window that is turned or resized keeps what was typed.
    rail = _rail(app, selected) if layout.wide else ft.Container(width=0)
    content = ft.Row([rail, content], expand=True, spacing=0)
    return ft.View(
        route="/",  # one fixed address: no page animation between tabs
        can_pop=False,
        padding=0,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        appbar=_top_bar(app, wide=layout.wide),
        navigation_bar=None if layout.wide else _bar(app, selected),
        controls=[
            ft.SafeArea(
                expand=True,
                content=ft.Column(
                    [content, live(app.status), NoticeHost()],
                    expand=True,
                    spacing=0,
                    horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                ),
            )
        ],
    )
