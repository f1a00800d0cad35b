"""The clinician's journey in a real browser: who shares, what, until when; nothing after it was stopped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.journey import DESKTOP, PHONE, a_file, both_sides

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]
NAME = "Test Persoon"


def sees_what_is_shared(page: Locator) -> None:
    for shown in ("Penicilline", "Methotrexaat", "Foliumzuur", "Reumatoïde artritis", "Gewicht"):
        expect(page).to_contain_text(shown)
    expect(page).to_contain_text(re.compile("Gedeeld voor .*, tot .* 20"))
    expect(page).not_to_contain_text("Hiv")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_clinician_reads_what_is_shared_and_no_more(
    tmp_path: Path, browser: Browser, size: dict[str, int], request: pytest.FixtureRequest
) -> None:
    album = f"clinician-{request.node.callspec.id}"
    with both_sides(tmp_path, browser, size=size, album=album) as world:
        with world.clinician() as clinician:
            clinician.logs_in()
            expect(clinician.page.get_by_role("heading", level=2)).to_have_text("Er deelt nog niemand met u")
            clinician.picture("nobody")

        patient = world.patient
        patient.makes_a_vault()
        patient.press("to-collect")
        patient.collects(a_file(tmp_path))
        patient.says(re.compile("8 "))
        patient.adds_the_clinic(world.clinic.card)
        patient.says("share.new.stays")
        patient.signs()
        patient.says("share.state.delivered")

        with world.clinician() as clinician:
            clinician.logs_in()
            clinician.picture("list")
            address = clinician.opens(NAME)
            page = clinician.page.locator("body")
            sees_what_is_shared(page)
            clinician.picture("patient")
            clinician.page.goto(f"{address}/timeline")
            expect(page).to_contain_text("Hemoglobine")

            patient.press("share-stop")
            patient.press("dialog-yes")
            patient.says("share.state.stopped")

            clinician.page.reload()
            expect(page).to_contain_text(re.compile("niet meer gedeeld", re.IGNORECASE))
            clinician.page.goto(f"{world.clinic.url}/portal")
            expect(page).not_to_contain_text(NAME)
            clinician.picture("gone")


def test_a_wrong_password_opens_nothing(tmp_path: Path, browser: Browser) -> None:
    with (
        both_sides(tmp_path, browser, size=DESKTOP, album="clinician-wrong") as world,
        world.clinician() as clinician,
    ):
        clinician.page.goto(f"{world.clinic.url}/portal/login")
        clinician.page.locator("#name").fill("dewit")
        clinician.page.locator("#password").fill("een ander wachtwoord dan dit")
        clinician.page.locator("button.main").click()
        expect(clinician.page.get_by_role("alert")).to_contain_text("klopt niet")
        clinician.page.goto(f"{world.clinic.url}/portal")
        expect(clinician.page.locator("#password")).to_be_visible()
