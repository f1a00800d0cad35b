"""The third layer of a choice: single records and authors, closed until somebody wants it.

What is pointed out here is said by name in the sentences that are signed; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flet as ft

from pgo.ui.hooks import use_app, use_query
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.sharing.form import ShareForm, Single, with_author, with_pointed, with_single
from pgo.ui.sharing.parts import so
from pgo.ui.sharing.rows import option_list, toggle_row
from pgo.ui.state import AppState
from pgo.ui.text import fmt_date
from pgo.ui.theme import GAP_SMALL
from pgo.ui.widgets import heading, muted, note, section_card, text_button, text_field
from pgo.usecases import picking
from pgo.usecases.picking import Author, Pickable
from pgo.usecases.session import Session

Change = Callable[[ShareForm], Any]


@component
def RefinePart(
    form: ShareForm, change: Change, problems: Mapping[str, str], said: Sequence[str]
) -> ft.Control:
    """The door to the third layer, and what was chosen behind it."""
    app = use_app()
    opened, set_opened = ft.use_state(False)
    used = form.single is not Single.ALL or bool(form.without_authors)
    is_open = opened or used
    toggle = text_button(
        app.t("share.new.refine_less" if is_open else "share.new.refine"),
        lambda: set_opened(not opened),
        key="share-refine",
        icon=ft.Icons.EXPAND_LESS_ROUNDED if is_open else ft.Icons.TUNE_ROUNDED,
        disabled=used,
    )
    problem = problems.get("records", "")
    key = "share.new.pick_first" if problem == "pick_first" else f"share.new.error.{problem}"
    inside = [Singles(form, change), Authors(form, change)] if is_open else []
    return section_card(
        app.t("share.new.refine_title"),
        *([ft.Row([toggle], wrap=True)] if not used else []),
        *inside,
        *([note(app.t(key), "bad")] if problem else []),
        *([so(app, said)] if said else []),
    )


@component
def Singles(form: ShareForm, change: Change) -> ft.Control:
    """All records, all but some, or only some; and the way to point them out."""
    app = use_app()
    options = {str(one): app.t(f"share.new.single_{one}") for one in Single}
    group = option_list(
        app.t("share.new.single"),
        form.single,
        options,
        lambda key: change(with_single(form, Single(key))),
        key="share-single",
    )
    picker = [] if form.single is Single.ALL else [Picker(form, change)]
    return stacked(heading(app.t("share.new.single"), 3), group, *picker, spacing=GAP_SMALL)


@dataclass(frozen=True, slots=True)
class Found:
    """What was pointed out, and what a search brought beside it."""

    chosen: tuple[Pickable, ...]
    others: tuple[Pickable, ...]
    nothing: bool


@component
def Picker(form: ShareForm, change: Change) -> ft.Control:
    """Search, and a switch per record; what was pointed out stays in sight."""
    app = use_app()
    query, set_query = ft.use_state("")

    def read(session: Session) -> Found:
        chosen = picking.picked(session, form.pointed)
        matches = picking.pickable(session, query)
        others = tuple(one for one in matches if one.reference not in form.pointed)
        return Found(chosen, others, nothing=not matches)

    found = use_query(read, query, form.pointed).value
    rows = [] if found is None else [*found.chosen, *found.others]
    lines = [_record(app, one, form, change) for one in rows]
    nothing = found is not None and found.nothing
    return stacked(
        text_field(
            app.t("share.new.pick"),
            query,
            set_query,
            key="share-pick",
            helper=app.t("share.new.pick_hint"),
        ),
        muted(app.t("share.new.pick_chosen", n=len(form.pointed)), small=True),
        *lines,
        *([muted(app.t("share.new.pick_none"))] if nothing else []),
        spacing=GAP_SMALL,
    )


def _record(app: AppState, one: Pickable, form: ShareForm, change: Change) -> ft.Control:
    day = fmt_date(app.lang, one.row.start[:10])
    kind = app.t(f"records.kind.{one.row.kind}")
    words = [one.row.title, *([day] if day else []), kind]
    return toggle_row(
        " · ".join(words),
        one.reference in form.pointed,
        lambda on: change(with_pointed(form, one.reference, on=on)),
        key=f"pick-{one.row.id}",
    )


@component
def Authors(form: ShareForm, change: Change) -> ft.Control:
    """Whose writing stays."""
    app = use_app()
    found = use_query(picking.authors).value
    if not found:
        return ft.Container()

    def line(place: int, author: Author) -> ft.Control:
        name = app.t("share.new.author_self") if author.is_patient else author.name
        return toggle_row(
            app.t("share.new.author_out", name=name, n=author.records),
            author.references <= form.without_authors,
            lambda out: change(with_author(form, author.references, out=out)),
            key=f"author-{place}",
        )

    lines = [line(place, author) for place, author in enumerate(found)]
    hint = muted(app.t("share.new.authors_hint"))
    return stacked(heading(app.t("share.new.authors"), 3), hint, *lines, spacing=GAP_SMALL)
