"""Answer one questionnaire: open its draft or the one left behind, ask, show the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.health.prom.questionnaire import words
from pgo.ui.checks.result import Result
from pgo.ui.checks.sheet import Sheet
from pgo.ui.hooks import use_app
from pgo.ui.safety import component
from pgo.ui.state import AppState, Failed
from pgo.ui.widgets import loading, note, page_body
from pgo.usecases import answer

if TYPE_CHECKING:
    from pgo.usecases.answer import Draft, FinishResult


@component
def Screen() -> ft.Control:
    """Draw the questionnaire the address names."""
    app = use_app()
    questionnaire_id = ft.use_route_params().get("id", "")
    turn, set_turn = ft.use_state(0)
    draft, failed = use_draft(questionnaire_id, turn)
    unfinished: FinishResult | None = None
    result, set_result = ft.use_state(unfinished)
    title = words(draft.questionnaire.titles, app.lang) if draft is not None else app.t("check.title")
    return page_body(
        title,
        _content(app, draft, failed, result)
        or Sheet(draft, set_result, lambda: set_turn(turn + 1), key=f"turn-{turn}"),
        back=("/check", app.t("check.title")),
    )


def _content(
    app: AppState, draft: Draft | None, failed: Failed | None, result: FinishResult | None
) -> ft.Control | None:
    if result is not None:
        done: ft.Control = Result(result)
        return done
    if failed is not None:
        return note(failed.text, "bad")
    return loading(app.t("common.loading")) if draft is None else None


def use_draft(questionnaire_id: str, turn: int) -> tuple[Draft | None, Failed | None]:
    """Hook: open the draft once per turn; never again because something else in the vault changed.

    (A query would run again after finishing, and opening again would begin a new sheet.)
    """
    app = use_app()
    nothing: tuple[int, Draft | None, Failed | None] = (-1, None, None)
    held, set_held = ft.use_state(nothing)

    async def load() -> None:
        outcome = await app.attempt(answer.start_or_resume, app.session, questionnaire_id, app.lang)
        if isinstance(outcome, Failed):
            set_held((turn, None, outcome))
        else:
            set_held((turn, outcome.value, None))

    ft.use_effect(load, dependencies=[questionnaire_id, turn])
    return held[1:] if held[0] == turn else (None, None)
