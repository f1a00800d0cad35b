"""The three layers of a choice: a preset in plain words, switches per kind, and the dates.

Each part takes the form and gives back a new one; it decides nothing and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import flet as ft

from consent.codes import Category, Sensitivity
from pgo.ui.hooks import use_app
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.sharing.form import (
    MAX_YEARS,
    OWN,
    ShareForm,
    Since,
    Span,
    add_months,
    last_day,
    with_category,
    with_days,
    with_preset,
    with_sensitivity,
    with_since,
    with_span,
    with_until,
)
from pgo.ui.sharing.parts import so
from pgo.ui.sharing.rows import option_list, toggle_row
from pgo.ui.sharing_words import (
    CATEGORY_ORDER,
    SENSITIVITY_ORDER,
    category_name,
    sensitivity_name,
)
from pgo.ui.state import AppState
from pgo.ui.text import fmt_date, has
from pgo.ui.theme import GAP, GAP_SMALL, RADIUS_SMALL
from pgo.ui.widgets import (
    date_field,
    heading,
    muted,
    note,
    section_card,
)
from pgo.usecases.share import Preset, ShareChoice, SharePreview

Change = Callable[[ShareForm], Any]


@component
def WhatPart(
    form: ShareForm,
    change: Change,
    presets: tuple[Preset, ...],
    preview: SharePreview | None,
    problem: str,
    said: Sequence[str],
    asked: ShareChoice | None = None,
) -> ft.Control:
    """Layers one and two: the presets, and the switches once they are asked for.

    The answer to a request has no presets, and switches for what was asked only: less is possible, more not.
    """
    app = use_app()
    adjusting, set_adjusting = ft.use_state(False)
    by_key = {preset.key: preset for preset in presets}
    is_open = adjusting or form.preset == OWN

    def choose(key: str) -> None:
        if key in by_key:
            set_adjusting(False)
            change(with_preset(form, by_key[key]))
        else:
            set_adjusting(True)

    group = _presets(app, tuple(by_key), OWN if is_open else form.preset, choose)
    categories = [one for one in CATEGORY_ORDER if asked is None or one in asked.categories]
    clusters = [one for one in SENSITIVITY_ORDER if asked is None or one in asked.sensitivity]
    switches = [
        _categories(app, form, change, preview, categories),
        *([_sensitive(app, form, change, preview, clusters)] if clusters else []),
    ]
    return section_card(
        app.t("share.new.what"),
        *([group] if asked is None else []),
        *(switches if is_open else []),
        *([note(app.t(f"share.new.error.{problem}"), "bad")] if problem else []),
        *_so(app, said),
    )


def _so(app: AppState, said: Sequence[str]) -> list[ft.Control]:
    """What this step means, in the words that are signed below; nothing while the choice is incomplete."""
    return [so(app, said)] if said else []


def _presets(app: AppState, keys: tuple[str, ...], chosen: str, choose: Callable[[str], None]) -> ft.Control:
    options = {key: app.t(f"share.preset.{key}") for key in keys}
    hints = {
        key: app.t(f"share.preset.{key}_hint") for key in keys if has(app.lang, f"share.preset.{key}_hint")
    }
    return option_list(
        app.t("share.new.what"),
        chosen,
        options | {OWN: app.t("share.new.own")},
        choose,
        key="share-preset",
        details=hints | {OWN: app.t("share.new.own_hint")},
    )


def _categories(
    app: AppState,
    form: ShareForm,
    change: Change,
    preview: SharePreview | None,
    offered: Sequence[Category],
) -> ft.Control:
    counts: Mapping[Any, tuple[int, int]] = preview.by_category if preview else {}

    def row(category: Any) -> ft.Control:
        count = counts.get(category, (0, 0))[1]
        label = app.t("share.new.switch", label=category_name(app.lang, category), n=count)
        return toggle_row(
            label,
            category in form.categories,
            lambda on: change(with_category(form, category, on=on)),
            key=f"cat-{category}",
        )

    rows = [row(category) for category in offered]
    return stacked(
        heading(app.t("share.new.kinds"), 3), muted(app.t("share.new.kinds_hint")), *rows, spacing=GAP_SMALL
    )


def _sensitive(
    app: AppState,
    form: ShareForm,
    change: Change,
    preview: SharePreview | None,
    offered: Sequence[Sensitivity],
) -> ft.Control:
    counts: Mapping[Any, tuple[int, int]] = preview.by_cluster if preview else {}

    def row(cluster: Any) -> ft.Control:
        name = sensitivity_name(app.lang, cluster)
        return toggle_row(
            app.t("share.new.switch", label=name, n=counts.get(cluster, (0, 0))[1]),
            cluster in form.sensitivity,
            lambda on: change(with_sensitivity(form, cluster, on=on)),
            key=f"sens-{cluster}",
        )

    inside = stacked(
        ft.Row([ft.Icon(ft.Icons.LOCK_OUTLINE_ROUNDED), heading(app.t("share.new.sensitive"), 3)]),
        muted(app.t("share.new.sensitive_hint")),
        *[row(cluster) for cluster in offered],
        spacing=GAP_SMALL,
    )
    return ft.Container(
        inside,
        padding=GAP,
        border_radius=RADIUS_SMALL,
        border=ft.Border.all(1, ft.Colors.OUTLINE),
        bgcolor=ft.Colors.SURFACE_CONTAINER,
    )


@component
def WhenPart(
    form: ShareForm, change: Change, today: date, problems: Mapping[str, str], said: Sequence[str]
) -> ft.Control:
    """Layer three: how long the share lasts."""
    app = use_app()
    options = {
        Span.MONTHS3: app.t("share.new.months3", date=fmt_date(app.lang, last_day(Span.MONTHS3, form.first))),
        Span.YEAR1: app.t("share.new.year1", date=fmt_date(app.lang, last_day(Span.YEAR1, form.first))),
        Span.OWN: app.t("share.new.own_dates"),
    }
    group = option_list(
        app.t("share.new.how_long"),
        form.span,
        {str(span): text for span, text in options.items()},
        lambda span: change(with_span(form, Span(span))),
        key="share-span",
    )
    problem = problems.get("period", "")
    error = app.t(f"share.new.error.{problem}") if problem else ""
    horizon = add_months(today, 12 * MAX_YEARS)
    fields = [
        date_field(
            app.t("share.new.first_day"),
            form.first,
            lambda day: change(with_days(form, first=day or form.first, last=form.last)),
            key="share-first",
            first=today,
            last=horizon,
            today=today,
        ),
        date_field(
            app.t("share.new.last_day"),
            form.last,
            lambda day: change(with_days(form, first=form.first, last=day or form.last)),
            key="share-last",
            error=error,
            first=today,
            last=horizon,
            today=today,
        ),
    ]
    own = fields if form.span is Span.OWN else []
    return section_card(app.t("share.new.how_long"), group, *own, *_so(app, said))


@component
def SincePart(
    form: ShareForm, change: Change, today: date, problems: Mapping[str, str], said: Sequence[str]
) -> ft.Control:
    """Layer three: from which day on data goes along."""
    app = use_app()
    two_years = fmt_date(app.lang, add_months(today, -24))
    group = option_list(
        app.t("share.new.which_dates"),
        form.since,
        {
            str(Since.ALL): app.t("share.new.all_dates"),
            str(Since.YEARS2): app.t("share.new.years2", date=two_years),
            str(Since.OWN): app.t("share.new.own_from"),
        },
        lambda since: change(with_since(form, Since(since), today=today)),
        key="share-since",
    )
    field = date_field(
        app.t("share.new.data_from"),
        form.data_from,
        lambda day: change(with_since(form, Since.OWN, today=today, own=day)),
        key="share-data-from",
        error=app.t("share.new.error.data_from") if "data_from" in problems else "",
        last=today,
        today=today,
    )
    until = date_field(
        app.t("share.new.data_until"),
        form.data_until,
        lambda day: change(with_until(form, day)),
        key="share-data-until",
        error=app.t("share.new.error.data_dates") if "data_until" in problems else "",
        last=today,
        today=today,
    )
    fields = [field, until] if form.since is Since.OWN else []
    return section_card(app.t("share.new.which_dates"), group, *fields, *_so(app, said))
