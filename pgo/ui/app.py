"""Composition of the screens: routes, the shell around them, the locked side.

Rules:

1. A screen module is imported when its route is first shown, never before: the first frame must not pay for
   FHIR models, charts or the network client.
2. While no vault is open only the start screen exists; no route, link or reload shows anything else.
3. The lock button is in reach on every screen.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final, cast

import flet as ft

from pgo.ui import safety, text, theme
from pgo.ui.hooks import use_app
from pgo.ui.room import LayoutCtx, layout_for
from pgo.ui.safety import component
from pgo.ui.shell import RAIL_WIDTH, Shell
from pgo.ui.state import AppCtx, AppState, PrefsCtx
from pgo.ui.widgets import empty_state, page_body, use_width

# route -> module in pgo.ui.screens; the first match counts, so fixed words stand before parameters.
SCREENS: Final[tuple[tuple[str, str], ...]] = (
    ("profile", "profile"),
    ("medication", "medication"),
    ("medication/new", "medication_form"),
    ("medication/:id/edit", "medication_form"),
    ("medication/line/:id", "medicine"),
    ("allergy/new", "allergy_form"),
    ("allergy/:id/edit", "allergy_form"),
    ("trash", "trash"),
    ("measurements", "measurements"),
    ("measurements/:key", "series"),
    ("timeline", "timeline"),
    ("record/:id", "record"),
    ("record/:id/why", "why"),
    ("record/:id/remark", "remark"),
    ("record/:id/remark/:remark", "remark"),
    ("record/:id/correction", "correction"),
    ("collect", "collect"),
    ("set-aside", "set_aside"),
    ("check", "check"),
    ("check/:id", "check_run"),
    ("share", "share"),
    ("share/add", "share_add"),
    ("share/add/server", "share_server"),
    ("share/new/:recipient", "share_new"),
    ("share/looked/:recipient", "share_looked"),
    ("share/requests", "requests"),
    ("share/requests/new", "request_new"),
    ("share/answer/:request", "share_new"),
    ("share/history", "history"),
    ("share/objections", "objections"),
    ("share/objections/new", "objection_new"),
    ("share/:grant", "share_detail"),
    ("settings", "settings"),
    ("settings/backup", "backup"),
    ("settings/export", "export"),
    ("settings/export/paper", "export_paper"),
    ("settings/journal", "journal"),
    ("settings/keys", "settings_keys"),
    ("settings/person", "settings_person"),
)


def screen(name: str) -> Callable[[], Any]:
    """Make the component of a screen: imports its module at the first showing, fresh state per address."""

    @component
    def Screen() -> Any:
        module = importlib.import_module(f"pgo.ui.screens.{name}")
        return module.Screen(key=ft.use_route_location())

    return Screen


@component
def NotFound() -> ft.Control:
    """A route nobody knows."""
    app = use_app()
    return page_body(
        app.t("notfound.title"),
        empty_state(ft.Icons.EXPLORE_OFF_OUTLINED, app.t("notfound.title"), app.t("notfound.text")),
    )


def routes() -> list[ft.Route]:
    """The route table of the open side."""
    children = [ft.Route(index=True, component=screen("overview"))]
    children += [ft.Route(path=path, component=screen(name)) for path, name in SCREENS]
    children.append(ft.Route(path=":rest*", component=NotFound))
    return [ft.Route(component=Shell, outlet=True, children=children)]


ROUTES: Final = routes()


@component
def LockedSide() -> ft.View:
    """The start screen in a view of its own."""
    page = ft.context.page

    def forget_address() -> None:
        # What was open must not come back after unlocking, nor stand in the address bar meanwhile.
        if page.route != "/":
            page.navigate("/")

    ft.use_effect(forget_address, dependencies=[])
    module = importlib.import_module("pgo.ui.screens.start")
    return ft.View(
        route="/",
        can_pop=False,
        padding=0,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        controls=[ft.SafeArea(expand=True, content=module.Screen())],
    )


@component
def EndedSide() -> ft.View:
    """Another window took over."""
    app = use_app()
    sentence = empty_state(ft.Icons.TAB_UNSELECTED_ROUNDED, app.t("ended.title"), app.t("lock.elsewhere"))
    return ft.View(route="/", can_pop=False, controls=[sentence])


@component
def Side() -> Any:
    """One of the two sides: locked or open."""
    app, width = use_app(), use_width()
    if app.ended:
        return [EndedSide()]
    if not app.unlocked:
        return LayoutCtx(layout_for(width), lambda: [LockedSide(key=f"locked-{app.lockings}")])
    layout = layout_for(width, rail=RAIL_WIDTH)
    return LayoutCtx(layout, lambda: ft.Router(ROUTES, not_found=NotFound, manage_views=True))


@component
def App(app: AppState) -> Any:
    """Root: hands the state down."""
    return AppCtx(app, lambda: PrefsCtx(app.prefs, Side))


def apply_prefs(page: ft.Page, app: AppState) -> None:
    """Bring language, theme and text size of the preferences to the page."""
    nl, en = ft.Locale("nl", "NL"), ft.Locale("en", "GB")
    page.locale_configuration = ft.LocaleConfiguration([nl, en], en if app.lang == "en" else nl)
    page.title = text.t(app.lang, "app.name")
    theme.apply(page, theme=app.prefs.theme, scale=app.prefs.text_scale)


def start(page: ft.Page, app: AppState) -> None:
    """Show the app on a new page; `app` has its application and the lock screen's preferences."""
    safety.install(page, lambda key: text.t(app.lang, key))
    apply_prefs(page, app)

    def on_prefs(*_: object) -> None:
        apply_prefs(page, app)

    cast(ft.Observable, app.prefs).subscribe(on_prefs)
    page.data = (app, on_prefs)  # Flet holds listeners weakly: somebody must hold this one
    page.render_views(App, app)
