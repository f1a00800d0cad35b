"""Questionnaires: what can be answered, when it was last done and is next due, how every score went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import flet as ft

from pgo.health.prom.questionnaire import own_questionnaires, words
from pgo.ui.checks.result import HIGHEST, LOWEST, trend_of
from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.chart import SeriesChart
from pgo.ui.records.frame import answered, quiet, stacked
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.text import fmt_date, fmt_number
from pgo.ui.widgets import (
    body,
    card,
    heading,
    muted,
    note,
    page_body,
    primary_button,
    secondary_button,
    section_card,
    status_badge,
)
from pgo.usecases import answer

if TYPE_CHECKING:
    from datetime import date

    from pgo.health.prom.questionnaire import ScoreRule
    from pgo.health.record.series import Series
    from pgo.usecases.answer import QuestionnaireInfo
    from pgo.usecases.session import Session


@dataclass(frozen=True, slots=True)
class Course:
    """One score over time."""

    rule: ScoreRule
    series: Series


@component
def Screen() -> ft.Control:
    """Draw the list and the courses."""
    app = use_app()
    lang = app.lang
    sheets = use_query(lambda session: answer.questionnaires(session, lang=lang), lang)
    courses = use_query(read_courses)
    today = app.application.clock().astimezone().date()
    return page_body(
        app.t("check.title"),
        answered(app, sheets, lambda found: _sheets(app, found, today)),
        answered(app, courses, lambda found: _courses(app, found)),
        lead=app.t("check.lead"),
    )


def read_courses(session: Session) -> tuple[Course, ...]:
    """Read every score that was ever made, in the order of the questionnaires."""
    rules = [rule for sheet in own_questionnaires() for rule in sheet.rules]
    made = [(rule, trend_of(session, rule.code)) for rule in rules]
    return tuple(Course(rule, series) for rule, series in made if series is not None)


def _sheets(app: AppState, sheets: tuple[QuestionnaireInfo, ...], today: date) -> ft.Control:
    if not sheets:
        return quiet(app.t("check.none"))
    return stacked(*[_sheet(app, sheet, today, first=place == 0) for place, sheet in enumerate(sheets)])


def _sheet(app: AppState, sheet: QuestionnaireInfo, today: date, *, first: bool) -> ft.Control:
    due = sheet.due <= today
    last = (
        app.t("check.last", date=fmt_date(app.lang, sheet.last_at)) if sheet.last_at else app.t("check.never")
    )
    if sheet.draft_open:
        state = status_badge(app.t("check.draft_open"), "attention")
    elif due:
        state = status_badge(app.t("check.due"), "good")
    else:
        state = status_badge(app.t("check.next", date=fmt_date(app.lang, sheet.due)), "neutral")

    def open_it() -> None:
        go(f"/check/{sheet.id}")

    button = primary_button if first and (due or sheet.draft_open) else secondary_button
    return section_card(
        sheet.title,
        ft.Row([state], wrap=True),
        muted(last),
        ft.Row(
            [
                button(
                    app.t("check.continue" if sheet.draft_open else "check.start"),
                    open_it,
                    key=f"check-{sheet.id}",
                    icon=ft.Icons.ARROW_FORWARD_ROUNDED,
                )
            ]
        ),
    )


def _courses(app: AppState, courses: tuple[Course, ...]) -> ft.Control:
    if not courses:
        return quiet(app.t("check.no_courses"))
    return stacked(
        heading(app.t("check.courses"), 2),
        *[_course(app, course) for course in courses],
        note(app.t("check.no_diagnosis"), "info"),
    )


def _course(app: AppState, course: Course) -> ft.Control:
    last = course.series.points[-1]
    value = app.t("check.score.value", value=fmt_number(app.lang, last.value))
    better = "check.score.higher_better" if course.rule.higher_is_better else "check.score.lower_better"
    return card(
        heading(words(course.rule.texts, app.lang), 3),
        body(app.t("check.course.last", value=value, date=fmt_date(app.lang, last.at))),
        muted(app.t(better)),
        SeriesChart(course.series, low=LOWEST, high=HIGHEST),
    )
