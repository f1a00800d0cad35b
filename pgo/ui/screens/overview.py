"""First screen of an open vault: who it is about, what it holds, what to do next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.backup.reminder import BackupReminder
from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.room import use_layout
from pgo.ui.safety import component
from pgo.ui.shell import LARGE_TEXT
from pgo.ui.state import AppState
from pgo.ui.text import fmt_date
from pgo.ui.theme import FONT_STRONG, GAP, GAP_SMALL, RADIUS
from pgo.ui.widgets import (
    body,
    card,
    empty_state,
    list_row,
    list_section,
    muted,
    note,
    page_body,
    primary_button,
    query_placeholder,
    secondary_button,
    section_card,
    toolbar,
)
from pgo.usecases.keys import recovery_confirmed
from pgo.usecases.read import Overview, RecordRow, overview

if TYPE_CHECKING:
    from pgo.usecases.session import Session

# kind -> (icon, route): the parts of a record people look for first, in this order
TILES: tuple[tuple[str, ft.IconData, str], ...] = (
    ("medication", ft.Icons.MEDICATION_OUTLINED, "/medication"),
    ("allergy", ft.Icons.WARNING_AMBER_ROUNDED, "/profile"),
    ("condition", ft.Icons.MONITOR_HEART_OUTLINED, "/profile"),
    ("measurement", ft.Icons.SHOW_CHART_ROUNDED, "/measurements"),
    ("vaccination", ft.Icons.VACCINES_OUTLINED, "/profile"),
    ("document", ft.Icons.DESCRIPTION_OUTLINED, "/timeline"),
)


def read_all(session: Session) -> tuple[Overview, bool]:
    """What the screen needs in one go: the overview, and whether the recovery code was ever typed back."""
    return overview(session), recovery_confirmed(session)


@component
def Screen() -> ft.Control:
    """Draw the overview."""
    app = use_app()
    read = use_query(read_all)
    if read.value is None:
        waiting = query_placeholder(read, app.t("common.loading"))
        return page_body(app.t("nav.overview"), *([waiting] if waiting is not None else []))
    found, confirmed = read.value
    # The example patient's passphrase is public: nothing to lose there, so nothing to remind of.
    reminder = [] if confirmed or app.is_example else [_recovery_reminder(app)]
    if found.total == 0:
        return page_body(greeting(app, found), *reminder, _nothing_yet(app))
    return page_body(
        greeting(app, found),
        *reminder,
        BackupReminder(),
        *_sharing_reminders(found),
        Tiles(found),
        _next_steps(app, found),
        _newest(app, found),
        lead=app.t("overview.lead", n=found.total),
    )


def greeting(app: AppState, found: Overview) -> str:
    """Greet by name when the record knows it."""
    if found.person is None or not found.person.name:
        return app.t("overview.hello")
    return app.t("overview.hello.name", name=found.person.name)


def _nothing_yet(app: AppState) -> ft.Control:
    collect = primary_button(
        app.t("overview.collect"),
        lambda: go("/collect"),
        key="to-collect",
        icon=ft.Icons.FOLDER_OPEN_OUTLINED,
    )
    typed = secondary_button(
        app.t("overview.type"), lambda: go("/medication/new"), key="to-type", icon=ft.Icons.EDIT_OUTLINED
    )
    buttons = ft.Row(
        [collect, typed],
        wrap=True,
        alignment=ft.MainAxisAlignment.CENTER,
        spacing=GAP_SMALL,
        run_spacing=GAP_SMALL,
    )
    sentence = app.t("overview.empty.text")
    return card(empty_state(ft.Icons.INBOX_OUTLINED, app.t("overview.empty.title"), sentence, buttons))


def _sharing_reminders(found: Overview) -> list[ft.Control]:
    if not found.shares_in_force:
        return []
    # Loaded with the first share only: the first frame must not pay for the consent engine.
    from pgo.ui.sharing.reminders import Reminders

    return [Reminders()]


def _recovery_reminder(app: AppState) -> ft.Control:
    return ft.Column(
        [
            note(app.t("overview.recovery"), "attention", icon=ft.Icons.KEY_ROUNDED),
            toolbar(
                secondary_button(
                    app.t("overview.recovery.do"), lambda: go("/settings/keys"), key="to-recovery"
                )
            ),
        ],
        spacing=GAP_SMALL,
        tight=True,
    )


@component
def Tiles(found: Overview) -> ft.Control:
    """Counts of the parts, each a way into it; two beside each other on a phone."""
    app, layout = use_app(), use_layout()
    large = app.prefs.text_scale > LARGE_TEXT
    across = (3 if large else 6) if layout.content > 700 else (1 if large else 2)
    width = (layout.content - (across - 1) * GAP_SMALL) / across
    counts = {str(kind): n for kind, n in found.counts.items()}
    tiles = [
        _tile(
            app.t(f"records.kinds.{kind}"),
            counts.get(kind, 0),
            icon,
            route,
            key=f"tile-{kind}",
            width=width - 0.5,
        )
        for kind, icon, route in TILES
    ]
    return ft.Row(tiles, wrap=True, spacing=GAP_SMALL, run_spacing=GAP_SMALL)


def _tile(name: str, count: int, icon: ft.IconData, route: str, *, key: str, width: float) -> ft.Control:
    box = ft.Container(
        width=width,
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
        border_radius=RADIUS,
        padding=GAP,
        ink=True,
        on_click=lambda _e: go(route),
        content=ft.Column(
            [
                ft.Row(
                    [
                        ft.Icon(icon, color=ft.Colors.PRIMARY),
                        ft.Text(
                            str(count), theme_style=ft.TextThemeStyle.TITLE_LARGE, font_family=FONT_STRONG
                        ),
                    ],
                    alignment=ft.MainAxisAlignment.SPACE_BETWEEN,
                ),
                muted(name, small=True),
            ],
            spacing=GAP_SMALL,
            tight=True,
        ),
    )
    return ft.MergeSemantics(content=ft.Semantics(identifier=key, button=True, content=box))


def _next_steps(app: AppState, found: Overview) -> ft.Control:
    due = found.next_questionnaire_due
    check = app.t("overview.check.due", day=fmt_date(app.lang, due)) if due else app.t("overview.check.none")
    share = app.t("overview.share.some", n=found.shares_in_force) if found.shares_in_force else ""
    share = share or app.t("overview.share.none")
    if found.deliveries_waiting:
        share = f"{share} {app.t('overview.share.waiting', n=found.deliveries_waiting)}"
    return section_card(
        app.t("overview.next"),
        list_section(
            [
                _step(app, "check", check, ft.Icons.FACT_CHECK_OUTLINED, "/check"),
                _step(
                    app,
                    "collect",
                    app.t("overview.collect.detail"),
                    ft.Icons.FOLDER_OPEN_OUTLINED,
                    "/collect",
                ),
                _step(app, "share", share, ft.Icons.HANDSHAKE_OUTLINED, "/share"),
            ]
        ),
    )


def _step(app: AppState, name: str, detail: str, icon: ft.IconData, route: str) -> ft.Control:
    title = app.t(f"overview.{name}")
    return list_row(title, key=f"to-{name}", detail=detail, icon=icon, on_click=_to(route))


def _second(app: AppState, row: RecordRow) -> str:
    """Date and detail; a value that stands at the right is not said twice."""
    detail = row.detail if row.detail != row.value_text else ""
    return " · ".join(part for part in (fmt_date(app.lang, row.start[:10]), detail) if part)


def _newest(app: AppState, found: Overview) -> ft.Control:
    if not found.newest:
        return section_card(app.t("overview.newest"), body(app.t("overview.newest.none")))
    rows = [
        list_row(
            row.title,
            key=f"record-{row.id}",
            detail=_second(app, row),
            trailing=row.value_text,
            on_click=_to(f"/record/{row.id}"),
        )
        for row in found.newest
    ]
    return section_card(app.t("overview.newest"), list_section(rows))


def _to(route: str) -> Callable[[object], None]:
    return lambda _e: go(route)
