"""The record and check-in screens in a real browser: long lists, typing, taking back, keyboard only."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from pgo.usecases.unlock import create_vault
from tests.support.applications import PASSPHRASE, an_application
from tests.support.flet_ui import Ui
from tests.ui.records_app import an_allergy, many_measurements, take_in

pytestmark = pytest.mark.ui

PHONE = {"width": 390, "height": 844}
SLOW = 20.0


@pytest.fixture
def vaults(tmp_path: Path) -> Path:
    """A folder with one vault of 10,000 measurements and an allergy."""

    folder = tmp_path / "vaults"
    made = create_vault(an_application(folder), folder / "Proef", PASSPHRASE)
    take_in(made.session, *many_measurements(10_000), an_allergy(1, "Graspollen"))
    made.session.lock()
    return folder


def go_to(ui: Ui, tab: str) -> None:
    """Open a part of the record."""
    ui.click(re.compile(r"^(Mijn dossier|Dossier)( Tabblad.*)?$"))
    ui.click_key(f"tab-/{tab}")


@pytest.mark.parametrize("ui", [PHONE], indirect=True)
def test_ten_thousand_records_scroll_and_are_found(opened: Ui) -> None:
    ui = opened
    go_to(ui, "timeline")
    ui.expect_text(re.compile("10.001 gegevens"), timeout=SLOW)
    ui.expect_text(re.compile("Meting 00000"), timeout=SLOW)
    start = time.monotonic()
    for _ in range(15):
        ui.scroll(3_000)
    assert time.monotonic() - start < 15, "scrolling 45,000 pixels must not take longer than a breath"
    ui.expect_text(re.compile(r"Meting 00[56]\d\d"), timeout=SLOW)
    ui.expect_no_text(re.compile("Meting 00000"))
    ui.expect_no_error_box()
    ui.scroll(-60_000)
    ui.expect_text(re.compile("Meting 00000"), timeout=SLOW)
    ui.fill_key("timeline-search", "meting 04321")
    ui.expect_text(re.compile("1 gevonden"), timeout=SLOW)
    ui.click(re.compile("Meting 04321"))
    ui.expect_text(re.compile("Waar komt dit vandaan"), timeout=SLOW)
    ui.expect_no_error_box()


@pytest.mark.parametrize("ui", [PHONE], indirect=True)
def test_a_medication_is_typed_thrown_away_and_taken_back(opened: Ui) -> None:
    ui = opened
    go_to(ui, "medication")
    ui.click_key("medication-add")
    ui.fill_key("field-name", "Paracetamol 500 mg")
    ui.fill_key("field-start", "3-2024")
    ui.click_key("form-save")
    ui.expect_text(re.compile("Paracetamol 500 mg"), timeout=SLOW)
    ui.expect_text(re.compile("maart 2024"))
    ui.click("Weggooien")
    ui.click("Ongedaan maken")
    ui.expect_text(re.compile("Gebruikt u nu"), timeout=SLOW)
    ui.expect_no_error_box()


def test_the_questionnaire_is_answered_with_the_keyboard_alone(opened: Ui) -> None:
    ui = opened
    ui.click(re.compile("^Vragenlijsten"))
    ui.click_key("check-weekly-check")
    for place in range(1, 20):
        ui.expect_text(re.compile(rf"Vraag {place} van"), timeout=SLOW)
        ui.settle(300)  # the new question takes the focus
        ui.press("Tab")
        ui.press("Space")
        ui.settle(150)
        ui.tab_to("Volgende")
        ui.press("Enter")
        ui.settle(300)
        if "Klopt alles?" in ui.text():
            break
    ui.tab_to("Klaar, opslaan")
    ui.press("Enter")
    ui.expect_text(re.compile("Dank u wel"), timeout=SLOW)
    ui.expect_text(re.compile("geen diagnose"))
    ui.expect_no_error_box()
