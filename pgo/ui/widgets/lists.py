"""Long lists. Only the rows near the window exist as controls; the rest is two spacers of the exact height.

10,000 real rows cost two to three seconds to send and half a second at every later change (measured on
Flet 1.0.5); 80 rows cost 40 ms. `ListView` guesses the height of rows it has not built, so this uses a
column.
"""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.safety import component


@component
def VirtualList(
    total: int,
    build: Callable[[int], ft.Control],
    *,
    row_height: float = 72,
    window: int = 60,
    step: int = 20,
    on_window: Callable[[int, int], None] | None = None,
) -> ft.Control:
    """A list of `total` rows of equal height.

    Args:
        total: Rows in all.
        build: Makes the control of a row by its number.
        row_height: Logical pixels at text scale 1.0; grows with the text scale here.
        window: Rows that exist at once.
        step: Rows the window moves by.
        on_window: Called with (first, last) when the window moved, for callers that load rows in pages.
    """
    app = use_app()
    first, set_first = ft.use_state(0)
    height = row_height * app.prefs.text_scale
    if first >= total > 0:
        first = max(0, total - window)

    def on_scroll(e: ft.OnScrollEvent) -> None:
        want = max(0, int(e.pixels // height) - window // 3)
        want -= want % step
        if want != first:
            set_first(want)
            if on_window is not None:
                on_window(want, min(total, want + window))

    last = min(total, first + window)
    return ft.Column(
        expand=True,
        scroll=ft.ScrollMode.AUTO,
        spacing=0,
        on_scroll=on_scroll,
        scroll_interval=30,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        controls=[
            ft.Container(key="top", height=first * height),
            *[ft.Container(key=f"row{i}", height=height, content=build(i)) for i in range(first, last)],
            ft.Container(key="bottom", height=max(0, total - last) * height),
        ],
    )
