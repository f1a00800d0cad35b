"""A clinician logs in at a real OpenID Connect provider, in a real browser: in, second step, out again."""

from __future__ import annotations

import base64
import contextlib
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from crypto.one_time import OneTimeSecret
from recipient.accounts import add_account
from recipient.login.admission import admit
from recipient.login.services import LoginService, set_service
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support.journey import SHOTS
from tests.support.node_modules import FOLDER, MODULES

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]
CLIENT_ID, CLIENT_SECRET, PERSON = "portal", "x" * 43, "jansen"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with running_clinic(tmp_path / "clinic") as running:
        running.clock.now = datetime.now(UTC)  # the provider has a clock of its own
        yield running


@pytest.fixture
def issuer(clinic: Clinic, node_modules: Path) -> Iterator[str]:
    """The provider, in a process of its own; node looks for its packages beside the script."""
    assert (node_modules / "oidc-provider").is_dir()
    back = f"{clinic.url}/portal/login/at/dienst/done"
    process = subprocess.Popen(
        ["node", "login_service.mjs", CLIENT_ID, CLIENT_SECRET, back, f"{clinic.url}/portal/login"],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = next((line.strip() for line in process.stdout if line.startswith("http://127.0.0.1:")), "")
        assert said, "the provider did not start"
        yield said
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def shot(page: Page, name: str) -> None:
    """Keep a picture, and let axe-core look at the page in light and dark."""
    folder = SHOTS / "login-service"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"), full_page=True)
    page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text("utf-8"))
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate("async () => (await axe.run()).violations")
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], (name, scheme)


def test_a_clinician_logs_in_at_a_service_and_out_again(
    browser: Browser, clinic: Clinic, issuer: str
) -> None:
    set_service(clinic.store, LoginService("dienst", "Dienst Zuid", issuer, CLIENT_ID, CLIENT_SECRET))
    add_account(clinic.store, name=PERSON, display="J. Jansen", role="arts", password=None, at=clinic.clock())
    admit(clinic.store, name=PERSON, issuer=issuer, who=f"{PERSON}@example.org")
    context = browser.new_context(locale="nl-NL", viewport={"width": 390, "height": 844})
    context.route(re.compile(r"^https?://(?!127\.0\.0\.1:)"), lambda route: route.abort())
    context.set_default_timeout(60_000)
    page = context.new_page()
    try:
        page.goto(f"{clinic.url}/portal")
        shot(page, "1-ways-in")
        page.get_by_role("link", name="Inloggen met Dienst Zuid").click()
        logs_in_there(page, issuer)
        sets_up_the_second_step(page, clinic)
        expect(page.get_by_role("heading", name="Bewaar uw herstelcodes")).to_be_visible()
        expect(page.locator("ul.codes li")).to_have_count(10)
        shot(page, "3-codes")
        page.get_by_role("link", name="Ik heb ze bewaard").click()
        expect(page.locator("body")).to_contain_text("Er deelt nog niemand met u")
        page.goto(f"{clinic.url}/portal/account")
        expect(page.locator("ul.sessions")).to_contain_text("dienst")
        shot(page, "4-account")
        logs_out_here_and_there(page, clinic)
    finally:
        context.close()


def logs_in_there(page: Page, issuer: str) -> None:
    page.wait_for_url(f"{issuer}/interaction/**")
    page.locator("input[name=login]").fill(PERSON)
    page.locator("input[name=password]").fill("any will do there")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()


def sets_up_the_second_step(page: Page, clinic: Clinic) -> None:
    """By the typed key, as without a camera."""
    expect(page.get_by_role("img", name=re.compile("QR-code"))).to_be_visible()
    page.get_by_text("Lukt scannen niet?").click()
    shot(page, "2-setup")
    letters = page.locator("p.letters").inner_text().replace(" ", "")
    secret = OneTimeSecret(base64.b32decode(letters))
    page.locator("#code").fill(secret.code(clinic.clock()))
    page.get_by_role("button", name="Instellen").click()


def logs_out_here_and_there(page: Page, clinic: Clinic) -> None:
    page.get_by_role("button", name="Uitloggen", exact=True).first.click()
    expect(page.get_by_role("heading", name="U bent hier uitgelogd")).to_be_visible()
    shot(page, "5-out")
    page.get_by_role("button", name="Uitloggen bij Dienst Zuid").click()
    page.locator("button[value=yes]").click()
    page.wait_for_url(f"{clinic.url}/portal/login**")
    page.goto(f"{clinic.url}/portal")
    expect(page.locator("#password")).to_be_visible()
