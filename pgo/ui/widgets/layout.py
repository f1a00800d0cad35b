"""The skeleton of a screen: page, headings, cards, gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flet as ft

from pgo.ui.hooks import go, use_app
from pgo.ui.room import use_layout
from pgo.ui.safety import component
from pgo.ui.theme import FONT_STRONG, GAP, GAP_LARGE, GAP_SMALL, RADIUS
from pgo.ui.widgets.buttons import icon_button, keyed

_HEADING_STYLES = {
    1: ft.TextThemeStyle.HEADLINE_SMALL,
    2: ft.TextThemeStyle.TITLE_LARGE,
    3: ft.TextThemeStyle.TITLE_MEDIUM,
}


def use_width() -> float:
    """Hook: the width of the window, followed while it changes."""
    page = ft.context.page
    width, set_width = ft.use_state(float(page.width or 1000))

    def subscribe() -> None:
        page.on_resize = lambda e: set_width(float(e.width))

    ft.use_effect(subscribe, dependencies=[], cleanup=lambda: setattr(page, "on_resize", None))
    return width


def heading(text: str, level: int = 1) -> ft.Control:
    """A real heading for screen readers, in the size of its level."""
    return ft.Semantics(
        header=True,
        heading_level=level,
        label=text,
        exclude_semantics=True,
        content=ft.Text(text, theme_style=_HEADING_STYLES.get(level, ft.TextThemeStyle.TITLE_MEDIUM)),
    )


def body(text: str) -> ft.Text:
    """Running text."""
    return ft.Text(text, theme_style=ft.TextThemeStyle.BODY_LARGE)


def muted(text: str, *, small: bool = False) -> ft.Text:
    """Running text that steps back."""
    style = ft.TextThemeStyle.BODY_SMALL if small else ft.TextThemeStyle.BODY_MEDIUM
    return ft.Text(text, theme_style=style, color=ft.Colors.ON_SURFACE_VARIANT)


def strong(text: str) -> ft.Text:
    """Running text with weight."""
    return ft.Text(text, theme_style=ft.TextThemeStyle.BODY_LARGE, font_family=FONT_STRONG)


def gap(size: float = GAP) -> ft.Control:
    """Empty room."""
    return ft.Container(height=size, width=size)


def toolbar(*controls: ft.Control) -> ft.Control:
    """Buttons beside each other, wrapping on a phone."""
    return ft.Row(
        list(controls),
        wrap=True,
        spacing=GAP_SMALL,
        run_spacing=GAP_SMALL,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def card(*controls: ft.Control, padding: float = GAP_LARGE, spacing: float = GAP_SMALL + 4) -> ft.Control:
    """A sheet of paper on the desk."""
    return ft.Container(
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
        border_radius=RADIUS,
        padding=padding,
        content=ft.Column(
            list(controls), spacing=spacing, horizontal_alignment=ft.CrossAxisAlignment.STRETCH, tight=True
        ),
    )


def section_card(
    title: str, *controls: ft.Control, lead: str = "", action: ft.Control | None = None, key: str = ""
) -> ft.Control:
    """A card with a heading of level 2, an optional sentence under it and one action at its right."""
    head: list[ft.Control] = [ft.Container(heading(title, 2), expand=True)]
    if action is not None:
        head.append(action)
    top: list[ft.Control] = [ft.Row(head, vertical_alignment=ft.CrossAxisAlignment.CENTER)]
    if lead:
        top.append(muted(lead))
    box = card(*top, *controls)
    return ft.Semantics(identifier=key, container=True, content=box) if key else box


@component
def PageBody(
    title: str,
    controls: Sequence[ft.Control],
    lead: str,
    actions: Sequence[ft.Control],
    back: tuple[str, str] | None,
    scroll: bool,
) -> ft.Control:
    """Component behind `page_body`, so that its hooks never shift those of the screen."""
    app, layout = use_app(), use_layout()
    head: list[ft.Control] = []
    if back is not None:
        route, label = back
        name = app.t("common.back_to", place=label)
        head.append(icon_button(ft.Icons.ARROW_BACK_ROUNDED, name, lambda: go(route), key="back"))
    head.append(ft.Container(heading(title), expand=True))
    head += list(actions) if layout.wide else []
    rows: list[ft.Control] = [ft.Row(head, vertical_alignment=ft.CrossAxisAlignment.CENTER)]
    if lead:
        rows.append(muted(lead))
    if actions and not layout.wide:
        rows.append(toolbar(*actions))
    column = ft.Column(
        [*rows, *controls],
        spacing=GAP,
        expand=not scroll,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    inner = ft.Container(width=layout.content, content=column, expand=not scroll)
    return ft.Column(
        [inner, *([ft.Container(height=GAP_LARGE * 2)] if scroll else [])],
        expand=True,
        scroll=ft.ScrollMode.AUTO if scroll else None,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        margin=ft.Margin(left=0, right=0, top=GAP, bottom=0),
    )


def page_body(
    title: str,
    *controls: ft.Control,
    lead: str = "",
    actions: Sequence[ft.Control] = (),
    back: tuple[str, str] | None = None,
    scroll: bool = True,
) -> ft.Control:
    """A screen: heading, optional sentence, optional buttons, content in one centred column.

    Args:
        title: Heading of level 1.
        controls: Content, top to bottom.
        lead: One sentence under the heading.
        actions: Buttons beside the heading (below it on a phone).
        back: (route, name of that place) for an arrow before the heading.
        scroll: False for screens whose content scrolls by itself (`VirtualList`).
    """
    page: ft.Control = PageBody(title, controls, lead, actions, back, scroll)
    return page


def tabs_row(
    tabs: Sequence[tuple[str, str]], active: str, *, label: str, on_choose: Callable[[str], Any] = go
) -> ft.Control:
    """Tabs under the heading, wrapping on a phone.

    Args:
        tabs: (value, text) in order; the value is a route unless `on_choose` is given.
        active: Value of the chosen one.
        label: What a screen reader says before the tabs.
        on_choose: Called with the value.
    """

    def tab(value: str, text: str) -> ft.Control:
        chosen = value == active
        return keyed(
            f"tab-{value}",
            ft.Semantics(
                selected=chosen,
                content=ft.TextButton(
                    text,
                    on_click=lambda _e: on_choose(value),
                    style=ft.ButtonStyle(
                        bgcolor={
                            ft.ControlState.DEFAULT: ft.Colors.PRIMARY_CONTAINER
                            if chosen
                            else ft.Colors.TRANSPARENT
                        },
                        color={
                            ft.ControlState.DEFAULT: ft.Colors.ON_PRIMARY_CONTAINER
                            if chosen
                            else ft.Colors.ON_SURFACE_VARIANT
                        },
                        side={
                            ft.ControlState.DEFAULT: ft.BorderSide(
                                1, ft.Colors.PRIMARY_CONTAINER if chosen else ft.Colors.OUTLINE_VARIANT
                            )
                        },
                        shape=ft.StadiumBorder(),
                        # Four tabs of the record fit beside each other on a phone of 390.
                        padding=ft.Padding(left=10, right=10, top=10, bottom=10),
                    ),
                ),
            ),
        )

    row = ft.Row([tab(value, text) for value, text in tabs], wrap=True, spacing=6, run_spacing=6)
    return ft.Semantics(container=True, label=label, content=row)
