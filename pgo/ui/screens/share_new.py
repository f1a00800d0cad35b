"""A new share: choose, see what it means and what they would get, sign.

Rules:

1. The preview is computed by the consent engine from the choice on the screen, at every change; the number
   stays in view while the patient scrolls, and nothing can be signed while it belongs to an older choice.
2. What is signed is what stands here: the hash of the sentences above the button enters the grant.
3. What cannot be undone, and who keeps which promise, is said before the button, not after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import flet as ft

from pgo.errors import InputRefused
from pgo.ui import fhir_words, sharing_words
from pgo.ui.hooks import go, use_action, use_app, use_query
from pgo.ui.records.frame import answered, stacked
from pgo.ui.research_words import limit_sentences
from pgo.ui.safety import component
from pgo.ui.sharing.asked import AskedPart, has_limits
from pgo.ui.sharing.choices import SincePart, WhatPart, WhenPart
from pgo.ui.sharing.form import ShareForm, choice_of, problems, start_form, with_choice
from pgo.ui.sharing.parts import sentences
from pgo.ui.sharing.preview import PreviewPanel
from pgo.ui.sharing.refine import RefinePart
from pgo.ui.sharing.server import ServerCheck
from pgo.ui.sharing_words import (
    choice_sentences,
    data_sentence,
    period_sentence,
    single_sentences,
    what_sentences,
)
from pgo.ui.state import AppState, Failed, Ok
from pgo.ui.text import fmt_number, has
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    live,
    note,
    page_body,
    primary_button,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases import requests, share
from pgo.usecases.picking import Named, names_in
from pgo.usecases.requests import RequestRow
from pgo.usecases.session import Session
from pgo.usecases.share import Preset, RecipientRow, ShareChoice, SharePreview


@dataclass(frozen=True, slots=True)
class Start:
    """What the form starts from."""

    recipient: RecipientRow
    presets: tuple[Preset, ...]
    today: date
    asked: RequestRow | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A preview with the choice it was computed from, and the names of what was pointed out."""

    choice: ShareChoice
    preview: SharePreview
    names: Mapping[str, Named]


def read_start(session: Session, recipient_id: str) -> Start:
    """Read the recipient, its presets and the patient's day."""
    row = share.recipient(session, recipient_id)
    return Start(row, share.presets(row.kind), session.today())


@component
def Screen() -> ft.Control:
    """Read where to start from, then draw the form."""
    app = use_app()
    params = ft.use_route_params()
    recipient_id, request_id = str(params.get("recipient", "")), str(params.get("request", ""))

    def read(session: Session) -> Start:
        return read_answer(session, request_id) if request_id else read_start(session, recipient_id)

    start = use_query(read, recipient_id, request_id)
    if start.value is None:
        waiting = answered(app, start, lambda _start: ft.Container())
        return page_body(app.t("share.new.plain_title"), waiting, back=("/share", app.t("share.title")))
    editor: ft.Control = Editor(start.value, key=recipient_id or request_id)
    return editor


def read_answer(session: Session, request_id: str) -> Start:
    """Read where an answer to a request starts from: exactly what is asked."""
    asked = requests.request(session, request_id)
    return Start(asked.recipient, share.presets(asked.recipient.kind), session.today(), asked)


def first_form(start: Start) -> ShareForm:
    """The form as it first appears: the usual preset, or what a request asks for."""
    form = start_form(start.presets, today=start.today)
    choice = None if start.asked is None else start.asked.choice
    return form if choice is None else with_choice(form, choice)


@component
def Editor(start: Start) -> ft.Control:
    """The form with its live preview."""
    app = use_app()
    name = start.recipient.name
    form, set_state = ft.use_state(first_form(start))

    def set_form(changed: ShareForm) -> None:
        set_state(changed)

    wrong = problems(form, today=start.today)
    choice = None if wrong else choice_of(form, recipient_id=start.recipient.id)

    def count(session: Session) -> Counted | None:
        if choice is None:
            return None
        return Counted(choice, share.preview(session, choice), names_in(session, choice))

    seen = use_query(count, choice)
    last = seen.value.preview if seen.value else None
    counted = seen.value is not None and seen.value.choice == choice and not seen.failed
    names = seen.value.names if seen.value else {}
    parts = [
        *_steps(app, start, Step(form, set_form, wrong, choice, seen.value)),
        note(_refused(app, seen.failed), "bad")
        if seen.failed
        else PreviewPanel(last if choice else None, name),
    ]
    page = page_body(
        app.t("share.new.title", name=name),
        *([ServerCheck(start.recipient.id, name)] if start.recipient.kind == fhir_words.KIND else []),
        *parts,
        *(
            [Signing(choice, start.recipient, names, start.asked, counted)]
            if choice and not seen.failed
            else []
        ),
        back=("/share", app.t("share.title")),
    )
    return ft.Column(
        [page, _in_view(app, last if counted else None, chosen=choice is not None)], expand=True, spacing=0
    )


