"""Running, done, failed: what the person sees and hears while something happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import flet as ft

from pgo.ui.hooks import Query, use_app
from pgo.ui.room import use_layout
from pgo.ui.safety import component
from pgo.ui.theme import GAP, GAP_LARGE, GAP_SMALL, RADIUS_SMALL
from pgo.ui.widgets.buttons import danger_button, icon_button, keyed, primary_button, text_button
from pgo.ui.widgets.display import note
from pgo.ui.widgets.layout import muted

T = TypeVar("T")
_NOTICE_SECONDS: Final = 4.0
_NOTICE_WIDTH: Final = 640.0
_UNDO_SECONDS: Final = 10.0  # long enough to read and to think; after that the trash still has it


def live(text: str, *, visible: bool = False) -> ft.Control:
    """Speak a text whenever it changes; seen only if `visible`."""
    shown = ft.Text(text) if visible else ft.Text(text, size=1, color=ft.Colors.TRANSPARENT, height=1)
    return ft.Semantics(live_region=True, container=True, content=shown)


def error_banner(text: str, close_label: str, on_close: Callable[..., Any]) -> ft.Control:
    """A failed action, across the top until it is closed."""
    bar = ft.Container(
        bgcolor=ft.Colors.ERROR_CONTAINER,
        border_radius=RADIUS_SMALL,
        margin=ft.Margin(left=GAP, right=GAP, top=GAP_SMALL, bottom=0),
        padding=ft.Padding(left=GAP, right=GAP_SMALL, top=GAP_SMALL, bottom=GAP_SMALL),
        content=ft.Row(
            [
                ft.Icon(ft.Icons.ERROR_OUTLINE_ROUNDED, color=ft.Colors.ON_ERROR_CONTAINER),
                ft.Text(text, color=ft.Colors.ON_ERROR_CONTAINER, expand=True),
                icon_button(ft.Icons.CLOSE_ROUNDED, close_label, on_close, key="error-close"),
            ]
        ),
    )
    return ft.Semantics(live_region=True, container=True, identifier="error", content=bar)


def loading(text: str) -> ft.Control:
    """Something is being read; small and calm."""
    return ft.Container(
        padding=GAP_LARGE,
        alignment=ft.Alignment.CENTER,
        content=ft.Row(
            [ft.ProgressRing(width=22, height=22, stroke_width=3, semantics_label=text), muted(text)],
            tight=True,
            spacing=12,
        ),
    )


def progress(label: str, share: float | None, detail: str = "") -> ft.Control:
    """A bar with its label and a number in words.

    Args:
        label: What is going on.
        share: 0.0 to 1.0, or None while the length is unknown.
        detail: For example "412 of 2,176".
    """
    bar = ft.ProgressBar(value=share, bar_height=8, border_radius=4, semantics_label=label)
    below = [muted(detail, small=True)] if detail else []
    return ft.Column([ft.Text(label), bar, *below], spacing=GAP_SMALL, tight=True)


def query_placeholder(query: Query[T], loading_text: str) -> ft.Control | None:
    """What to show while content is not there: loading, or why not; None when it is there."""
    if query.failed is not None:
        return note(query.failed.text, "bad")
    if query.value is None:
        return loading(loading_text)
    return None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question before something that cannot be undone lightly.

    Attributes:
        title: The question.
        text: What will happen, in one or two sentences.
        yes: Text of the button that does it; says what it does, never "OK".
        work: Runs after "yes".
        danger: It takes something away.
        no: Text of the way back; "Cancel" when empty.
    """

    title: str
    text: str
    yes: str
    work: Callable[[], Awaitable[None]]
    danger: bool = False
    no: str = ""


def use_confirm() -> Callable[[Ask], None]:
    """Hook: returns the function that asks. The question closes with Escape, which means no."""
    app = use_app()
    nothing: Ask | None = None
    asked, set_asked = ft.use_state(nothing)

    async def yes() -> None:
        set_asked(None)
        if asked is not None:
            await asked.work()

    dialog: ft.AlertDialog | None = None
    if asked is not None:
        button = danger_button if asked.danger else primary_button
        dialog = ft.AlertDialog(
            semantics_label=asked.title,
            title=ft.Text(asked.title, theme_style=ft.TextThemeStyle.TITLE_LARGE),
            content=ft.Container(ft.Text(asked.text), width=440),
            scrollable=True,  # large text on a phone does not fit, and a cut sentence must not be signed
            actions=[
                text_button(asked.no or app.t("common.cancel"), lambda: set_asked(None), key="dialog-no"),
                button(asked.yes, yes, key="dialog-yes"),
            ],
            bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
            on_dismiss=lambda: set_asked(None),
        )
    ft.use_dialog(dialog)

    def ask(question: Ask) -> None:
        set_asked(lambda _old: question)

    return ask


@component
def NoticeHost() -> ft.Control:
    """Show the bottom message of the state, with its undo button; part of the shell.

    It stands between the page and the navigation and takes its own room: a message that floats would lie over
    the very button that is needed next, and a hurried finger would press "undo" instead. A new message takes
    the place of the old one at once.
    """
    app, width = use_app(), use_layout().width
    current = app.notice

    async def end() -> None:
        if current is not None:
            await asyncio.sleep(_UNDO_SECONDS if current.undo else _NOTICE_SECONDS)
            if app.notice is current:
                app.notice = None

    ft.use_effect(end, dependencies=[current.serial if current else 0])
    if current is None:
        return ft.Container(width=0, height=0)

    async def take_back() -> None:
        app.notice = None
        if current.undo is not None:
            await current.undo()

    words = ft.Text(
        current.text,
        color=ft.Colors.ON_INVERSE_SURFACE,
        theme_style=ft.TextThemeStyle.BODY_MEDIUM,
        expand=True,
    )
    cells: list[ft.Control] = [words]
    if current.undo is not None:
        style = ft.ButtonStyle(color={ft.ControlState.DEFAULT: ft.Colors.INVERSE_PRIMARY})
        button = ft.TextButton(app.t("common.undo"), on_click=take_back, style=style)
        cells.append(keyed("notice-undo", button))
    bar = ft.Container(
        ft.Row(cells, spacing=GAP_SMALL),
        width=min(_NOTICE_WIDTH, width - 2 * GAP),
        bgcolor=ft.Colors.INVERSE_SURFACE,
        border_radius=RADIUS_SMALL,
        margin=ft.Margin(left=0, right=0, top=GAP_SMALL, bottom=GAP_SMALL),
        padding=ft.Padding(left=GAP, right=GAP_SMALL, top=4, bottom=4)
        if current.undo
        else ft.Padding(left=GAP, right=GAP, top=12, bottom=12),
    )
    named = ft.Semantics(identifier="notice", container=True, content=bar)
    return ft.Row([named], alignment=ft.MainAxisAlignment.CENTER)
