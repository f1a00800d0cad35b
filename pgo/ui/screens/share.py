"""Sharing: who gets what now, what was shared before, and whom one could share with.

A share stays under "now" until nobody has to do anything any more: one that was stopped but not yet
confirmed by the recipient is not over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import flet as ft

from pgo.ui.backup.after import WaitingNotes
from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.records.frame import answered, stacked
from pgo.ui.safety import component
from pgo.ui.sharing.notices import CostSetting, HeldBack
from pgo.ui.sharing.parts import named_button, share_badge
from pgo.ui.sharing.reminders import Reminders
from pgo.ui.sharing.stop import StopButton
from pgo.ui.sharing_words import badge, ever_sent, kind_name, summary
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_date, fmt_moment
from pgo.ui.widgets import (
    Ask,
    body,
    card,
    empty_state,
    heading,
    list_row,
    list_section,
    muted,
    page_body,
    primary_button,
    secondary_button,
    section_card,
    text_button,
    toolbar,
    use_confirm,
)
from pgo.usecases import looked, objections, requests, share
from pgo.usecases.session import Session
from pgo.usecases.share import RecipientRow, ShareRow

PAST_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the screen shows, read at one moment.

    Attributes:
        shares: all shares, newest first.
        recipients: everybody whose card was added.
        looks: recipient to (how often somebody looked, when last), from the lists fetched before.
        objections: how many hold now.
        requests: how many wait for an answer.
    """

    shares: tuple[ShareRow, ...]
    recipients: tuple[RecipientRow, ...]
    looks: Mapping[str, tuple[int, datetime]]
    objections: int
    requests: int


def read_sharing(session: Session) -> Sharing:
    """Read all shares and recipients, and how much there is behind the other doors."""
    known = share.recipients(session)
    entries = {row.id: looked.access(session, row.id).entries for row in known}
    in_force = [row for row in objections.objections(session) if row.lifted_at is None]
    return Sharing(
        shares=share.shares(session),
        recipients=known,
        looks={one: (len(found), found[0].at) for one, found in entries.items() if found},
        objections=len(in_force),
        requests=len(requests.requests(session)),
    )


@component
def Screen() -> ft.Control:
    """Draw the overview of sharing."""
    app = use_app()
    seen = use_query(read_sharing)
    return page_body(
        app.t("share.title"),
        answered(app, seen, lambda found: _overview(app, found)),
        lead=app.t("share.intro"),
    )


def _add(app: AppState, *, first: bool) -> ft.Control:
    make = primary_button if first else secondary_button
    return make(
        app.t("share.add"), lambda: go("/share/add"), key="share-add", icon=ft.Icons.PERSON_ADD_ALT_ROUNDED
    )


def _overview(app: AppState, found: Sharing) -> ft.Control:
    now = [row for row in found.shares if not badge(row).past]
    past = [row for row in found.shares if badge(row).past]
    return stacked(
        WaitingNotes(),
        HeldBack(),
        Reminders(),
        _now(app, now, found),
        _contacts(app, found),
        _doors(app, found),
        *([Past(past)] if past else []),
        spacing=24,
    )


def _doors(app: AppState, found: Sharing) -> ft.Control:
    """The other places where the patient decides about sharing, and what waits there."""

    def count(what: str, n: int, none: str) -> str:
        return app.t(f"share.home.{what}_n", n=n) if n else app.t(none)

    doors = (
        ("requests", count("requests", found.requests, "share.home.requests_none"), ft.Icons.MAIL_OUTLINED),
        (
            "objections",
            count("objections", found.objections, "share.home.objections"),
            ft.Icons.SHIELD_OUTLINED,
        ),
        ("history", app.t("share.home.history"), ft.Icons.HISTORY_ROUNDED),
    )
    titles = {"requests": "request.title", "objections": "objection.title", "history": "history.title"}
    rows = [
        list_row(
            app.t(titles[name]), key=f"to-{name}", detail=detail, icon=icon, on_click=partial(_open, name)
        )
        for name, detail, icon in doors
    ]
    return section_card(app.t("share.home.manage"), list_section(rows), CostSetting())


def _open(name: str, _event: object = None) -> None:
    go(f"/share/{name}")


def _now(app: AppState, rows: list[ShareRow], found: Sharing) -> ft.Control:
    if not rows:
        known = bool(found.recipients)
        text = "share.nobody_known" if known else "share.nobody_body"
        action = None if known else _add(app, first=True)
        return card(empty_state(ft.Icons.LOCK_OUTLINE_ROUNDED, app.t("share.nobody"), app.t(text), action))
    return stacked(
        heading(app.t("share.now"), 2),
        *[_share_card(app, row, found.looks.get(row.recipient.id)) for row in rows],
        spacing=12,
    )


