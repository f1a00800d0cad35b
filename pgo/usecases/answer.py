"""Answer a questionnaire: every answer is on disk before the next question shows.

Rules:
1. One open draft per questionnaire; starting again resumes it.
2. Each answer commits by itself; a kill loses none.
3. Finishing writes the QuestionnaireResponse, its score Observations, the journal line and the outbox
   entries in one transaction and removes the draft.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pgo.errors import InputRefused, NotFound
from pgo.health.prom.questionnaire import (
    SCORE_SYSTEM,
    Questionnaire,
    Score,
    asked_questions,
    build_response,
    build_score_observation,
    missing_answers,
    own_questionnaires,
    scores,
    validate_answer,
    words,
)
from pgo.health.record.series import Series
from pgo.store.drafts import StoredDraft
from pgo.store.instants import from_text, to_text
from pgo.store.journal import Event
from pgo.usecases.content import stored_resource
from pgo.usecases.queue import records_changed
from pgo.usecases.read import series
from pgo.usecases.saving import patient_reference, save_own
from pgo.usecases.session import Session

_KIND = "questionnaire"
_LAST = "questionnaire_last:"
_DEFAULT_INTERVAL_DAYS = 7


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
    found = [_info(session, one, lang) for one in own_questionnaires()]
    return tuple(sorted(found, key=lambda info: (info.due, info.id)))


def start_or_resume(session: Session, questionnaire_id: str, lang: str) -> Draft:
    """Open the draft of a questionnaire, new or as left.

    Raises:
        NotFound: no such questionnaire.
    """
    questionnaire, store = _questionnaire(questionnaire_id), session.store
    kept = store.drafts.about(_KIND, questionnaire.id)
    if kept is None:
        at = session.now()
        kept = StoredDraft(
            id=str(uuid.uuid4()),
            kind=_KIND,
            subject=questionnaire.id,
            body={"answers": {}, "position": 0, "lang": lang},
            started_at=at,
        )
        with store.write(at):
            store.drafts.keep(kept)
        session.changed()
    return _draft(kept)


def save_answer(
    session: Session, draft_id: str, link_id: str, value: object, *, position: int | None = None
) -> Draft:
    """Keep one answer (``None`` clears it) and, when given, the place in the sheet; commits at once.

    Raises:
        InputRefused: ``answer_invalid`` with ``fields`` {link id: message key}; nothing saved.
        NotFound: no such draft.
    """
    store = session.store
    with store.alone():
        kept = _kept(session, draft_id)
        questionnaire = _questionnaire(kept.subject)
        question = questionnaire.question(link_id)
        if question is None:
            raise InputRefused("answer_invalid", fields={link_id: "health.answer.not_an_answer"})
        fault = "" if value is None else validate_answer(question, value)
        if fault:
            raise InputRefused("answer_invalid", fields={link_id: fault})
        answers = {name: answer for name, answer in kept.body["answers"].items() if name != link_id}
        if value is not None:
            answers[link_id] = list(value) if isinstance(value, tuple) else value
        place = kept.body["position"] if position is None else max(position, 0)
        fresh = StoredDraft(
            id=kept.id,
            kind=_KIND,
            subject=kept.subject,
            body={**kept.body, "answers": answers, "position": place},
            started_at=kept.started_at,
        )
        with store.write(session.now()):
            store.drafts.keep(fresh)
    return _draft(fresh)


def finish(session: Session, draft_id: str) -> FinishResult:
    """Turn the draft into records.

    Raises:
        InputRefused: ``answers_missing`` with ``fields`` naming the questions.
        NotFound: no such draft (also when it was finished before).
    """
    store = session.store
    with store.alone():
        kept = _kept(session, draft_id)
        questionnaire, answers = _questionnaire(kept.subject), kept.body["answers"]
        missing = missing_answers(questionnaire, answers)
        if missing or not asked_questions(questionnaire, answers):
            raise InputRefused("answers_missing", fields=missing)
        at, found = session.now(), scores(questionnaire, answers)
        contents = _contents(session, kept, questionnaire, found, at=at)
        with store.write(at):
            ids = save_own(store, [stored_resource(raw, "") for raw in contents], at=at)
            store.drafts.drop(draft_id)
            store.settings.put(_LAST + questionnaire.id, to_text(at))
            store.journal.add(
                Event.QUESTIONNAIRE_FINISHED, at=at, questionnaire=questionnaire.id, record=ids[0]
            )
            records_changed(store, at=at)
    session.changed()
    return FinishResult(record_id=ids[0], scores=found, score_record_ids=tuple(ids[1:]))


def discard(session: Session, draft_id: str) -> None:
    """Throw an unfinished draft away; unknown drafts are no error."""
    store = session.store
    kept = store.drafts.get(draft_id)
    if kept is not None and kept.kind == _KIND:
        with store.write(session.now()):
            store.drafts.drop(draft_id)
        session.changed()


def score_trend(session: Session, code: str) -> Series:
    """All values of one score, oldest first; ``code`` is ``Score.code``.

    Raises:
        NotFound: never scored.
    """
    keys = session.store.measures.line_keys(f"{SCORE_SYSTEM}|{code}")
    if not keys:
        raise NotFound("series")
    return series(session, keys[0])


def next_due(session: Session) -> date | None:
    """Day the next questionnaire is due, None when the program brings none."""
    return min((_due(session, one) for one in own_questionnaires()), default=None)


def _info(session: Session, questionnaire: Questionnaire, lang: str) -> QuestionnaireInfo:
    return QuestionnaireInfo(
        id=questionnaire.id,
        title=words(questionnaire.titles, lang),
        last_at=_last_at(session, questionnaire),
        due=_due(session, questionnaire),
        draft_open=session.store.drafts.about(_KIND, questionnaire.id) is not None,
    )


def _last_at(session: Session, questionnaire: Questionnaire) -> datetime | None:
    kept = session.store.settings.get(_LAST + questionnaire.id)
    return from_text(kept) if isinstance(kept, str) else None


def _due(session: Session, questionnaire: Questionnaire) -> date:
    last_at = _last_at(session, questionnaire)
    if last_at is None:
        return session.today()
    days = questionnaire.interval_days or _DEFAULT_INTERVAL_DAYS
    return last_at.astimezone(session.app.zone).date() + timedelta(days=days)


def _questionnaire(questionnaire_id: str) -> Questionnaire:
    found = next((one for one in own_questionnaires() if one.id == questionnaire_id), None)
    if found is None:
        raise NotFound("questionnaire")
    return found


def _kept(session: Session, draft_id: str) -> StoredDraft:
    kept = session.store.drafts.get(draft_id)
    if kept is None or kept.kind != _KIND:
        raise NotFound("draft")
    return kept


def _draft(kept: StoredDraft) -> Draft:
    return Draft(
        id=kept.id,
        questionnaire=_questionnaire(kept.subject),
        answers=kept.body["answers"],
        position=kept.body["position"],
        started_at=kept.started_at,
    )


def _contents(
    session: Session,
    kept: StoredDraft,
    questionnaire: Questionnaire,
    found: tuple[Score, ...],
    *,
    at: datetime,
) -> list[bytes]:
    """The response and one Observation per score, as bytes."""
    who, lang, response_id = patient_reference(session.store), str(kept.body["lang"]), str(uuid.uuid4())
    response = build_response(
        questionnaire, kept.body["answers"], id=response_id, at=at, patient_reference=who, lang=lang
    )
    observations = [
        build_score_observation(
            score, id=str(uuid.uuid4()), response_id=response_id, at=at, patient_reference=who, lang=lang
        )
        for score in found
    ]
    return [response, *observations]
