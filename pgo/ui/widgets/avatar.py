"""Whose vault it is, at a glance: an initial on a colour. The name always stands beside it."""

from __future__ import annotations

from typing import Final

import flet as ft

from pgo.ui.theme import FONT_STRONG

# White on each has a contrast of at least 4.5 to 1 (WCAG 2.2, success criterion 1.4.3), in light and dark.
AVATAR_COLOURS: Final[dict[str, str]] = {
    "teal": "#00695C",
    "blue": "#1565C0",
    "violet": "#6A1B9A",
    "rose": "#AD1457",
    "orange": "#BF360C",
    "green": "#2E7D32",
    "brown": "#5D4037",
    "grey": "#455A64",
}


def avatar(initial: str, colour: str, *, size: float = 40) -> ft.Control:
    """A round sign; silent for screen readers, because the name is said beside it."""
    return ft.Semantics(
        exclude_semantics=True,
        content=ft.Container(
            ft.Text(initial, color=ft.Colors.WHITE, size=size * 0.45, font_family=FONT_STRONG),
            bgcolor=AVATAR_COLOURS.get(colour, AVATAR_COLOURS["grey"]),
            width=size,
            height=size,
            border_radius=size / 2,
            alignment=ft.Alignment.CENTER,
        ),
    )
