"""The frame: navigation, lock, failures, one live window, what is loaded at the first frame."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import flet as ft
import pytest

from pgo.errors import InputRefused, VaultBusy
from pgo.ui import app as ui_app
from pgo.ui.safety import component, install
from pgo.ui.state import Failed, Ok
from pgo.ui.text import t
from pgo.ui.widgets import feedback
from tests.support.applications import an_application
from tests.support.flet_ui import PROJECT
from tests.support.headless import Headless, run
from tests.support.screens import locked_frame, open_frame

ROUTES = ["/", "/collect", "/settings"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("width", [390, 1280])
def test_every_screen_of_the_frame_renders_small(tmp_path: Path, route: str, width: float) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route=route, width=width) as frame:
            await frame.app.wait_gone("Even geduld")
            texts = frame.app.texts()
            assert not [text for text in texts if text.startswith("[") or "niet worden getoond" in text], (
                texts
            )
            assert not frame.app.conn.crashes
            assert frame.app.conn.bytes < 60_000
            kind: type[Any] = ft.NavigationBar if width < 700 else ft.NavigationRail
            bar = frame.app.of_kind(kind)
            assert len(bar) == 1
            assert len(bar[0].destinations) == 5
            assert frame.app.has_key("lock")

    run(go())


def test_an_unknown_address_says_so_inside_the_frame(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/no/such/place") as frame:
            assert frame.app.has_text("bestaat niet")
            assert frame.app.has_key("lock")

    run(go())


def test_lock_clears_views_and_address_and_locks_the_vault(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/settings") as frame:
            await frame.app.wait_text("Automatisch vergrendelen")
            await frame.app.click("lock")
            await frame.app.wait(lambda: frame.session.closed, "the vault stayed open")
            await frame.app.wait_text("Proef openen")
            assert not frame.app.has_text("Automatisch vergrendelen")
            assert frame.app.page.route == "/"

    run(go())


def test_a_locked_frame_shows_no_screen_whatever_the_address(tmp_path: Path) -> None:
    async def go() -> None:
        async with locked_frame(an_application(tmp_path)) as (app, _, _windows):
            for _, name in ui_app.SCREENS[:3]:
                app.page.navigate(f"/{name}")
                await app.settle(40)
                assert not app.has_key("lock")

    run(go())


def test_expected_failures_become_one_sentence_and_go_away_with_the_next_success(tmp_path: Path) -> None:
    def busy() -> None:
        raise VaultBusy

    async def go() -> None:
        async with open_frame(tmp_path) as frame:
            outcome = await frame.state.run(busy)
            await frame.app.settle()
            assert isinstance(outcome, Failed)
            assert frame.app.has_text("al open in een ander programma")
            assert isinstance(await frame.state.run(lambda: 1), Ok)
            await frame.app.settle()
            assert not frame.app.has_text("al open in een ander programma")
            refused = frame.state.explain(InputRefused("never_heard_of"))
            assert "never_heard_of" in refused.text

    run(go())


def test_a_change_made_elsewhere_is_seen(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path) as frame:
            before = frame.state.revision
            frame.session.changed()
            await frame.app.wait(lambda: frame.state.revision > before, "the change was not seen")

    run(go())


def test_undo_takes_back(tmp_path: Path) -> None:
    taken: list[str] = []

    async def undo() -> None:
        taken.append("back")

    async def go() -> None:
        async with open_frame(tmp_path) as frame:
            frame.state.say("Weggegooid", undo)
            await frame.app.settle(40)
            await frame.app.click("notice-undo")
            assert taken == ["back"]
            await frame.app.wait(lambda: not frame.app.has_key("notice"), "the message stayed")

    run(go())


def test_a_message_gives_way_to_the_next_and_goes_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "_NOTICE_SECONDS", 0.3)

    async def undo() -> None:
        raise AssertionError("nobody pressed it")

    async def go() -> None:
        async with open_frame(tmp_path) as frame:
            frame.state.say("Opgeslagen")
            await frame.app.settle(20)
            frame.state.say("Weggegooid", undo)
            await frame.app.wait(lambda: frame.app.has_key("notice-undo"), "the second message is not there")
            await asyncio.sleep(0.5)  # the time of the first is over, not that of the second
            assert frame.app.has_key("notice-undo")
            frame.state.say("Teruggezet")
            await frame.app.wait(lambda: not frame.app.has_key("notice-undo"), "the second message stayed")
            await frame.app.wait(lambda: not frame.app.has_key("notice"), "the message stayed")

    run(go())


def test_a_second_window_ends_the_first(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path) as frame:
            windows = frame.app.main.__self__  # type: ignore[attr-defined]
            async with Headless(windows.open) as second:
                await frame.app.wait(lambda: frame.session.closed, "the first window kept the vault")
                assert frame.app.has_text("Dit venster is gesloten")
                assert not frame.app.has_key("lock")
                await second.wait_text("Proef openen")

    run(go())


def test_a_vault_locked_while_the_browser_is_away_shows_nothing_when_it_comes_back(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/settings") as frame:
            await frame.app.wait_text("Automatisch vergrendelen")
            windows = frame.app.main.__self__  # type: ignore[attr-defined]
            await frame.app.session.disconnect(30)
            windows._live.run(frame.state.lock_idle)
            await frame.app.wait(lambda: frame.session.closed, "the vault stayed open")
            await frame.app.wait_text("Vergrendeld omdat")
            assert not frame.app.has_text("Automatisch vergrendelen")

    run(go())


# ---------------------------------------------------------------- failures
SECRET = "GEHEIM: HbA1c 53"


@component
def Broken() -> ft.Control:
    broken, set_broken = ft.use_state(False)
    if broken:
        raise RuntimeError(SECRET)
    return ft.FilledButton("Teken", on_click=lambda: set_broken(True))


@component
def Fragile() -> ft.Control:
    count, set_count = ft.use_state(0)

    def handler() -> None:
        raise ValueError(SECRET)

    return ft.Column(
        [
            Broken(),
            ft.FilledButton("Doe", on_click=handler),
            ft.FilledButton("Tel", on_click=lambda: set_count(count + 1)),
            ft.Text(f"geteld {count}"),
        ]
    )


def test_error_text_stays_inside(caplog: pytest.LogCaptureFixture) -> None:
    def main(page: ft.Page) -> None:
        install(page, lambda key: t("nl", key))
        page.render(Fragile)

    async def go() -> None:
        async with Headless(main) as app:
            await app.click("Doe")
            await app.wait_text("Er ging iets mis")
            await app.click("Teken")
            await app.wait_text("niet worden getoond")
            await app.click("Tel")
            await app.wait_text("geteld 1")  # the rest of the screen lives on
            assert not app.conn.crashes
            assert not any(SECRET in text for text in app.texts())
            assert SECRET not in str(app.conn.sent)

    with caplog.at_level(logging.DEBUG):
        run(go())
    assert caplog.records
    assert SECRET not in caplog.text


# ---------------------------------------------------------------- start-up
HEAVY = (
    "fhir",
    "httpx",
    "zxcvbn",
    "jwt",
    "flet_charts",
    "consent",
    "sync",
    "pgo.health",
    "jinja2",
    "recipient",
)


def test_the_first_frame_loads_nothing_heavy(tmp_path: Path) -> None:
    """FHIR models, network client, charts, consent and sync are not loaded when the first screen is drawn.

    Pydantic is: Flet's own web server (FastAPI) brings it, and with it nothing of `fhir.resources`.
    """
    code = f"""
import json, sys, pathlib
from tests.support.headless import Headless, run
from tests.support.applications import an_application
from tests.support.screens import locked_frame
import pgo.ui.host, flet_web.fastapi
async def go():
    async with locked_frame(an_application(pathlib.Path({str(tmp_path)!r}))) as (app, _, _w):
        assert app.has_key("create-vault")
        print(json.dumps(sorted(sys.modules)))
run(go())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    heavy = [name for name in loaded if any(name == h or name.startswith(h + ".") for h in HEAVY)]
    assert heavy == []
