"""Options and switches with labels that wrap.

Flet 1.0.5 lays the label of a ``Radio`` or ``Switch`` on one line and cuts it off; the kinds of data and the
choices of a share have names that do not fit a phone, less so in large text. So here the words stand
beside the control as text of their own, merged with it into one node: a screen reader meets one radio button
or switch with its full name, a finger may touch the words as well, the keyboard stops once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flet as ft

from pgo.ui.theme import GAP_SMALL
from pgo.ui.widgets import body, muted
from pgo.ui.widgets.buttons import keyed


def option_list(
    label: str,
    value: str,
    options: Mapping[str, str],
    on_change: Callable[[str], Any],
    *,
    key: str,
    details: Mapping[str, str] | None = None,
) -> ft.Control:
    """One of a few.

    Args:
        label: the question, spoken before the options; the heading above shows it.
        value: the chosen option.
        options: value to text, in order.
        on_change: called with the chosen value.
        key: stable identifier; each option has ``<key>-<value>``.
        details: value to a second line.
    """
    second = details or {}

    def line(option: str, text: str) -> ft.Control:
        words: list[ft.Control] = [
            body(text),
            *([muted(second[option], small=True)] if second.get(option) else []),
        ]
        row = _row(ft.Radio(value=option), words, before=True)
        return keyed(f"{key}-{option}", ft.GestureDetector(row, on_tap=lambda: on_change(option)))

    group = ft.RadioGroup(
        value=value,
        on_change=lambda e: on_change(str(e.control.value)),
        content=ft.Column([line(*pair) for pair in options.items()], spacing=4, tight=True),
    )
    return ft.Semantics(identifier=key, container=True, label=label, content=group)


def toggle_row(text: str, value: bool, on_change: Callable[[bool], Any], *, key: str) -> ft.Control:
    """On or off, working at once; the words at the left, the switch at the right."""
    switch = ft.Switch(value=value, on_change=lambda e: on_change(bool(e.control.value)))
    row = _row(switch, [body(text)], before=False)
    return keyed(key, ft.GestureDetector(row, on_tap=lambda: on_change(not value)))


def _row(control: ft.Control, words: list[ft.Control], *, before: bool) -> ft.Control:
    said = ft.Container(
        ft.Column(words, spacing=2, tight=True, alignment=ft.MainAxisAlignment.CENTER),
        expand=True,
        padding=ft.Padding(left=0, right=0, top=GAP_SMALL, bottom=GAP_SMALL),
    )
    cells = [control, said] if before else [said, control]
    return ft.Container(
        ft.Row(cells, spacing=GAP_SMALL, vertical_alignment=ft.CrossAxisAlignment.CENTER),
        bgcolor=ft.Colors.TRANSPARENT,  # without a ground the gaps between words would not take a touch
    )
