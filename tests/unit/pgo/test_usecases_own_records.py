"""What the patient types and answers: versions, trash, drafts that survive, one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pgo.errors import InputRefused, NotFound
from pgo.health.medication.entry import AllergyForm, MedicationForm
from pgo.health.prom.questionnaire import QuestionKind, asked_questions
from pgo.health.record.status import RecordStatus
from pgo.usecases import answer, medicate, read
from pgo.usecases.collect import collect
from pgo.usecases.medicines import medicines
from pgo.usecases.session import Session
from pgo.usecases.settings import (
    LockScreenPrefs,
    Settings,
    lock_screen_prefs,
    save_lock_screen_prefs,
    save_settings,
    settings,
)
from pgo.usecases.unlock import unlock
from tests.support.applications import PASSPHRASE
from tests.support.vaults import Home, a_bundle, a_condition, a_patient


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def session(home: Home) -> Session:
    return home.open_new()


def test_medication_is_added_edited_stopped_and_kept_in_versions(session: Session) -> None:
    number = medicate.save_medication(session, MedicationForm(name="Metformine", start="2025-01-01"))
    form = medicate.medication_form(session, number)
    assert form.name == "Metformine"
    assert medicate.save_medication(session, replace(form, dosage="1 per dag"), record_id=number) == number
    assert [row.id for row in medicines(session).current] == [number]
    medicate.stop_medication(session, number, date(2026, 2, 1))
    (stopped,) = medicines(session).past
    assert (stopped.line.end, stopped.line.status) == ("2026-02-01", RecordStatus.PAST)
    assert stopped.row.self_authored
    assert read.record(session, number).versions == 3


def test_stopping_before_the_start_is_refused(session: Session) -> None:
    number = medicate.save_medication(session, MedicationForm(name="Metformine", start="2025-01-01"))
    with pytest.raises(InputRefused) as caught:
        medicate.stop_medication(session, number, date(2024, 1, 1))
    assert caught.value.code == "form_invalid"
    assert read.record(session, number).versions == 1


def test_an_empty_form_names_its_field(session: Session) -> None:
    with pytest.raises(InputRefused) as caught:
        medicate.save_allergy(session, AllergyForm())
    assert "substance" in caught.value.fields


def test_what_came_from_a_file_is_not_rewritten(session: Session) -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "m1",
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "Aspirine"},
    }
    collect(session, a_bundle(a_patient(), statement), name="a.json")
    (row,) = medicines(session).current
    with pytest.raises(InputRefused) as caught:
        medicate.save_medication(session, MedicationForm(name="Anders"), record_id=row.id)
    assert caught.value.code == "not_editable"


def test_trash_takes_and_gives_back(session: Session) -> None:
    number = medicate.save_allergy(session, AllergyForm(substance="Noten"))
    medicate.remove(session, number)
    assert [row.id for row in medicate.trash(session)] == [number]
    assert read.profile(session).allergies == ()
    with pytest.raises(NotFound):
        medicate.remove(session, number)
    medicate.restore(session, number)
    assert [row.id for row in read.profile(session).allergies] == [number]
    with pytest.raises(NotFound):
        medicate.restore(session, number)


def test_a_half_typed_form_survives_the_lock(home: Home, session: Session) -> None:
    medicate.keep_form(session, "medication:new", {"name": "Metf"})
    session.lock()
    again = unlock(home.app, session.folder, PASSPHRASE)
    assert medicate.kept_form(again, "medication:new") == {"name": "Metf"}
    medicate.drop_form(again, "medication:new")
    assert medicate.kept_form(again, "medication:new") is None


def fill_in(session: Session, draft: answer.Draft) -> answer.Draft:
    """Answer every question asked, also those that answers bring up."""
    while True:
        left = [
            q for q in asked_questions(draft.questionnaire, draft.answers) if q.link_id not in draft.answers
        ]
        if not left:
            return draft
        question = left[0]
        match question.kind:
            case QuestionKind.CHOICE:
                value: object = question.options[0].key
            case QuestionKind.INTEGER:
                value = 3
            case _:
                value = "Gaat goed"
        draft = answer.save_answer(session, draft.id, question.link_id, value)


def test_answers_are_on_disk_one_by_one_and_finish_into_records(home: Home, session: Session) -> None:
    (info, *_) = answer.questionnaires(session)
    assert info.last_at is None
    draft = answer.start_or_resume(session, info.id, "nl")
    first = asked_questions(draft.questionnaire, {})[0]
    answer.save_answer(session, draft.id, first.link_id, first.options[0].key, position=1)
    session.lock()
    session = unlock(home.app, session.folder, PASSPHRASE)
    resumed = answer.start_or_resume(session, info.id, "nl")
    assert (resumed.id, resumed.position) == (draft.id, 1)
    assert resumed.answers == {first.link_id: first.options[0].key}
    result = answer.finish(session, fill_in(session, resumed).id)
    assert read.record(session, result.record_id).row.type == "QuestionnaireResponse"
    assert len(result.score_record_ids) == len(result.scores) > 0
    trend = answer.score_trend(session, result.scores[0].code)
    assert [point.value for point in trend.points] == [result.scores[0].value]
    with pytest.raises(NotFound):
        answer.finish(session, draft.id)
    (after, *_) = answer.questionnaires(session)
    assert after.last_at == home.clock()
    assert after.due > session.today()


def test_unanswered_questions_keep_the_sheet_open(session: Session) -> None:
    draft = answer.start_or_resume(session, answer.questionnaires(session)[0].id, "en")
    with pytest.raises(InputRefused) as caught:
        answer.finish(session, draft.id)
    assert caught.value.code == "answers_missing"
    assert caught.value.fields
    assert read.overview(session).total == 0


def test_a_wrong_answer_is_not_saved(session: Session) -> None:
    draft = answer.start_or_resume(session, answer.questionnaires(session)[0].id, "en")
    first = asked_questions(draft.questionnaire, {})[0]
    for link_id, value in ((first.link_id, "no such option"), ("no such question", 1)):
        with pytest.raises(InputRefused):
            answer.save_answer(session, draft.id, link_id, value)
    assert answer.start_or_resume(session, draft.questionnaire.id, "en").answers == {}
    answer.discard(session, draft.id)
    assert not answer.questionnaires(session)[0].draft_open


def test_settings_are_kept_and_unknown_ones_refused(home: Home, session: Session) -> None:
    assert settings(session) == Settings()
    save_settings(session, Settings(language="en", theme="dark", text_scale=1.3, auto_lock_minutes=2))
    assert lock_screen_prefs(home.app) == LockScreenPrefs("en", "dark")
    with pytest.raises(InputRefused):
        save_settings(session, Settings(auto_lock_minutes=9999))
    assert settings(session).auto_lock_minutes == 2


def test_broken_display_preferences_fall_back(home: Home) -> None:
    save_lock_screen_prefs(home.app, LockScreenPrefs("en", "dark"))
    (home.folder / "display.json").write_bytes(b"{")
    assert lock_screen_prefs(home.app) == LockScreenPrefs()


def test_related_records_find_each_other(session: Session) -> None:
    visit = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p1"},
        "type": [{"text": "Consult"}],
        "period": {"start": "2024-05-01"},
    }
    condition = {**a_condition("c1"), "encounter": {"reference": "Encounter/e1"}}
    collect(session, a_bundle(a_patient(), visit, condition), name="a.json")
    rows = {row.type: row.id for row in read.timeline(session).rows}
    assert [row.type for row in read.record(session, rows["Condition"]).related] == ["Encounter"]
    assert [row.type for row in read.record(session, rows["Encounter"]).related] == ["Condition"]