@dataclass(frozen=True, slots=True)
class Step:
    """What the four steps of the form share: the form, how to change it, what it means so far."""

    form: ShareForm
    change: Callable[[ShareForm], None]
    wrong: Mapping[str, str]
    choice: ShareChoice | None
    counted: Counted | None


def _steps(app: AppState, start: Start, step: Step) -> list[ft.Control]:
    """The four steps, each with the sentences it puts into the text that is signed."""
    lang, form, change, wrong, choice = app.lang, step.form, step.change, step.wrong, step.choice
    names = step.counted.names if step.counted else {}
    last = step.counted.preview if step.counted else None
    what = what_sentences(lang, choice) if choice else ()
    when = (period_sentence(lang, choice),) if choice else ()
    since = (data_sentence(lang, choice),) if choice else ()
    single = single_sentences(lang, choice, names) if choice else ()
    limits = limit_sentences(lang, choice) if choice else ()
    asked = start.asked if has_limits(start.asked) else None
    wanted = None if start.asked is None else start.asked.asked
    return [
        *([AskedPart(asked, form, change, wrong, limits)] if asked else []),
        WhatPart(form, change, start.presets, last, wrong.get("categories", ""), what, wanted),
        WhenPart(form, change, start.today, wrong, when),
        SincePart(form, change, start.today, wrong, since),
        RefinePart(form, change, wrong, single),
    ]


def _refused(app: AppState, failed: Failed) -> str:
    """Say why this choice cannot be shared at all; other failures keep their own sentence."""
    if not isinstance(failed.error, InputRefused) or failed.code != "choice_invalid":
        return failed.text
    for reason in failed.error.fields.values():
        key = f"share.new.error.{reason}"
        if has(app.lang, key):
            return app.t(key)
    return app.t("share.new.error.other")


def _in_view(app: AppState, preview: SharePreview | None, *, chosen: bool) -> ft.Control:
    """The number that stays in view below the page."""
    if preview is None:
        words = app.t("share.new.counting" if chosen else "share.new.incomplete")
    else:
        seen, total = fmt_number(app.lang, preview.permitted), fmt_number(app.lang, preview.total)
        words = app.t("share.new.would_see", n=seen, total=total)
    label = ft.Text(
        words,
        theme_style=ft.TextThemeStyle.TITLE_SMALL,
        color=ft.Colors.ON_PRIMARY_CONTAINER,
        expand=True,
        expand_loose=True,  # in the middle while it fits, on two lines when the text is large
    )
    icon = ft.Icon(ft.Icons.VISIBILITY_OUTLINED, size=20, color=ft.Colors.ON_PRIMARY_CONTAINER)
    return ft.Container(
        ft.Row([icon, label], alignment=ft.MainAxisAlignment.CENTER, spacing=8),
        bgcolor=ft.Colors.PRIMARY_CONTAINER,
        padding=ft.Padding(left=GAP, right=GAP, top=8, bottom=8),
    )


@component
def Signing(
    choice: ShareChoice, to: RecipientRow, names: Mapping[str, Named], asked: RequestRow | None, counted: bool
) -> ft.Control:
    """The words that are signed, and the button."""
    app = use_app()
    name = to.name
    words = fhir_words if to.kind == fhir_words.KIND else sharing_words

    async def sign() -> None:
        outcome = await app.run(
            share.sign_share,
            app.session,
            choice,
            lang=app.lang,
            shown_text=words.shown_text(app.lang, choice, name=name, names=names),
            answers=None if asked is None else asked.id,
        )
        if isinstance(outcome, Ok):
            app.changed(app.t("share.new.signed", name=name))
            go(f"/share/{outcome.value}")

    signing = use_action(sign)
    buttons = [
        primary_button(
            app.t("share.new.sign"),
            signing.start,
            key="share-sign",
            icon=ft.Icons.DRAW_OUTLINED,
            disabled=signing.busy or not counted,
        ),
        text_button(app.t("share.cancel"), lambda: go("/share"), key="share-cancel"),
    ]
    said = app.t("share.new.signing") if signing.busy else ""
    return stacked(
        section_card(
            app.t("share.new.means"),
            sentences(app, choice_sentences(app.lang, choice, name=name, names=names)),
        ),
        section_card(
            app.t("share.new.know"),
            sentences(app, words.know_sentences(app.lang, name=name), icon=ft.Icons.INFO_OUTLINE_ROUNDED),
        ),
        toolbar(*buttons),
        live(said, visible=bool(said)),
        spacing=GAP,
    )
