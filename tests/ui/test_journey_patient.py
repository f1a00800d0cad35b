"""The patient's journey in a real browser, with a real clinic: from an empty computer to "nobody sees it".

The steps have the numbers of the issue that asked for them. The phone starts from our own small record, the
desktop from a Synthea patient (or, where the shared test data is absent, also from our own).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.applications import PASSPHRASE
from tests.support.clinic_process import CLINIC_ID, CLINIC_NAME, CLINICIAN, ClinicProcess, running_clinic
from tests.support.dossiers import Dossier, MakeDossier, desktop_fallback, own_dossier, synthea_dossier
from tests.support.journey import DESKTOP, PHONE, Patient, World, both_sides

pytestmark = [pytest.mark.ui, pytest.mark.timeout(420)]
MEDICINE, CHANGED = "Paracetamol 500 mg", "Paracetamol 1000 mg"
THROWN_AWAY = "Pleisterlijm"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicProcess]:
    """One clinic for these journeys."""
    with running_clinic(tmp_path_factory.mktemp("clinic")) as running:
        yield running


@pytest.mark.parametrize(
    ("size", "dark", "make_dossier"),
    [
        pytest.param(PHONE, False, own_dossier, id="phone"),
        pytest.param(DESKTOP, True, synthea_dossier, id="desktop-synthea", marks=pytest.mark.data),
        pytest.param(DESKTOP, True, desktop_fallback, id="desktop"),
    ],
)
def test_from_an_empty_computer_to_a_share_that_was_stopped(
    tmp_path: Path,
    browser: Browser,
    clinic: ClinicProcess,
    size: dict[str, int],
    dark: bool,
    make_dossier: MakeDossier,
) -> None:
    dossier = make_dossier(tmp_path)
    album = "patient-phone" if size is PHONE else "patient-desktop"
    with both_sides(clinic, tmp_path, browser, size=size, album=album, dark=dark) as world:
        patient = world.patient
        step_1_vault(patient)
        step_2_collect(patient, dossier)
        step_3_read(patient, dossier)
        step_4_medication(patient)
        step_4_allergy(patient)
        step_5_answer(patient)
        card = clinic.card_file(tmp_path) if size is PHONE else clinic.card
        shared = step_6_share(patient, card)
        step_8_nobody_looked_yet(patient)
        record_address = clinician_looks(world, dossier, shared)
        step_8_who_looked(patient)
        step_7_withdraw(patient)
        clinician_sees_nothing(world, dossier, record_address)


def step_1_vault(patient: Patient) -> None:
    patient.makes_a_vault()
    patient.press("lock")
    patient.unlocks("een heel andere zin dan eerst")
    patient.says("error.wrong_passphrase")
    patient.picture("wrong-passphrase")
    patient.unlocks(PASSPHRASE)
    patient.says("overview.empty.title")


def step_2_collect(patient: Patient, dossier: Dossier) -> None:
    file = dossier.file
    patient.press("to-collect")
    patient.collects(file)
    patient.says("collect.imported", n=dossier.imported, file=file.name)
    if dossier.set_aside:
        patient.says("collect.aside", n=dossier.set_aside)
        patient.says("collect.reason.no_resource_type")
    patient.picture("collected")
    patient.collects(file)
    patient.says("collect.nothing_new", file=file.name)


def step_3_read(patient: Patient, dossier: Dossier) -> None:
    patient.tab("nav.record")
    patient.says(dossier.allergy)
    patient.says(dossier.name)
    patient.says(dossier.condition)
    patient.picture("profile")
    patient.record("medication")
    patient.says(dossier.medicine)
    patient.record("measurements")
    patient.ui.scroll_to_text(re.compile(dossier.measurement))
    patient.picture("measurements")
    patient.ui.click(re.compile(dossier.measurement))
    patient.says("series.table")
    patient.picture("series")
    patient.record("timeline")
    patient.ui.fill_key("timeline-search", dossier.measurement)
    patient.says("timeline.found", n=dossier.found, count=dossier.found)
    patient.picture("timeline")
    patient.press_some("record-")
    patient.says("record.source")
    patient.says(dossier.file.name)
    patient.picture("record")


def step_4_medication(patient: Patient) -> None:
    patient.record("medication")
    patient.press("medication-add")
    patient.ui.fill_key("field-name", MEDICINE)
    patient.picture("medication-form")
    patient.press("form-save")
    patient.says("medication.current")
    patient.says(MEDICINE)

    patient.press_some("edit-")
    patient.ui.fill_key("field-name", CHANGED)
    patient.press("form-save")
    patient.says("medication.current")
    patient.says(CHANGED)
    patient.says_no_more(re.compile(f"^{re.escape(MEDICINE)}"))

    patient.press_some("stop-")
    patient.says("medication.stop.question", title=CHANGED)
    patient.picture("medication-stop")
    patient.press("stop-yes")
    patient.says("medication.stopped", title=CHANGED)
    patient.says("medication.past")

    patient.press_some("remove-")
    patient.says("trash.removed", title=CHANGED)
    patient.press("trash")
    patient.says("trash.lead")
    patient.picture("trash")
    patient.press_some("restore-")
    patient.says("trash.empty.title")
    patient.press("back")
    patient.says("medication.past")
    patient.says(re.compile(f"{re.escape(CHANGED)}.*tot en met .*door u ingevuld", re.DOTALL))
    patient.picture("medication")


def step_4_allergy(patient: Patient) -> None:
    patient.record("profile")
    patient.press("allergy-add")
    patient.ui.fill_key("field-substance", THROWN_AWAY)
    patient.press("form-save")
    patient.says("profile.conditions")
    patient.says(THROWN_AWAY)
    patient.ui.click(re.compile(f"^{THROWN_AWAY}"))
    patient.says("record.source.self")
    patient.press("record-remove")
    patient.says("record.in_trash")
    patient.record("profile")
    patient.says("profile.conditions")
    assert THROWN_AWAY not in "".join(
        patient.ui.page.locator('[flt-semantics-identifier^="record-"]').all_inner_texts()
    )


def step_5_answer(patient: Patient) -> None:
    patient.tab("nav.check")
    patient.answers("answer-2")
    patient.says("check.no_diagnosis")
    patient.picture("scores")
    patient.press("check-ready")
    patient.says("check.courses")
    patient.answers("answer-1")
    patient.says(re.compile(r"punten? (beter|minder goed) dan de vorige keer"))
    patient.picture("scores-again")
    patient.press("check-ready")
    patient.says("check.courses")
    patient.says(re.compile(r"Lijngrafiek van .*, 2 metingen"))
    patient.ui.scroll(400)
    patient.picture("trend")


def step_6_share(patient: Patient, card: str | Path) -> int:
    """Returns how many records the preview promised."""
    patient.adds_the_clinic(card)
    patient.says("share.new.stays")
    seen, total = patient.seen_of_all()
    assert 0 < seen < total
    assert patient.held_back() == total - seen
    patient.picture("choose")
    patient.scrolls_to(re.compile("te zien krijgt"))
    patient.picture("preview")
    patient.signs()
    patient.says("share.state.delivered")
    patient.says(re.compile(f"{CLINIC_NAME} heeft {seen} gegevens ontvangen"))
    patient.says(re.compile(rf": {seen} gegevens ontvangen\. Ondertekend door {CLINIC_NAME}"))
    patient.picture("delivered")
    return seen


def step_8_nobody_looked_yet(patient: Patient) -> None:
    patient.press("share-looked")
    patient.press("looked-fetch")
    patient.says("share.looked.empty")
    patient.press("back")
    patient.ui.click(re.compile(f"^Bekijk of stop: {CLINIC_NAME}"))


def clinician_looks(world: World, dossier: Dossier, shared: int) -> str:
    with world.clinician() as clinician:
        clinician.logs_in()
        address = clinician.opens(dossier.name)
        page = clinician.page.locator("body")
        for word in (dossier.allergy, dossier.condition, dossier.medicine, CHANGED):
            expect(page).to_contain_text(word)
        for word in (*dossier.held_back, THROWN_AWAY):
            expect(page).not_to_contain_text(word)
        assert clinician.records_in_view() == shared, "the portal shows what the preview promised"
        clinician.picture("profile")
        return address


def step_8_who_looked(patient: Patient) -> None:
    patient.press("share-looked")
    patient.press("looked-fetch")
    patient.says("share.looked.count", n=2)  # the name in the list, then the record
    patient.says("share.looked.ok", name=CLINIC_NAME)
    patient.says(re.compile(f"{CLINICIAN}.*Overzicht bekeken"))
    patient.says(re.compile(f"{CLINICIAN}.*Naam gezien"))
    patient.picture("who-looked")
    patient.press("back")
    patient.ui.click(re.compile(f"^Bekijk of stop: {CLINIC_NAME}"))


def step_7_withdraw(patient: Patient) -> None:
    patient.press("share-stop")
    patient.says("share.detail.stop_sure", name=CLINIC_NAME)
    patient.picture("stop-question")
    patient.press("dialog-yes")
    patient.says("share.detail.stopped_here", name=CLINIC_NAME)
    patient.says(re.compile(f"{CLINIC_NAME} heeft bevestigd"))
    patient.says("share.state.stopped")
    patient.picture("stopped")


def clinician_sees_nothing(world: World, dossier: Dossier, record_address: str) -> None:
    with world.clinician() as clinician:
        clinician.logs_in()
        expect(clinician.page.locator("body")).not_to_contain_text(dossier.name)
        clinician.page.goto(record_address)
        expect(clinician.page.locator("body")).to_contain_text(re.compile("niet meer gedeeld", re.IGNORECASE))
        clinician.picture("no-longer-shared")


def test_offline_is_normal(tmp_path: Path, browser: Browser, clinic: ClinicProcess) -> None:
    """The clinic is away: everything works, the share waits and says so, and goes out by itself later."""
    dossier = own_dossier(tmp_path, "Test Offline")
    with both_sides(clinic, tmp_path, browser, size=PHONE, album="patient-offline") as world:
        patient = world.patient
        card = clinic.card
        clinic.stop()
        patient.camera = False  # the other journeys have these screens
        patient.makes_a_vault()
        patient.press("to-collect")
        patient.collects(dossier.file)
        patient.says("collect.imported", n=dossier.imported, file=dossier.file.name)

        patient.adds_the_clinic(card)
        seen, _total = patient.seen_of_all()
        patient.camera = True
        patient.signs()
        patient.says("share.state.waiting")
        patient.says("share.detail.error.unreachable", name=CLINIC_NAME)
        patient.picture("waiting")
        patient.press("share-send-now")
        patient.says("share.detail.tried_failed", name=CLINIC_NAME)
        patient.tab("nav.overview")
        patient.says("overview.share.waiting", n=1)
        patient.picture("overview-waiting")

        clinic.start()
        patient.tab("nav.share")
        patient.says("share.state.delivered")  # nobody pressed anything
        patient.ui.click(re.compile(f"^Bekijk of stop: {CLINIC_NAME}"))
        patient.says(re.compile(rf": {seen} gegevens ontvangen\. Ondertekend door {CLINIC_NAME}"))
        patient.picture("delivered-by-itself")

        clinic.stop()
        patient.press("share-stop")
        patient.press("dialog-yes")
        patient.says("share.detail.stopped_here", name=CLINIC_NAME)
        patient.says("share.state.stopping")
        patient.picture("stop-waits")
        clinic.start()
        patient.says("share.state.stopped")
        assert not patient.has(f"who_looked-{CLINIC_ID}")
