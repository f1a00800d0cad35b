"""One share: what was agreed, how far it has come, and the way to stop it.

Stopping is one action with one question. After it the screen says what has happened here (at once) and
what the recipient still has to confirm; the two are never mixed up.
"""

from __future__ import annotations

from types import ModuleType

import flet as ft

from consent.decision import GrantState
from pgo.ui import fhir_words, sharing_words
from pgo.ui.hooks import go, use_action, use_app, use_query
from pgo.ui.records.frame import answered, stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import sentences, share_badge
from pgo.ui.sharing.server import ServerCheck
from pgo.ui.sharing.stop import StopButton
from pgo.ui.sharing_words import choice_sentences, join, receipt_sentence, sent_of
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_moment, fmt_number
from pgo.ui.widgets import (
    live,
    muted,
    page_body,
    progress,
    secondary_button,
    section_card,
    toolbar,
)
from pgo.usecases import deliver, share
from pgo.usecases.session import Session
from pgo.usecases.share import DeliveryState, ShareRow


@component
def Screen() -> ft.Control:
    """Draw one share."""
    app = use_app()
    grant_id = str(ft.use_route_params().get("grant", ""))

    def read(session: Session) -> ShareRow:
        return share.share(session, grant_id)

    found = use_query(read, grant_id)
    back = ("/share", app.t("share.title"))
    if found.value is None:
        return page_body(app.t("share.title"), answered(app, found, lambda _row: ft.Container()), back=back)
    row = found.value
    return page_body(row.recipient.name, share_badge(app, row), Detail(row), back=back)


@component
def Detail(row: ShareRow) -> ft.Control:
    """What is known about a share, and what can be done with it."""
    app = use_app()
    name = row.recipient.name
    signed = app.t("share.detail.signed_at", when=fmt_moment(app.lang, row.signed_at))
    stopped = row.state in (GrantState.WITHDRAWN, GrantState.EXPIRED)
    return stacked(
        Progress(
            row, key=f"progress-{row.state}"
        ),  # what was said about a try ends with the state it was about
        Again(row) if stopped else _stop(app, row),
        section_card(
            app.t("share.detail.agreed"),
            sentences(app, choice_sentences(app.lang, row.choice, name=name, names=row.names)),
            muted(signed),
        ),
        _receipts(app, row),
        *([ServerCheck(row.recipient.id, name)] if _is_server(row) else []),
        *(
            []
            if stopped
            else [
                section_card(
                    app.t("share.new.know"), sentences(app, _words(row).know_sentences(app.lang, name=name))
                )
            ]
        ),
    )


@component
def Progress(row: ShareRow) -> ft.Control:
    """How far the share has come, with the way to try again now."""
    app = use_app()
    outcome, set_outcome = ft.use_state("")
    name = row.recipient.name

    async def send() -> None:
        set_outcome("")
        if isinstance(await app.run(deliver.send_now, app.session), Ok):
            fresh = await app.attempt(share.share, app.session, row.grant_id)
            open_now = isinstance(fresh, Ok) and waits(fresh.value)
            set_outcome(app.t("share.detail.tried_failed", name=name) if open_now else "")
            app.changed()

    trying = use_action(send)
    said = app.t("share.detail.trying") if trying.busy else outcome
    buttons = [
        secondary_button(
            app.t("share.detail.send_now"),
            trying.start,
            key="share-send-now",
            icon=ft.Icons.SYNC_ROUNDED,
            disabled=trying.busy,
        )
    ]
    title = "share.detail.stopping" if row.state is GrantState.WITHDRAWN else "share.detail.sending"
    return section_card(
        app.t(title),
        sentences(app, _words(row).delivery_sentences(app.lang, row)),
        *_how_far(app, row),
        *([toolbar(*buttons), live(said, visible=bool(said))] if waits(row) else []),
        key="share-progress",
    )


def _how_far(app: AppState, row: ShareRow) -> list[ft.Control]:
    """How much of a large share has gone, while it goes; and what left without ever being confirmed."""
    sent, total = sent_of(row.delivery)
    shown: list[ft.Control] = []
    if waits(row) and 0 < sent < total and row.state is GrantState.IN_FORCE:
        counted = app.t(
            "share.detail.sent_of", done=fmt_number(app.lang, sent), total=fmt_number(app.lang, total)
        )
        shown.append(progress(counted, sent / total))
    unsure = row.delivery.unconfirmed
    if unsure:
        numbers = join(str(number) for number in unsure)
        words = app.t("share.detail.unconfirmed", n=len(unsure), name=row.recipient.name, list=numbers)
        shown.append(muted(words))
    return shown


_OVER = (DeliveryState.WITHDRAWN_CONFIRMED, DeliveryState.WITHDRAWN_GONE_THERE)


def waits(row: ShareRow) -> bool:
    """Tell whether a message of this share still has to reach the recipient."""
    if row.state is GrantState.WITHDRAWN:
        return row.delivery.state not in _OVER
    return row.state is GrantState.IN_FORCE and row.delivery.state in (
        DeliveryState.WAITING,
        DeliveryState.SENDING,
    )


def _is_server(row: ShareRow) -> bool:
    return row.recipient.kind == fhir_words.KIND


def _words(row: ShareRow) -> ModuleType:
    """The words for this kind of recipient; both modules have the same functions."""
    return fhir_words if _is_server(row) else sharing_words


def _receipts(app: AppState, row: ShareRow) -> ft.Control:
    if _is_server(row):
        shown = [fhir_words.receipt_sentence(app.lang, one) for one in row.delivery.receipts]
        content = sentences(app, shown) if shown else muted(app.t("fhir.detail.shown_none"))
        return section_card(app.t("fhir.detail.shown"), content)
    lines = [
        receipt_sentence(app.lang, receipt, name=row.recipient.name) for receipt in row.delivery.receipts
    ]
    content = (
        sentences(app, lines, icon=ft.Icons.VERIFIED_OUTLINED)
        if lines
        else muted(app.t("share.detail.receipts_none"))
    )
    return section_card(app.t("share.detail.receipts"), content)


def _looked(app: AppState, row: ShareRow) -> list[ft.Control]:
    if _is_server(row):  # it keeps no log that we could ask for
        return []
    button = secondary_button(
        app.t("share.who_looked"),
        lambda: go(f"/share/looked/{row.recipient.id}"),
        key="share-looked",
        icon=ft.Icons.VISIBILITY_OUTLINED,
    )
    return [button]


def _stop(app: AppState, row: ShareRow) -> ft.Control:
    return toolbar(StopButton(row, whole=True), *_looked(app, row))


@component
def Again(row: ShareRow) -> ft.Control:
    """After the end: share anew, or see who looked."""
    app = use_app()
    again = secondary_button(
        app.t("share.detail.again", name=row.recipient.name),
        lambda: go(f"/share/new/{row.recipient.id}"),
        key="share-again",
        icon=ft.Icons.REPLAY_ROUNDED,
    )
    return toolbar(again, *_looked(app, row))
