"""The journal: what the app did with the data, newest first; filters, search, a check, and the signed file.

One page of lines exists at a time, so ten thousand lines are as quick as fifty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

import flet as ft

from pgo.ui.hooks import go, use_action, use_app, use_query
from pgo.ui.journal_words import finding_sentence, looked_sentence, row_sentence, searched_text
from pgo.ui.records.frame import answered, quiet, stacked
from pgo.ui.safety import component
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_moment, fmt_number
from pgo.ui.theme import GAP_SMALL
from pgo.ui.widgets import (
    body,
    card,
    copyable,
    date_field,
    list_section,
    live,
    muted,
    note,
    page_body,
    progress,
    secondary_button,
    section_card,
    tabs_row,
    text_button,
    text_field,
    toolbar,
)
from pgo.usecases.journal import (
    JournalPage,
    JournalQuery,
    check_journal,
    export_journal,
    journal_page,
)
from pgo.usecases.journal_file import Verified
from pgo.usecases.journal_kinds import JournalKind
from pgo.usecases.journal_rows import JournalRow

FILE_NAME: Final = "pgo-journal.jsonl"
PAGE: Final = 50
SEARCH_AFTER_SECONDS: Final = 0.25
MOST_FINDINGS: Final = 20

_ICONS: Final[Mapping[JournalKind, ft.IconData]] = {
    JournalKind.ACCESS: ft.Icons.LOCK_OUTLINE_ROUNDED,
    JournalKind.RECORD: ft.Icons.DESCRIPTION_OUTLINED,
    JournalKind.SHARING: ft.Icons.SEND_OUTLINED,
    JournalKind.LOOKED: ft.Icons.VISIBILITY_OUTLINED,
    JournalKind.COPIES: ft.Icons.SAVE_ALT_ROUNDED,
}


@component
def Screen() -> ft.Control:
    """Draw the journal."""
    app = use_app()
    return page_body(
        app.t("journal.title"),
        Lines(),
        CheckCard(),
        SaveCard(),
        lead=app.t("journal.intro"),
        back=("/settings", app.t("settings.title")),
    )


@component
def Lines() -> ft.Control:
    """Filters, and a page of what they let through."""
    app = use_app()
    asked, set_asked = ft.use_state(JournalQuery())
    typed, set_typed = ft.use_state("")  # what stands in the box; it is searched for a moment later
    offset, set_offset = ft.use_state(0)
    pending: Any = ft.use_ref(None)
    lang = app.lang
    found = use_query(
        lambda session: journal_page(
            session, asked, say=lambda row: searched_text(lang, row), offset=offset, limit=PAGE
        ),
        asked,
        offset,
        lang,
    )

    def ask(query: JournalQuery) -> None:
        set_offset(0)
        set_asked(query)

    async def later(words: str) -> None:
        await asyncio.sleep(SEARCH_AFTER_SECONDS)
        set_offset(0)
        set_asked(lambda old: replace(old, words=words))

    def on_type(words: str) -> None:
        set_typed(words)
        if pending.current is not None:
            pending.current.cancel()
        pending.current = asyncio.create_task(later(words.strip()))

    def clear() -> None:
        set_typed("")
        ask(JournalQuery())

    return card(
        text_field(app.t("journal.search"), typed, on_type, key="journal-search"),
        *_filters(app, asked, ask, clear),
        answered(app, found, lambda page: PageOfLines(page, set_offset)),
    )


def _filters(
    app: AppState, asked: JournalQuery, ask: Callable[[JournalQuery], None], clear: Callable[[], None]
) -> list[ft.Control]:
    """Kind and period, and the way back to everything once something was chosen."""
    chosen = asked != JournalQuery()
    clearing = [text_button(app.t("journal.clear"), clear, key="journal-clear")] if chosen else []
    return [_kinds(app, asked, ask), toolbar(*_days(app, asked, ask), *clearing)]


def _kinds(app: AppState, asked: JournalQuery, ask: Callable[[JournalQuery], None]) -> ft.Control:
    kinds = [("all", app.t("journal.kind.all")), *((k, app.t(f"journal.kind.{k}")) for k in JournalKind)]

    def choose(value: str) -> None:
        ask(replace(asked, kind=None if value == "all" else JournalKind(value)))

    return tabs_row(kinds, asked.kind or "all", label=app.t("journal.kinds"), on_choose=choose)


def _days(app: AppState, asked: JournalQuery, ask: Callable[[JournalQuery], None]) -> list[ft.Control]:
    def first(day: date | None) -> None:
        ask(replace(asked, first=day))

    def last(day: date | None) -> None:
        ask(replace(asked, last=day))

    today = app.session.today()
    return [
        date_field(
            app.t("journal.first"), asked.first, first, key="journal-first", today=today, clearable=True
        ),
        date_field(app.t("journal.last"), asked.last, last, key="journal-last", today=today, clearable=True),
    ]


@component
def PageOfLines(page: JournalPage, set_offset: Callable[[int], None]) -> ft.Control:
    """The lines of one page, how many there are, and the way to newer and older ones."""
    app = use_app()
    if not page.rows:
        return quiet(app.t("journal.none"))
    last = page.offset + len(page.rows)
    said = app.t(
        "journal.shown",
        first=fmt_number(app.lang, page.offset + 1),
        last=fmt_number(app.lang, last),
        total=fmt_number(app.lang, page.total),
    )
    if page.total <= PAGE:
        said = app.t("journal.found", n=page.total, count=fmt_number(app.lang, page.total))
    newer = text_button(
        app.t("journal.newer"),
        lambda: set_offset(max(0, page.offset - PAGE)),
        key="journal-newer",
        icon=ft.Icons.ARROW_UPWARD_ROUNDED,
        disabled=page.offset == 0,
    )
    older = text_button(
        app.t("journal.older"),
        lambda: set_offset(page.offset + PAGE),
        key="journal-older",
        icon=ft.Icons.ARROW_DOWNWARD_ROUNDED,
        disabled=last >= page.total,
    )
    ways = [toolbar(newer, older)] if page.total > PAGE else []
    rows = [_line(app, row) for row in page.rows]
    return stacked(live(said, visible=True), list_section(rows), *ways, spacing=GAP_SMALL)


def _line(app: AppState, row: JournalRow) -> ft.Control:
    who = looked_sentence(app.lang, row)
    words = stacked(
        body(row_sentence(app.lang, row)),
        *([muted(who)] if who else []),
        muted(fmt_moment(app.lang, row.at), small=True),
        spacing=2,
    )
    words.expand = True
    cells: list[ft.Control] = [ft.Icon(_ICONS[row.kind], color=ft.Colors.PRIMARY), words]
    if row.record_id is not None:
        number = row.record_id
        cells.append(
            text_button(
                app.t("journal.open"), lambda: go(f"/record/{number}"), key=f"journal-open-{row.position}"
            )
        )
    line = ft.Row(cells, spacing=12, vertical_alignment=ft.CrossAxisAlignment.START)
    padding = ft.Padding(left=0, right=0, top=10, bottom=10)
    return ft.Container(line, padding=padding, key=f"line-{row.position}")


@component
def CheckCard() -> ft.Control:
    """Recompute the chain and say what was found."""
    app = use_app()
    hook: Any = ft.use_state(None)
    checked: Verified | None = hook[0]

    async def check() -> None:
        outcome = await app.run(check_journal, app.session)
        hook[1](outcome.value if isinstance(outcome, Ok) else None)

    action = use_action(check)
    return section_card(
        app.t("journal.check"),
        *([progress(app.t("journal.check.busy"), None)] if action.busy else []),
        *([] if checked is None or action.busy else [_verdict(app, checked)]),
        toolbar(
            secondary_button(
                app.t("journal.check.do"),
                action.start,
                key="journal-check",
                icon=ft.Icons.FACT_CHECK_OUTLINED,
                disabled=action.busy,
            )
        ),
        lead=app.t("journal.check.lead"),
    )


def _verdict(app: AppState, checked: Verified) -> ft.Control:
    if not checked.findings:
        return stacked(
            note(app.t("journal.check.good", n=checked.count), "good"),
            muted(app.t("journal.key.lead")),
            copyable(checked.fingerprint),
            spacing=GAP_SMALL,
        )
    lines = [body(finding_sentence(app.lang, one)) for one in checked.findings[:MOST_FINDINGS]]
    return stacked(note(app.t("journal.check.bad"), "bad"), *lines, spacing=GAP_SMALL)


@component
def SaveCard() -> ft.Control:
    """The signed file."""
    app = use_app()
    picker: ft.FilePicker = ft.use_memo(ft.FilePicker, [])

    async def save() -> None:
        outcome = await app.run(export_journal, app.session)
        if isinstance(outcome, Ok):
            await picker.save_file(file_name=FILE_NAME, src_bytes=outcome.value)
            app.say(app.t("journal.save.done"))

    action = use_action(save)
    return section_card(
        app.t("journal.save"),
        *([progress(app.t("common.busy"), None)] if action.busy else []),
        toolbar(
            secondary_button(
                app.t("journal.save"),
                action.start,
                key="journal-save",
                icon=ft.Icons.DOWNLOAD_ROUNDED,
                disabled=action.busy,
            )
        ),
        lead=app.t("journal.save.lead"),
    )