@component
def Past(rows: list[ShareRow]) -> ft.Control:
    """What is over: the newest few, and the rest when asked for."""
    app = use_app()
    is_open, set_open = ft.use_state(False)
    shown = rows if is_open else rows[:PAST_SHOWN]
    more = text_button(
        app.t("share.past_all", n=len(rows)),
        lambda: set_open(True),
        key="share-past-all",
        icon=ft.Icons.EXPAND_MORE_ROUNDED,
    )
    return stacked(
        heading(app.t("share.past"), 2),
        *[_share_card(app, row) for row in shown],
        *([ft.Row([more], wrap=True)] if len(shown) < len(rows) else []),
        spacing=12,
    )


def _share_card(app: AppState, row: ShareRow, looks: tuple[int, datetime] | None = None) -> ft.Control:
    """One share: who, what, until when, last delivered, who looked; stopping is one button away."""
    past, name = badge(row).past, row.recipient.name
    label = app.t("share.open_past" if past else "share.open")
    open_it = named_button(
        label,
        app.t("share.button_for", label=label, name=name),
        lambda: go(f"/share/{row.grant_id}"),
        key=f"share-open-{row.grant_id}",
        icon=ft.Icons.ARROW_FORWARD_ROUNDED,
    )
    can_stop = not past and row.withdrawn_at is None
    return card(
        heading(name, 3),
        share_badge(app, row),
        body(summary(app.lang, row.choice)),
        stacked(*[_fact(icon, text) for icon, text in _facts(app, row, looks, past=past)], spacing=4),
        toolbar(open_it, *([StopButton(row, key=f"stop-{row.grant_id}")] if can_stop else [])),
    )


def _facts(
    app: AppState, row: ShareRow, looks: tuple[int, datetime] | None, *, past: bool
) -> list[tuple[ft.IconData, str]]:
    delivery, until = row.delivery, fmt_date(app.lang, row.choice.period[1])
    count = ever_sent(delivery)
    facts = [
        (ft.Icons.EVENT_ROUNDED, app.t("share.ended_on" if past else "share.until", date=until)),
        (ft.Icons.SEND_ROUNDED, app.t("share.sent", n=count) if count else app.t("share.sent_none")),
    ]
    if delivery.last_at is not None and not past:
        when = fmt_moment(app.lang, delivery.last_at)
        facts.append((ft.Icons.VERIFIED_OUTLINED, app.t("share.home.last_sent", when=when)))
    if looks is not None:
        times, when = looks[0], fmt_moment(app.lang, looks[1])
        facts.append((ft.Icons.VISIBILITY_OUTLINED, app.t("share.home.looked", n=times, when=when)))
    elif not past and row.recipient.fingerprint:
        facts.append((ft.Icons.VISIBILITY_OUTLINED, app.t("share.home.looked_none")))
    return facts


def _fact(icon: ft.IconData, text: str) -> ft.Control:
    words = muted(text)
    words.expand = True
    return ft.Row([ft.Icon(icon, size=18, color=ft.Colors.ON_SURFACE_VARIANT), words], spacing=8)


def _contacts(app: AppState, found: Sharing) -> ft.Control:
    if not found.recipients:
        return ft.Container()
    used = {row.recipient.id for row in found.shares}
    cards = [Contact(row, row.id not in used, key=f"contact-{row.id}") for row in found.recipients]
    return section_card(
        app.t("share.contacts"), list_section(cards), ft.Row([_add(app, first=False)], wrap=True)
    )


@component
def Contact(row: RecipientRow, removable: bool) -> ft.Control:
    """One recipient: share, see who looked, or take off the list while nothing was shared."""
    app = use_app()
    ask = use_confirm()

    async def remove() -> None:
        if isinstance(await app.run(share.remove_recipient, app.session, row.id), Ok):
            app.changed(app.t("share.removed", name=row.name))

    question = Ask(
        title=app.t("share.remove_sure", name=row.name),
        text=app.t("share.remove_body"),
        yes=app.t("share.remove_yes"),
        work=remove,
    )
    buttons = [_button(app, row, "share.give", f"/share/new/{row.id}", ft.Icons.SEND_ROUNDED)]
    if removable:
        buttons.append(text_button(app.t("share.remove"), partial(ask, question), key=f"remove-{row.id}"))
    elif row.fingerprint:
        buttons.append(
            _button(app, row, "share.who_looked", f"/share/looked/{row.id}", ft.Icons.VISIBILITY_OUTLINED)
        )
    kind = kind_name(app.lang, row.kind)
    until = app.t("share.card_until", date=fmt_date(app.lang, row.card_expires_at)) if row.fingerprint else ""
    facts = app.t("share.two_facts", first=kind, second=until) if until else kind
    lines = stacked(heading(row.name, 3), muted(facts, small=True), toolbar(*buttons), spacing=8)
    return ft.Container(lines, padding=ft.Padding(left=0, right=0, top=12, bottom=12))


def _button(app: AppState, row: RecipientRow, text: str, route: str, icon: ft.IconData) -> ft.Control:
    label = app.t(text)
    spoken = app.t("share.button_for", label=label, name=row.name)
    key = f"{text.rsplit('.', 1)[-1]}-{row.id}"
    return named_button(label, spoken, lambda: go(route), key=key, icon=icon, primary=text == "share.give")
