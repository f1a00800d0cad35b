"""What the app itself writes is FHIR R4 to the letter: the forms, the answers, the demonstration."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pgo.health.demo import demo_bundle
from pgo.health.fhir_r4 import validate
from pgo.health.medication.entry import AllergyForm, MedicationForm
from pgo.health.record.reader import read_records
from pgo.usecases import answer, corrections, medicate
from pgo.usecases.content import stored_resource
from pgo.usecases.session import Session
from tests.support.vaults import Home
from tests.unit.pgo.test_usecases_own_records import fill_in


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Home(tmp_path).open_new()


def issues(session: Session) -> dict[str, list[str]]:
    """What is said about each record of the vault, by type; every type of record is a key."""
    records = session.store.records
    found: dict[str, list[str]] = {}
    for _, full_url, raw in records.raws(records.present_ids()):
        resource = stored_resource(raw, full_url)
        found.setdefault(resource.type, []).extend(str(issue) for issue in validate(resource.body))
    return found


def test_medication_and_allergies_that_were_typed(session: Session) -> None:
    form = MedicationForm(name="Metformine", start="2025-01", dosage="1 per dag")
    number = medicate.save_medication(session, form)
    medicate.stop_medication(session, number, date(2026, 2, 1))
    medicate.save_allergy(session, AllergyForm(substance="Latex"))
    assert issues(session) == {"MedicationStatement": [], "AllergyIntolerance": []}


def test_answers_and_their_scores(session: Session) -> None:
    for info in answer.questionnaires(session):
        draft = answer.start_or_resume(session, info.id, "nl")
        answer.finish(session, fill_in(session, draft).id)
    assert issues(session) == {"QuestionnaireResponse": [], "Observation": []}


def test_a_remark_about_a_record_and_a_request_to_correct_it(session: Session) -> None:
    number = medicate.save_allergy(session, AllergyForm(substance="Latex"))
    corrections.remark(session, number, "Dit klopt niet meer.")
    asked = corrections.Asked("Dit klopt niet.", "Graag weghalen.", "Huisarts Voorbeeld")
    corrections.ask_correction(session, number, asked)
    found = issues(session)
    assert found.keys() > {"AllergyIntolerance", "Communication"}
    assert not any(found.values()), found


def test_the_invented_person_of_the_demonstration() -> None:
    intake = read_records(demo_bundle(date(2026, 1, 1)), name="demo.json")
    assert len(intake.resources) > 50
    assert not [str(issue) for one in intake.resources for issue in validate(one.body, raw=one.raw)]
