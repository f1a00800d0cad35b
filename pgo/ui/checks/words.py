"""Answers and scores in words, for the review page, the result and the list."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pgo.health.prom.questionnaire import QuestionKind, words
from pgo.ui.text import fmt_date, fmt_number

if TYPE_CHECKING:
    from pgo.health.prom.questionnaire import Question, Questionnaire, Score
    from pgo.health.record.series import Series
    from pgo.ui.state import AppState


def answer_text(app: AppState, question: Question, answer: object) -> str:
    """Return an answer as the person gave it; '' for none."""
    if answer is None:
        return ""
    if isinstance(answer, list | tuple):
        return ", ".join(answer_text(app, question, one) for one in answer)
    if isinstance(answer, bool):
        return app.t("check.yes" if answer else "check.no")
    match question.kind:
        case QuestionKind.CHOICE:
            texts = next((option.texts for option in question.options if option.key == answer), {})
            return words(texts, app.lang)
        case QuestionKind.DATE:
            return fmt_date(app.lang, str(answer))
        case QuestionKind.INTEGER | QuestionKind.DECIMAL:
            return fmt_number(app.lang, str(answer))
        case _:
            return str(answer)


def preamble(questionnaire: Questionnaire, link_id: str, shown: frozenset[str], lang: str) -> tuple[str, ...]:
    """Return the texts above a question: headings of its groups, and remarks since the question before.

    Args:
        questionnaire: the sheet.
        link_id: the question.
        shown: link ids of the items that are shown now.
        lang: language of the reader.
    """
    remarks: list[str] = []
    for item in questionnaire.walk():
        if item.link_id == link_id:
            break
        if item.kind is QuestionKind.DISPLAY:
            remarks += [words(item.texts, lang)] if item.link_id in shown else []
        elif item.kind is not QuestionKind.GROUP:
            remarks.clear()
    headings = [words(item.texts, lang) for item in questionnaire.walk() if _is_above(item, link_id)]
    return tuple(text for text in (*headings, *remarks) if text)


def _is_above(item: Question, link_id: str) -> bool:
    inside = any(inner.link_id == link_id or _is_above(inner, link_id) for inner in item.items)
    return item.kind is QuestionKind.GROUP and inside


def score_meaning(app: AppState, score: Score) -> str:
    """Return what the height of a score means, and on how many answers it stands."""
    better = app.t("check.score.higher_better" if score.higher_is_better else "check.score.lower_better")
    stands = app.t("check.score.stands_on", answered=score.answered, asked=score.asked)
    return f"{better} {stands}"


def compared(app: AppState, score: Score, trend: Series | None) -> str:
    """Return how a score lies beside the one before; '' when it is the first."""
    if trend is None or len(trend.points) < 2:
        return ""
    before = trend.points[-2]
    change = score.value - before.value
    if change == 0:
        return app.t("check.score.same", date=fmt_date(app.lang, before.at))
    key = "check.score.better" if (change > 0) is score.higher_is_better else "check.score.worse"
    return app.t(key, n=fmt_number(app.lang, abs(Decimal(change))), date=fmt_date(app.lang, before.at))
