"""What the browser journeys share: both processes, the patient's window and the clinician's window."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from pgo.ui.text import t
from tests.support.applications import PASSPHRASE
from tests.support.clinic_process import LOGIN, PASSWORD, ClinicProcess
from tests.support.flet_ui import PROJECT, Ui

SHOTS = PROJECT / "artefacts" / "journeys"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
SLOW_SECONDS = 30.0  # two processes, a browser and other people's work on two cores
QUESTIONNAIRE = "weekly-check"
_SEEN_OF_ALL = re.compile(r"(\d[\d.]*) van uw (\d[\d.]*) gegevens")


@dataclass
class Patient:
    """The patient's window.

    Attributes:
        ui: the browser on the app.
        album: name of the folder of pictures under `SHOTS`.
        camera: pictures are kept; off while somebody else's journey is prepared.
    """

    ui: Ui
    album: str
    pictures: int = 0
    camera: bool = True

    # ---------------------------------------------------------------- looking
    def picture(self, name: str) -> None:
        """Keep a picture; making it also looks whether Flutter drew what it should."""
        if not self.camera:
            return
        folder = SHOTS / self.album
        folder.mkdir(parents=True, exist_ok=True)
        self.pictures += 1
        self.ui.shot(folder / f"{self.pictures:02d}-{name}.png")

    def words(self, key_or_text: str | re.Pattern[str], **values: object) -> re.Pattern[str]:
        """A text of the app (by its key) or any other text, as what to look for."""
        if isinstance(key_or_text, re.Pattern):
            return key_or_text
        text = t("nl", key_or_text, **values)
        return re.compile(re.escape(key_or_text if text.startswith("[") else text))

    def says(self, key_or_text: str | re.Pattern[str], **values: object) -> None:
        """Wait for a text."""
        self.ui.expect_text(self.words(key_or_text, **values), timeout=SLOW_SECONDS)

    def says_no_more(self, key_or_text: str | re.Pattern[str], **values: object) -> None:
        """Wait until a text is neither shown nor spoken."""
        wanted = self.words(key_or_text, **values)
        shown = self.ui.page.get_by_text(wanted).or_(self.ui.page.get_by_label(wanted))
        expect(shown).to_have_count(0, timeout=SLOW_SECONDS * 1000)

    def seen_of_all(self) -> tuple[int, int]:
        """The numbers of the preview: (what the recipient would see, all records); everywhere the same."""
        self.says(_SEEN_OF_ALL)
        found = {(_number(n), _number(total)) for n, total in _SEEN_OF_ALL.findall(self.ui.text())}
        assert len(found) == 1, f"the preview contradicts itself: {found}"
        return found.pop()

    def held_back(self) -> int:
        """Sum of the lines that say what stays behind and why."""
        heading = t("nl", "share.new.stays")
        lines = self.ui.text().partition(f'"{heading}"')[2].split("- button", 1)[0]
        return sum(_number(n) for n in re.findall(r"(\d[\d.]*) gegevens?:", lines))

    # ----------------------------------------------------------------- acting
    def tab(self, key: str) -> None:
        """Go to a part of the app by the navigation: a bar with short names, or a rail on the desktop."""
        names = f"({re.escape(t('nl', key))}|{re.escape(t('nl', f'{key}.short'))})"
        page = self.ui.page
        bar = page.get_by_role("tab", name=re.compile(f"^{names}"))
        rail = page.get_by_role("button", name=re.compile(f"^{names} Tabblad"))
        where = bar.or_(rail).first
        where.wait_for(state="attached", timeout=SLOW_SECONDS * 1000)
        self.ui.tap(where)

    def record(self, part: str) -> None:
        """Open a part of the record: profile, medication, measurements or timeline."""
        self.tab("nav.record")
        self.press(f"tab-/{part}")

    def press(self, key: str) -> None:
        """Press what carries a key."""
        self.ui.tap(self.ui.key(key).first)

    def press_some(self, beginning: str) -> None:
        """Press the first thing whose key begins so: rows carry the number of their record."""
        self.ui.tap(self.ui.page.locator(f'[flt-semantics-identifier^="{beginning}"]').first)

    def _floor(self) -> float:
        """Where the page ends: at the navigation of a phone, a message, or the bottom of the window."""
        height: float = self.ui.page.evaluate("window.innerHeight")
        bars = (self.ui.page.get_by_role("tablist"), self.ui.key("notice"))
        # Not bounding_box(): a message may go while we look, and that would wait for it to come back.
        measure = "bars => bars.map(bar => bar.getBoundingClientRect().top)"
        tops: list[float] = [top for bar in bars for top in bar.evaluate_all(measure)]
        return min([height, *(top for top in tops if top > height / 2)])

    def scrolls_to(self, heading: re.Pattern[str]) -> None:
        """Turn the wheel until a heading stands in the upper half."""
        where = self.ui.page.get_by_role("heading", name=heading).first
        for _ in range(30):
            box = where.bounding_box()
            if box is not None and box["y"] < self._floor() / 2:
                return
            self.ui.scroll(150)

    def has(self, key: str) -> bool:
        """Whether something carries this key now."""
        return self.ui.key(key).count() > 0

    def picks(self, key: str, path: Path) -> None:
        """Press what opens the file chooser, and choose."""
        with self.ui.page.expect_file_chooser() as chooser:
            self.press(key)
        chooser.value.set_files(path)

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

    def unlocks(self, passphrase: str = PASSPHRASE) -> None:
        """Type the passphrase on the lock screen."""
        self.ui.key("passphrase").wait_for(state="attached", timeout=SLOW_SECONDS * 1000)
        self.ui.fill_key("passphrase", passphrase)
        self.press("unlock")

    def collects(self, path: Path) -> None:
        """Pick a file; the caller waits for what it expects."""
        self.picks("pick", path)

    def answers(self, option: str) -> None:
        """Fill in the whole questionnaire, each question with the same place in its list."""
        self.press(f"check-{QUESTIONNAIRE}")
        for place in range(1, 30):
            self.says(re.compile(rf"Vraag {place} van \d"))
            if self.has(option):  # the last one is an optional line of text
                self.press(option)
            self.press("check-next")
            self.says(re.compile(rf"Vraag {place + 1} van \d|Klopt alles"))
            if self.has("check-finish"):
                break
        self.press("check-finish")
        self.ui.key("check-ready").wait_for(state="attached", timeout=SLOW_SECONDS * 1000)

    def adds_the_clinic(self, card: str | Path) -> None:
        """Paste the card or pick its file, compare, accept."""
        self.tab("nav.share")
        self.press("share-add")
        if isinstance(card, Path):
            self.picks("card-pick", card)
        else:
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


def _number(text: str) -> int:
    return int(text.replace(".", ""))


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

    def records_in_view(self) -> int:
        """How many records of the opened patient the portal shows, as its own page says."""
        self.page.locator("details.grant summary").click()
        row = self.page.locator("dl.grant-facts div", has_text="Gegevens nu te zien")
        return _number(row.locator("dd").inner_text())


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
def both_sides(
    clinic: ClinicProcess, folder: Path, browser: Browser, *, size: dict[str, int], album: str, **window: Any
) -> Iterator[World]:
    """Start the app in a process of its own, with a window on it, beside a clinic that runs."""
    shutil.rmtree(SHOTS / album, ignore_errors=True)  # no pictures of an earlier run between the new ones
    with (
        the_app(folder / "patient") as link,
        Ui(link, browser=browser, width=size["width"], height=size["height"], **window) as ui,
    ):
        yield World(clinic, Patient(ui, album), browser, album, size)
        # What our own content policy stopped never left the browser.
        left = [url for url in ui.foreign if not any(url in failed for failed in ui.failed)]
        assert not left, f"requests to other hosts: {left}"


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
