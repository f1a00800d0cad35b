"""Buttons: one look per weight, always a name, always a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from pgo.ui.theme import TOUCH

OnClick = Callable[..., Any] | None


def keyed(key: str, control: ft.Control, *, expand: bool | int | None = None) -> ft.Control:
    """Give a control a stable identifier in the semantics tree, as one node with its name and role."""
    merged = ft.MergeSemantics(content=ft.Semantics(identifier=key, content=control) if key else control)
    if expand is not None:
        merged.expand = expand
    return merged


def primary_button(
    label: str,
    on_click: OnClick,
    *,
    key: str,
    icon: ft.IconData | None = None,
    disabled: bool = False,
    autofocus: bool = False,
) -> ft.Control:
    """The one thing this screen is for; at most one of these per screen."""
    return keyed(
        key,
        ft.FilledButton(label, icon=icon, on_click=on_click, disabled=disabled, autofocus=autofocus),
    )


def secondary_button(
    label: str, on_click: OnClick, *, key: str, icon: ft.IconData | None = None, disabled: bool = False
) -> ft.Control:
    """Something else that can be done here."""
    return keyed(key, ft.OutlinedButton(label, icon=icon, on_click=on_click, disabled=disabled))


def text_button(
    label: str, on_click: OnClick, *, key: str, icon: ft.IconData | None = None, disabled: bool = False
) -> ft.Control:
    """A way back, or something rarely needed."""
    return keyed(key, ft.TextButton(label, icon=icon, on_click=on_click, disabled=disabled))


def danger_button(
    label: str, on_click: OnClick, *, key: str, icon: ft.IconData | None = None, disabled: bool = False
) -> ft.Control:
    """Something that takes away: withdraw, delete."""
    style = ft.ButtonStyle(
        color={ft.ControlState.DEFAULT: ft.Colors.ERROR},
        icon_color={ft.ControlState.DEFAULT: ft.Colors.ERROR},
        side={ft.ControlState.DEFAULT: ft.BorderSide(1, ft.Colors.ERROR)},
    )
    return keyed(key, ft.OutlinedButton(label, icon=icon, on_click=on_click, disabled=disabled, style=style))


def icon_button(
    icon: ft.IconData, label: str, on_click: OnClick, *, key: str, disabled: bool = False
) -> ft.Control:
    """An icon with a spoken name; a bare ``IconButton`` is an unnamed button in the semantics tree."""
    return keyed(
        key,
        ft.IconButton(icon, tooltip=label, on_click=on_click, disabled=disabled, width=TOUCH, height=TOUCH),
    )
