"""On the page of a record: what the patient says about it. The record itself never changes.

A remark is written on a screen of its own; hiding asks one plain question and can be taken back; a request to
correct is kept here with its letter and its file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flet as ft

from pgo.ui.hooks import Action, go, use_action, use_app, use_query
from pgo.ui.objection_words import meaning, sentence, shown_text
from pgo.ui.records.correction_words import letter, letter_name
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_moment
from pgo.ui.widgets import (
    Ask,
    body,
    muted,
    note,
    secondary_button,
    section_card,
    strong,
    text_button,
    toolbar,
    use_confirm,
)
from pgo.usecases import corrections, medicate, merge, read
from pgo.usecases.objections import ObjectionChoice

if TYPE_CHECKING:
    from pgo.usecases.corrections import Remark, Request, Said
    from pgo.usecases.read import RecordRow

FILE_NAME = "correctieverzoek.json"


@component
def SaidCard(row: RecordRow) -> ft.Control:
    """Remarks, requests and hiding of one record."""
    app = use_app()
    found = use_query(lambda session: corrections.said_about(session, row.id), row.id)
    if found.value is None:
        return ft.Container() if found.failed is None else note(found.failed.text, "bad")
    said = found.value
    parts: list[ft.Control] = []
    if said.hidden_by:
        parts.append(Hidden(row, said))
    parts += [RemarkView(row, one, key=f"remark-{one.id}") for one in said.remarks]
    parts += [RequestView(row, one, key=f"request-{one.id}") for one in said.requests]
    return section_card(app.t("said.title"), stacked(muted(app.t("said.lead")), *parts, Buttons(row, said)))


@component
def Buttons(row: RecordRow, said: Said) -> ft.Control:
    """What can be said: a remark, a request, or that nobody may see it."""
    app = use_app()
    ask = use_confirm()
    buttons = [
        secondary_button(
            app.t("said.remark"),
            lambda: go(f"/record/{row.id}/remark"),
            key="said-remark",
            icon=ft.Icons.EDIT_NOTE_ROUNDED,
        ),
    ]
    if not row.self_authored:
        buttons.append(
            secondary_button(
                app.t("said.correct"),
                lambda: go(f"/record/{row.id}/correction"),
                key="said-correct",
                icon=ft.Icons.MARK_EMAIL_UNREAD_OUTLINED,
            )
        )
    if not said.hidden_by:

        async def start() -> None:
            question = await hide_question(app, row)
            if question is not None:
                ask(question)

        buttons.append(
            secondary_button(
                app.t("said.hide"), start, key="said-hide", icon=ft.Icons.VISIBILITY_OFF_OUTLINED
            )
        )
    return toolbar(*buttons)


async def hide_question(app: AppState, row: RecordRow) -> Ask | None:
    """Read how many records are about the same thing, and return the question; None when that failed."""
    found = await app.run(merge.same_as, app.session, row.id)
    if not isinstance(found, Ok):
        return None
    numbers = [member.row.id for member in found.value.members]
    said = sentence(app.lang, ObjectionChoice(record_id=row.id), name=None, record=row.title)
    many = app.t("said.hide.many", n=len(numbers)) if len(numbers) > 1 else ""

    async def hide() -> None:
        words = shown_text(app.lang, said)
        made = await app.run(corrections.hide, app.session, numbers, lang=app.lang, shown_text=words)
        if not isinstance(made, Ok):
            return
        ids = made.value

        async def take_back() -> None:
            await show_again(app, row, ids)

        app.changed()
        app.say(app.t("said.hidden", title=row.title), undo=take_back)

    return Ask(
        title=app.t("said.hide.sure"),
        text=" ".join(filter(None, (said, many, *meaning(app.lang)))),
        yes=app.t("said.hide.yes"),
        no=app.t("common.cancel"),
        work=hide,
    )


async def show_again(app: AppState, row: RecordRow, ids: tuple[str, ...]) -> None:
    """Take hiding back."""
    if isinstance(await app.run(corrections.show_again, app.session, ids), Ok):
        app.changed(app.t("said.shown_again", title=row.title))


@component
def Hidden(row: RecordRow, said: Said) -> ft.Control:
    """Say that nobody sees this record, with the way back."""
    app = use_app()
    action = use_action(lambda: show_again(app, row, said.hidden_by))
    return stacked(
        note(app.t("said.hidden.now"), "info", icon=ft.Icons.VISIBILITY_OFF_OUTLINED),
        ft.Row(
            [text_button(app.t("said.show"), action.start, key="said-show", disabled=action.busy)], wrap=True
        ),
        spacing=4,
    )


@component
def RemarkView(row: RecordRow, remark: Remark) -> ft.Control:
    """One remark: its words, when, and what can be done with it."""
    app = use_app()

    async def take_back() -> None:
        if isinstance(await app.run(medicate.restore, app.session, remark.id), Ok):
            app.changed(app.t("said.remark.restored"))

    async def remove() -> None:
        if isinstance(await app.run(medicate.remove, app.session, remark.id), Ok):
            app.changed()
            app.say(app.t("said.remark.removed"), undo=take_back)

    removing = use_action(remove)
    when = app.t("said.remark.when", date=fmt_moment(app.lang, remark.written_at))
    if remark.versions > 1:
        when = f"{when} {app.t('said.remark.versions', n=remark.versions)}"
    buttons: list[ft.Control] = []
    if remark.editable:
        route = f"/record/{row.id}/remark/{remark.id}"
        buttons.append(
            text_button(app.t("said.remark.edit"), lambda: go(route), key=f"remark-edit-{remark.id}")
        )
    buttons.append(
        text_button(
            app.t("said.remark.remove"),
            removing.start,
            key=f"remark-remove-{remark.id}",
            disabled=removing.busy,
        )
    )
    title = strong(app.t("said.remark.title"))
    return stacked(title, body(remark.words), muted(when, small=True), toolbar(*buttons), spacing=4)


@component
def RequestView(row: RecordRow, request: Request) -> ft.Control:
    """One correction request: what was asked, and the letter and the file to take along."""
    app = use_app()
    picker: Any = ft.use_memo(ft.FilePicker, [])

    async def save_letter() -> None:
        person = await app.run(read.profile, app.session)
        if isinstance(person, Ok):
            text = letter(app.lang, row, request, person.value.person, today=app.session.today())
            await app.run(corrections.letter_saved, app.session)
            await picker.save_file(file_name=letter_name(app.lang), src_bytes=text.encode("utf-8-sig"))

    async def save_file() -> None:
        data = await app.run(corrections.request_file, app.session, request.id)
        if isinstance(data, Ok):
            await picker.save_file(file_name=FILE_NAME, src_bytes=data.value)

    saving = (use_action(save_letter), use_action(save_file))
    to = request.asked.recipient or app.t("said.request.nobody")
    about = app.t("said.request.when", date=fmt_moment(app.lang, request.written_at), recipient=to)
    return stacked(
        strong(app.t("said.request.title")),
        body(request.asked.wrong),
        *([body(request.asked.right)] if request.asked.right else []),
        muted(about, small=True),
        _take_along(app, request, *saving),
        muted(app.t("said.request.readable"), small=True),
        spacing=4,
    )


def _take_along(app: AppState, request: Request, as_letter: Action, as_file: Action) -> ft.Control:
    """The two ways out of the vault for a request."""
    return toolbar(
        text_button(
            app.t("said.request.letter"),
            as_letter.start,
            key=f"request-letter-{request.id}",
            icon=ft.Icons.DOWNLOAD_ROUNDED,
            disabled=as_letter.busy,
        ),
        text_button(
            app.t("said.request.file"),
            as_file.start,
            key=f"request-file-{request.id}",
            icon=ft.Icons.DATA_OBJECT_ROUNDED,
            disabled=as_file.busy,
        ),
    )
