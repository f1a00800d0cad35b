"""What every record screen has around its own content: the four tabs of "my record", a query's three faces.

A query is shown by ``answered``: while it loads, when it failed, and when it is there. A screen writes only
the last of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import flet as ft

from pgo.ui.hooks import Query, go, use_app
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.widgets import (
    empty_state,
    list_section,
    note,
    primary_button,
    query_placeholder,
    section_card,
    tabs_row,
    text_button,
)

T = TypeVar("T")
_FOLD_FROM: Final = 3

TABS: Final = (
    ("/profile", "records.tab.profile"),
    ("/medication", "records.tab.medication"),
    ("/measurements", "records.tab.measurements"),
    ("/timeline", "records.tab.timeline"),
)


def record_tabs(app: AppState, active: str) -> ft.Control:
    """Draw the four ways into the record."""
    tabs = [(route, app.t(key)) for route, key in TABS]
    return tabs_row(tabs, active, label=app.t("records.tabs"))


def answered(app: AppState, query: Query[T], view: Callable[[T], ft.Control]) -> ft.Control:
    """Show what a query brought: waiting, the sentence of its failure, or the view of its value."""
    placeholder = query_placeholder(query, app.t("records.loading"))
    if placeholder is not None:
        return placeholder
    return view(query.value)  # type: ignore[arg-type]  # no placeholder means there is a value


def nothing_collected(app: AppState, icon: ft.IconData, key: str) -> ft.Control:
    """An empty place that leads to collecting; texts are ``<key>.title`` and ``<key>.text``."""
    action = primary_button(
        app.t("records.collect"), lambda: go("/collect"), key="collect", icon=ft.Icons.UPLOAD_FILE_OUTLINED
    )
    return empty_state(icon, app.t(f"{key}.title"), app.t(f"{key}.text"), action)


def quiet(text: str) -> ft.Control:
    """A remark that explains an empty or shortened list."""
    return note(text, "neutral", icon=ft.Icons.INFO_OUTLINE_ROUNDED)


def stacked(*controls: ft.Control, spacing: float = 16) -> ft.Control:
    """Controls under each other, all as wide as there is room."""
    return ft.Column(
        list(controls), spacing=spacing, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
    )


@component
def Folded(title: str, rows: Sequence[ft.Control], *, name: str) -> ft.Control:
    """A list that stays closed until somebody wants it (a handful stands open); its button says how many.

    Args:
        title: heading of the card.
        rows: what it holds.
        name: stable identifier of the button.
    """
    app = use_app()
    is_open, set_open = ft.use_state(len(rows) <= _FOLD_FROM)
    if len(rows) <= _FOLD_FROM:
        return section_card(title, list_section(rows))
    toggle = text_button(
        app.t("records.hide" if is_open else "records.show", n=len(rows)),
        lambda: set_open(not is_open),
        key=name,
        icon=ft.Icons.EXPAND_LESS_ROUNDED if is_open else ft.Icons.EXPAND_MORE_ROUNDED,
    )
    return section_card(title, ft.Row([toggle]), *([list_section(rows)] if is_open else []))
