"""Questionnaires a patient answers: read, ask, check, score, write.

This module gathers the public names of the package; the parts stand in ``model`` (shapes), ``parse`` (FHIR
in), ``logic`` (what is asked now, what fits), ``scoring`` and ``response`` (FHIR out). Everything is pure:
drafts live with the caller, and time comes from the caller.
"""

from __future__ import annotations

from functools import cache

from pgo.health.assets import ASSETS
from pgo.health.prom.logic import (
    ANSWER_KEYS,
    asked_questions,
    counting_answers,
    enabled_items,
    missing_answers,
    validate_answer,
)
from pgo.health.prom.model import (
    Answers,
    EnableWhen,
    Operator,
    Option,
    Question,
    QuestionKind,
    Questionnaire,
    QuestionnaireError,
    Score,
    ScoreRule,
    words,
)
from pgo.health.prom.parse import parse_questionnaire
from pgo.health.prom.response import SCORE_SYSTEM, build_response, build_score_observation
from pgo.health.prom.scoring import scores

__all__ = [
    "ANSWER_KEYS",
    "SCORE_SYSTEM",
    "Answers",
    "EnableWhen",
    "Operator",
    "Option",
    "Question",
    "QuestionKind",
    "Questionnaire",
    "QuestionnaireError",
    "Score",
    "ScoreRule",
    "asked_questions",
    "build_response",
    "build_score_observation",
    "counting_answers",
    "enabled_items",
    "missing_answers",
    "own_questionnaires",
    "parse_questionnaire",
    "scores",
    "validate_answer",
    "words",
]


@cache
def own_questionnaires() -> tuple[Questionnaire, ...]:
    """Give the questionnaires that ship with the program, in the order of their file names."""
    folder = ASSETS / "questionnaires"
    return tuple(parse_questionnaire(path.read_bytes()) for path in sorted(folder.glob("*.json")))
