"""Form fields.

Each takes its value and gives back plain Python values, never Flet events; what it calls may be a plain
function or a coroutine function. A `TextField` without ``value`` would be emptied by the next drawing, so
here the value is never optional.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.safety import component
from pgo.ui.text import fmt_date
from pgo.ui.theme import GAP_SMALL, RADIUS_SMALL
from pgo.ui.widgets.buttons import icon_button, keyed
from pgo.ui.widgets.layout import muted, strong


def _tell(on_change: Callable[[Any], Any], convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make Flet's handler of a plain function or a coroutine function that wants the value only."""

    async def told(e: ft.Event[Any]) -> None:
        result = on_change(convert(e.control.value))
        if inspect.isawaitable(result):
            await result

    return told


def _keyboard(*, number: bool, multiline: bool) -> ft.KeyboardType:
    if number:
        return ft.KeyboardType.NUMBER
    return ft.KeyboardType.MULTILINE if multiline else ft.KeyboardType.TEXT


def _outline() -> ft.OutlineInputBorder:
    radius = ft.BorderRadius.all(RADIUS_SMALL)
    return ft.OutlineInputBorder(border_radius=radius, side=ft.BorderSide(1, ft.Colors.OUTLINE))


def _beside(control: ft.Control, text: str, detail: str, on_tap: Callable[[], Any] | None) -> ft.Control:
    """A control with its words beside it: Flet lays a label of its own on one line and cuts it off."""
    words: list[ft.Control] = [ft.Text(text, theme_style=ft.TextThemeStyle.BODY_LARGE)]
    if detail:
        words.append(muted(detail, small=True))
    row = ft.Row(
        [control, ft.Column(words, spacing=0, expand=True, tight=True)],
        spacing=GAP_SMALL,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )
    return ft.GestureDetector(row, on_tap=on_tap) if on_tap is not None else row


def _text(value: Any) -> str:
    return str(value or "")


def _error_line(error: str) -> list[ft.Control]:
    if not error:
        return []
    line = ft.Row(
        [
            ft.Icon(ft.Icons.ERROR_OUTLINE_ROUNDED, size=18, color=ft.Colors.ERROR),
            ft.Text(error, color=ft.Colors.ERROR, theme_style=ft.TextThemeStyle.BODY_SMALL, expand=True),
        ],
        spacing=6,
    )
    # `aria-invalid` of Flutter's fields stays "false" (engine bug), so the message speaks for itself.
    return [ft.Semantics(live_region=True, container=True, content=line)]


def text_field(
    label: str,
    value: str,
    on_change: Callable[[str], Any],
    *,
    key: str,
    error: str = "",
    helper: str = "",
    password: bool = False,
    multiline: bool = False,
    autofocus: bool = False,
    max_length: int | None = None,
    number: bool = False,
    disabled: bool = False,
    suffix: str = "",
    on_submit: Callable[..., Any] | None = None,
) -> ft.Control:
    """A line (or a few) of text.

    Args:
        label: Name of the field, always visible.
        value: What it shows now.
        on_change: Called with the new text at every key.
        key: Stable identifier.
        error: Sentence under the field; empty when all is well.
        helper: Sentence under the field while there is no error.
        password: Hide what is typed; no suggestions, no autocorrection.
        multiline: Three lines or more.
        autofocus: Cursor here when the screen opens.
        max_length: Longest text taken.
        number: Numeric keyboard on a phone.
        disabled: Not now.
        suffix: Unit at the end.
        on_submit: Enter was pressed.
    """
    field = ft.TextField(
        label=label,
        value=value,
        on_change=_tell(on_change, _text),
        on_submit=on_submit,
        error=error or None,
        helper=helper or None,
        helper_max_lines=4,
        error_max_lines=4,
        password=password,
        autocorrect=not password,
        enable_suggestions=not password,
        multiline=multiline,
        min_lines=3 if multiline else None,
        max_lines=8 if multiline else 1,
        max_length=max_length,
        autofocus=autofocus,
        disabled=disabled,
        suffix=suffix or None,
        keyboard_type=_keyboard(number=number, multiline=multiline),
        border=_outline(),
        filled=True,
        fill_color=ft.Colors.SURFACE_CONTAINER_LOWEST,
    )
    return ft.Semantics(identifier=key, content=field)


