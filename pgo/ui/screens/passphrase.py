"""The passphrase field and its honest meter, shared by making a vault, recovery and settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import flet as ft

from pgo.ui.hooks import use_action, use_app
from pgo.ui.safety import component
from pgo.ui.theme import GAP_SMALL
from pgo.ui.widgets import icon_button, muted, primary_button, progress, text_button, text_field, toolbar
from pgo.usecases.unlock import PassphraseQuality, passphrase_quality

LEVELS = 5
_PAUSE_SECONDS = 0.2
# Weak to strong; the words beside the bar say the same, colour is never alone.
_LEVEL_COLOURS = (ft.Colors.ERROR, ft.Colors.ERROR, ft.Colors.TERTIARY, ft.Colors.PRIMARY, ft.Colors.PRIMARY)


@component
def SecretField(
    label: str,
    value: str,
    on_change: Callable[[str], Any],
    identifier: str,
    error: str = "",
    on_submit: Callable[..., Any] | None = None,
    autofocus: bool = False,
    helper: str = "",
) -> ft.Control:
    """A hidden field with a button that shows what was typed."""
    app = use_app()
    shown, set_shown = ft.use_state(False)
    field = text_field(
        label,
        value,
        on_change,
        key=identifier,
        password=not shown,
        error=error,
        helper=helper,
        autofocus=autofocus,
        on_submit=on_submit,
    )
    icon = ft.Icons.VISIBILITY_OFF_OUTLINED if shown else ft.Icons.VISIBILITY_OUTLINED
    name = app.t("passphrase.hide" if shown else "passphrase.show")
    eye = icon_button(icon, name, lambda: set_shown(not shown), key=f"{identifier}-show")
    return ft.Row(
        [ft.Container(field, expand=True), eye],
        spacing=GAP_SMALL,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )


@dataclass(frozen=True, slots=True)
class Typed:
    """A passphrase as typed and what was found about it; None while it is being looked at."""

    text: str = ""
    quality: PassphraseQuality | None = None


def use_meter(words: tuple[str, ...]) -> tuple[Typed, Callable[[str], Any]]:
    """Hook: keep what is typed and estimate it in a thread, a moment after the last key."""
    typed, set_typed = ft.use_state(Typed())
    newest: Any = ft.use_ref(0)

    async def change(text: str) -> None:
        newest.current += 1
        mine = newest.current
        set_typed(lambda _old: Typed(text))
        await asyncio.sleep(_PAUSE_SECONDS)
        if mine != newest.current:
            return
        quality = await asyncio.to_thread(passphrase_quality, text, words=words)
        if mine == newest.current:
            set_typed(lambda _old: Typed(text, quality))

    return typed, change


@component
def Meter(quality: PassphraseQuality | None) -> ft.Control:
    """Five segments, a word, and what would make it better."""
    app = use_app()
    if quality is None:
        return muted(app.t("passphrase.advice"), small=True)
    filled = quality.score + 1
    colour = _LEVEL_COLOURS[quality.score]
    bars: list[ft.Control] = [
        ft.Container(
            height=8,
            expand=True,
            border_radius=4,
            bgcolor=colour if n < filled else ft.Colors.SURFACE_CONTAINER_HIGHEST,
        )
        for n in range(LEVELS)
    ]
    word = app.t(f"passphrase.score.{quality.score}")
    reason = app.t(f"passphrase.reason.{quality.reason}")
    sentence = f"{word}. {reason}"
    return ft.Semantics(
        live_region=True,
        container=True,
        label=sentence,
        exclude_semantics=True,
        content=ft.Column([ft.Row(bars, spacing=4), muted(sentence, small=True)], spacing=6, tight=True),
    )


@component
def ChooseTwice(
    words: tuple[str, ...],
    label: str,
    identifier: str,
    save: Callable[[str], Awaitable[str]],
    on_cancel: Callable[[], None] | None = None,
) -> ft.Control:
    """Choose a new passphrase: the field, its meter, the field again, and what is wrong.

    ``save`` gets the passphrase and gives the sentence to show under it, '' when it was kept.
    """
    app = use_app()
    typed, change = use_meter(words)
    again, set_again = ft.use_state("")
    nothing: dict[str, str] = {}
    errors, set_errors = ft.use_state(nothing)

    async def keep() -> None:
        if typed.text != again:
            set_errors({"again": app.t("passphrase.differs")})
            return
        wrong = await save(typed.text)
        set_errors({"first": wrong} if wrong else {})

    action = use_action(keep)
    cancel = text_button(app.t("common.cancel"), on_cancel, key="cancel-passphrase", disabled=action.busy)
    return ft.Column(
        [
            SecretField(label, typed.text, change, identifier, errors.get("first", "")),
            Meter(typed.quality),
            SecretField(
                app.t("passphrase.again"),
                again,
                set_again,
                f"{identifier}-again",
                errors.get("again", ""),
                on_submit=action.start,
            ),
            *([progress(app.t("create.busy"), None)] if action.busy else []),
            toolbar(
                primary_button(
                    app.t("common.save"), action.start, key="save-passphrase", disabled=action.busy
                ),
                *([cancel] if on_cancel is not None else []),
            ),
        ],
        spacing=GAP_SMALL + 4,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        tight=True,
    )
