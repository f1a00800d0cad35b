"""What the first page of the settings lists: sections of rows, each row leading to a screen of its own.

To add a row: one ``Row`` below, its screen in ``pgo.ui.app.SCREENS`` as ``settings/<name>``, and two texts,
``settings.row.<name>`` and ``settings.row.<name>.detail``. A row may say how things stand, for example when
the newest backup was made: give it ``state``, which is asked in a thread like every reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.widgets import list_row, list_section, section_card, status_badge
from pgo.ui.widgets.display import StatusKind

if TYPE_CHECKING:
    from pgo.usecases.session import Session


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand behind a row: a few words, already in the person's language, and how they look."""

    words: str
    kind: StatusKind = "neutral"


@dataclass(frozen=True, slots=True)
class Row:
    """One line that leads to ``/settings/<name>``.

    Attributes:
        name: last part of the route, of the key and of the texts.
        icon: what it looks like.
        state: how things stand, or None for nothing worth a badge; called off the event loop.
    """

    name: str
    icon: ft.IconData
    state: Callable[[AppState, Session], Standing | None] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under one heading; the heading's text is ``settings.section.<name>``."""

    name: str
    rows: tuple[Row, ...]


def _backup(app: AppState, session: Session) -> Standing:
    from pgo.ui.backup.reminder import row_badge  # with the settings, not with the first frame

    return Standing(*row_badge(app, session))


SECTIONS: Final[tuple[Section, ...]] = (
    Section("access", (Row("person", ft.Icons.BADGE_OUTLINED), Row("keys", ft.Icons.KEY_OUTLINED))),
    Section(
        "data",
        (
            Row("backup", ft.Icons.SAVE_OUTLINED, _backup),
            Row("export", ft.Icons.DRIVE_FILE_MOVE_OUTLINED),
            Row("journal", ft.Icons.HISTORY_EDU_OUTLINED),
        ),
    ),
)


@component
def SectionCard(section: Section) -> ft.Control:
    """Draw one section."""
    app = use_app()
    rows = [RowLine(row, key=row.name) for row in section.rows]
    return section_card(app.t(f"settings.section.{section.name}"), list_section(rows))


@component
def RowLine(row: Row) -> ft.Control:
    """Draw one row; its badge appears when it is known."""
    app = use_app()

    def ask(session: Session) -> Standing | None:
        return row.state(app, session) if row.state is not None else None

    found = use_query(ask, app.lang).value
    return list_row(
        app.t(f"settings.row.{row.name}"),
        key=f"settings-{row.name}",
        detail=app.t(f"settings.row.{row.name}.detail"),
        icon=row.icon,
        badge=status_badge(found.words, found.kind) if found is not None else None,
        on_click=lambda _e: go(f"/settings/{row.name}"),
    )
