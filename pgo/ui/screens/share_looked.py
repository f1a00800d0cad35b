"""Who looked: the recipient's own signed list of who viewed this patient's data, when, what and why.

Above the list stands what the check found: unbroken and signed, or a warning that cannot be missed. What
the list cannot show (somebody looking outside the recipient's program) is said as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import flet as ft

from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.looked_words import access_more, access_what, doubt, fetch_problem, is_marked
from pgo.ui.records.frame import answered, stacked
from pgo.ui.safety import component
from pgo.ui.sharing_words import purpose_name
from pgo.ui.state import AppState, Failed
from pgo.ui.text import fmt_moment
from pgo.ui.widgets import (
    VirtualList,
    body,
    empty_state,
    list_section,
    live,
    muted,
    note,
    page_body,
    secondary_button,
    section_card,
    strong,
    toolbar,
)
from pgo.usecases import looked, share
from pgo.usecases.looked import AccessView
from pgo.usecases.session import Session
from pgo.usecases.share import RecipientRow

if TYPE_CHECKING:
    from sync.access import AccessEntry

SHORT: Final = 60  # up to here real rows; above, only those near the window exist
ROW_HEIGHT: Final = 168


@dataclass(frozen=True, slots=True)
class Looks:
    """The list as last fetched, and whose it is."""

    recipient: RecipientRow
    access: AccessView


def read_looks(session: Session, recipient_id: str) -> Looks:
    """Read what was fetched before; no network."""
    return Looks(share.recipient(session, recipient_id), looked.access(session, recipient_id))


@component
def Screen() -> ft.Control:
    """Draw the list of one recipient."""
    app = use_app()
    recipient_id = str(ft.use_route_params().get("recipient", ""))
    looks = use_query(lambda session: read_looks(session, recipient_id), recipient_id)
    back = ("/share", app.t("share.title"))
    if looks.value is None:
        waiting = answered(app, looks, lambda _looks: ft.Container())
        return page_body(app.t("share.who_looked"), waiting, back=back)
    name, view = looks.value.recipient.name, looks.value.access
    many = len(view.entries) > SHORT
    return page_body(
        app.t("share.who_looked_at", name=name),
        Fetch(looks.value),
        *_list(app, view, name, many=many),
        lead=app.t("share.looked.intro", name=name),
        back=back,
        scroll=not many,
    )


@component
def Fetch(looks: Looks) -> ft.Control:
    """Fetch the list now, and say what the check of the last list found."""
    app = use_app()
    name, view = looks.recipient.name, looks.access
    problem, set_problem = ft.use_state("")

    async def fetch() -> None:
        set_problem("")
        outcome = await app.attempt(looked.fetch_access, app.session, looks.recipient.id)
        if isinstance(outcome, Failed):
            known = view.fetched_at is not None
            set_problem(fetch_problem(app.lang, outcome.code, name=name, known=known))
        app.changed()

    fetching = use_action(fetch)
    button = secondary_button(
        app.t("share.looked.fetch"),
        fetching.start,
        key="looked-fetch",
        icon=ft.Icons.DOWNLOAD_ROUNDED,
        disabled=fetching.busy,
    )
    said = app.t("share.looked.fetching") if fetching.busy else ""
    return stacked(
        *_verdict(app, view, name),
        *(
            [ft.Semantics(live_region=True, container=True, content=note(problem, "attention"))]
            if problem
            else []
        ),
        toolbar(button, live(said, visible=bool(said))),
    )


def _verdict(app: AppState, view: AccessView, name: str) -> list[ft.Control]:
    if view.fetched_at is None:
        return [muted(app.t("share.looked.never"))]
    fetched = muted(app.t("share.looked.fetched_at", when=fmt_moment(app.lang, view.fetched_at)))
    if view.verified:
        said = note(app.t("share.looked.ok", name=name), "good", icon=ft.Icons.VERIFIED_USER_OUTLINED)
    else:
        said = note(doubt(app.lang, view.problem, name=name), "bad", icon=ft.Icons.GPP_BAD_OUTLINED)
    return [said, *_marked(app, view), muted(app.t("share.looked.limits", name=name), small=True), fetched]


def _marked(app: AppState, view: AccessView) -> list[ft.Control]:
    """Say how many looks deserve attention, before the list that holds them."""
    counts = (("looked.outside", view.reasons), ("looked.refused_count", view.refused))
    return [note(app.t(key, n=count), "attention") for key, count in counts if count]


def _list(app: AppState, view: AccessView, name: str, *, many: bool) -> list[ft.Control]:
    if view.fetched_at is None:
        return []
    if not view.entries:
        return [empty_state(ft.Icons.VISIBILITY_OFF_OUTLINED, app.t("share.looked.empty"), "")]
    rows = view.entries
    title = app.t("share.looked.count", n=len(rows))
    if not many:
        return [section_card(title, list_section([_entry(app, entry, name) for entry in rows]))]
    long: ft.Control = VirtualList(len(rows), lambda i: _entry(app, rows[i], name), row_height=ROW_HEIGHT)
    return [strong(title), long]


def _entry(app: AppState, entry: AccessEntry, name: str) -> ft.Control:
    lang = app.lang
    who = app.t("share.two_facts", first=entry.user, second=entry.role) if entry.role else entry.user
    when = fmt_moment(lang, entry.at)
    what = access_what(lang, entry)
    why = app.t("share.looked.why", why=purpose_name(lang, entry.purpose))
    more = access_more(lang, entry, name=name)
    spoken = ". ".join((app.t("share.looked.entry", who=who, when=when, what=what, why=why), *more))
    first, *rest = more or ("",)
    marked = is_marked(entry)
    lines: list[ft.Control] = [strong(who), muted(when), body(what), body(why)]
    lines += [strong(first) if marked else muted(first)] if first else []
    lines += [muted(line) for line in rest]
    drawn = ft.Column(lines, spacing=2, tight=True)
    icon = ft.Icons.PRIVACY_TIP_OUTLINED if marked else ft.Icons.PERSON_OUTLINE_ROUNDED
    row = ft.Row(
        [ft.Icon(icon, color=ft.Colors.PRIMARY), ft.Container(drawn, expand=True)],
        vertical_alignment=ft.CrossAxisAlignment.START,
        spacing=16,
    )
    padded = ft.Container(row, padding=ft.Padding(left=0, right=0, top=12, bottom=12))
    return ft.Semantics(
        identifier=f"look-{entry.sequence}",
        container=True,
        label=spoken,
        exclude_semantics=True,
        content=padded,
    )
