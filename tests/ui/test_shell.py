"""The frame: navigation, lock, failures, one live window, auto-lock, what is loaded at the first frame."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flet as ft
import pytest

from pgo.errors import InputRefused, VaultBusy
from pgo.ui import app as ui_app
from pgo.ui import theme
from pgo.ui.autolock import IdleWatch
from pgo.ui.room import layout_for
from pgo.ui.safety import component, install
from pgo.ui.shell import active_tab
from pgo.ui.state import Failed, Ok
from pgo.ui.text import fmt_date, fmt_number, t
from pgo.ui.widgets import VirtualList, feedback
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


# ---------------------------------------------------------------- pure parts
class Clocks:
    """Two clocks the test moves."""

    def __init__(self) -> None:
        self.tick, self.wall = 0.0, datetime(2026, 1, 1, tzinfo=UTC)

    def watch(self) -> IdleWatch:
        return IdleWatch(lambda: self.tick, lambda: self.wall)


LIMIT = timedelta(minutes=5)


def test_idle_is_over_exactly_at_the_limit_and_a_touch_starts_again() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.tick = 299.9
    assert not watch.is_over(LIMIT)
    clocks.tick = 300.0
    assert watch.is_over(LIMIT)
    watch.touch()
    assert not watch.is_over(LIMIT)


def test_sleep_counts_as_idle_and_a_clock_set_back_does_not_help() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.wall += timedelta(hours=8)  # the laptop slept: the monotonic clock stood still
    assert watch.is_over(LIMIT)
    watch.touch()
    clocks.wall -= timedelta(hours=9)
    clocks.tick = 300.0
    assert watch.is_over(LIMIT)


@pytest.mark.parametrize(
    ("path", "tab"),
    [
        ("/", 0),
        ("/collect", 0),
        ("/record/3", 1),
        ("/medication/new", 1),
        ("/check/weekly", 2),
        ("/share/add", 3),
    ],
)
def test_each_address_belongs_to_a_tab(path: str, tab: int) -> None:
    assert active_tab(path) == tab


@pytest.mark.parametrize("width", [320, 390, 759, 760, 1280, 2560])
def test_content_fits_and_never_grows_too_wide(width: float) -> None:
    layout = layout_for(width, rail=132)
    assert layout.content <= 840
    assert layout.content <= width
    assert layout.wide == (width >= 760)


def test_dates_and_numbers_are_written_as_known() -> None:
    assert fmt_date("nl", "2026-11-05") == "5 november 2026"
    assert fmt_date("en", "2026-11-05T10:00:00+01:00") == "5 November 2026"
    assert fmt_date("nl", "2024-03") == "maart 2024"
    assert fmt_date("nl", "2024") == "2024"
    assert fmt_date("nl", "") == ""
    assert fmt_date("nl", "2024-99-01") == "2024-99-01"
    assert fmt_number("nl", "12345.670") == "12.345,670"
    assert fmt_number("en", "0.41") == "0.41"
    assert t("nl", "overview.lead", n=1) == "Uw kluis bevat 1 gegeven."


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("surface", "surface_container_low", "surface_container_lowest", "surface_container")


def pairs() -> Iterator[tuple[str, str]]:
    for name in ("primary", "secondary", "tertiary", "error"):
        yield f"on_{name}", name
        yield f"on_{name}_container", f"{name}_container"
    for ground in GROUNDS:
        for ink in ("on_surface", "on_surface_variant", "primary", "error"):
            yield ink, ground
    yield "on_surface", "surface_container_high"
    yield "on_surface_variant", "surface_container_high"
    yield "on_inverse_surface", "inverse_surface"


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", list(pairs()), ids=lambda pair: "-".join(pair))
def test_text_is_readable_in_both_themes(colours: dict[str, str], pair: tuple[str, str]) -> None:
    assert contrast(colours[pair[0]], colours[pair[1]]) >= 4.5


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_borders_of_controls_are_visible(colours: dict[str, str]) -> None:
    assert contrast(colours["outline"], colours["surface_container_lowest"]) >= 3.0  # WCAG 2.2, 1.4.11


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_words_of_the_navigation_are_not_black_on_black(dark: bool) -> None:
    built, ink = theme.build(dark=dark, scale=1.0), (theme.DARK if dark else theme.LIGHT)["on_surface"]
    assert built.navigation_bar_theme is not None
    assert built.navigation_rail_theme is not None
    styles = (
        built.navigation_bar_theme.label_text_style,
        built.navigation_rail_theme.selected_label_text_style,
        built.navigation_rail_theme.unselected_label_text_style,
    )
    assert [style.color for style in styles if isinstance(style, ft.TextStyle)] == [ink] * 3


def test_a_list_of_ten_thousand_rows_costs_one_screen() -> None:
    @component
    def Many() -> Any:
        return VirtualList(10_000, lambda i: ft.Text(f"rij {i}"), row_height=50)

    async def go() -> None:
        async with open_list(Many) as app:
            rows = [text for text in app.texts() if text.startswith("rij")]
            assert rows[0] == "rij 0"
            assert len(rows) == 60
            assert app.conn.bytes < 30_000
            column = next(c for c in app.of_kind(ft.Column) if c.on_scroll is not None)
            event = {
                "event_type": "update",
                "pixels": 250_000.0,
                "min_scroll_extent": 0.0,
                "max_scroll_extent": 500_000.0,
                "viewport_dimension": 800.0,
            }
            await app.fire(column, "scroll", event)
            await app.settle(20)
            assert "rij 5000" in app.texts()

    run(go())


def open_list(many: Any) -> Headless:
    from pgo.ui.state import AppCtx, AppState, PrefsCtx

    state = AppState()

    def main(page: ft.Page) -> None:
        page.render(lambda: AppCtx(state, lambda: PrefsCtx(state.prefs, many)))

    return Headless(main)


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
