"""Where somebody stands in a sheet: answers, place, what is wrong now. Pure: every step gives a new standing.

Rules:

1. The place counts the questions that are asked **now**; the place after the last one is the review page.
2. Going on is refused while the answer is needed and missing, or does not fit. Going back never is.
3. An answer that does not fit (half a date) is held on the screen but never kept in the vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pgo.health.prom.questionnaire import asked_questions, missing_answers, validate_answer

if TYPE_CHECKING:
    from pgo.health.prom.questionnaire import Question, Questionnaire


@dataclass(frozen=True, slots=True)
class Standing:
    """Answers as on the screen, the place, and the message key of what is wrong ('' when all is well)."""

    answers: Mapping[str, object]
    place: int
    fault: str = ""


def question_at(sheet: Questionnaire, standing: Standing) -> Question | None:
    """Return the question shown now; None on the review page."""
    questions = asked_questions(sheet, standing.answers)
    return questions[standing.place] if standing.place < len(questions) else None


def answered(standing: Standing, question: Question, value: object) -> Standing:
    """Give an answer, or take it away with None; whatever was wrong is forgotten."""
    others = {link: given for link, given in standing.answers.items() if link != question.link_id}
    answers = others if value is None else {**others, question.link_id: value}
    return replace(standing, answers=answers, fault="")


def can_be_kept(question: Question, value: object) -> bool:
    """Tell whether the vault would take this answer."""
    return value is None or not validate_answer(question, value)


def onward(sheet: Questionnaire, standing: Standing) -> Standing:
    """Go to the next question, or say what is wrong with this one (rule 2)."""
    question = question_at(sheet, standing)
    if question is None:
        return standing
    fault = missing_answers(sheet, standing.answers).get(question.link_id, "")
    return replace(standing, fault=fault) if fault else at(sheet, standing, standing.place + 1)


def at(sheet: Questionnaire, standing: Standing, place: int) -> Standing:
    """Go to a place; places outside the sheet become the nearest one inside."""
    last = len(asked_questions(sheet, standing.answers))
    return replace(standing, place=max(0, min(place, last)), fault="")


def at_first_fault(sheet: Questionnaire, standing: Standing) -> Standing | None:
    """Go to the first question that keeps the sheet from being finished; None when nothing does."""
    faults = missing_answers(sheet, standing.answers)
    for place, question in enumerate(asked_questions(sheet, standing.answers)):
        if question.link_id in faults:
            return replace(standing, place=place, fault=faults[question.link_id])
    return None
