"""The patient's journey in a real browser, with a real clinic: from an empty computer to "nobody sees it"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.applications import PASSPHRASE
from tests.support.clinic_process import CLINIC_NAME
from tests.support.journey import (
    CLINIC_ID,
    CLINICIAN,
    DESKTOP,
    PHONE,
    Patient,
    World,
    a_file,
    both_sides,
)

pytestmark = [pytest.mark.ui, pytest.mark.timeout(420)]
SIZES = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
NAME = "Test Persoon"


@SIZES
def test_from_an_empty_computer_to_a_share_that_was_stopped(
    tmp_path: Path, browser: Browser, size: dict[str, int], request: pytest.FixtureRequest
) -> None:
    album = f"patient-{request.node.callspec.id}"
    with both_sides(tmp_path, browser, size=size, album=album) as world:
        patient = world.patient
        step_1_vault(patient)
        step_2_collect(patient, tmp_path)
        step_3_read(patient)
        step_4_type_in(patient)
        step_5_answer(patient)
        grant_address = step_6_share(patient, world)
        record_address = clinician_looks(world)
        step_8_who_looked(patient)
        step_7_withdraw(patient, grant_address)
        clinician_sees_nothing(world, record_address)
        left = [url for url in patient.ui.foreign if not any(url in failed for failed in patient.ui.failed)]
        assert not left, f"requests to other hosts: {left}"


def step_1_vault(patient: Patient) -> None:
    patient.makes_a_vault()
    patient.press("lock")
    patient.ui.key("passphrase").wait_for(state="attached")
    patient.ui.fill_key("passphrase", "een heel andere zin dan eerst")
    patient.press("unlock")
    patient.says("error.wrong_passphrase")
    patient.ui.fill_key("passphrase", PASSPHRASE)
    patient.press("unlock")
    patient.says("overview.empty.title")


def step_2_collect(patient: Patient, folder: Path) -> None:
    file = a_file(folder)
    patient.press("to-collect")
    patient.collects(file)
    patient.says("collect.imported", n=8, file=file.name)
    patient.says("collect.aside", n=1)
    patient.picture("collected")
    patient.collects(file)
    patient.says("collect.nothing_new", file=file.name)


def step_3_read(patient: Patient) -> None:
    patient.tab("nav.record")
    patient.says("Penicilline")
    patient.says(NAME)
    patient.picture("profile")
    patient.ui.click("Medicijnen")
    patient.says("Methotrexaat")
    patient.ui.click("Metingen")
    patient.says("Hemoglobine")
    patient.ui.click("Tijdlijn")
    patient.ui.fill_key("timeline-search", "gewicht")
    patient.says("timeline.found", n=1)
    patient.picture("timeline")


def step_4_type_in(patient: Patient) -> None:
    patient.ui.click("Medicijnen")
    patient.press("medication-add")
    patient.ui.fill_key("field-name", "Paracetamol 500 mg")
    patient.press("form-save")
    patient.says("medication.current")
    patient.says("Paracetamol 500 mg")
    patient.picture("medication")
    patient.ui.click("Weggooien")
    patient.says("trash.removed", title="Paracetamol 500 mg")


def step_5_answer(patient: Patient) -> None:
    patient.tab("nav.check")
    patient.ui.click(re.compile("^(Beginnen|Begin|Invullen|Start)"))
    patient.ui.key("answers").first.wait_for(state="attached")
    patient.picture("question")
    for _ in range(30):
        if patient.ui.key("check-finish").count():
            break
        if patient.ui.key("answer-1").count():
            patient.press("answer-1")
        patient.press("check-next")
        patient.ui.settle(200)
    patient.press("check-finish")
    patient.ui.key("check-ready").wait_for(state="attached")
    patient.picture("scores")
    patient.press("check-ready")


def step_6_share(patient: Patient, world: World) -> str:
    patient.adds_the_clinic(world.clinic.card)
    patient.says("share.new.stays")
    patient.picture("choose")
    patient.signs()
    patient.says("share.state.delivered")
    patient.says("share.detail.receipts")
    patient.says(re.compile(f"Ondertekend door {CLINIC_NAME}"))
    patient.picture("delivered")
    return patient.ui.page.url


def clinician_looks(world: World) -> str:
    with world.clinician() as clinician:
        clinician.logs_in()
        address = clinician.opens(NAME)
        expect(clinician.page.locator("body")).to_contain_text("Methotrexaat")
        expect(clinician.page.locator("body")).not_to_contain_text("Hiv")
        clinician.picture("profile")
        return address


def step_8_who_looked(patient: Patient) -> None:
    patient.press("share-looked")
    patient.press("looked-fetch")
    patient.says("share.looked.ok", name=CLINIC_NAME)
    patient.says(re.compile(f"{CLINICIAN}.*Overzicht bekeken"))
    patient.picture("who-looked")
    patient.press("back")
    patient.ui.click(re.compile(f"^Bekijk of stop: {CLINIC_NAME}"))


def step_7_withdraw(patient: Patient, grant_address: str) -> None:
    patient.says("share.detail.stop")
    assert patient.ui.page.url == grant_address
    patient.press("share-stop")
    patient.says("share.detail.stop_sure", name=CLINIC_NAME)
    patient.picture("stop-question")
    patient.press("dialog-yes")
    patient.says("share.detail.stopped_here", name=CLINIC_NAME)
    patient.says(re.compile(f"{CLINIC_NAME} heeft bevestigd"))
    patient.says("share.state.stopped")
    patient.picture("stopped")


def clinician_sees_nothing(world: World, record_address: str) -> None:
    with world.clinician() as clinician:
        clinician.logs_in()
        expect(clinician.page.locator("body")).not_to_contain_text(NAME)
        clinician.page.goto(record_address)
        expect(clinician.page.locator("body")).to_contain_text(re.compile("niet meer gedeeld", re.IGNORECASE))
        clinician.picture("no-longer-shared")


def test_offline_is_normal(tmp_path: Path, browser: Browser) -> None:
    """The clinic is away: everything works, the share waits and says so, and goes out by itself later."""
    with both_sides(tmp_path, browser, size=PHONE, album="patient-offline") as world:
        patient = world.patient
        card = world.clinic.card
        patient.makes_a_vault()
        patient.press("to-collect")
        patient.collects(a_file(tmp_path))
        patient.says(re.compile("8 "))
        world.clinic.stop()

        patient.adds_the_clinic(card)
        patient.says("share.new.stays")
        patient.signs()
        patient.says("share.state.waiting")
        patient.says("share.detail.error.unreachable", name=CLINIC_NAME)
        patient.picture("waiting")
        patient.press("share-send-now")
        patient.says("share.detail.tried_failed", name=CLINIC_NAME)

        world.clinic.start()
        patient.says("share.state.delivered")  # nobody pressed anything
        patient.picture("delivered-by-itself")

        world.clinic.stop()
        patient.press("share-stop")
        patient.press("dialog-yes")
        patient.says("share.detail.stopped_here", name=CLINIC_NAME)
        patient.says("share.state.stopping")
        patient.picture("stop-waits")
        world.clinic.start()
        patient.says("share.state.stopped")
        assert patient.ui.key(f"who_looked-{CLINIC_ID}").count() == 0
