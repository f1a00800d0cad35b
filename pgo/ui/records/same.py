"""On the page of a record: what else is about the same thing, why, and "this is not the same"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.records.frame import stacked
from pgo.ui.records.rows import line, open_record
from pgo.ui.records.say import say_period
from pgo.ui.safety import component
from pgo.ui.state import AppState, Ok
from pgo.ui.widgets import list_section, muted, secondary_button, section_card, strong, text_button
from pgo.usecases import merge

if TYPE_CHECKING:
    from pgo.usecases.merge import Member, SameThing
    from pgo.usecases.read import RecordRow


@component
def SameThingCard(row: RecordRow) -> ft.Control:
    """The other records about the same thing; nothing at all when there are none and none were parted."""
    app = use_app()
    found = use_query(lambda session: merge.same_as(session, row.id), row.id)
    if found.value is None or not (found.value.rule or found.value.parted):
        return ft.Container()
    same = found.value
    others = [member for member in same.members if member.row.id != row.id]
    parts: list[ft.Control] = []
    if others:
        reason = app.t(f"merge.rule.{same.rule}") if same.rule else ""
        lines = list_section([_other(app, member) for member in others])
        parts += [muted(app.t("same.lead", reason=reason)), lines, Part(row)]
    if same.parted:
        parts.append(JoinAgain(row, same))
    return section_card(app.t("same.title"), stacked(*parts))


def _other(app: AppState, member: Member) -> ft.Control:
    columns = member.row.columns
    own = member.source.kind == "self"
    source = app.t("same.by_you") if own else app.t("same.from", source=member.source.name)
    about = " · ".join(
        filter(None, (source, say_period(app.lang, columns.start, columns.end), columns.detail))
    )
    return line(
        [strong(columns.title), muted(about, small=True)],
        key=f"same-{member.row.id}",
        on_click=open_record(member.row.id),
    )


@component
def Part(row: RecordRow) -> ft.Control:
    """Say at once that this is not the same; it can be taken back at once and later."""
    app = use_app()

    async def part() -> None:
        outcome = await app.run(merge.part, app.session, row.id)
        if not isinstance(outcome, Ok):
            return
        pairs = outcome.value

        async def take_back() -> None:
            if isinstance(await app.run(merge.join_again, app.session, row.id, pairs), Ok):
                app.changed(app.t("same.joined", title=row.title))

        app.changed()
        app.say(app.t("same.parted", title=row.title), undo=take_back)

    action = use_action(part)
    button = secondary_button(
        app.t("same.different"),
        action.start,
        key="same-different",
        icon=ft.Icons.CALL_SPLIT_ROUNDED,
        disabled=action.busy,
    )
    return stacked(ft.Row([button], wrap=True), muted(app.t("same.different.help"), small=True), spacing=4)


@component
def JoinAgain(row: RecordRow, same: SameThing) -> ft.Control:
    """What the patient parted earlier, with the way back."""
    app = use_app()

    async def again() -> None:
        if isinstance(await app.run(merge.join_again, app.session, row.id, same.parted), Ok):
            app.changed(app.t("same.joined", title=row.title))

    action = use_action(again)
    button = text_button(
        app.t("same.again"),
        action.start,
        key="same-again",
        icon=ft.Icons.MERGE_ROUNDED,
        disabled=action.busy,
    )
    return stacked(muted(app.t("same.marked", n=len(same.parted))), ft.Row([button], wrap=True), spacing=4)
