"""One record: what it says in readable rows, where it came from, what belongs to it, and the data as it came.

The original is shown for reading only; it is the exact record, with line breaks put in for the eye.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.document import DocumentCard
from pgo.ui.records.frame import answered, quiet, stacked
from pgo.ui.records.removal import use_remove, use_restore
from pgo.ui.records.rows import LASTING, record_lines, said_status
from pgo.ui.records.said import SaidCard
from pgo.ui.records.same import SameThingCard
from pgo.ui.records.say import say_moment, say_period, say_title, say_value, speak_value
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.text import fmt_moment, has
from pgo.ui.theme import RADIUS_SMALL
from pgo.ui.widgets import (
    StatusKind,
    card,
    danger_button,
    key_values,
    muted,
    note,
    page_body,
    secondary_button,
    section_card,
    status_badge,
    text_button,
    toolbar,
)
from pgo.usecases import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pgo.health.record.views import Detail
    from pgo.usecases.read import RecordDetail, RecordRow

_BADGES: Final[dict[str, StatusKind]] = {
    "current": "good",
    "past": "neutral",
    "planned": "attention",
    "entered_in_error": "bad",
}
# Longer originals are cut on the screen: a browser needs seconds to lay out a megabyte of text.
_MOST_LETTERS: Final = 60_000
_EDITORS: Final = {"medication": "/medication/{id}/edit", "allergy": "/allergy/{id}/edit"}


@component
def Screen() -> ft.Control:
    """Draw the record the address names."""
    app = use_app()
    number = ft.use_route_params().get("id", "")
    # What is no number is no record; -1 never exists and gives the ordinary sentence for that.
    record_id = int(number) if number.isdecimal() else -1
    found = use_query(lambda session: read.record(session, record_id), record_id)
    return page_body(
        say_title(app.lang, found.value.row.title, found.value.row.code)
        if found.value is not None
        else app.t("record.title"),
        answered(app, found, lambda detail: _record(app, detail)),
        back=("/timeline", app.t("records.tab.timeline")),
    )


def _record(app: AppState, detail: RecordDetail) -> ft.Control:
    parts: list[ft.Control] = []
    if detail.in_trash:
        parts.append(note(app.t("record.in_trash"), "attention", icon=ft.Icons.DELETE_OUTLINE_ROUNDED))
    parts += [_facts(app, detail), DocumentCard(detail.row.id, key="document"), _source(app, detail)]
    if not detail.in_trash:
        parts += [SameThingCard(detail.row), SaidCard(detail.row)]
    if detail.related:
        parts.append(section_card(app.t("record.related"), record_lines(app, detail.related, icon=True)))
    parts += [
        Actions(detail.row, in_trash=detail.in_trash),
        Original(detail.raw_text, detail.original_format),
    ]
    return stacked(*parts)


def _facts(app: AppState, detail: RecordDetail) -> ft.Control:
    row = detail.row
    rows = [
        (app.t("record.when"), say_period(app.lang, row.start, row.end)),
        *_labelled(app, row, detail.details),
    ]
    badges = [status_badge(app.t(f"records.kind.{row.kind}"), "info")]
    if row.status in _BADGES and (said_status(row) or row.kind in LASTING):
        badges.append(status_badge(app.t(f"records.status.{row.status}"), _BADGES[row.status]))
    value: list[ft.Control] = []
    if row.value_text:
        shown = ft.Text(
            say_value(app.lang, row.value_text),
            theme_style=ft.TextThemeStyle.HEADLINE_SMALL,
            selectable=True,
        )
        value.append(_spoken(speak_value(app.lang, row.value_text), shown))
    # What two elements say in the same words is said once.
    return card(toolbar(*badges), *value, key_values(list(dict.fromkeys(rows))))


def _spoken(words: str, shown: ft.Text) -> ft.Control:
    """Selectable text with a voice: alone, Flutter gives screen readers an empty field for it."""
    return ft.Semantics(label=words, container=True, exclude_semantics=True, content=shown)


def _labelled(app: AppState, row: RecordRow, details: Sequence[Detail]) -> list[tuple[str, str]]:
    """Return the rows of the record in the reader's language; what the card already says is left out."""
    # What the heading says is not said again; an everyday name in it leaves the source's words to the rows.
    said = (say_title(app.lang, row.title, row.code), row.value_text)
    return [(app.t(one.label_key), _words(app, one)) for one in details if one.value not in said]


