"""What the browser journeys share: both processes, the patient's window and the clinician's window."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from pgo.ui.text import t
from tests.support.applications import PASSPHRASE
from tests.support.clinic_process import CLINIC_ID, CLINICIAN, LOGIN, PASSWORD, ClinicProcess
from tests.support.flet_ui import PROJECT, Ui
from tests.support.sharing import a_record

SHOTS = PROJECT / "artefacts" / "journeys"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
SLOW_SECONDS = 30.0  # two processes, a browser and other people's work on two cores


def a_file(folder: Path) -> Path:
    """Write the small record with one entry that is no resource."""
    bundle: dict[str, Any] = json.loads(a_record())
    bundle["entry"].append({"resource": {"id": "zonder-soort"}})
    path = folder / "dossier.json"
    path.write_text(json.dumps(bundle), encoding="utf-8")
    return path


@dataclass
class Patient:
    """The patient's window.

    Attributes:
        ui: the browser on the app.
        album: name of the folder of pictures under `SHOTS`.
    """

    ui: Ui
    album: str
    pictures: int = 0

    def picture(self, name: str) -> None:
        """Keep a picture, and look whether Flutter drew what it should."""
        folder = SHOTS / self.album
        folder.mkdir(parents=True, exist_ok=True)
        self.pictures += 1
        self.ui.shot(folder / f"{self.pictures:02d}-{name}.png")
        self.ui.expect_no_error_box()

    def says(self, key_or_text: str | re.Pattern[str], **values: object) -> None:
        """Wait for a text of the app (by its key) or any other text."""
        text = t("nl", key_or_text, **values) if isinstance(key_or_text, str) else key_or_text
        if isinstance(text, str) and text.startswith("["):
            text = str(key_or_text)
        wanted = re.compile(re.escape(text)) if isinstance(text, str) else text
        self.ui.expect_text(wanted, timeout=SLOW_SECONDS)

    def tab(self, key: str) -> None:
        """Go to a part of the app by the navigation; a phone shows the short names."""
        long, short = re.escape(t("nl", key)), re.escape(t("nl", f"{key}.short"))
        self.ui.click(re.compile(rf"^({long}|{short})( Tabblad.*)?$"))

    def press(self, key: str) -> None:
        """Press what carries a key."""
        self.ui.click_key(key)

    # ------------------------------------------------------------------ steps
    def makes_a_vault(self) -> None:
        """Create, write the recovery code down, type it back."""
        self.press("create-vault")
        self.ui.fill_key("passphrase", PASSPHRASE)
        self.ui.fill_key("passphrase-again", PASSPHRASE)
        self.picture("new-vault")
        self.press("make")
        code = self.ui.key("recovery-code")
        code.wait_for(state="attached", timeout=SLOW_SECONDS * 1000)
        spelled = code.first.get_attribute("aria-label") or code.first.inner_text()
        self.picture("recovery-code")
        self.press("written")
        self.ui.fill_key("recovery-typed", spelled.partition(":")[2].replace(" ", "").replace(",", "-"))
        self.press("confirm")
        self.says("overview.empty.title")
        self.picture("empty-overview")

    def collects(self, path: Path) -> None:
        """Pick a file and wait until it is in."""
        with self.ui.page.expect_file_chooser() as chooser:
            self.press("pick")
        chooser.value.set_files(path)

    def adds_the_clinic(self, card: str) -> None:
        """Paste the card, compare, accept."""
        self.tab("nav.share")
        self.press("share-add")
        self.ui.fill_key("card-text", card)
        self.press("card-check")
        self.says("share.add.found")
        self.picture("card")
        self.press("card-accept")
        self.says("share.new.what")

    def signs(self) -> None:
        """Sign the share as it stands."""
        self.press("share-sign")
        self.says("share.detail.agreed")


@dataclass
class Clinician:
    """The clinician's window on the portal."""

    page: Page
    url: str
    album: str

    def picture(self, name: str) -> None:
        """Keep a picture."""
        folder = SHOTS / self.album
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(folder / f"portal-{name}.png"), full_page=True)

    def logs_in(self) -> None:
        """Fill in the form."""
        self.page.goto(f"{self.url}/portal/login")
        self.page.locator("#name").fill(LOGIN)
        self.page.locator("#password").fill(PASSWORD)
        self.page.locator("button.main").click()
        expect(self.page.get_by_role("heading", level=1, name="Patiënten")).to_be_visible()

    def opens(self, name: str) -> str:
        """Open a patient from the list; returns the address."""
        self.page.goto(f"{self.url}/portal")
        self.page.locator("a.person", has_text=name).click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(name)
        return self.page.url


@contextlib.contextmanager
def the_app(vaults: Path) -> Iterator[str]:
    """Run ``pgo app`` as a person would; gives the one-time link it prints."""
    call = [sys.executable, "-u", "-m", "pgo", "app", "--vaults", str(vaults), "--no-browser"]
    with subprocess.Popen(call, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            link = re.search(r"http://\S+", process.stdout.readline())
            assert link is not None, "the app printed no link"
            yield link.group()
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def both_sides(folder: Path, browser: Browser, *, size: dict[str, int], album: str) -> Iterator[World]:
    """Start the clinic and the app, each in a process of its own, with a window on the app."""
    clinic = ClinicProcess(folder)
    try:
        with (
            the_app(folder / "patient") as link,
            Ui(link, browser=browser, timeout=15, width=size["width"], height=size["height"]) as ui,
        ):
            yield World(clinic, Patient(ui, album), browser, album, size)
    finally:
        clinic.stop()


@dataclass
class World:
    """Everything of one journey."""

    clinic: ClinicProcess
    patient: Patient
    browser: Browser
    album: str
    size: dict[str, int]

    @contextlib.contextmanager
    def clinician(self) -> Iterator[Clinician]:
        """A window on the portal, in a browser context of its own."""
        viewport = {"width": self.size["width"], "height": self.size["height"]}
        context = self.browser.new_context(viewport=viewport, locale="nl-NL")  # type: ignore[arg-type]
        try:
            yield Clinician(context.new_page(), self.clinic.url, self.album)
        finally:
            context.close()


__all__ = [
    "CLINICIAN",
    "CLINIC_ID",
    "DESKTOP",
    "PHONE",
    "Clinician",
    "Patient",
    "World",
    "a_file",
    "both_sides",
]
