"""Nobody is there for a while: the page is empty, the vault is locked, and what was answered is still there.

The wall clock of the app runs fast, so that five idle minutes take a few seconds; nothing else is changed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.flet_ui import Ui, server
from tests.support.journey import PHONE, QUESTIONNAIRE, Patient

pytestmark = pytest.mark.ui
SPEED = "20"  # five minutes in 15 seconds: longer than any step below takes, shorter than a wait
FIRST_QUESTION = "Hoe ging het de afgelopen week met u?"


def test_the_idle_lock_empties_the_page_and_keeps_the_answers(vaults: Path, browser: Browser) -> None:
    with (
        server(str(vaults), SPEED) as fast,
        Ui(fast.link, browser=browser, width=PHONE["width"], height=PHONE["height"]) as ui,
    ):
        patient = Patient(ui, "idle-lock")
        patient.unlocks()
        patient.tab("nav.check")
        patient.press(f"check-{QUESTIONNAIRE}")
        patient.says(FIRST_QUESTION)
        patient.press("answer-1")
        patient.press("check-next")
        patient.says(re.compile("Vraag 2 van"))
        patient.press("answer-2")
        second = ui.page.get_by_role("heading", level=2).last.inner_text()
        assert second.endswith("?")

        patient.says("lock.idle")  # nobody does anything any more
        patient.picture("locked")
        expect(ui.key("passphrase")).to_be_attached()
        document = ui.document()
        for word in (FIRST_QUESTION, second, "Vragenlijsten", "Vergrendelen"):
            assert word not in document, f"{word!r} is still in the page"

        patient.unlocks()
        patient.tab("nav.check")
        patient.says("check.draft_open")
        patient.press(f"check-{QUESTIONNAIRE}")
        patient.says("check.resumed")
        patient.says(re.compile("Vraag 2 van"))
        expect(ui.page.get_by_role("radio").nth(2)).to_be_checked()
        patient.picture("resumed")
        patient.press("check-back")
        patient.says(FIRST_QUESTION)
        expect(ui.page.get_by_role("radio").nth(1)).to_be_checked()
