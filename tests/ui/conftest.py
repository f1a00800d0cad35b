"""Fixtures of the screen and browser tests.

Browser tests are marked ``ui``. Where no Chromium, Chrome or Edge is installed they are skipped with that
reason; with ``PGO_REQUIRE_BROWSER=1`` (continuous integration) they fail instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from pgo.usecases.unlock import create_vault
from tests.support.applications import PASSPHRASE, an_application
from tests.support.flet_ui import ARGS, PROJECT, Server, Ui, find_browser, server

FAILURES = PROJECT / "artefacts" / "failures"
VAULT_NAME = "Proef"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole run; a fresh context per test."""
    path = find_browser()
    if path is None:
        reason = "no Chromium, Chrome or Edge found (set CHROMIUM to its path)"
        if os.environ.get("PGO_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield found
        found.close()


@pytest.fixture
def vaults(tmp_path: Path) -> Path:
    """A folder with one empty vault, opened by `PASSPHRASE`."""
    folder = tmp_path / "vaults"
    made = create_vault(an_application(folder), folder / VAULT_NAME, PASSPHRASE)
    made.session.lock()
    return folder


@pytest.fixture
def srv(vaults: Path) -> Iterator[Server]:
    """The app in a process of its own, on that folder."""
    with server(str(vaults)) as running:
        yield running


@pytest.fixture
def ui(srv: Server, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Ui]:
    """A browser on the start screen; every such test also shows that nothing leaves the machine."""
    options: dict[str, Any] = getattr(request, "param", {})
    with Ui(srv.link, browser=browser, **options) as page:
        yield page
        left = [f for f in page.foreign if not any(x.startswith("csp") and f in x for x in page.failed)]
        assert not left, f"requests to other hosts: {left}"


@pytest.fixture
def opened(ui: Ui) -> Ui:
    """A browser on the overview of the open vault."""
    ui.fill_key("passphrase", PASSPHRASE)
    ui.click_key("unlock")
    ui.key("lock").wait_for(state="attached")
    return ui


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """On failure keep a picture and the accessibility tree."""
    outcome: Any = yield
    report = outcome.get_result()
    page = getattr(item, "funcargs", {}).get("ui")
    if report.failed and isinstance(page, Ui):
        FAILURES.mkdir(parents=True, exist_ok=True)
        page.page.screenshot(path=str(FAILURES / f"{item.name}.png"))
        log = page.text() + "\n\n" + "\n".join(page.console)
        (FAILURES / f"{item.name}.txt").write_text(log, encoding="utf-8")
