"""What the recipient would see: the number, what stays behind and why, and the same per kind of data.

All numbers come from the consent engine (``usecases.share.preview``), computed from the very choice that
would be signed. Nothing is counted here.
"""

from __future__ import annotations

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.sharing.held import ConflictNote, HeldList
from pgo.ui.sharing.parts import sentences
from pgo.ui.sharing_words import CATEGORY_ORDER, category_name, held_sentences
from pgo.ui.state import AppState
from pgo.ui.text import fmt_number
from pgo.ui.theme import GAP, GAP_SMALL
from pgo.ui.widgets import body, heading, list_section, muted, note, section_card, text_button
from pgo.usecases.share import SharePreview


@component
def PreviewPanel(preview: SharePreview | None, name: str) -> ft.Control:
    """Draw the preview; ``None`` while there is no valid choice or nothing was computed yet."""
    app = use_app()
    is_open, set_open = ft.use_state(False)
    title = app.t("share.new.preview", name=name)
    if preview is None:
        return section_card(title, muted(app.t("share.new.counting")))
    if not preview.total:
        return section_card(title, note(app.t("share.new.no_records"), "attention"))
    toggle = text_button(
        app.t("share.new.details_less" if is_open else "share.new.details"),
        lambda: set_open(not is_open),
        key="preview-details",
        icon=ft.Icons.EXPAND_LESS_ROUNDED if is_open else ft.Icons.EXPAND_MORE_ROUNDED,
    )
    return section_card(
        title,
        _headline(app, preview, name),
        *([] if preview.permitted else [note(app.t("share.new.nothing"), "attention")]),
        *[ConflictNote(one, key=f"conflict-{one.objection.id}") for one in preview.conflicts],
        *_held(app, preview),
        *([HeldList(preview)] if preview.held else []),
        ft.Row([toggle], wrap=True),
        *([_per_category(app, preview), *_newest(app, preview)] if is_open else []),
    )


def _headline(app: AppState, preview: SharePreview, name: str) -> ft.Control:
    seen, total = fmt_number(app.lang, preview.permitted), fmt_number(app.lang, preview.total)
    spoken = app.t("share.new.would_see_spoken", name=name, n=seen, total=total)
    number = ft.Text(seen, theme_style=ft.TextThemeStyle.DISPLAY_SMALL, color=ft.Colors.PRIMARY)
    rest = ft.Text(app.t("share.new.of_total", total=total), theme_style=ft.TextThemeStyle.TITLE_MEDIUM)
    bar = ft.ProgressBar(
        value=preview.permitted / preview.total,
        bar_height=10,
        border_radius=5,
        color=ft.Colors.PRIMARY,
        bgcolor=ft.Colors.SURFACE_CONTAINER_HIGHEST,
    )
    drawn = stacked(
        ft.Row([number, rest], vertical_alignment=ft.CrossAxisAlignment.END, spacing=GAP_SMALL, wrap=True),
        bar,
        spacing=GAP_SMALL,
    )
    return ft.Semantics(container=True, live_region=True, label=spoken, exclude_semantics=True, content=drawn)


def _held(app: AppState, preview: SharePreview) -> list[ft.Control]:
    lines = held_sentences(app.lang, preview)
    if not lines:
        return []
    return [heading(app.t("share.new.stays"), 3), sentences(app, lines, icon=ft.Icons.LOCK_OUTLINE_ROUNDED)]


def _per_category(app: AppState, preview: SharePreview) -> ft.Control:
    rows = []
    for category in CATEGORY_ORDER:
        permitted, total = preview.by_category.get(category, (0, 0))
        if total:
            of_total = app.t("share.new.of", n=permitted, total=total)
            rows.append(_line(category_name(app.lang, category), of_total, goes=bool(permitted)))
    return stacked(heading(app.t("share.new.goes"), 3), list_section(rows), spacing=GAP_SMALL)


def _line(name: str, count: str, *, goes: bool) -> ft.Control:
    words, number = body(name), body(count)
    words.expand = True
    icon = ft.Icons.CHECK_ROUNDED if goes else ft.Icons.LOCK_OUTLINE_ROUNDED
    colour = ft.Colors.PRIMARY if goes else ft.Colors.ON_SURFACE_VARIANT
    row = ft.Row([ft.Icon(icon, size=20, color=colour), words, number], spacing=GAP)
    padded = ft.Container(row, padding=ft.Padding(left=0, right=0, top=8, bottom=8))
    return ft.Semantics(container=True, label=f"{name}: {count}", exclude_semantics=True, content=padded)


def _newest(app: AppState, preview: SharePreview) -> list[ft.Control]:
    if not preview.sample:
        return []
    lines = [app.t("share.two_facts", first=row.title, second=row.start[:10]) for row in preview.sample]
    return [heading(app.t("share.new.newest"), 3), sentences(app, lines, icon=ft.Icons.CHECK_ROUNDED)]
