"""A signed text that somebody gave the patient: paste it, or pick its file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import flet as ft

from pgo.errors import InputRefused
from pgo.ui.files import pick_file
from pgo.ui.hooks import use_action, use_app
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    body,
    primary_button,
    secondary_button,
    section_card,
    text_button,
    text_field,
    toolbar,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Attributes:
        key: begins the keys of field and buttons, such as ``card``.
        title: heading of the card on the screen.
        label: label of the field.
        check: text of the button that reads what was pasted.
        empty: said when nothing was pasted.
        max_file_bytes: of a picked file; anything larger is something else.
    """

    key: str
    title: str
    label: str
    check: str
    empty: str
    max_file_bytes: int


@dataclass(frozen=True, slots=True)
class Example:
    """A text that is one click away in the demonstration."""

    title: str
    text: str
    take: str
    value: str


@component
def SignedText(
    asked: Asked, take: Callable[[str | bytes], Awaitable[str | None]], example: Example | None = None
) -> ft.Control:
    """Ask for it.

    Args:
        asked: the words.
        take: does something with what was given; returns why it cannot be used, None when it was taken.
        example: offered below.
    """
    app = use_app()
    pasted, set_pasted = ft.use_state("")
    problem, set_problem = ft.use_state("")
    picker = ft.use_memo(ft.FilePicker, [])

    async def give(source: str | bytes) -> None:
        refused = await take(source)
        if refused is not None:
            set_problem(refused)

    async def give_pasted() -> None:
        if pasted.strip():
            await give(pasted)
        else:
            set_problem(asked.empty)

    async def pick() -> None:
        try:
            picked = await pick_file(picker, app, limit=asked.max_file_bytes)
        except InputRefused as error:
            set_problem(app.t(f"share.add.file.{error.code}"))
            return
        if picked is not None:
            await give(picked.data)

    giving, picking = use_action(give_pasted), use_action(pick)
    busy = giving.busy or picking.busy
    field = text_field(
        asked.label, pasted, set_pasted, key=f"{asked.key}-text", multiline=True, error=problem
    )
    buttons = toolbar(
        primary_button(asked.check, giving.start, key=f"{asked.key}-check", disabled=busy),
        secondary_button(
            app.t("share.add.pick"),
            picking.start,
            key=f"{asked.key}-pick",
            icon=ft.Icons.UPLOAD_FILE_OUTLINED,
            disabled=busy,
        ),
    )
    below: list[ft.Control] = []
    if example is not None:
        value = example.value
        button = text_button(example.take, lambda: set_pasted(value), key=f"{asked.key}-demo")
        below = [section_card(example.title, body(example.text), ft.Row([button]))]
    return stacked(section_card(asked.title, field, buttons), *below, spacing=GAP)
