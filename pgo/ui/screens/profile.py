"""Profile: who this record is about, and what a caregiver asks first.

Allergies come right after the person and look like nothing else on the screen, by ground, icon and heading:
they are what must not be missed. An empty list says what it means: not in this record, which is not the same
as "you have none".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.frame import Folded, answered, nothing_collected, quiet, record_tabs, stacked
from pgo.ui.records.rows import line, open_record, record_line, record_lines
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.text import fmt_date, has
from pgo.ui.theme import RADIUS
from pgo.ui.widgets import (
    StatusKind,
    body,
    card,
    key_values,
    list_section,
    muted,
    page_body,
    secondary_button,
    section_card,
    status_badge,
    strong,
)
from pgo.usecases import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pgo.health.record.views import PersonView
    from pgo.usecases.read import DirectiveRow, Profile, RecordRow

_DECISIONS: Final[dict[str, tuple[StatusKind, ft.IconData]]] = {
    "yes": ("good", ft.Icons.CHECK_ROUNDED),
    "limited": ("attention", ft.Icons.RULE_ROUNDED),
    "no": ("bad", ft.Icons.BLOCK_ROUNDED),
    "other": ("attention", ft.Icons.RULE_ROUNDED),
    "unclear": ("attention", ft.Icons.QUESTION_MARK_ROUNDED),
}


@component
def Screen() -> ft.Control:
    """Draw the profile."""
    app = use_app()
    profile = use_query(read.profile)
    return page_body(
        app.t("profile.title"),
        record_tabs(app, "/profile"),
        answered(app, profile, lambda found: _profile(app, found)),
    )


def _profile(app: AppState, profile: Profile) -> ft.Control:
    if profile.person is None and not (profile.conditions or profile.allergies or profile.vaccinations):
        return stacked(
            nothing_collected(app, ft.Icons.FOLDER_OPEN_OUTLINED, "profile.empty"), _allergies(app, ())
        )
    current, past = split_conditions(profile.conditions)
    return stacked(
        *([_person(app, profile.person)] if profile.person else []),
        _allergies(app, profile.allergies),
        _section(app, "profile.conditions", current),
        *([_past_conditions(app, past)] if past else []),
        _section(app, "profile.vaccinations", profile.vaccinations),
        *([_directives(app, profile.directives)] if profile.directives else []),
    )


def split_conditions(rows: Sequence[RecordRow]) -> tuple[tuple[RecordRow, ...], tuple[RecordRow, ...]]:
    """Part conditions into what may still play and what is over or was a mistake; unknown still plays."""
    over = ("past", "entered_in_error")
    return (
        tuple(row for row in rows if row.status not in over),
        tuple(row for row in rows if row.status in over),
    )


def _person(app: AppState, person: PersonView) -> ft.Control:
    gender_key = f"profile.gender.{person.gender}"
    facts = (
        ("profile.born", fmt_date(app.lang, person.birth_date)),
        ("profile.gender", app.t(gender_key) if has(app.lang, gender_key) else ""),
        ("profile.address", person.address),
        ("profile.phone", person.phone),
    )
    return section_card(
        person.name or app.t("profile.no_name"), key_values([(app.t(key), value) for key, value in facts])
    )


def _allergies(app: AppState, rows: Sequence[RecordRow]) -> ft.Control:
    add = secondary_button(
        app.t("profile.allergies.add"),
        lambda: go("/allergy/new"),
        key="allergy-add",
        icon=ft.Icons.ADD_ROUNDED,
    )
    if not rows:
        return section_card(app.t("profile.allergies"), quiet(app.t("profile.allergies.none")), ft.Row([add]))
    ink = ft.Colors.ON_ERROR_CONTAINER
    title = ft.Row(
        [
            ft.Icon(ft.Icons.WARNING_AMBER_ROUNDED, color=ink, size=28),
            ft.Text(
                app.t("profile.allergies.some", n=len(rows)),
                theme_style=ft.TextThemeStyle.TITLE_LARGE,
                color=ink,
                expand=True,
            ),
        ]
    )
    named = ft.Semantics(
        header=True,
        heading_level=2,
        label=app.t("profile.allergies.some", n=len(rows)),
        exclude_semantics=True,
        content=title,
    )
    return ft.Container(
        bgcolor=ft.Colors.ERROR_CONTAINER,
        border=ft.Border.all(1, ft.Colors.ERROR),
        border_radius=RADIUS,
        padding=16,
        content=stacked(named, card(record_lines(app, rows), padding=8), ft.Row([add]), spacing=12),
    )


def _section(app: AppState, key: str, rows: Sequence[RecordRow]) -> ft.Control:
    if not rows:
        return section_card(app.t(key), quiet(app.t(f"{key}.none")))
    return section_card(app.t(key), record_lines(app, rows))


def _directives(app: AppState, rows: Sequence[DirectiveRow]) -> ft.Control:
    """Wishes about care: the yes or no stands beside the name, in words and with an icon of its own."""
    return section_card(app.t("profile.directives"), list_section([_directive(app, one) for one in rows]))


def _directive(app: AppState, one: DirectiveRow) -> ft.Control:
    words: list[ft.Control] = [strong(one.row.title)]
    if one.directive.decision:
        kind, icon = _DECISIONS[str(one.directive.decision)]
        badge = status_badge(app.t(f"health.directive.{one.directive.decision}"), kind, icon=icon)
        words.append(ft.Row([badge]))
    words += [body(remark) for remark in one.directive.remarks]
    if day := fmt_date(app.lang, one.row.start):
        words.append(muted(day, small=True))
    return line(words, key=f"record-{one.row.id}", on_click=open_record(one.row.id))


def _past_conditions(app: AppState, rows: Sequence[RecordRow]) -> ft.Control:
    lines = [record_line(app, row, icon=False) for row in rows]
    folded: ft.Control = Folded(app.t("profile.conditions.past"), lines, name="past-conditions")
    return folded
