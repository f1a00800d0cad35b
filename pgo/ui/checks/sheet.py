"""The answer sheet: one question per screen, every answer in the vault before the next question shows.

Rules:

1. An answer is kept the moment it is given (``answer.save_answer``), with the place in the sheet; a lock or a
   kill loses nothing and the sheet opens again at the same question.
2. What may be done when is decided in ``standing``; here it is drawn.
3. The last page shows all answers before anything is made of them.
4. A new question takes the focus, so that somebody with a keyboard or a screen reader is in the right place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import flet as ft

from pgo.health.prom.questionnaire import (
    asked_questions,
    enabled_items,
    words,
)
from pgo.ui.checks.inputs import question_input
from pgo.ui.checks.standing import (
    Standing,
    answered,
    at,
    at_first_fault,
    can_be_kept,
    onward,
    question_at,
)
from pgo.ui.checks.words import answer_text, preamble
from pgo.ui.hooks import Action, use_action, use_app
from pgo.ui.records.frame import stacked
from pgo.ui.records.keeper import Keeper
from pgo.ui.room import use_layout
from pgo.ui.safety import component
from pgo.ui.state import AppState, Ok
from pgo.ui.widgets import (
    Ask,
    body,
    card,
    heading,
    list_section,
    live,
    muted,
    note,
    primary_button,
    progress,
    secondary_button,
    strong,
    text_button,
    use_confirm,
)
from pgo.usecases import answer

if TYPE_CHECKING:
    from pgo.health.prom.questionnaire import Question
    from pgo.usecases.answer import Draft, FinishResult

CARD_WIDTH: Final = 640
Kept = tuple[object, int]


@component
def Sheet(draft: Draft, done: Callable[[FinishResult], None], again: Callable[[], None]) -> ft.Control:
    """Ask the questions of a draft; tell ``done`` the result, or call ``again`` when it was thrown away."""
    app, sheet = use_app(), draft.questionnaire
    start = at(sheet, Standing(dict(draft.answers), 0), draft.position)
    standing, set_standing = ft.use_state(start)
    # Two quick events may come before the next drawing, so steps start from here, not from ``standing``.
    newest: Any = ft.use_ref(start)
    keeper: Keeper[Kept] = ft.use_memo(lambda: Keeper(_writer(app, draft.id)), [])
    ask = use_confirm()

    def become(new: Standing) -> None:
        newest.current = new
        set_standing(new)

    def keep(question: Question, value: object) -> None:
        become(answered(newest.current, question, value))
        if can_be_kept(question, value):
            keeper.put(question.link_id, (value, newest.current.place))

    def turn(new: Standing) -> None:
        left = question_at(sheet, newest.current)
        become(new)
        value = new.answers.get(left.link_id) if left is not None else None
        if left is not None and not new.fault and can_be_kept(left, value):
            keeper.put(left.link_id, (value, new.place))

    async def finish() -> None:
        await keeper.flush()
        outcome = await _finish(app, draft, newest.current, become)
        if outcome is not None:
            done(outcome)

    throw_away = partial(_throw_away, app, draft, keeper, again)
    steps = Steps(keep, turn, use_action(finish))
    resumed = bool(draft.answers) and standing == start
    notice = [_resumed(app, lambda: ask(_again(app, throw_away)))] if resumed else []
    return _centred(*notice, *_page(app, draft, standing, steps))


@dataclass(frozen=True, slots=True)
class Steps:
    """What the buttons of a page do."""

    keep: Callable[[Question, object], None]
    turn: Callable[[Standing], None]
    finish: Action


def _page(app: AppState, draft: Draft, standing: Standing, steps: Steps) -> list[ft.Control]:
    """The question or the review, and the two buttons under it."""
    sheet, place = draft.questionnaire, standing.place
    question = question_at(sheet, standing)
    if question is None:
        onward_button = primary_button(
            app.t("check.finish"), steps.finish.start, key="check-finish", disabled=steps.finish.busy
        )
        page: ft.Control = _review(app, draft, standing, steps)
    else:
        onward_button = primary_button(
            app.t("common.next"),
            lambda: steps.turn(onward(sheet, standing)),
            key="check-next",
            icon=ft.Icons.ARROW_FORWARD_ROUNDED,
        )
        page = Page(draft, standing, question, steps)
    back_button = secondary_button(
        app.t("common.back"),
        lambda: steps.turn(at(sheet, standing, place - 1)),
        key="check-back",
        icon=ft.Icons.ARROW_BACK_ROUNDED,
    )
    left = back_button if place else ft.Container()
    return [page, ft.Row([left, onward_button], alignment=ft.MainAxisAlignment.SPACE_BETWEEN)]


async def _finish(
    app: AppState, draft: Draft, standing: Standing, become: Callable[[Standing], None]
) -> FinishResult | None:
    wrong = at_first_fault(draft.questionnaire, standing)
    if wrong is not None:
        become(wrong)
        return None
    outcome = await app.run(answer.finish, app.session, draft.id)
    if not isinstance(outcome, Ok):
        return None
    app.changed(app.t("check.saved"))
    return outcome.value


async def _throw_away(app: AppState, draft: Draft, keeper: Keeper[Kept], again: Callable[[], None]) -> None:
    keeper.forget()
    await keeper.flush()
    if isinstance(await app.run(answer.discard, app.session, draft.id), Ok):
        again()


def _again(app: AppState, throw_away: Callable[[], Awaitable[None]]) -> Ask:
    return Ask(
        app.t("check.again"), app.t("check.again.text"), app.t("check.again.yes"), throw_away, danger=True
    )


def _writer(app: AppState, draft_id: str) -> Callable[[str, Kept], Any]:
    async def write(link_id: str, kept: Kept) -> None:
        if app.unlocked:
            value, position = kept
            await app.attempt(answer.save_answer, app.session, draft_id, link_id, value, position=position)

    return write


def _centred(*controls: ft.Control) -> ft.Control:
    """A card in the middle of a wide screen, the whole width of a phone."""
    inner = ft.Container(width=CARD_WIDTH, content=stacked(*controls))
    return ft.Row([ft.Container(inner, expand=True, alignment=ft.Alignment.TOP_CENTER)])


def _resumed(app: AppState, start_over: Callable[[], None]) -> ft.Control:
    return stacked(
        note(app.t("check.resumed"), "info"),
        ft.Row([text_button(app.t("form.start_over"), start_over, key="check-again")]),
        spacing=4,
    )


@component
def Page(draft: Draft, standing: Standing, question: Question, steps: Steps) -> ft.Control:
    """One question, and how far one is."""
    app, layout = use_app(), use_layout()
    sheet, lang = draft.questionnaire, app.lang
    count = len(asked_questions(sheet, standing.answers))
    where = app.t("check.place", n=standing.place + 1, count=count)
    shown = frozenset(item.link_id for item in enabled_items(sheet, standing.answers))
    text = words(question.texts, lang)
    introduction = words(sheet.introductions, lang) if standing.place == 0 else ""
    given = standing.answers.get(question.link_id)
    asked = FocusHere(
        question_input(app, question, given, lambda value: steps.keep(question, value)), question.link_id
    )
    fault = app.t(standing.fault) if standing.fault else ""
    return stacked(
        progress(where, (standing.place + 1) / count),
        *([muted(introduction)] if introduction else []),
        card(
            *[muted(one) for one in preamble(sheet, question.link_id, shown, lang)],
            heading(text, 2),
            *([] if question.required else [muted(app.t("check.optional"), small=True)]),
            asked,
            *([note(fault, "bad")] if fault else []),
            padding=24 if layout.wide else 16,
        ),
        live(f"{where}. {text} {fault}"),
    )


@component
def FocusHere(content: ft.Control, name: str) -> ft.Control:
    """Bring the keyboard to this content whenever ``name`` changes: the next Tab enters its first control.

    ``autofocus`` does not do it: Flutter gives the focus back to what had it before (the navigation), and a
    space typed for an answer would then leave the page.
    """
    place: ft.Ref[ft.KeyboardListener] = ft.use_memo(lambda: ft.Ref[ft.KeyboardListener](), [])

    async def bring() -> None:
        if place.current is not None:
            await place.current.focus()  # type: ignore[no-untyped-call]  # flet 1.0.5 has no types here

    ft.use_effect(bring, dependencies=[name])
    inside = ft.Container(content, key=f"question-{name}")
    return ft.KeyboardListener(ref=place, content=inside, include_semantics=False)


def _review(app: AppState, draft: Draft, standing: Standing, steps: Steps) -> ft.Control:
    sheet = draft.questionnaire
    rows: list[ft.Control] = []
    for place, question in enumerate(asked_questions(sheet, standing.answers)):
        given = answer_text(app, question, standing.answers.get(question.link_id))

        def change(place: int = place) -> None:
            steps.turn(at(sheet, standing, place))

        rows.append(_answer_row(app, question, given, change))
    return stacked(
        heading(app.t("check.review"), 2),
        body(app.t("check.review.text")),
        card(list_section(rows), padding=8),
        live(app.t("check.review")),
    )


def _answer_row(app: AppState, question: Question, given: str, change: Callable[[], None]) -> ft.Control:
    text = words(question.texts, app.lang)
    said: list[ft.Control] = [muted(text), strong(given) if given else muted(app.t("check.not_answered"))]
    button = text_button(app.t("check.change"), lambda: change(), key=f"change-{question.link_id}")
    named = ft.Semantics(container=True, label=app.t("check.change_named", question=text), content=button)
    row = ft.Row(
        [ft.Column(said, spacing=2, expand=True), named], vertical_alignment=ft.CrossAxisAlignment.CENTER
    )
    return ft.Container(row, padding=8)
