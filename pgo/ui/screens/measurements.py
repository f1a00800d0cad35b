"""Measurements: everything that was measured, one line per code and unit, with its newest value."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.frame import answered, nothing_collected, quiet, record_tabs, stacked
from pgo.ui.records.rows import is_large, line, value_text
from pgo.ui.records.say import say_title
from pgo.ui.records.tokens import token_of
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.text import fmt_date
from pgo.ui.widgets import card, list_section, live, muted, page_body, strong, text_field
from pgo.usecases import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pgo.usecases.read import SeriesSummary

# From this many on a search box earns its place.
_SEARCH_FROM = 8


@component
def Screen() -> ft.Control:
    """Draw the list of series."""
    app = use_app()
    query, set_query = ft.use_state("")
    series = use_query(read.series_list)
    return page_body(
        app.t("measurements.title"),
        record_tabs(app, "/measurements"),
        answered(app, series, lambda found: _body(app, found, query, set_query)),
    )


def _body(
    app: AppState, series: Sequence[SeriesSummary], query: str, set_query: Callable[[str], None]
) -> ft.Control:
    if not series:
        return nothing_collected(app, ft.Icons.MONITOR_HEART_OUTLINED, "measurements.empty")
    named = sorted(
        (replace(one, title=say_title(app.lang, one.title, one.code)) for one in series),
        key=lambda one: _folded(one.title),
    )
    found = matching(named, query)
    search = text_field(app.t("measurements.search"), query, set_query, key="measurements-search")
    return stacked(
        *([search] if len(series) >= _SEARCH_FROM else []),
        live(app.t("measurements.count", n=len(found)), visible=True),
        card(list_section([_line(app, one) for one in found]), padding=8)
        if found
        else quiet(app.t("measurements.not_found", query=query)),
        spacing=12,
    )


def matching(series: Sequence[SeriesSummary], query: str) -> tuple[SeriesSummary, ...]:
    """Return the series whose title or unit holds every word typed; case and accents do not count."""
    words = _folded(query).split()
    return tuple(one for one in series if all(word in _folded(f"{one.title} {one.unit}") for word in words))


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _line(app: AppState, one: SeriesSummary) -> ft.Control:
    def open_series() -> None:
        go(f"/measurements/{token_of(one.key)}")

    words = app.t("measurements.line", n=one.count, date=fmt_date(app.lang, one.last_at))
    return line(
        [strong(one.title), muted(words, small=True)],
        key=f"series-{token_of(one.key)}",
        trailing=value_text(app, one.last_text),
        on_click=open_series,
        below=is_large(app),
    )
