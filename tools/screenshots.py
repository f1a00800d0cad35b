"""Make the pictures of README and docs again: ``.venv/bin/python tools/screenshots.py [portal]``.

Starts ``pgo demo`` in a temporary folder, opens the example person in a browser window of 1280 x 800, light
theme, Dutch, and writes ``docs/images/overview.png`` and ``docs/images/share-preview.png``; then a clinic
with a synthetic patient for ``docs/images/recipient-patient.png`` (with ``portal`` only that one). Needs what
the browser tests need: the development packages and an installed Chromium, Chrome or Edge.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the helpers that drive the browser lie beside the tests

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from consent.codes import ANY, Category  # noqa: E402
from pgo.ui.text import t  # noqa: E402
from tests.e2e.recipient_server import running_clinic  # noqa: E402
from tests.support.clinical_rich import rich_record  # noqa: E402
from tests.support.flet_ui import ARGS, Ui, find_browser  # noqa: E402
from tests.support.patient_side import PatientSide  # noqa: E402
from tests.support.portal_browser import logged_in  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1280, 800
SLOW_SECONDS = 30.0
LATE = 7  # records that come after the first look
CARE = tuple(Category(name) for name in ("problems", "medications", "allergies", "labs", "vitals"))
CARE += tuple(Category(name) for name in ("vaccinations", "documents", "directives", "questionnaires"))
CARE += (Category.SELF_MEASURED, Category.DEMOGRAPHICS)
NOTICE_SECONDS = 6.0  # a message at the bottom goes by itself after 4 s


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Run the demonstration; gives the one-time link it prints."""
    command = [sys.executable, "-u", "-m", "pgo", "demo", "--data", str(folder), "--no-browser"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                link = re.search(r"http://\S+/launch\S*", line)
                if link is not None:
                    yield link.group()
                    return
            raise SystemExit("the demonstration did not start")
        finally:
            process.terminate()
            process.wait(10)


def overview(ui: Ui) -> None:
    """Open the example person; the overview is the first thing to see."""
    ui.click_key("open-example")
    ui.key("lock").wait_for(state="attached", timeout=SLOW_SECONDS * 1000)
    ui.expect_text(re.compile(re.escape(t("nl", "overview.newest"))), timeout=SLOW_SECONDS)
    ui.page.mouse.move(WIDTH - 4, HEIGHT - 4)  # nothing is lit up by the pointer
    ui.settle(600)
    ui.shot(IMAGES / "overview.png")


def share_preview(ui: Ui) -> None:
    """Take the card of the practice clinic and look at what it would see."""
    ui.click(re.compile(f"^{re.escape(t('nl', 'nav.share'))}"))
    ui.click_key("share-add")
    ui.click_key("card-demo")
    ui.settle(300)
    ui.click_key("card-check")
    ui.click_key("card-accept")
    ui.expect_text(re.compile(r"\d+ van uw \d+ gegevens"), timeout=SLOW_SECONDS)
    ui.page.wait_for_timeout(NOTICE_SECONDS * 1000)
    heading = ui.page.get_by_role("heading", name=re.compile("te zien krijgt")).first
    for _ in range(20):
        box = heading.bounding_box()
        if box is not None and box["y"] < HEIGHT / 3:
            break
        ui.scroll(120)
    ui.page.mouse.move(WIDTH - 4, HEIGHT - 4)
    ui.settle(600)
    ui.shot(IMAGES / "share-preview.png")


def portal(browser: Browser, folder: Path) -> None:
    """Share a synthetic record with a clinic, look once, share the rest, and look again."""
    with running_clinic(folder / "clinic") as clinic:
        patient = PatientSide.of(clinic.url, at=clinic.clock())
        patient.grant(at=clinic.clock(), category=CARE, sensitivity=ANY)
        records = rich_record()
        patient.push(records[:-LATE], at=clinic.clock())
        (path,) = re.findall(r'href="(/portal/patient/[\w-]+)"', clinic.member().get("/portal").text)
        clinic.member().get(path)
        clinic.clock.forward(days=1)
        patient.push(records[-LATE:], at=clinic.clock())
        with logged_in(clinic, browser, viewport={"width": WIDTH, "height": HEIGHT}) as visitor:
            visitor.page.goto(clinic.url + path)
            visitor.page.screenshot(path=IMAGES / "recipient-patient.png")


def main() -> None:
    """Make the pictures."""
    path = find_browser()
    if path is None:
        raise SystemExit("no Chromium, Chrome or Edge found (set CHROMIUM to its path)")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pgo-pictures-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        portal(browser, Path(folder))
        if "portal" in sys.argv[1:]:
            return
        with (
            demo(Path(folder) / "demo") as link,
            Ui(link, browser=browser, width=WIDTH, height=HEIGHT, timeout=SLOW_SECONDS) as ui,
        ):
            overview(ui)
            share_preview(ui)
        browser.close()


if __name__ == "__main__":
    main()
