"""One measured thing over time: chart, words, table. What was converted from another unit says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import flet as ft

from pgo.errors import NotFound
from pgo.ui.hooks import use_app, use_query
from pgo.ui.records.chart import SeriesChart, SeriesTable
from pgo.ui.records.frame import answered, stacked
from pgo.ui.records.say import say_title, say_value
from pgo.ui.records.tokens import key_of
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.widgets import card, muted, page_body, section_card
from pgo.usecases import read

if TYPE_CHECKING:
    from pgo.health.record.series import Series
    from pgo.usecases.session import Session


@dataclass(frozen=True, slots=True)
class Shown:
    """A series, and the normal values its newest result names ('' for none)."""

    series: Series
    normal: str


@component
def Screen() -> ft.Control:
    """Draw the series the address stands for."""
    app = use_app()
    token = ft.use_route_params().get("key", "")
    found = use_query(lambda session: read_by_token(session, token), token)
    return page_body(
        say_title(app.lang, found.value.series.title, found.value.series.code)
        if found.value is not None
        else app.t("series.title"),
        answered(app, found, lambda shown: _series(app, shown)),
        back=("/measurements", app.t("records.tab.measurements")),
    )


def read_by_token(session: Session, token: str) -> Shown:
    """Return the series an address token stands for, with the normal values of its newest result.

    Raises:
        NotFound: an old address (the token died with its process), or nothing measured any more.
    """
    key = key_of(token, (one.key for one in read.series_list(session)))
    if key is None:
        raise NotFound("record")
    found = read.series(session, key)
    return Shown(found, read.normal_range(session, found.points[-1].record_id))


def _series(app: AppState, shown: Shown) -> ft.Control:
    normal = say_value(app.lang, shown.normal)
    words = [muted(app.t("series.normal", range=normal))] if normal else []
    series = replace(shown.series, title=say_title(app.lang, shown.series.title, shown.series.code))
    table = section_card(app.t("series.table"), SeriesTable(series))
    return stacked(card(SeriesChart(series), *words), table)
