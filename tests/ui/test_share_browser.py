"""The sharing screens as a browser shows them: headings and roles, keyboard alone, large text in the dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from pgo.usecases import share
from pgo.usecases.settings import save_settings, settings
from tests.support.applications import PASSPHRASE
from tests.support.flet_ui import PROJECT, Ui, server
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card, an_open_vault

pytestmark = pytest.mark.ui
SHOTS = PROJECT / "artefacts" / "share"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def ui(tmp_path: Path, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Ui]:
    """The app on a vault with eight records and one known clinic, unlocked, on the sharing screen."""
    options: dict[str, Any] = dict(getattr(request, "param", {}))
    scale, theme = options.pop("scale", 1.0), options.pop("theme", "light")
    session = an_open_vault(tmp_path)
    share.add_recipient(session, a_card())
    save_settings(session, replace(settings(session), theme=theme, text_scale=scale))
    session.lock()
    with server(str(tmp_path)) as running, Ui(running.link, browser=browser, **options) as window:
        window.fill_key("passphrase", PASSPHRASE)
        window.click_key("unlock")
        window.click(re.compile("^Delen"))
        window.expect_text("Met wie kunt u delen")
        yield window


@pytest.mark.parametrize("ui", [PHONE], indirect=True)
def test_headings_and_roles_are_real(ui: Ui) -> None:
    expect(ui.page.get_by_role("heading", level=1, name="Delen")).to_be_attached()
    expect(ui.page.get_by_role("heading", level=3, name=CLINIC_NAME)).to_be_attached()
    expect(ui.page.get_by_role("button", name=f"Deel gegevens: {CLINIC_NAME}")).to_be_attached()
    ui.click_key(f"give-{CLINIC_ID}")
    ui.expect_text(re.compile("7 van uw 8 gegevens"))
    expect(ui.page.get_by_role("radio")).to_have_count(10)
    for title in ("Wat wilt u delen?", "Hoe lang?", "Dit betekent het", "Goed om te weten"):
        expect(ui.page.get_by_role("heading", level=2, name=title)).to_be_attached()
    ui.click_key("share-preset-own")
    ui.expect_text("Gevoelige onderwerpen")
    expect(ui.page.get_by_role("switch", name="Hiv")).to_be_attached()
    expect(ui.page.get_by_role("switch", name="Hiv")).not_to_be_checked()
    ui.expect_no_error_box()


def test_a_choice_can_be_made_with_the_keyboard_alone(ui: Ui) -> None:
    ui.tab_to(f"Deel gegevens: {CLINIC_NAME}")
    ui.press("Enter")
    ui.expect_text(re.compile("7 van uw 8 gegevens"))
    for _ in range(40):
        ui.press("Tab")
        if ui.page.evaluate("document.activeElement.getAttribute('role')") == "radio":
            break
    ui.press("ArrowDown")
    ui.expect_text(re.compile("4 van uw 8 gegevens"))


@pytest.mark.parametrize("ui", [{**PHONE, "scale": 1.5, "theme": "dark", "dark": True}], indirect=True)
def test_large_text_in_the_dark_is_cut_off_nowhere(ui: Ui) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    ui.shot(SHOTS / "overview-dark-large.png")
    ui.click_key(f"give-{CLINIC_ID}")
    ui.expect_text(re.compile("7 van uw 8 gegevens"))
    ui.shot(SHOTS / "new-dark-large.png")
    ui.expect_no_error_box()
    for button in ui.page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is None or box["x"] + box["width"] <= PHONE["width"] + 1, button.inner_text()
