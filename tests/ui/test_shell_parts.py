"""Parts of the frame by themselves: idle time, addresses and tabs, sizes, colours, long lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import flet as ft
import pytest

from pgo.ui import theme
from pgo.ui.autolock import IdleWatch
from pgo.ui.room import layout_for
from pgo.ui.safety import component
from pgo.ui.shell import active_tab
from pgo.ui.text import fmt_date, fmt_number, t
from pgo.ui.widgets import VirtualList
from tests.support.headless import Headless, run


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
