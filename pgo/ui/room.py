"""How much room there is: the width of the window decides where the navigation is and how wide content is."""

from __future__ import annotations

from dataclasses import dataclass

import flet as ft

from pgo.ui.theme import MAX_CONTENT_WIDTH, WIDE_FROM


@dataclass(frozen=True, slots=True)
class Layout:
    """Room on the screen.

    Attributes:
        width: of the window, logical pixels.
        content: width of the column of content.
        wide: room for a navigation rail.
    """

    width: float
    content: float
    wide: bool


def layout_for(width: float, *, rail: float = 0) -> Layout:
    """Compute the layout of a window width; `rail` is what the navigation takes at the side."""
    wide = width >= WIDE_FROM
    side = 24 if wide else 16
    room = width - (rail if wide else 0) - 2 * side
    return Layout(width=width, content=max(240, min(MAX_CONTENT_WIDTH, room)), wide=wide)


LayoutCtx: ft.ContextProvider[Layout] = ft.create_context(layout_for(1000))


def use_layout() -> Layout:
    """Hook: the room there is; set by the shell."""
    return ft.use_context(LayoutCtx)
