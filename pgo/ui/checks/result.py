"""What came out: each score with what it means, how it lies beside the time before, and its course.

Scores inform; they are no diagnosis, and the screen says so beside every result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.errors import NotFound
from pgo.health.prom.questionnaire import words
from pgo.ui.checks.words import compared, score_meaning
from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.chart import SeriesChart
from pgo.ui.records.frame import quiet, stacked
from pgo.ui.records.rows import open_record
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.text import fmt_number
from pgo.ui.widgets import body, card, heading, live, muted, note, primary_button, secondary_button, toolbar
from pgo.usecases import answer

if TYPE_CHECKING:
    from pgo.health.prom.questionnaire import Score
    from pgo.health.record.series import Series
    from pgo.usecases.answer import FinishResult
    from pgo.usecases.session import Session

# Every score of a questionnaire lies between these (pgo.health.prom.scoring, rule mean-0-100).
LOWEST, HIGHEST = 0.0, 100.0


def trend_of(session: Session, code: str) -> Series | None:
    """Read the course of one score; None when it was never made."""
    try:
        return answer.score_trend(session, code)
    except NotFound:
        return None


@component
def Result(result: FinishResult) -> ft.Control:
    """Show the result of a finished sheet."""
    app = use_app()
    codes = tuple(score.code for score in result.scores)
    trends = use_query(lambda session: {code: trend_of(session, code) for code in codes}, codes)
    known = trends.value or {}
    cards = [_score(app, score, known.get(score.code)) for score in result.scores]
    return stacked(
        heading(app.t("check.done"), 2),
        body(app.t("check.done.text")),
        *(cards or [quiet(app.t("check.no_scores"))]),
        note(app.t("check.no_diagnosis"), "info"),
        toolbar(
            primary_button(app.t("check.ready"), lambda: go("/check"), key="check-ready"),
            secondary_button(app.t("check.see_answers"), open_record(result.record_id), key="check-answers"),
        ),
        live(app.t("check.done")),
    )


def _score(app: AppState, score: Score, trend: Series | None) -> ft.Control:
    value = app.t("check.score.value", value=fmt_number(app.lang, score.value))
    beside = compared(app, score, trend)
    course = [SeriesChart(trend, low=LOWEST, high=HIGHEST)] if trend and len(trend.points) > 1 else []
    return card(
        heading(words(score.texts, app.lang), 3),
        ft.Text(value, theme_style=ft.TextThemeStyle.HEADLINE_SMALL),
        *([body(beside)] if beside else []),
        muted(score_meaning(app, score)),
        *course,
    )
