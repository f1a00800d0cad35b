"""Turn answers into scores, by the rule that the questionnaire itself carries.

Rule ``mean-0-100``:

1. Each answer of a score goes to 0-100: its place between the lowest and the highest value the question
   allows (the ordinal values of its options, or its minimum and maximum).
2. The score is the mean of the answered questions, rounded half up to a whole number.
3. Fewer answers than the rule asks for give no score. A missing answer is never counted as zero.
4. A score says how many questions it stands on, and by which rule and version it was made. It informs; it
   is no diagnosis.

The half-answered rule is the usual one for such scales; see for instance Ware et al., SF-36 Health Survey:
Manual and Interpretation Guide (1993), chapter 6.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from pgo.health.prom.logic import counting_answers, number_of
from pgo.health.prom.model import Answers, Question, QuestionKind, Questionnaire, Score, ScoreRule

RULE = "mean-0-100"


def scores(questionnaire: Questionnaire, answers: Answers) -> tuple[Score, ...]:
    """Give every score that the answers allow, in the order of the questionnaire's rules."""
    counted = counting_answers(questionnaire, answers)
    items = {item.link_id: item for item in questionnaire.walk()}
    made = (_score(rule, items, counted) for rule in questionnaire.rules)
    return tuple(score for score in made if score is not None)


def _score(rule: ScoreRule, items: dict[str, Question], counted: dict[str, object]) -> Score | None:
    placed = [
        place
        for link_id in rule.questions
        if link_id in counted and (place := place_on_scale(items[link_id], counted[link_id])) is not None
    ]
    if len(placed) < rule.least:
        return None
    mean = sum(placed, Decimal(0)) / len(placed)
    value = mean.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Score(
        rule.code, rule.texts, value, rule.higher_is_better, len(placed), len(rule.questions), rule.version
    )


def place_on_scale(question: Question, value: object) -> Decimal | None:
    """Give the place of one answer between 0 and 100, or ``None`` when its question has no scale."""
    if question.kind is QuestionKind.CHOICE:
        ordinals = [option.ordinal for option in question.options if option.ordinal is not None]
        number = next((option.ordinal for option in question.options if option.key == value), None)
        low, high = (min(ordinals), max(ordinals)) if ordinals else (None, None)
    else:
        number, low, high = number_of(question, value), question.minimum, question.maximum
    if number is None or low is None or high is None or low == high:
        return None
    return (number - low) / (high - low) * 100
