"""What a request asks beyond kinds, dates and purpose, to be narrowed: topics, codes, uses, a copy.

Everything asked starts as asked, except uses of research that need a yes of their own: those start off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import flet as ft

from consent.codes import Action
from pgo.ui.hooks import use_app
from pgo.ui.records.frame import stacked
from pgo.ui.request_words import left_out
from pgo.ui.research_words import topic_name, upper_first, use_name
from pgo.ui.safety import component
from pgo.ui.sharing.form import ShareForm, with_action, with_code, with_topic, with_use
from pgo.ui.sharing.parts import so
from pgo.ui.sharing.rows import toggle_row
from pgo.ui.state import AppState
from pgo.ui.theme import GAP_SMALL
from pgo.ui.widgets import heading, muted, note, section_card
from pgo.usecases.requests import RequestRow

Change = Callable[[ShareForm], Any]


def has_limits(row: RequestRow | None) -> bool:
    """Whether a request asks for something this part can narrow."""
    choice = None if row is None else row.asked
    return choice is not None and (
        choice.is_research
        or bool(choice.codes)
        or Action.COPY in choice.actions
        or bool(row and row.not_offered)
    )


@component
def AskedPart(
    row: RequestRow, form: ShareForm, change: Change, problems: Mapping[str, str], said: Sequence[str]
) -> ft.Control:
    """Draw the switches."""
    app = use_app()
    asked = row.asked
    if asked is None:
        return ft.Container()
    topics = sorted(asked.research.topics) if asked.research else []
    problem = problems.get("research", "")
    return section_card(
        app.t("asked.title"),
        *_switches(app, "about", topics, form, change),
        *_switches(app, "codes", sorted(asked.codes), form, change),
        *_uses(app, row, form, change),
        *_copy(app, asked.actions, form, change),
        *([note(left_out(app.lang, row), "info")] if row.not_offered else []),
        *([note(app.t(f"asked.error.{problem}"), "bad")] if problem else []),
        *([so(app, said)] if said else []),
    )


def _switches(
    app: AppState, what: str, codes: Sequence[str], form: ShareForm, change: Change
) -> list[ft.Control]:
    if not codes:
        return []
    about = what == "about"
    chosen = (form.research.topics if form.research else frozenset[str]()) if about else form.codes
    rows = [
        toggle_row(
            upper_first(topic_name(app.lang, code)),
            code in chosen,
            partial(_change_code, form, change, code, about),
            key=f"asked-{what}-{place}",
        )
        for place, code in enumerate(codes)
    ]
    head = heading(app.t(f"asked.{what}"), 3), muted(app.t(f"asked.{what}_hint"))
    return [stacked(*head, *rows, spacing=GAP_SMALL)]


def _change_code(form: ShareForm, change: Change, code: str, about: bool, on: bool) -> None:
    change((with_topic if about else with_code)(form, code, on=on))


def _change_use(form: ShareForm, change: Change, name: str, on: bool) -> None:
    change(with_use(form, name, on=on))


def _uses(app: AppState, row: RequestRow, form: ShareForm, change: Change) -> list[ft.Control]:
    if not row.opt_ins:
        return []

    def is_on(name: str) -> bool:
        return name in form.actions if name == Action.RECONTACT else bool(getattr(form.research, name, False))

    rows = [
        toggle_row(
            upper_first(use_name(app.lang, name)),
            is_on(name),
            partial(_change_use, form, change, name),
            key=f"asked-use-{name}",
        )
        for name in row.opt_ins
    ]
    return [
        stacked(heading(app.t("asked.uses"), 3), muted(app.t("asked.uses_hint")), *rows, spacing=GAP_SMALL)
    ]


def _copy(app: AppState, asked: frozenset[Action], form: ShareForm, change: Change) -> list[ft.Control]:
    if Action.COPY not in asked:
        return []
    switch = toggle_row(
        app.t("asked.copy"),
        Action.COPY in form.actions,
        lambda on: change(with_action(with_action(form, Action.VIEW, on=True), Action.COPY, on=on)),
        key="asked-copy",
    )
    return [stacked(heading(app.t("asked.uses"), 3), switch, spacing=GAP_SMALL)]
