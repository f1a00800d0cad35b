"""Showing things: rows, pairs, badges, empty places. Meaning is never carried by colour alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import flet as ft

from pgo.ui.theme import FONT_STRONG, GAP, GAP_LARGE, GAP_SMALL, RADIUS_SMALL, TOUCH
from pgo.ui.widgets.buttons import keyed
from pgo.ui.widgets.layout import heading, muted

COUNTS_WIDTH: Final = 420  # a phone gives less and gets a line as wide as its card

StatusKind = Literal["good", "info", "attention", "bad", "neutral"]

_STATUS: dict[StatusKind, tuple[ft.IconData, ft.Colors, ft.Colors]] = {
    "good": (
        ft.Icons.CHECK_CIRCLE_OUTLINE_ROUNDED,
        ft.Colors.PRIMARY_CONTAINER,
        ft.Colors.ON_PRIMARY_CONTAINER,
    ),
    "info": (ft.Icons.INFO_OUTLINE_ROUNDED, ft.Colors.SECONDARY_CONTAINER, ft.Colors.ON_SECONDARY_CONTAINER),
    "attention": (ft.Icons.SCHEDULE_ROUNDED, ft.Colors.TERTIARY_CONTAINER, ft.Colors.ON_TERTIARY_CONTAINER),
    "bad": (ft.Icons.ERROR_OUTLINE_ROUNDED, ft.Colors.ERROR_CONTAINER, ft.Colors.ON_ERROR_CONTAINER),
    "neutral": (ft.Icons.CIRCLE_OUTLINED, ft.Colors.SURFACE_CONTAINER_HIGH, ft.Colors.ON_SURFACE),
}


def status_badge(text: str, kind: StatusKind = "neutral", *, icon: ft.IconData | None = None) -> ft.Control:
    """A small badge: icon and words on a quiet ground."""
    own, ground, ink = _STATUS[kind]
    return ft.Container(
        bgcolor=ground,
        border_radius=RADIUS_SMALL,
        padding=ft.Padding(left=8, right=10, top=4, bottom=4),
        content=ft.Row(
            [
                ft.Icon(icon or own, size=18, color=ink),
                ft.Text(
                    text,
                    theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                    color=ink,
                    expand=True,
                    expand_loose=True,
                ),
            ],
            spacing=6,
            tight=True,
        ),
    )


def note(text: str, kind: StatusKind = "info", *, icon: ft.IconData | None = None) -> ft.Control:
    """A sentence or two that must not be missed, across the whole width."""
    own, ground, ink = _STATUS[kind]
    return ft.Container(
        bgcolor=ground,
        border_radius=RADIUS_SMALL,
        padding=GAP,
        content=ft.Row(
            [
                ft.Icon(icon or own, color=ink),
                ft.Text(text, color=ink, expand=True, theme_style=ft.TextThemeStyle.BODY_MEDIUM),
            ],
            spacing=12,
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
    )


def copyable(
    value: str, *, col: dict[str | ft.ResponsiveRowBreakpoint, int | float] | None = None
) -> ft.Control:
    """Text that can be selected; to screen readers Flutter shows an empty field, so we say it ourselves."""
    shown = ft.Text(value, theme_style=ft.TextThemeStyle.BODY_LARGE, selectable=True)
    spoken = ft.Semantics(label=value, container=True, exclude_semantics=True, content=shown)
    if col is not None:
        spoken.col = col
    return spoken


def key_values(rows: Sequence[tuple[str, str]]) -> ft.Control:
    """Pairs of name and value; the value can be selected and copied."""

    def pair(name: str, value: str) -> ft.Control:
        return ft.ResponsiveRow(
            [
                ft.Text(
                    name,
                    theme_style=ft.TextThemeStyle.BODY_MEDIUM,
                    color=ft.Colors.ON_SURFACE_VARIANT,
                    col={"xs": 12, "sm": 4},
                ),
                copyable(value, col={"xs": 12, "sm": 8}),
            ],
            spacing=GAP_SMALL,
            run_spacing=0,
        )

    return ft.Column([pair(*row) for row in rows if row[1]], spacing=GAP_SMALL, tight=True)


def counts(rows: Sequence[tuple[str, str]]) -> ft.Control:
    """Names with a number at the right, close enough for the eye to stay on the line."""

    def line(name: str, number: str) -> ft.Control:
        drawn = ft.Row(
            [
                ft.Text(name, theme_style=ft.TextThemeStyle.BODY_LARGE, expand=True),
                ft.Text(number, theme_style=ft.TextThemeStyle.BODY_LARGE, font_family=FONT_STRONG),
            ],
            spacing=GAP,
        )
        padded = ft.Container(drawn, padding=ft.Padding(left=0, right=0, top=6, bottom=6))
        return ft.Semantics(container=True, label=f"{name}: {number}", exclude_semantics=True, content=padded)

    return ft.Row([ft.Container(list_section([line(*row) for row in rows]), width=COUNTS_WIDTH)], wrap=True)


def list_row(
    title: str,
    *,
    key: str,
    detail: str = "",
    trailing: str = "",
    icon: ft.IconData | None = None,
    badge: ft.Control | None = None,
    leading: ft.Control | None = None,
    on_click: Callable[..., Any] | None = None,
) -> ft.Control:
    """One line of a list: icon or ``leading``, title, detail, value at the right; all of it is the button."""
    lines: list[ft.Control] = [
        ft.Text(title, theme_style=ft.TextThemeStyle.BODY_LARGE, font_family=FONT_STRONG)
    ]
    if detail:
        lines.append(muted(detail, small=True))
    if badge is not None:
        lines.append(ft.Row([badge], wrap=True))
    cells: list[ft.Control] = []
    if leading is not None:
        cells.append(leading)
    elif icon is not None:
        cells.append(ft.Icon(icon, color=ft.Colors.PRIMARY))
    cells.append(ft.Column(lines, spacing=2, expand=True, tight=True))
    if trailing:
        cells.append(
            ft.Text(trailing, theme_style=ft.TextThemeStyle.BODY_LARGE, text_align=ft.TextAlign.RIGHT)
        )
    if on_click is not None:
        cells.append(ft.Icon(ft.Icons.CHEVRON_RIGHT_ROUNDED, color=ft.Colors.ON_SURFACE_VARIANT))
    row = ft.Row(cells, spacing=GAP, vertical_alignment=ft.CrossAxisAlignment.CENTER)
    padding = ft.Padding(left=GAP_SMALL, right=GAP_SMALL, top=10, bottom=10)
    if on_click is None:
        return ft.Semantics(identifier=key, container=True, content=ft.Container(row, padding=padding))
    tap = ft.Container(row, padding=padding, border_radius=RADIUS_SMALL, ink=True, on_click=on_click)
    return keyed(key, ft.Semantics(button=True, content=tap))


def list_section(rows: Sequence[ft.Control]) -> ft.Control:
    """Lines under each other with hairlines between."""
    out: list[ft.Control] = []
    for row in rows:
        if out:
            out.append(ft.Divider(height=1, color=ft.Colors.OUTLINE_VARIANT))
        out.append(row)
    return ft.Column(out, spacing=0, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def described(label: str, content: ft.Control) -> ft.Control:
    """A picture or chart with a text alternative; what is inside stays silent."""
    return ft.Semantics(image=True, container=True, label=label, exclude_semantics=True, content=content)


def empty_state(icon: ft.IconData, title: str, text: str, action: ft.Control | None = None) -> ft.Control:
    """A place with nothing in it yet: what it is for, and the one thing to do."""
    parts: list[ft.Control] = [
        ft.Container(
            content=ft.Icon(icon, size=32, color=ft.Colors.ON_PRIMARY_CONTAINER),
            bgcolor=ft.Colors.PRIMARY_CONTAINER,
            border_radius=999,
            width=TOUCH + GAP,
            height=TOUCH + GAP,
            alignment=ft.Alignment.CENTER,
        ),
        heading(title, 2),
        ft.Text(
            text,
            text_align=ft.TextAlign.CENTER,
            color=ft.Colors.ON_SURFACE_VARIANT,
            theme_style=ft.TextThemeStyle.BODY_LARGE,
        ),
    ]
    if action is not None:
        parts.append(action)
    return ft.Container(
        padding=ft.Padding(left=GAP_LARGE, right=GAP_LARGE, top=GAP_LARGE * 2, bottom=GAP_LARGE * 2),
        alignment=ft.Alignment.CENTER,
        content=ft.Column(parts, spacing=GAP, horizontal_alignment=ft.CrossAxisAlignment.CENTER, tight=True),
    )
