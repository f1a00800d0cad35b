"""Add a recipient: paste its card or pick the file, compare the code, accept.

Nothing is kept before the patient says that the code is the same. A card that cannot be used gets one
sentence that says why and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import flet as ft

from pgo.ui.hooks import go, use_action, use_app
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import fingerprint
from pgo.ui.sharing.signed_text import Asked, Example, SignedText
from pgo.ui.sharing_words import kind_name, refusal
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_date
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    body,
    key_values,
    note,
    page_body,
    primary_button,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases import share
from pgo.usecases.card_picture import MAX_PICTURE_BYTES, is_picture, text_in_picture
from sync.identifiers import shown_identifier

if TYPE_CHECKING:
    from sync.card import RecipientCard

MAX_FILE_BYTES: Final = MAX_PICTURE_BYTES  # a card is far smaller; a photo of it is not


@dataclass(frozen=True, slots=True)
class Checked:
    """A card that was read and checked, with what it was read from."""

    card: RecipientCard
    source: str | bytes


@component
def Screen() -> ft.Control:
    """Ask for a card, then show whose it is."""
    app = use_app()
    nothing: Checked | None = None
    checked, set_checked = ft.use_state(nothing)
    content = AskCard(set_checked) if checked is None else ShowCard(checked, lambda: set_checked(None))
    return page_body(
        app.t("share.add.title"),
        content,
        lead=app.t("share.add.intro"),
        back=("/share", app.t("share.title")),
    )


@component
def AskCard(on_checked: Callable[[Checked | None], Any]) -> ft.Control:
    """Paste the text of a card or pick its file."""
    app = use_app()

    async def check(source: str | bytes) -> str | None:
        if isinstance(source, bytes) and is_picture(source):
            read = await app.attempt(text_in_picture, source)
            if not isinstance(read, Ok):
                return refusal(app.lang, read.code)
            source = read.value
        outcome = await app.attempt(share.inspect_card, app.session, source)
        if isinstance(outcome, Ok):
            on_checked(Checked(outcome.value, source))
            return None
        return refusal(app.lang, outcome.code)

    asked = Asked(
        key="card",
        title=app.t("share.add.where"),
        label=app.t("share.add.paste"),
        check=app.t("share.add.check"),
        empty=app.t("share.add.empty"),
        max_file_bytes=MAX_FILE_BYTES,
    )
    other = section_card(
        app.t("fhir.door.title"),
        body(app.t("fhir.door.text")),
        ft.Row(
            [
                text_button(
                    app.t("fhir.door.open"),
                    lambda: go("/share/add/server"),
                    key="to-server",
                    icon=ft.Icons.DNS_OUTLINED,
                )
            ],
            wrap=True,
        ),
    )
    return stacked(SignedText(asked, check, _demo(app)), other, spacing=GAP)


def _demo(app: AppState) -> Example | None:
    """In the demonstration the card of the demo clinic is one click away."""
    demo = app.application.demo
    if demo is None or not demo.card_text:
        return None
    return Example(
        title=app.t("share.add.demo"),
        text=app.t("share.add.demo_text"),
        take=app.t("share.add.demo_take"),
        value=demo.card_text,
    )


@component
def ShowCard(checked: Checked, on_back: Callable[[], Any]) -> ft.Control:
    """Show whose card it is and ask to compare its code."""
    app = use_app()
    card = checked.card

    async def accept() -> None:
        outcome = await app.run(share.add_recipient, app.session, checked.source)
        if isinstance(outcome, Ok):
            app.changed(app.t("share.add.added", name=card.name))
            go(f"/share/new/{outcome.value}")

    adding = use_action(accept)
    numbers = ", ".join(shown_identifier(system, value) for system, value in card.identifiers)
    facts = [
        (app.t("share.add.name"), card.name),
        (app.t("share.add.kind"), kind_name(app.lang, card.kind)),
        (app.t("share.add.numbers"), numbers),
        (app.t("share.add.address"), card.endpoint),
        (app.t("share.add.valid"), fmt_date(app.lang, card.expires_at)),
    ]
    buttons = [
        primary_button(app.t("share.add.same"), adding.start, key="card-accept", disabled=adding.busy),
        text_button(app.t("share.add.other_card"), on_back, key="card-back"),
    ]
    return stacked(
        section_card(app.t("share.add.found"), key_values(facts)),
        section_card(
            app.t("share.add.fingerprint"),
            fingerprint(card.fingerprint),
            body(app.t("share.add.compare")),
            note(app.t("share.add.compare_why"), "attention", icon=ft.Icons.WARNING_AMBER_ROUNDED),
            toolbar(*buttons),
        ),
        spacing=GAP,
    )
