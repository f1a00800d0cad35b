"""Answer a questionnaire: every answer is on disk before the next question shows.

Rules:
1. One open draft per questionnaire; starting again resumes it.
2. Each answer commits by itself; a kill loses none.
3. Finishing writes the QuestionnaireResponse, its score Observations, the journal line and the outbox entries in one
   transaction and removes the draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from pgo.usecases.session import Session

if TYPE_CHECKING:
    from pgo.health.prom.questionnaire import Questionnaire, Score
    from pgo.health.record.series import Series


@dataclass(frozen=True, slots=True)
class QuestionnaireInfo:
    """A questionnaire that can be answered.

    Attributes:
        id: key for ``start_or_resume``.
        title: in the language asked for.
        last_at: when it was last finished, None for never.
        due: day the next answer is due.
        draft_open: an unfinished draft waits.
    """

    id: str
    title: str
    last_at: datetime | None
    due: date
    draft_open: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """An unfinished answer sheet.

    Attributes:
        id: key for the other functions.
        questionnaire: the questions.
        answers: link id to answer, as saved.
        position: index of the question shown last, 0 for a new draft.
        started_at: when it was started.
    """

    id: str
    questionnaire: Questionnaire
    answers: Mapping[str, object]
    position: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class FinishResult:
    """The finished response: its record number, the scores, and the records made of them."""

    record_id: int
    scores: tuple[Score, ...]
    score_record_ids: tuple[int, ...]


def questionnaires(session: Session, *, lang: str = "nl") -> tuple[QuestionnaireInfo, ...]:
    """All questionnaires that come with the app, the one due first on top."""
    raise NotImplementedError


def start_or_resume(session: Session, questionnaire_id: str, lang: str) -> Draft:
    """Open the draft of a questionnaire, new or as left.

    Raises:
        NotFound: no such questionnaire.
    """
    raise NotImplementedError


def save_answer(
    session: Session, draft_id: str, link_id: str, value: object, *, position: int | None = None
) -> Draft:
    """Keep one answer (``None`` clears it) and, when given, the place in the sheet; commits at once.

    Raises:
        InputRefused: ``answer_invalid`` with ``fields`` {link id: message key}; nothing saved.
        NotFound: no such draft.
    """
    raise NotImplementedError


def finish(session: Session, draft_id: str) -> FinishResult:
    """Turn the draft into records.

    Raises:
        InputRefused: ``answers_missing`` with ``fields`` naming the questions.
        NotFound: no such draft (also when it was finished before).
    """
    raise NotImplementedError


def discard(session: Session, draft_id: str) -> None:
    """Throw an unfinished draft away; unknown drafts are no error."""
    raise NotImplementedError


def score_trend(session: Session, code: str) -> Series:
    """All values of one score, oldest first; ``code`` is ``Score.code``.

    Raises:
        NotFound: never scored.
    """
    raise NotImplementedError
