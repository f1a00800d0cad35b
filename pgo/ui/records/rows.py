"""One record as a line in a list: icon, title, date, value, state.

A state that changes what a line means is written out ("entered by mistake", "planned"), never only coloured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import flet as ft

from pgo.ui.hooks import go
from pgo.ui.records.say import brief_value, say_moment, say_title, speak_value
from pgo.ui.shell import LARGE_TEXT
from pgo.ui.state import AppState
from pgo.ui.text import fmt_date
from pgo.ui.theme import FONT_STRONG, RADIUS_SMALL
from pgo.ui.widgets import list_section, muted, status_badge
from pgo.ui.widgets.buttons import keyed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pgo.usecases.read import RecordRow

ICONS: Final[dict[str, ft.IconData]] = {
    "person": ft.Icons.PERSON_OUTLINE_ROUNDED,
    "condition": ft.Icons.MEDICAL_INFORMATION_OUTLINED,
    "allergy": ft.Icons.WARNING_AMBER_ROUNDED,
    "vaccination": ft.Icons.VACCINES_OUTLINED,
    "medication": ft.Icons.MEDICATION_OUTLINED,
    "measurement": ft.Icons.MONITOR_HEART_OUTLINED,
    "questionnaire": ft.Icons.FACT_CHECK_OUTLINED,
    "procedure": ft.Icons.HEALING_OUTLINED,
    "encounter": ft.Icons.EVENT_OUTLINED,
    "document": ft.Icons.DESCRIPTION_OUTLINED,
    "careplan": ft.Icons.CHECKLIST_ROUNDED,
    "family_history": ft.Icons.FAMILY_RESTROOM_ROUNDED,
    "directive": ft.Icons.GAVEL_ROUNDED,
    "other": ft.Icons.FOLDER_OUTLINED,
}
# Of these it matters that they are over. A measurement or a visit is always over: saying so is noise.
LASTING: Final = ("condition", "allergy", "medication", "careplan", "directive")


# A longer value gets its share of the row and wraps; a shorter one takes the room it needs.
_SHORT_VALUE: Final = 12
_TIMED: Final = ("measurement", "encounter", "questionnaire")


def kind_icon(kind: str) -> ft.Control:
    """The icon of a kind on a round ground; decoration, the word stands beside it."""
    return ft.Container(
        width=40,
        height=40,
        border_radius=20,
        alignment=ft.Alignment.CENTER,
        bgcolor=ft.Colors.SECONDARY_CONTAINER,
        content=ft.Icon(
            ICONS.get(kind, ft.Icons.FOLDER_OUTLINED), size=22, color=ft.Colors.ON_SECONDARY_CONTAINER
        ),
    )


def said_status(row: RecordRow) -> str:
    """Return the state when it changes what the line means, else ''."""
    status = str(row.status)
    if status in ("planned", "entered_in_error") or (status == "past" and row.kind in LASTING):
        return status
    return ""


def second_line(app: AppState, row: RecordRow, *, with_kind: bool, with_status: bool) -> str:
    """Return date, kind, state, author and detail of a record in one line; what is unknown is left out."""
    # The hour matters for what was measured or visited; for a condition or a medicine it is noise.
    say = say_moment if row.kind in _TIMED else fmt_date
    parts = [say(app.lang, row.start) or _without_start(app, row)]
    if with_kind:
        parts.append(app.t(f"records.kind.{row.kind}"))
    if with_status and said_status(row):
        parts.append(app.t(f"records.status.{row.status}"))
    if row.self_authored:
        parts.append(app.t("records.by_you"))
    if row.others:
        parts.append(app.t("same.others", n=len(row.others) + 1))
    if row.detail and row.detail != row.value_text:
        parts.append(row.detail)
    return " · ".join(parts)


def _without_start(app: AppState, row: RecordRow) -> str:
    """Say what is known when the first day is not: a stopped medicine has a last day."""
    last = fmt_date(app.lang, row.end)
    return app.t("records.until", date=last) if last else app.t("records.undated")


def open_record(record_id: int) -> Callable[[], None]:
    """Return the handler that opens a record."""
    return lambda: go(f"/record/{record_id}")


def is_large(app: AppState) -> bool:
    """Tell whether the text is too large for words beside each other on a phone."""
    return app.prefs.text_scale > LARGE_TEXT


def value_text(app: AppState, text: str) -> ft.Text:
    """A measured value as text; comparators are spoken as words."""
    return ft.Text(
        brief_value(app.lang, text),
        semantics_label=speak_value(app.lang, text),
        theme_style=ft.TextThemeStyle.BODY_LARGE,
        font_family=FONT_STRONG,
        text_align=ft.TextAlign.RIGHT,
        max_lines=2,
        overflow=ft.TextOverflow.ELLIPSIS,
    )


def line(
    lines: list[ft.Control],
    *,
    key: str,
    leading: ft.Control | None = None,
    trailing: ft.Control | None = None,
    on_click: Callable[[], None] | None = None,
    below: bool = False,
) -> ft.Control:
    """A row of a list; with ``on_click`` the whole row is one button with all its words as name.

    Args:
        lines: the words, under each other.
        key: stable identifier.
        leading: at the left.
        trailing: at the right, or under the words when ``below``: large text leaves no room beside them.
        on_click: opens something.
        below: see ``trailing``.
    """
    if below and trailing is not None:
        lines, trailing = [*lines, trailing], None
    cells: list[ft.Control] = [leading] if leading is not None else []
    cells.append(ft.Column(lines, spacing=2, expand=3, tight=True, alignment=ft.MainAxisAlignment.CENTER))
    if isinstance(trailing, ft.Text) and len(trailing.value) > _SHORT_VALUE:
        cells.append(ft.Container(trailing, expand=2, alignment=ft.Alignment.CENTER_RIGHT))
    elif trailing is not None:
        cells.append(trailing)
    row = ft.Row(cells, spacing=12, vertical_alignment=ft.CrossAxisAlignment.CENTER)
    # One line of text alone would make a target lower than 48.
    room = 8 if len(lines) > 1 or leading is not None else 13
    padding = ft.Padding(left=4, right=4, top=room, bottom=room)
    if on_click is None:
        return ft.Semantics(identifier=key, container=True, content=ft.Container(row, padding=padding))
    tap = ft.Container(row, padding=padding, border_radius=RADIUS_SMALL, ink=True, on_click=on_click)
    return keyed(key, ft.Semantics(button=True, content=tap))


def record_line(
    app: AppState, row: RecordRow, *, with_kind: bool = False, one_line: bool = False, icon: bool = True
) -> ft.Control:
    """Draw a record as a row that opens it; ``one_line`` cuts its texts for rows of one height."""
    mistaken = row.status == "entered_in_error"
    title = ft.Text(
        say_title(app.lang, row.title, row.code),
        theme_style=ft.TextThemeStyle.BODY_LARGE,
        font_family=FONT_STRONG,
        max_lines=1 if one_line else None,
        overflow=ft.TextOverflow.ELLIPSIS if one_line else ft.TextOverflow.CLIP,
        style=ft.TextStyle(decoration=ft.TextDecoration.LINE_THROUGH) if mistaken else None,
    )
    words = muted(second_line(app, row, with_kind=with_kind, with_status=one_line), small=True)
    if one_line:
        words.max_lines, words.overflow = 1, ft.TextOverflow.ELLIPSIS
    lines: list[ft.Control] = [title, words]
    if not one_line and said_status(row):
        lines.append(ft.Row([_badge(app, row.status)]))
    if not one_line and row.disagree:
        lines.append(ft.Row([status_badge(app.t("same.disagree"), "attention")]))
    return line(
        lines,
        key=f"record-{row.id}",
        leading=kind_icon(row.kind) if icon else None,
        trailing=value_text(app, row.value_text) if row.value_text else None,
        on_click=open_record(row.id),
        below=not one_line and is_large(app),
    )


def _badge(app: AppState, status: str) -> ft.Control:
    kinds = {"past": "neutral", "planned": "attention", "entered_in_error": "bad"}
    return status_badge(app.t(f"records.status.{status}"), kinds[status])  # type: ignore[arg-type]


def record_lines(app: AppState, rows: Iterable[RecordRow], *, icon: bool = False) -> ft.Control:
    """Several records under each other."""
    return list_section([record_line(app, row, icon=icon) for row in rows])
