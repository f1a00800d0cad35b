"""Parts that more than one sharing screen draws: badge, sentences, a button that says for whom it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import flet as ft

from pgo.ui.sharing_words import Tone, badge
from pgo.ui.state import AppState
from pgo.ui.theme import FONT_STRONG, GAP, GAP_SMALL, RADIUS_SMALL
from pgo.ui.widgets import StatusKind, body, status_badge
from pgo.ui.widgets.buttons import keyed
from pgo.usecases.share import ShareRow

_KINDS: Final[Mapping[Tone, StatusKind]] = {
    Tone.GOOD: "good",
    Tone.WAIT: "attention",
    Tone.WARN: "bad",
    Tone.OFF: "neutral",
}
_ICONS: Final[Mapping[str, ft.IconData]] = {
    "sending": ft.Icons.SYNC_ROUNDED,
    "stopped": ft.Icons.BLOCK_ROUNDED,
    "stopped_cannot": ft.Icons.BLOCK_ROUNDED,
    "expired": ft.Icons.EVENT_BUSY_ROUNDED,
    "not_yet": ft.Icons.EVENT_ROUNDED,
    "waiting": ft.Icons.CLOUD_OFF_ROUNDED,
}


def share_badge(app: AppState, row: ShareRow) -> ft.Control:
    """Draw the state of a share: icon and words; the colour repeats them."""
    shown = badge(row)
    drawn = status_badge(app.t(f"share.state.{shown.key}"), _KINDS[shown.tone], icon=_ICONS.get(shown.key))
    return ft.Row([drawn], wrap=True)


def sentences(
    app: AppState, lines: Sequence[str], *, icon: ft.IconData = ft.Icons.ARROW_RIGHT_ROUNDED
) -> ft.Control:
    """Draw whole sentences under each other, each with the same small mark before it."""

    def line(text: str) -> ft.Control:
        words = body(text)
        words.expand = True
        mark = [ft.Icon(icon, size=22 * app.prefs.text_scale, color=ft.Colors.ON_SURFACE_VARIANT)]
        return ft.Row([*mark, words], spacing=GAP_SMALL, vertical_alignment=ft.CrossAxisAlignment.START)

    return ft.Column([line(text) for text in lines], spacing=GAP_SMALL, tight=True)


def named_button(
    label: str,
    spoken: str,
    on_click: Callable[..., Any],
    *,
    key: str,
    icon: ft.IconData | None = None,
    primary: bool = False,
    danger: bool = False,
) -> ft.Control:
    """A button whose short label stands under a name; the spoken name says for whom it is.

    Args:
        label: what stands on the button.
        spoken: begins with the label (WCAG 2.2, 2.5.3) and adds the recipient.
        on_click: what it does.
        key: stable identifier.
        icon: before the label.
        primary: drawn as the thing to do here.
        danger: drawn as something that takes away.
    """
    content = ft.Text(label, semantics_label=spoken)
    button = ft.FilledTonalButton if primary else ft.OutlinedButton
    red = ft.ButtonStyle(
        color={ft.ControlState.DEFAULT: ft.Colors.ERROR},
        icon_color={ft.ControlState.DEFAULT: ft.Colors.ERROR},
        side={ft.ControlState.DEFAULT: ft.BorderSide(1, ft.Colors.ERROR)},
    )
    style = red if danger else None
    return keyed(key, button(content=content, icon=icon, on_click=on_click, style=style))


def so(app: AppState, lines: Sequence[str]) -> ft.Control:
    """What a choice means, right under it: the very sentences that are signed further down."""
    return ft.Container(
        sentences(app, lines),
        bgcolor=ft.Colors.SURFACE_CONTAINER_HIGH,
        border_radius=RADIUS_SMALL,
        padding=ft.Padding(left=GAP_SMALL, right=GAP, top=12, bottom=12),
    )


def fingerprint(code: str) -> ft.Control:
    """Show a code in groups large enough to compare by eye or to read out over the phone."""
    groups: list[ft.Control] = [
        ft.Text(group, theme_style=ft.TextThemeStyle.TITLE_LARGE, font_family=FONT_STRONG, no_wrap=True)
        for group in code.split()
    ]
    grid = ft.Row(groups, wrap=True, spacing=20, run_spacing=8)
    box = ft.Container(grid, bgcolor=ft.Colors.SURFACE_CONTAINER, border_radius=RADIUS_SMALL, padding=GAP)
    return ft.Semantics(container=True, label=code, exclude_semantics=True, content=box)
