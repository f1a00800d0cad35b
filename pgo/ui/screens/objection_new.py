"""A new objection: from whom, what, what that changes today, sign.

Rules:

1. The sentence that is signed stands above the button and follows every switch.
2. What it changes is computed by the consent engine from the very rules that would be signed.
3. Objecting takes no reason and no waiting; nothing can be signed while nothing is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import flet as ft

from pgo.ui.hooks import go, use_action, use_app, use_query
from pgo.ui.objection_words import effect_sentences, meaning, sentence, shown_text
from pgo.ui.records.frame import answered, stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import sentences
from pgo.ui.sharing.rows import option_list, toggle_row
from pgo.ui.sharing_words import CATEGORY_ORDER, SENSITIVITY_ORDER, category_name, sensitivity_name
from pgo.ui.state import AppState, Ok
from pgo.ui.theme import GAP, GAP_SMALL
from pgo.ui.widgets import (
    body,
    heading,
    live,
    muted,
    note,
    page_body,
    primary_button,
    section_card,
    text_button,
    toolbar,
)
from pgo.usecases import objections, share
from pgo.usecases.objections import ObjectionChoice, ObjectionEffect
from pgo.usecases.share import RecipientRow

EVERYBODY: Final = "everybody"


@dataclass(frozen=True, slots=True)
class Counted:
    """An effect with the choice it was computed from."""

    choice: ObjectionChoice
    effect: ObjectionEffect


@component
def Screen() -> ft.Control:
    """Read who there is, then draw the form."""
    app = use_app()
    known = use_query(share.recipients)
    back = ("/share/objections", app.t("objection.title"))
    content = answered(app, known, lambda rows: Form(rows))
    return page_body(app.t("objection.new"), content, lead=app.t("objection.new_lead"), back=back)


@component
def Form(recipients: tuple[RecipientRow, ...]) -> ft.Control:
    """The form with what it would change."""
    app = use_app()
    choice, set_choice = ft.use_state(ObjectionChoice())
    names = {row.id: row.name for row in recipients}
    name = names.get(choice.recipient_id or "")
    ready = bool(choice.categories or choice.sensitivity or choice.recipient_id)
    seen = use_query(
        lambda session: Counted(choice, objections.effect(session, choice)) if ready else None, choice
    )
    counted = seen.value if seen.value is not None and seen.value.choice == choice else None
    said = sentence(app.lang, choice, name=name)

    def change(new: ObjectionChoice) -> None:
        set_choice(new)

    return stacked(
        *_who(app, choice, names, change),
        _what(app, choice, change),
        *(
            [_means(app, said, counted), Sign(choice, said, ready=counted is not None)]
            if ready
            else [note(app.t("objection.choose_first"), "info")]
        ),
        spacing=GAP,
    )


def _who(app: AppState, choice: ObjectionChoice, names: dict[str, str], change: Any) -> list[ft.Control]:
    if not names:
        return []  # nobody is known: it can only be about everybody

    def choose(key: str) -> None:
        change(replace(choice, recipient_id=None if key == EVERYBODY else key))

    group = option_list(
        app.t("objection.who"),
        choice.recipient_id or EVERYBODY,
        {EVERYBODY: app.t("objection.who_all"), **names},
        choose,
        key="objection-who",
        details={EVERYBODY: app.t("objection.who_all_hint")},
    )
    return [section_card(app.t("objection.who"), group)]


def _what(app: AppState, choice: ObjectionChoice, change: Any) -> ft.Control:
    def subject(one: Any) -> ft.Control:
        return toggle_row(
            sensitivity_name(app.lang, one),
            one in choice.sensitivity,
            lambda _on: change(replace(choice, sensitivity=choice.sensitivity ^ {one})),
            key=f"never-{one}",
        )

    def kind(one: Any) -> ft.Control:
        return toggle_row(
            category_name(app.lang, one),
            one in choice.categories,
            lambda _on: change(replace(choice, categories=choice.categories ^ {one})),
            key=f"never-{one}",
        )

    hint = "objection.what_hint_one" if choice.recipient_id else "objection.what_hint"
    return section_card(
        app.t("objection.what"),
        muted(app.t(hint)),
        heading(app.t("share.new.sensitive"), 3),
        stacked(*[subject(one) for one in SENSITIVITY_ORDER], spacing=GAP_SMALL),
        heading(app.t("share.new.kinds"), 3),
        stacked(*[kind(one) for one in CATEGORY_ORDER], spacing=GAP_SMALL),
    )


def _means(app: AppState, said: str, counted: Counted | None) -> ft.Control:
    lines = effect_sentences(app.lang, counted.effect) if counted else (app.t("share.new.counting"),)
    effect = ft.Semantics(live_region=True, container=True, content=sentences(app, lines))
    return section_card(
        app.t("share.new.means"),
        body(said),
        effect,
        sentences(app, meaning(app.lang), icon=ft.Icons.INFO_OUTLINE_ROUNDED),
    )


@component
def Sign(choice: ObjectionChoice, said: str, *, ready: bool) -> ft.Control:
    """The button, and the way back."""
    app = use_app()

    async def sign() -> None:
        outcome = await app.run(
            objections.object_to,
            app.session,
            choice,
            lang=app.lang,
            shown_text=shown_text(app.lang, said),
        )
        if isinstance(outcome, Ok):
            app.changed(app.t("objection.signed"))
            go("/share/objections")

    signing = use_action(sign)
    busy = app.t("share.new.signing") if signing.busy else ""
    return stacked(
        toolbar(
            primary_button(
                app.t("objection.sign"),
                signing.start,
                key="objection-sign",
                icon=ft.Icons.DRAW_OUTLINED,
                disabled=signing.busy or not ready,
            ),
            text_button(app.t("share.cancel"), lambda: go("/share/objections"), key="objection-cancel"),
        ),
        live(busy, visible=bool(busy)),
    )
