"""One control per kind of question; each takes an answer and gives one back, in the values of ``pgo.health``.

Rules:

1. A choice is a list of big rows, the whole row is the target. A scale of at most eleven whole numbers (0-10)
   is a wrapping row of numbered tiles with the words of both ends; never a slider, whose value nobody hears.
2. The chosen one is marked by the radio, by a border and by its ground: never by colour alone.
3. What is typed but does not fit yet (``1,`` or a half date) stays in the field and is not an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

import flet as ft

from pgo.health.prom.questionnaire import Question, QuestionKind, words
from pgo.ui.hooks import use_app
from pgo.ui.records.frame import stacked
from pgo.ui.records.say import parse_typed_date, typed_date
from pgo.ui.safety import component
from pgo.ui.theme import FONT_STRONG, GAP_SMALL, RADIUS_SMALL
from pgo.ui.widgets import checkbox_row, muted, text_field
from pgo.ui.widgets.buttons import keyed

if TYPE_CHECKING:
    from pgo.ui.state import AppState

Answered = Callable[[object], None]
YES, NO = "yes", "no"
_MOST_TILES: Final = 11
# Eleven of these fit beside each other in the card of a wide screen, six on a phone of 390.
_TILE_WIDTH: Final = 46
_NUMBER = re.compile(r"-?\d{1,18}(?:[.,]\d{1,10})?")


def question_input(app: AppState, question: Question, answer: object, answered: Answered) -> ft.Control:
    """Return the control that asks a question, showing the answer given so far (None for none)."""
    label = words(question.texts, app.lang)
    match question.kind:
        case QuestionKind.CHOICE if question.repeats:
            return _many(app, question, answer, answered)
        case QuestionKind.CHOICE:
            options = {option.key: words(option.texts, app.lang) for option in question.options}
            return choice(label, str(answer or ""), options, answered)
        case QuestionKind.BOOLEAN:
            chosen = {True: YES, False: NO}.get(answer, "") if isinstance(answer, bool) else ""
            both = {YES: app.t("check.yes"), NO: app.t("check.no")}
            return choice(label, chosen, both, lambda value: answered(value == YES))
        case QuestionKind.INTEGER if is_scale(question):
            return _scale(app, question, answer, answered)
        case _:
            field: ft.Control = Typed(question, label, answer, answered)
            return field


def is_scale(question: Question) -> bool:
    """Tell whether a whole-number question is short enough for tiles: NRS 0-10 and the like."""
    low, high = question.minimum, question.maximum
    return low is not None and high is not None and 0 < high - low < _MOST_TILES


def choice(
    label: str, chosen: str, options: Mapping[str, str], answered: Callable[[str], None]
) -> ft.Control:
    """One of several, each a row as wide as the card."""
    rows: list[ft.Control] = []
    for place, (value, text) in enumerate(options.items()):
        inside = ft.Row(
            [
                ft.Radio(value=value),
                ft.Text(text, theme_style=ft.TextThemeStyle.BODY_LARGE, expand=True),
            ],
            spacing=4,
        )
        rows.append(_target(f"answer-{place}", inside, partial(answered, value), marked=value == chosen))
    return _radios(label, chosen, answered, ft.Column(rows, spacing=GAP_SMALL, tight=True))


def _scale(app: AppState, question: Question, answer: object, answered: Answered) -> ft.Control:
    low, high = int(question.minimum or 0), int(question.maximum or 0)
    chosen = str(answer) if isinstance(answer, int) and not isinstance(answer, bool) else ""
    tiles: list[ft.Control] = []
    for number in range(low, high + 1):
        inside = ft.Column(
            [
                ft.Radio(value=str(number)),
                ft.Text(str(number), theme_style=ft.TextThemeStyle.TITLE_MEDIUM, font_family=FONT_STRONG),
            ],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        )
        tile = _target(f"answer-{number}", inside, partial(answered, number), marked=str(number) == chosen)
        tiles.append(ft.Container(tile, width=_TILE_WIDTH * max(1.0, app.prefs.text_scale * 0.9)))
    ends = [
        muted(app.t("check.scale_end", n=value, words=words(texts, app.lang)))
        for value, texts in ((low, question.low), (high, question.high))
        if texts
    ]
    spoken = ", ".join([words(question.texts, app.lang), *(end.value for end in ends)])
    row = ft.Row(tiles, wrap=True, spacing=6, run_spacing=GAP_SMALL)
    group = _radios(spoken, chosen, _as_number(answered), row)
    return stacked(*ends, group, spacing=GAP_SMALL)


def _as_number(answered: Answered) -> Callable[[str], None]:
    def chosen(value: str) -> None:
        answered(int(value))

    return chosen


def _radios(label: str, chosen: str, answered: Callable[[str], None], content: ft.Control) -> ft.Control:
    group = ft.RadioGroup(value=chosen, on_change=lambda e: answered(str(e.control.value)), content=content)
    return ft.Semantics(identifier="answers", container=True, label=label, content=group)


def _target(key: str, inside: ft.Control, on_tap: Callable[[], None], *, marked: bool) -> ft.Control:
    box = ft.Container(
        inside,
        padding=ft.Padding(left=2, right=2, top=4, bottom=6),
        border_radius=RADIUS_SMALL,
        border=ft.Border.all(2 if marked else 1, ft.Colors.PRIMARY if marked else ft.Colors.OUTLINE_VARIANT),
        bgcolor=ft.Colors.PRIMARY_CONTAINER if marked else ft.Colors.SURFACE_CONTAINER_LOWEST,
    )
    return keyed(key, ft.GestureDetector(box, on_tap=lambda _e: on_tap()))


def _many(app: AppState, question: Question, answer: object, answered: Answered) -> ft.Control:
    chosen = tuple(str(one) for one in answer) if isinstance(answer, list | tuple) else ()

    def change(key: str) -> Callable[[bool], None]:
        def changed(on: bool) -> None:
            keys = [o.key for o in question.options if (on if o.key == key else o.key in chosen)]
            answered(keys or None)

        return changed

    boxes = [
        checkbox_row(words(o.texts, app.lang), o.key in chosen, change(o.key), key=f"answer-{o.key}")
        for o in question.options
    ]
    return ft.Semantics(
        identifier="answers",
        container=True,
        label=words(question.texts, app.lang),
        content=ft.Column(boxes, spacing=GAP_SMALL, tight=True),
    )


@component
def Typed(question: Question, label: str, answer: object, answered: Answered) -> ft.Control:
    """A field for words, numbers and dates; it holds the text, and answers when the text is one."""
    app = use_app()
    text, set_text = ft.use_state(text_of(question, answer))

    def typed(new: str) -> None:
        set_text(new)
        answered(answer_of(question, new))

    field = text_field(
        app.t("check.your_answer"),
        text,
        typed,
        key="answers",
        multiline=question.multi_line,
        max_length=question.max_length,
        number=question.kind in (QuestionKind.INTEGER, QuestionKind.DECIMAL),
    )
    return ft.Semantics(container=True, label=label, content=field)


def text_of(question: Question, answer: object) -> str:
    """Return a kept answer as the text of its field."""
    if answer is None:
        return ""
    return typed_date(str(answer)) if question.kind is QuestionKind.DATE else str(answer)


def answer_of(question: Question, text: str) -> object:
    """Return what was typed as an answer: None for nothing, the text itself when it does not fit."""
    typed = text.strip()
    if not typed:
        return None
    match question.kind:
        case QuestionKind.INTEGER:
            return int(typed) if re.fullmatch(r"-?\d{1,18}", typed) else typed
        case QuestionKind.DECIMAL:
            return str(Decimal(typed.replace(",", "."))) if _NUMBER.fullmatch(typed) else typed
        case QuestionKind.DATE:
            return parse_typed_date(typed) or typed
        case _:
            return text