def _words(app: AppState, detail: Detail) -> str:
    if detail.kind == "code":
        return app.t(detail.value_key)
    if detail.kind == "date":
        return say_moment(app.lang, detail.value)
    return say_value(app.lang, detail.value) if len(detail.value) == 1 else detail.value


def _source(app: AppState, detail: RecordDetail) -> ft.Control:
    source = detail.source
    at = fmt_moment(app.lang, source.collected_at)
    if source.kind == "self":
        rows = [(app.t("record.source.who"), app.t("record.source.self")), (app.t("record.source.saved"), at)]
    else:
        rows = [(app.t("record.source.file"), source.name), (app.t("record.source.collected"), at)]
    if detail.versions > 1:
        rows.append((app.t("record.source.versions"), str(detail.versions)))
    remark = [note(app.t("record.deviates"), "attention")] if detail.deviations else []
    return section_card(app.t("record.source"), key_values(rows), *remark)


@component
def Actions(row: RecordRow, *, in_trash: bool) -> ft.Control:
    """What can be done with this record: edit what the patient typed, throw away, take back."""
    app = use_app()
    remove, restore = use_remove(row), use_restore(row)
    if in_trash:
        return toolbar(
            secondary_button(
                app.t("trash.restore", title=row.title),
                restore.start,
                key="record-restore",
                icon=ft.Icons.RESTORE_FROM_TRASH_OUTLINED,
                disabled=restore.busy,
            )
        )
    buttons = [
        danger_button(
            app.t("record.remove"),
            remove.start,
            key="record-remove",
            icon=ft.Icons.DELETE_OUTLINE_ROUNDED,
            disabled=remove.busy,
        )
    ]
    seen = secondary_button(
        app.t("why.button"),
        lambda: go(f"/record/{row.id}/why"),
        key="record-why",
        icon=ft.Icons.VISIBILITY_OUTLINED,
    )
    buttons.insert(0, seen)
    if row.self_authored and row.kind in _EDITORS:
        address = _EDITORS[row.kind].format(id=row.id)
        edit = secondary_button(
            app.t("record.edit"), lambda: go(address), key="record-edit", icon=ft.Icons.EDIT_OUTLINED
        )
        buttons.insert(0, edit)
    return toolbar(*buttons)


@component
def Original(raw_text: str, original_format: str) -> ft.Control:
    """The record as data, closed until asked for."""
    app = use_app()
    is_open, set_open = ft.use_state(False)
    toggle = text_button(
        app.t("record.original.hide" if is_open else "record.original.show"),
        lambda: set_open(not is_open),
        key="original",
        icon=ft.Icons.EXPAND_LESS_ROUNDED if is_open else ft.Icons.DATA_OBJECT_ROUNDED,
    )
    if not is_open:
        return ft.Row([toggle])
    lead = f"record.original.lead.{original_format}"
    words = [muted(app.t(lead if has(app.lang, lead) else "record.original.lead.json"))]
    shown, cut = raw_text[:_MOST_LETTERS], len(raw_text) > _MOST_LETTERS
    text = ft.Container(
        bgcolor=ft.Colors.SURFACE_CONTAINER,
        border_radius=RADIUS_SMALL,
        padding=16,
        content=_spoken(shown, ft.Text(shown, selectable=True, theme_style=ft.TextThemeStyle.BODY_SMALL)),
    )
    return card(ft.Row([toggle]), *words, text, *([quiet(app.t("record.original.cut"))] if cut else []))
