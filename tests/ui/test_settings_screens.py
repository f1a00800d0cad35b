"""The settings: every row leads to a screen, and says in both languages what is behind it."""

from __future__ import annotations

from pathlib import Path

from pgo.ui import app as ui_app
from pgo.ui import text
from pgo.ui.settings.sections import SECTIONS
from tests.support.headless import run
from tests.support.screens import open_frame


def test_every_row_has_a_screen_and_its_words() -> None:
    routes = {route for route, _ in ui_app.SCREENS}
    for section in SECTIONS:
        for row in section.rows:
            assert f"settings/{row.name}" in routes
            for lang in text.LANGUAGES:
                assert text.has(lang, f"settings.row.{row.name}")
                assert text.has(lang, f"settings.row.{row.name}.detail")
                assert text.has(lang, f"settings.section.{section.name}")


def test_every_row_opens_its_screen_and_comes_back(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/settings") as frame:
            for section in SECTIONS:
                for row in section.rows:
                    await frame.app.click(f"settings-{row.name}")
                    await frame.app.settle(40)
                    assert frame.app.page.route == f"/settings/{row.name}"
                    await frame.app.click("back")
                    await frame.app.settle(40)
                    assert frame.app.page.route == "/settings"
            assert not frame.app.conn.crashes

    run(go())
