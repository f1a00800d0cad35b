"""Timeline: everything in the record, newest first, with a search box and one filter per kind.

Typing searches a moment after the last letter, so that each letter does not start a reading of its own. The
list holds any number of records; see ``pgo.ui.records.paging``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import flet as ft

from pgo.ui.hooks import Query, use_app, use_query
from pgo.ui.records.frame import nothing_collected, quiet, record_tabs
from pgo.ui.records.paging import Pages, use_pages
from pgo.ui.records.rows import ICONS, record_line
from pgo.ui.room import use_layout
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.text import fmt_number
from pgo.ui.theme import GAP_SMALL
from pgo.ui.widgets import VirtualList, live, loading, note, page_body, text_field
from pgo.ui.widgets.buttons import keyed
from pgo.usecases import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pgo.health.record.index import RecordKind
    from pgo.usecases.read import Overview, Page
    from pgo.usecases.session import Session

SEARCH_AFTER_SECONDS: Final = 0.25
ROW_HEIGHT: Final = 72


@component
def Screen() -> ft.Control:
    """Draw the timeline."""
    app, layout = use_app(), use_layout()
    typed, set_typed = ft.use_state("")  # what stands in the box, at once
    query, set_query = ft.use_state("")  # what is searched for, a moment later
    kind, set_kind = ft.use_state("")
    overview = use_query(read.overview)
    pending: Any = ft.use_ref(None)

    def read_page(session: Session, offset: int, limit: int) -> Page:
        return read.timeline(session, query=query, kind=_kind(kind), offset=offset, limit=limit)

    pages = use_pages(read_page, query, kind)

    def on_type(text: str) -> None:
        set_typed(text)
        if pending.current is not None:
            pending.current.cancel()
        pending.current = asyncio.create_task(_later(set_query, text.strip()))

    if overview.value is not None and overview.value.total == 0:
        return page_body(
            app.t("timeline.title"),
            record_tabs(app, "/timeline"),
            nothing_collected(app, ft.Icons.TIMELINE_ROUNDED, "timeline.empty"),
        )
    return page_body(
        app.t("timeline.title"),
        record_tabs(app, "/timeline"),
        text_field(app.t("timeline.search"), typed, on_type, key="timeline-search"),
        _filters(app, _present(overview), kind, set_kind, wide=layout.wide),
        live(_found(app, pages, query), visible=True),
        _rows(app, pages, with_kind=not kind),
        scroll=False,
    )


async def _later(set_query: Callable[[str], None], text: str) -> None:
    await asyncio.sleep(SEARCH_AFTER_SECONDS)
    set_query(text)


def _kind(name: str) -> RecordKind | None:
    from pgo.health.record.index import RecordKind

    return RecordKind(name) if name else None


def _found(app: AppState, pages: Pages, query: str) -> str:
    total = pages.shown.total
    if total is None:
        return ""
    count = fmt_number(app.lang, total)
    return app.t("timeline.found" if query else "timeline.count", n=total, count=count)


def _present(overview: Query[Overview]) -> Iterable[str]:
    return overview.value.counts if overview.value is not None else ()


def in_order(present: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds that occur, in the fixed order of the icons, "other" last."""
    here = {str(one) for one in present}
    return tuple(kind for kind in ICONS if kind in here)


def _filters(
    app: AppState, present: Iterable[str], kind: str, set_kind: Callable[[str], None], *, wide: bool
) -> ft.Control:
    """One filter per kind that occurs; the chosen one has a tick and says that it is chosen."""
    pills = [_pill(app, name, set_kind, chosen=name == kind) for name in ("", *in_order(present))]
    if wide:
        row = ft.Row(pills, wrap=True, spacing=GAP_SMALL, run_spacing=GAP_SMALL)
    else:
        row = ft.Row(pills, scroll=ft.ScrollMode.HIDDEN, spacing=GAP_SMALL)
    return ft.Semantics(container=True, label=app.t("timeline.filters"), content=row)


def _pill(app: AppState, name: str, set_kind: Callable[[str], None], *, chosen: bool) -> ft.Control:
    ground = ft.Colors.SECONDARY_CONTAINER if chosen else ft.Colors.TRANSPARENT
    ink = ft.Colors.ON_SECONDARY_CONTAINER if chosen else ft.Colors.ON_SURFACE_VARIANT
    button = ft.TextButton(
        app.t(f"records.kinds.{name}") if name else app.t("timeline.all"),
        icon=ft.Icons.CHECK_ROUNDED if chosen else ICONS.get(name),
        on_click=lambda _e: set_kind(name),
        style=ft.ButtonStyle(
            bgcolor=ground,
            color=ink,
            icon_color=ink,
            side=ft.BorderSide(1, ft.Colors.OUTLINE_VARIANT),
            shape=ft.StadiumBorder(),
        ),
    )
    return keyed(f"kind-{name or 'all'}", ft.Semantics(selected=chosen, content=button))


def _rows(app: AppState, pages: Pages, *, with_kind: bool) -> ft.Control:
    shown = pages.shown
    if pages.failed is not None:
        return note(pages.failed.text, "bad")
    if shown.total is None:
        return loading(app.t("records.loading"))
    if shown.total == 0:
        return quiet(app.t("timeline.not_found"))

    def build(index: int) -> ft.Control:
        row = shown.row(index)
        if row is None:
            return ft.Container()
        return record_line(app, row, with_kind=with_kind, one_line=True)

    rows: ft.Control = VirtualList(
        shown.total, build, row_height=ROW_HEIGHT, on_window=pages.on_window, key=shown.place
    )
    return rows
