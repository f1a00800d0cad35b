"""Which questions are asked now, and whether an answer fits.

Rules:

1. A question is asked when its conditions hold (all of them, or any with ``enable_any``) and the group or
   question it stands under is asked as well. Only answers to questions that are asked count in a condition.
2. A condition on a question without a counting answer is false, except ``exists`` with ``false``.
3. Conditions that lead in a circle are false: absent means no.
4. With several answers a condition holds when one of them fulfils it.

Source: https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pgo.health.prom.model import Answers, EnableWhen, Operator, Question, QuestionKind, Questionnaire
from pgo.health.record.dates import date_text

REQUIRED = "health.answer.required"
NOT_AN_OPTION = "health.answer.not_an_option"
NOT_A_NUMBER = "health.answer.not_a_number"
OUT_OF_RANGE = "health.answer.out_of_range"
NOT_A_DATE = "health.answer.not_a_date"
TOO_LONG = "health.answer.too_long"
NOT_AN_ANSWER = "health.answer.not_an_answer"
ANSWER_KEYS = (REQUIRED, NOT_AN_OPTION, NOT_A_NUMBER, OUT_OF_RANGE, NOT_A_DATE, TOO_LONG, NOT_AN_ANSWER)
"""Every message key that ``validate_answer`` and ``missing_answers`` can give."""

_DEFAULT_MAX_LENGTH = 2_000
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,10})?\Z")
_COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.LESS: operator.lt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS_OR_EQUAL: operator.le,
}


def enabled_items(questionnaire: Questionnaire, answers: Answers) -> tuple[Question, ...]:
    """Give the items to show now, in order, parents before children, hidden ones left out."""
    state = _State(questionnaire, answers)
    return tuple(item for item in questionnaire.walk() if not item.hidden and state.asked(item.link_id))


def asked_questions(questionnaire: Questionnaire, answers: Answers) -> tuple[Question, ...]:
    """Give only the items that take an answer, for one question per screen; texts alone are left out."""
    silent = (QuestionKind.GROUP, QuestionKind.DISPLAY)
    return tuple(item for item in enabled_items(questionnaire, answers) if item.kind not in silent)


def counting_answers(questionnaire: Questionnaire, answers: Answers) -> dict[str, object]:
    """Give the answers that count: to questions asked now, and of the right form."""
    state = _State(questionnaire, answers)
    return {
        item.link_id: answers[item.link_id]
        for item in questionnaire.walk()
        if item.link_id in answers and state.asked(item.link_id) and state.values(item.link_id)
    }


def missing_answers(questionnaire: Questionnaire, answers: Answers) -> Mapping[str, str]:
    """Give link id to message key for every asked question without a needed or with a wrong answer."""
    faults = {}
    for item in asked_questions(questionnaire, answers):
        value = answers.get(item.link_id)
        if value is None:
            if item.required:
                faults[item.link_id] = REQUIRED
        elif fault := validate_answer(item, value):
            faults[item.link_id] = fault
    return faults


def validate_answer(question: Question, value: object) -> str:
    """Check one answer; give a message key, or an empty text when it fits.

    Args:
        question: The question.
        value: The answer as ``pgo.health.prom.model`` describes it; a list for a question that repeats.
    """
    if isinstance(value, list | tuple):
        if not question.repeats or not value:
            return NOT_AN_ANSWER
        return next((fault for item in value if (fault := _fault(question, item))), "")
    return _fault(question, value)


def _fault(question: Question, value: object) -> str:
    match question.kind:
        case QuestionKind.CHOICE:
            return "" if any(option.key == value for option in question.options) else NOT_AN_OPTION
        case QuestionKind.INTEGER | QuestionKind.DECIMAL:
            return _number_fault(question, value)
        case QuestionKind.BOOLEAN:
            return "" if isinstance(value, bool) else NOT_AN_ANSWER
        case QuestionKind.DATE:
            fits = isinstance(value, str) and len(value) <= len("2000-01-01") and date_text(value)
            return "" if fits else NOT_A_DATE
        case QuestionKind.STRING:
            if not isinstance(value, str) or not value.strip():
                return NOT_AN_ANSWER
            return TOO_LONG if len(value) > (question.max_length or _DEFAULT_MAX_LENGTH) else ""
        case QuestionKind.GROUP | QuestionKind.DISPLAY:
            return NOT_AN_ANSWER


def number_of(question: Question, value: object) -> Decimal | None:
    """Read a numeric answer; ``None`` when it has not the form its question asks for."""
    whole = question.kind is QuestionKind.INTEGER
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if whole and not isinstance(value, int):
        return None
    if not _NUMBER.match(str(value)):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _number_fault(question: Question, value: object) -> str:
    number = number_of(question, value)
    if number is None:
        return NOT_A_NUMBER
    too_low = question.minimum is not None and number < question.minimum
    too_high = question.maximum is not None and number > question.maximum
    return OUT_OF_RANGE if too_low or too_high else ""


class _State:
    """Answers "is this asked?" for one set of answers, remembering what it found."""

    def __init__(self, questionnaire: Questionnaire, answers: Answers) -> None:
        self._answers = answers
        self._items: dict[str, Question] = {}
        self._parents: dict[str, str] = {}
        self._known: dict[str, bool] = {}
        for item in questionnaire.walk():
            self._items[item.link_id] = item
            for inner in item.items:
                self._parents[inner.link_id] = item.link_id

    def asked(self, link_id: str) -> bool:
        """Say whether an item is asked now (rules 1 to 3)."""
        if link_id not in self._known:
            self._known[link_id] = False  # what a circle of conditions finds while we are still looking
            self._known[link_id] = self._look(link_id)
        return self._known[link_id]

    def values(self, link_id: str) -> tuple[object, ...]:
        """Give the answers to a question that fit it, as a tuple."""
        value = self._answers.get(link_id)
        if value is None or validate_answer(self._items[link_id], value):
            return ()
        return tuple(value) if isinstance(value, list | tuple) else (value,)

    def _look(self, link_id: str) -> bool:
        parent = self._parents.get(link_id)
        if parent is not None and not self.asked(parent):
            return False
        item = self._items[link_id]
        if not item.enable_when:
            return True
        results = (self._holds(condition) for condition in item.enable_when)
        return any(results) if item.enable_any else all(results)

    def _holds(self, condition: EnableWhen) -> bool:
        question = self._items[condition.question]
        values = self.values(condition.question) if self.asked(condition.question) else ()
        if condition.operator is Operator.EXISTS:
            return bool(values) is condition.answer
        return any(self._compares(question, value, condition) for value in values)

    def _compares(self, question: Question, value: object, condition: EnableWhen) -> bool:
        ours, theirs = _comparable(question, value), _comparable(question, condition.answer)
        if ours is None or theirs is None or type(ours) is not type(theirs):
            return False
        return _COMPARE[condition.operator](ours, theirs)


def _comparable(question: Question, value: object) -> object:
    """Bring an answer to a form that can be compared: numbers as ``Decimal``, the rest as it is."""
    if question.kind in (QuestionKind.INTEGER, QuestionKind.DECIMAL):
        plain = isinstance(value, int | Decimal | str) and not isinstance(value, bool)
        return Decimal(str(value)) if plain and _NUMBER.match(str(value)) else None
    return value
