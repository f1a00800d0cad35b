"""The summary on paper: choose the parts, see what stays off, get the PDF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import flet as ft

from consent.codes import Sensitivity
from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.paper_words import PaperWords
from pgo.ui.records.frame import answered, stacked
from pgo.ui.safety import component
from pgo.ui.state import AppState, Ok
from pgo.ui.text import LANGUAGES
from pgo.ui.widgets import (
    checkbox_row,
    note,
    page_body,
    primary_button,
    progress,
    radio_group,
    section_card,
    toolbar,
)
from pgo.usecases.export_summary import SummaryChoice, SummaryOffer, export_summary, summary_offer
from pgo.usecases.export_summary_lines import Part

_LANGUAGE_NAMES: Final = {"nl": "Nederlands", "en": "English"}


@component
def Screen() -> ft.Control:
    """Draw the choice."""
    app = use_app()
    words = PaperWords(app.lang)
    offer = use_query(lambda session: summary_offer(session, words), app.lang)
    return page_body(
        app.t("export.paper"),
        answered(app, offer, lambda found: Choice(found)),
        lead=app.t("export.paper.intro"),
        back=("/settings/export", app.t("export.title")),
    )


@component
def Choice(offer: SummaryOffer) -> ft.Control:
    """Parts, sensitive subjects, language; then the file."""
    app = use_app()
    choice, set_choice = ft.use_state(SummaryChoice())
    lang, set_lang = ft.use_state(app.lang)
    picker: ft.FilePicker = ft.use_memo(ft.FilePicker, [])

    async def make() -> None:
        outcome = await app.run(export_summary, app.session, choice, PaperWords(lang))
        if isinstance(outcome, Ok):
            name = app.t("export.file.paper", day=app.session.today().isoformat())
            await picker.save_file(file_name=name, src_bytes=outcome.value)
            app.say(app.t("export.saved"))

    action = use_action(make)
    names = {code: _LANGUAGE_NAMES[code] for code in LANGUAGES}
    return stacked(
        section_card(app.t("export.paper.parts"), *_parts(app, offer, choice, set_choice)),
        *_sensitive(app, offer, choice, set_choice),
        section_card(
            app.t("export.paper.make"),
            radio_group(app.t("export.paper.language"), lang, names, set_lang, key="paper-language"),
            note(app.t("export.paper.look"), "attention", icon=ft.Icons.VISIBILITY_OUTLINED),
            *([progress(app.t("export.paper.busy"), None)] if action.busy else []),
            toolbar(
                primary_button(
                    app.t("export.paper.do"),
                    action.start,
                    key="paper-make",
                    icon=ft.Icons.PICTURE_AS_PDF_OUTLINED,
                    disabled=action.busy or not choice.parts,
                )
            ),
        ),
    )


def _parts(
    app: AppState, offer: SummaryOffer, choice: SummaryChoice, set_choice: Callable[[Any], None]
) -> list[ft.Control]:
    def row(part: Part) -> ft.Control:
        def tick(on: bool) -> None:
            parts = choice.parts | {part} if on else choice.parts - {part}
            set_choice(SummaryChoice(parts, choice.sensitive))

        count = offer.counts[part]
        return checkbox_row(
            app.t(f"paper.part.{part}"),
            part in choice.parts,
            tick,
            key=f"paper-{part}",
            detail=_detail(app, part, count),
        )

    return [row(part) for part in Part if part is not Part.NUMBER or offer.counts[part]]


def _detail(app: AppState, part: Part, count: int) -> str:
    if part is Part.NUMBER:
        return app.t("export.paper.number")
    if part is Part.PERSON:
        return app.t("export.paper.person") if count else app.t("export.paper.none")
    return app.t("export.paper.lines", n=count) if count else app.t("export.paper.none")


def _sensitive(
    app: AppState, offer: SummaryOffer, choice: SummaryChoice, set_choice: Callable[[Any], None]
) -> list[ft.Control]:
    """One tick per sensitive subject that occurs; none is on at first."""
    if not offer.sensitive:
        return []

    def row(subject: Sensitivity) -> ft.Control:
        def tick(on: bool) -> None:
            allowed = choice.sensitive | {subject} if on else choice.sensitive - {subject}
            set_choice(SummaryChoice(choice.parts, allowed))

        return checkbox_row(
            app.t(f"share.sens.{subject}"),
            subject in choice.sensitive,
            tick,
            key=f"paper-sensitive-{subject}",
            detail=app.t("export.paper.lines", n=offer.sensitive[subject]),
        )

    rows = [row(subject) for subject in Sensitivity if subject in offer.sensitive]
    return [section_card(app.t("export.paper.sensitive"), *rows, lead=app.t("export.paper.sensitive.lead"))]
