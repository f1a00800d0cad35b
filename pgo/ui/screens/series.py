"""One measured thing over time: chart, words, table. One code in one unit; another unit is another series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.errors import NotFound
from pgo.ui.records.chart import SeriesChart, SeriesTable
from pgo.ui.records.frame import answered, stacked
from pgo.ui.records.tokens import key_of
from pgo.ui.safety import component
from pgo.ui.state import AppState, use_app, use_query
from pgo.ui.widgets import card, page_body, section_card
from pgo.usecases import read

if TYPE_CHECKING:
    from pgo.health.record.series import Series
    from pgo.usecases.session import Session


@component
def Screen() -> ft.Control:
    """Draw the series the address stands for."""
    app = use_app()
    token = ft.use_route_params().get("key", "")
    found = use_query(lambda session: read_by_token(session, token), token)
    return page_body(
        found.value.title if found.value is not None else app.t("series.title"),
        answered(app, found, lambda series: _series(app, series)),
        back=("/measurements", app.t("records.tab.measurements")),
    )


def read_by_token(session: Session, token: str) -> Series:
    """Return the series an address token stands for.

    Raises:
        NotFound: an old address (the token died with its process), or nothing measured any more.
    """
    key = key_of(token, (one.key for one in read.series_list(session)))
    if key is None:
        raise NotFound("record")
    return read.series(session, key)


def _series(app: AppState, series: Series) -> ft.Control:
    return stacked(card(SeriesChart(series)), section_card(app.t("series.table"), SeriesTable(series)))
