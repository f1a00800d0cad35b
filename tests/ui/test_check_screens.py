"""The check-in screens on a real vault, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import flet as ft
import flet_charts as fch
import pytest

from pgo.health.prom.questionnaire import (
    Question,
    QuestionKind,
    Questionnaire,
    asked_questions,
    own_questionnaires,
    validate_answer,
)
from pgo.ui.checks.inputs import answer_of, is_scale, text_of
from pgo.ui.checks.standing import Standing, answered, at, at_first_fault, can_be_kept, onward, question_at
from pgo.ui.checks.words import preamble
from pgo.usecases import answer, unlock
from pgo.usecases.session import Application, Session
from tests.support.applications import PASSPHRASE
from tests.support.headless import Headless, run
from tests.ui.records_app import a_vault, opened, take_in

Vault = tuple[Application, Session]
ROUTE = "/check/weekly-check"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    application, session = a_vault(tmp_path)
    take_in(session)
    yield application, session
    session.lock()


@pytest.fixture
def sheet() -> Questionnaire:
    return next(one for one in own_questionnaires() if one.id == "weekly-check")


def some_answer(question: Question) -> object:
    """An answer that fits: the first option, the lowest number, or a word."""
    if question.kind is QuestionKind.STRING:
        return "een woord"
    return question.options[0].key if question.options else int(question.minimum or 0)


# ------------------------------------------------------------------ where somebody stands
def test_a_needed_answer_holds_the_sheet_and_says_why(sheet: Questionnaire) -> None:
    start = Standing({}, 0)
    stuck = onward(sheet, start)
    assert stuck.place == 0
    assert stuck.fault == "health.answer.required"
    question = question_at(sheet, start)
    assert question is not None
    assert onward(sheet, answered(stuck, question, some_answer(question))).place == 1


def test_going_back_is_never_refused_and_never_leaves_the_sheet(sheet: Questionnaire) -> None:
    assert at(sheet, Standing({}, 0), -3).place == 0
    assert at(sheet, Standing({}, 2), 1).place == 1
    last = len(asked_questions(sheet, {}))
    assert question_at(sheet, at(sheet, Standing({}, 0), 999)) is None
    assert at(sheet, Standing({}, 0), 999).place == last


def test_the_review_sends_back_to_the_first_missing_answer(sheet: Questionnaire) -> None:
    answers: dict[str, object] = {}
    for question in asked_questions(sheet, answers):
        answers[question.link_id] = some_answer(question)
    complete = Standing(answers, 99)
    assert at_first_fault(sheet, complete) is None
    needed = [q for q in asked_questions(sheet, answers) if q.required]
    wrong = at_first_fault(sheet, answered(complete, needed[1], None))
    assert wrong is not None
    assert question_at(sheet, wrong) == needed[1]


def test_half_an_answer_is_shown_but_not_kept() -> None:
    question = Question("d", QuestionKind.DATE, {"": "When?"})
    assert answer_of(question, "31-2-2024") == "31-2-2024"
    assert not can_be_kept(question, "31-2-2024")
    assert can_be_kept(question, answer_of(question, "3-2024"))
    assert can_be_kept(question, None)


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        (QuestionKind.INTEGER, " 12 ", 12),
        (QuestionKind.DECIMAL, "72,5", "72.5"),
        (QuestionKind.DECIMAL, "72.5", "72.5"),
        (QuestionKind.DATE, "3-2024", "2024-03"),
        (QuestionKind.STRING, "een woord", "een woord"),
        (QuestionKind.STRING, "   ", None),
    ],
)
def test_what_is_typed_becomes_an_answer_of_its_kind(kind: QuestionKind, typed: str, kept: object) -> None:
    question = Question("q", kind, {"": "?"})
    assert answer_of(question, typed) == kept
    assert kept is None or not validate_answer(question, kept)


@pytest.mark.parametrize(
    ("kind", "typed"),
    [(QuestionKind.INTEGER, "1,5"), (QuestionKind.DECIMAL, "1,"), (QuestionKind.DECIMAL, "x")],
)
def test_what_does_not_fit_is_no_answer(kind: QuestionKind, typed: str) -> None:
    question = Question("q", kind, {"": "?"})
    assert not can_be_kept(question, answer_of(question, typed))


def test_a_kept_date_shows_the_way_it_was_typed() -> None:
    assert text_of(Question("d", QuestionKind.DATE, {}), "2024-03-05") == "05-03-2024"


def test_only_short_scales_become_tiles() -> None:
    def number(low: int | None, high: int | None) -> Question:
        limits = [None if n is None else Decimal(n) for n in (low, high)]
        return Question("n", QuestionKind.INTEGER, {}, minimum=limits[0], maximum=limits[1])

    assert is_scale(number(0, 10))
    assert not is_scale(number(0, 100))
    assert not is_scale(number(0, None))


def test_a_heading_stands_above_all_its_questions_and_a_remark_above_the_next_only() -> None:
    def item(link_id: str, kind: QuestionKind, *inner: Question) -> Question:
        return Question(link_id, kind, {"": link_id}, items=inner)

    group = item(
        "heading",
        QuestionKind.GROUP,
        item("remark", QuestionKind.DISPLAY),
        item("q1", QuestionKind.STRING),
        item("q2", QuestionKind.STRING),
    )
    sheet = Questionnaire("t", "", "1", "nl", ("nl",), {}, {}, (group, item("q3", QuestionKind.STRING)), ())
    everything = frozenset({"heading", "remark", "q1", "q2", "q3"})
    assert preamble(sheet, "q1", everything, "nl") == ("heading", "remark")
    assert preamble(sheet, "q2", everything, "nl") == ("heading",)
    assert preamble(sheet, "q3", everything, "nl") == ()
    assert preamble(sheet, "q1", everything - {"remark"}, "nl") == ("heading",)


# ------------------------------------------------------------------ the screens
async def tap(app: Headless, key: str) -> None:
    """Tap an answer as a finger would: anywhere in its box."""
    box = app.by_key(key, ft.GestureDetector)
    await app.fire(box, "tap")


async def answer_all(app: Headless, sheet: Questionnaire, *, choice: int = 0) -> None:
    for _ in range(len(list(sheet.walk()))):
        if app.has_key("check-finish"):
            return
        if app.has_key(f"answer-{choice}"):
            await tap(app, f"answer-{choice}")
        await app.click("check-next")
    raise AssertionError(f"the review never came: {app.texts()}")


def test_a_sheet_is_answered_reviewed_finished_and_scored(vault: Vault, sheet: Questionnaire) -> None:
    async def go() -> None:
        async with Headless(opened(*vault), route="/check", width=390) as app:
            await app.wait_text("Nog nooit ingevuld")
            await app.click("check-weekly-check")
            await app.wait_text("Vraag 1 van")
            await app.click("check-next")
            assert app.has_text("Vraag 1 van"), "an empty needed answer must hold"
            await answer_all(app, sheet)
            assert app.has_text("Klopt alles?")
            await app.click("check-finish")
            await app.wait_text("Dank u wel")
            assert app.has_text("geen diagnose")
            assert app.has_text("van 100")
            assert app.has_text("is beter.")
            await app.click("check-ready")
            await app.wait_text("Zo gaat het met u")
            assert app.of_kind(fch.LineChart)
            assert not [text for text in app.texts() if text.startswith("[")]
            assert not app.conn.crashes
        assert answer.questionnaires(vault[1])[0].draft_open is False

    run(go())


def test_an_answer_can_be_changed_from_the_review(vault: Vault, sheet: Questionnaire) -> None:
    first = asked_questions(sheet, {})[0]

    async def go() -> None:
        async with Headless(opened(*vault), route=ROUTE) as app:
            await app.wait_text("Vraag 1 van")
            await answer_all(app, sheet)
            await app.click(f"change-{first.link_id}")
            assert app.has_text("Vraag 1 van")
            assert app.of_kind(ft.RadioGroup)[0].value == first.options[0].key

    run(go())


def test_a_lock_in_the_middle_loses_nothing_and_resumes_at_the_same_question(
    vault: Vault, sheet: Questionnaire
) -> None:
    application, session = vault
    first, second = asked_questions(sheet, {})[:2]

    def saved() -> Any:
        return answer.start_or_resume(session, sheet.id, "nl")

    async def begin() -> None:
        async with Headless(opened(application, session), route=ROUTE) as app:
            await app.wait_text("Vraag 1 van")
            await tap(app, "answer-1")
            await app.click("check-next")
            await tap(app, "answer-0")
            await app.wait(lambda: second.link_id in saved().answers, "second answer was never kept")

    async def resume(again: Session) -> None:
        async with Headless(opened(application, again), route=ROUTE) as app:
            await app.wait_text("We gaan verder waar u gebleven was")
            assert app.has_text("Vraag 2 van")
            assert app.of_kind(ft.RadioGroup)[0].value == second.options[0].key
            await app.click("check-back")
            assert app.of_kind(ft.RadioGroup)[0].value == first.options[1].key

    run(begin())
    session.lock()
    again = unlock.unlock(application, session.folder, PASSPHRASE)
    run(resume(again))
    again.lock()


def test_starting_over_asks_first_and_empties_the_sheet(vault: Vault, sheet: Questionnaire) -> None:
    first = asked_questions(sheet, {})[0]
    draft = answer.start_or_resume(vault[1], sheet.id, "nl")
    answer.save_answer(vault[1], draft.id, first.link_id, first.options[0].key, position=1)

    async def go() -> None:
        async with Headless(opened(*vault), route=ROUTE) as app:
            await app.wait_text("U was al begonnen")
            await app.click("check-again")
            await app.click("dialog-yes")
            await app.wait_text("Vraag 1 van")
            assert not app.of_kind(ft.RadioGroup)[0].value
        assert answer.start_or_resume(vault[1], sheet.id, "nl").answers == {}

    run(go())


def test_the_pain_scale_has_eleven_tiles_and_the_words_of_both_ends(
    vault: Vault, sheet: Questionnaire
) -> None:
    questions = asked_questions(sheet, {})
    place = next(n for n, q in enumerate(questions) if is_scale(q))
    draft = answer.start_or_resume(vault[1], sheet.id, "nl")
    for question in questions[:place]:
        answer.save_answer(vault[1], draft.id, question.link_id, some_answer(question), position=place)

    async def go() -> None:
        async with Headless(opened(*vault, text_scale=1.5), route=ROUTE, width=390) as app:
            await app.wait_text(f"Vraag {place + 1} van")
            assert [radio.value for radio in app.of_kind(ft.Radio)] == [str(n) for n in range(11)]
            assert app.has_text("0 = ")
            assert app.has_text("10 = ")
            await tap(app, "answer-7")
            assert app.of_kind(ft.RadioGroup)[0].value == "7"

    run(go())


def test_a_questionnaire_that_does_not_exist_says_so(vault: Vault) -> None:
    async def go() -> None:
        async with Headless(opened(*vault), route="/check/none") as app:
            await app.wait_gone("Even geduld")
            assert not app.has_text("kan niet worden getoond")
            assert not app.has_key("check-next")

    run(go())


def test_english_asks_in_english(vault: Vault) -> None:
    async def go() -> None:
        async with Headless(opened(*vault, lang="en"), route=ROUTE) as app:
            await app.wait_text("How were you in the past week?")
            assert app.has_text("Very well")
            assert app.has_text("Question 1 of")

    run(go())