def radio_group(
    label: str,
    value: str | None,
    options: Mapping[str, str],
    on_change: Callable[[str], Any],
    *,
    key: str,
    error: str = "",
    details: Mapping[str, str] | None = None,
) -> ft.Control:
    """One of a few; the question above, one option per line.

    Args:
        label: The question.
        value: Chosen option, None for none yet.
        options: Value to text, in order.
        on_change: Called with the chosen value.
        key: Stable identifier.
        error: Sentence under the options.
        details: Value to a second line.
    """
    second = details or {}
    tell = _tell(on_change, _text)

    def line(option: str, text: str) -> ft.Control:
        async def tap() -> None:
            result = on_change(option)
            if inspect.isawaitable(result):
                await result

        return keyed(f"{key}-{option}", _beside(ft.Radio(value=option), text, second.get(option, ""), tap))

    lines = [line(option, text) for option, text in options.items()]
    group = ft.RadioGroup(value=value, on_change=tell, content=ft.Column(lines, spacing=4, tight=True))
    # The group itself says the question, so the words on the screen stay silent.
    parts: list[ft.Control] = [ft.Semantics(exclude_semantics=True, content=strong(label))] if label else []
    return ft.Semantics(
        identifier=key,
        container=True,
        label=label,
        content=ft.Column([*parts, group, *_error_line(error)], spacing=4, tight=True),
    )


def checkbox_row(
    label: str,
    value: bool,
    on_change: Callable[[bool], Any],
    *,
    key: str,
    detail: str = "",
    disabled: bool = False,
) -> ft.Control:
    """Yes or no for one thing, with an optional second line."""
    box = ft.Checkbox(value=value, disabled=disabled, on_change=_tell(on_change, bool))
    return keyed(key, _beside(box, label, detail, None if disabled else _flip(on_change, value)))


def switch_row(
    label: str,
    value: bool,
    on_change: Callable[[bool], Any],
    *,
    key: str,
    detail: str = "",
    disabled: bool = False,
) -> ft.Control:
    """On or off, working at once."""
    switch = ft.Switch(value=value, disabled=disabled, on_change=_tell(on_change, bool))
    return keyed(key, _beside(switch, label, detail, None if disabled else _flip(on_change, value)))


def _flip(on_change: Callable[[bool], Any], value: bool) -> Callable[[], Any]:
    """Tapping the words does what tapping the box does."""

    async def tap() -> None:
        result = on_change(not value)
        if inspect.isawaitable(result):
            await result

    return tap


@component
def DateField(
    label: str,
    value: date | None,
    on_change: Callable[[date | None], Any],
    identifier: str,
    error: str,
    first: date,
    last: date,
    today: date | None,
    clearable: bool,
) -> ft.Control:
    """Component behind `date_field`."""
    app = use_app()
    picking, set_picking = ft.use_state(False)

    def picked(e: ft.Event[ft.DatePicker]) -> None:
        chosen: Any = e.control.value
        set_picking(False)
        on_change(chosen.date() if isinstance(chosen, datetime) else chosen)

    start = min(max(value or today or last, first), last)
    ft.use_dialog(
        ft.DatePicker(
            first_date=datetime.combine(first, time(12)),
            last_date=datetime.combine(last, time(12)),
            # Noon: a picker that works in another zone cannot slip to the day before.
            value=datetime.combine(start, time(12)),
            help_text=label,
            cancel_text=app.t("common.cancel"),
            confirm_text=app.t("common.choose"),
            on_change=picked,
            on_dismiss=lambda: set_picking(False),
        )
        if picking
        else None
    )
    shown = fmt_date(app.lang, value) if value else app.t("date.pick")
    # A read-only text field would hide its value from screen readers: a button says it.
    button = ft.OutlinedButton(
        f"{label}: {shown}",
        icon=ft.Icons.CALENDAR_MONTH_OUTLINED,
        on_click=lambda: set_picking(True),
    )
    row: list[ft.Control] = [keyed(identifier, button)]
    if clearable and value:
        name = app.t("date.clear", label=label)
        row.append(
            icon_button(ft.Icons.CLOSE_ROUNDED, name, lambda: on_change(None), key=f"{identifier}-clear")
        )
    return ft.Column([ft.Row(row, spacing=GAP_SMALL, wrap=True), *_error_line(error)], spacing=4, tight=True)


def date_field(
    label: str,
    value: date | None,
    on_change: Callable[[date | None], Any],
    *,
    key: str,
    error: str = "",
    first: date = date(1900, 1, 1),
    last: date = date(2100, 12, 31),
    today: date | None = None,
    clearable: bool = False,
) -> ft.Control:
    """A day, picked from a calendar.

    Args:
        label: Name of the field.
        value: Chosen day or None.
        on_change: Called with the day, or None when it was cleared.
        key: Stable identifier.
        error: Sentence under the field.
        first: Earliest day on offer.
        last: Latest day on offer.
        today: Where the calendar opens while nothing is chosen.
        clearable: Offer a button that empties it.
    """
    field: ft.Control = DateField(label, value, on_change, key, error, first, last, today, clearable)
    return field
