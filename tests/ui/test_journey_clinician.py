"""The clinician's journey in a real browser: who shares, what, until when; nothing after it was stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.clinic_process import LOGIN, ClinicProcess, running_clinic
from tests.support.dossiers import Dossier, own_dossier
from tests.support.journey import DESKTOP, PHONE, Clinician, Patient, World, both_sides

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[ClinicProcess]:
    """A clinic that nobody shares with yet."""
    with running_clinic(tmp_path) as running:
        yield running


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_clinician_reads_what_is_shared_and_no_more(
    tmp_path: Path, browser: Browser, clinic: ClinicProcess, size: dict[str, int]
) -> None:
    kind = "phone" if size is PHONE else "desktop"
    dossier = own_dossier(tmp_path, f"Test {kind.title()}")
    with both_sides(clinic, tmp_path, browser, size=size, album=f"clinician-{kind}") as world:
        with world.clinician() as clinician:
            clinician.logs_in()
            expect(clinician.page.get_by_role("heading", level=2)).to_have_text("Er deelt nog niemand met u")
            clinician.picture("nobody")
        # The course of a score needs two filled-in questionnaires; once is enough to see it.
        checks = ("answer-1", "answer-2") if size is DESKTOP else ()
        shares(world.patient, world, dossier, checks)
        with world.clinician() as clinician:
            clinician.logs_in()
            clinician.picture("list")
            address = clinician.opens(dossier.name)
            sees_what_is_shared(clinician.page.locator("body"))
            clinician.picture("patient")
            if checks:
                follows_a_course(clinician)
            follows_the_links(clinician, address)
            stops(world.patient)
            finds_nothing_any_more(clinician, dossier, address)


def shares(patient: Patient, world: World, dossier: Dossier, checks: tuple[str, ...]) -> None:
    patient.camera = False
    patient.makes_a_vault()
    patient.press("to-collect")
    patient.collects(dossier.file)
    patient.says("collect.imported", n=dossier.imported, file=dossier.file.name)
    for option in checks:
        patient.tab("nav.check")
        patient.answers(option)
        patient.press("check-ready")
        patient.says("check.courses")
    patient.adds_the_clinic(world.clinic.card)
    patient.says("share.new.stays")
    patient.signs()
    patient.says("share.state.delivered")


def sees_what_is_shared(page: Locator) -> None:
    for shown in ("Penicilline", "Methotrexaat", "Foliumzuur", "Reumatoïde artritis", "Gewicht"):
        expect(page).to_contain_text(shown)
    expect(page).to_contain_text(re.compile("Gedeeld voor behandeling, tot .* 20"))
    expect(page).not_to_contain_text("Hiv")


def follows_a_course(clinician: Clinician) -> None:
    """From the tile of a score to its course over time."""
    page = clinician.page
    page.locator("a.tile", has_text="Kwaliteit van leven").click()
    expect(page.get_by_role("img")).to_be_visible()
    expect(page.locator("table tbody tr")).to_have_count(2)
    clinician.picture("trend")
    page.go_back()


def follows_the_links(clinician: Clinician, address: str) -> None:
    """Scope of the grant, the timeline, one record."""
    page = clinician.page
    page.locator("details.grant summary").click()
    for fact in ("Wat gedeeld wordt", "Doel", "Eindigt", "Laatst bevestigd", "Sleutel van de patiënt"):
        expect(page.locator("dl.grant-facts dt", has_text=fact)).to_be_visible()
    page.goto(f"{address}/timeline")
    expect(page.locator("body")).to_contain_text("Hemoglobine")
    page.locator("a.line-row", has_text="Methotrexaat").click()
    expect(page.get_by_role("heading", name="Methotrexaat")).to_be_visible()
    clinician.picture("record")


def stops(patient: Patient) -> None:
    patient.press("share-stop")
    patient.press("dialog-yes")
    patient.says("share.state.stopped")


def finds_nothing_any_more(clinician: Clinician, dossier: Dossier, address: str) -> None:
    """The open page, the old addresses and the list, all without logging in again."""
    page = clinician.page
    for old in (page.url, address, f"{address}/timeline"):
        page.goto(old)
        expect(page.locator("body")).to_contain_text(re.compile("niet meer gedeeld", re.IGNORECASE))
        expect(page.locator("body")).not_to_contain_text("Methotrexaat")
    clinician.picture("no-longer-shared")
    page.goto(f"{clinician.url}/portal")
    expect(page.locator("body")).not_to_contain_text(dossier.name)
    clinician.picture("gone")


def test_a_wrong_password_opens_nothing(browser: Browser, clinic: ClinicProcess) -> None:
    context = browser.new_context(locale="nl-NL")
    page = context.new_page()
    page.goto(f"{clinic.url}/portal/login")
    page.locator("#name").fill(LOGIN)
    page.locator("#password").fill("een ander wachtwoord dan dit")
    page.locator("button.main").click()
    expect(page.get_by_role("alert")).to_contain_text("klopt niet")
    page.goto(f"{clinic.url}/portal")
    expect(page.locator("#password")).to_be_visible()
    context.close()
