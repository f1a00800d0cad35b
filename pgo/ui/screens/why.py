"""Who can see this record: for each recipient yes or no, by which rule, and where to change it.

Every answer is the consent engine's, asked now. From here nobody can be given anything by accident: a yes
leads to the share, a no to the rule behind it, and one button closes the record for everybody.
"""

from __future__ import annotations

from functools import partial

import flet as ft

from pgo.ui.hooks import go, use_app, use_query
from pgo.ui.objection_words import meaning, sentence, shown_text
from pgo.ui.records.frame import answered, stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import named_button
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_date
from pgo.ui.why_words import by_rule, verdict
from pgo.ui.widgets import (
    Ask,
    body,
    card,
    danger_button,
    empty_state,
    heading,
    muted,
    page_body,
    status_badge,
    strong,
    toolbar,
    use_confirm,
)
from pgo.usecases import objections
from pgo.usecases.objections import ObjectionChoice
from pgo.usecases.why import Why, WhyRow, why


@component
def Screen() -> ft.Control:
    """Draw the answers for the record the address names."""
    app = use_app()
    number = ft.use_route_params().get("id", "")
    record_id = int(number) if number.isdecimal() else -1  # what is no number is no record
    found = use_query(lambda session: why(session, record_id), record_id)
    return page_body(
        app.t("why.title"),
        answered(app, found, lambda value: _answers(app, value)),
        lead=app.t("why.lead"),
        back=(f"/record/{record_id}", app.t("record.title")),
    )


def _answers(app: AppState, found: Why) -> ft.Control:
    day = fmt_date(app.lang, found.record.start[:10])
    about = card(strong(found.record.title), *([muted(day, small=True)] if day else []))
    closed = all(row.objections for row in found.rows) and bool(found.rows)
    rows = [_recipient(app, row) for row in found.rows] or [_nobody(app)]
    return stacked(about, *rows, *([] if closed else [Close(found, key=f"close-{found.record.id}")]))


def _nobody(app: AppState) -> ft.Control:
    return card(empty_state(ft.Icons.LOCK_OUTLINE_ROUNDED, app.t("why.nobody"), app.t("why.nobody_body")))


def _recipient(app: AppState, row: WhyRow) -> ft.Control:
    badge = status_badge(
        app.t("why.yes" if row.may_see else "why.no"),
        "info" if row.may_see else "neutral",
        icon=ft.Icons.VISIBILITY_OUTLINED if row.may_see else ft.Icons.LOCK_OUTLINE_ROUNDED,
    )
    rule = by_rule(app.lang, row)
    return card(
        heading(row.recipient.name, 2),
        ft.Row([badge], wrap=True),
        body(verdict(app.lang, row)),
        *([body(rule)] if rule else []),
        *_way(app, row),
    )


def _way(app: AppState, row: WhyRow) -> list[ft.Control]:
    """To the place where this is decided."""
    name, route, label = row.recipient.name, "", ""
    if row.objections:
        route, label = "/share/objections", app.t("why.to_objection")
    elif row.share_id is not None and row.recipient.id:
        route, label = f"/share/{row.share_id}", app.t("why.to_share")
    if not route:
        return []
    spoken = app.t("share.button_for", label=label, name=name)
    key = f"why-open-{row.recipient.id}"
    button = named_button(label, spoken, lambda: go(route), key=key, icon=ft.Icons.ARROW_FORWARD_ROUNDED)
    return [ft.Row([button], wrap=True)]


@component
def Close(found: Why) -> ft.Control:
    """Close this record for everybody: an objection about it, with one question."""
    app = use_app()
    ask = use_confirm()
    choice = ObjectionChoice(record_id=found.record.id)
    said = sentence(app.lang, choice, name=None, record=found.record.title)

    async def close() -> None:
        outcome = await app.run(
            objections.object_to,
            app.session,
            choice,
            lang=app.lang,
            shown_text=shown_text(app.lang, said),
        )
        if isinstance(outcome, Ok):
            app.changed(app.t("objection.signed"))

    question = Ask(
        title=app.t("why.close_sure"),
        text=" ".join((said, *meaning(app.lang))),
        yes=app.t("objection.sign"),
        no=app.t("share.cancel"),
        work=close,
        danger=True,
    )
    return toolbar(
        danger_button(
            app.t("why.close"), partial(ask, question), key="why-close", icon=ft.Icons.SHIELD_OUTLINED
        )
    )
