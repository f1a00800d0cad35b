"""What holds sending back and needs the person: a changed check code, a connection that costs money."""

from __future__ import annotations

import flet as ft

from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.records.frame import stacked
from pgo.ui.safety import component
from pgo.ui.sharing.parts import fingerprint
from pgo.ui.state import Ok
from pgo.ui.widgets import (
    body,
    heading,
    note,
    secondary_button,
    section_card,
    switch_row,
    text_button,
    toolbar,
)
from pgo.usecases import deliver, holding, renewals
from pgo.usecases.renewals import OtherKey


@component
def HeldBack() -> ft.Control:
    """Everything that waits for the person; takes no room when there is nothing."""
    changed = use_query(renewals.other_keys).value or ()
    costly = bool(use_query(holding.is_held_by_cost).value)
    if not changed and not costly:
        return ft.Container(height=0)
    cards: list[ft.Control] = [KeyChanged(one, key=f"other-key-{one.recipient_id}") for one in changed]
    if costly:
        cards.append(Costly())
    return stacked(*cards, spacing=12)


@component
def KeyChanged(one: OtherKey) -> ft.Control:
    """Both codes under each other, and the two answers; neither is offered as the better one."""
    app = use_app()

    async def accept() -> None:
        if isinstance(await app.run(renewals.accept_other_key, app.session, one.recipient_id), Ok):
            app.changed(app.t("share.other_key.accepted", name=one.name))

    async def refuse() -> None:
        if isinstance(await app.run(renewals.refuse_other_key, app.session, one.recipient_id), Ok):
            app.changed(app.t("share.other_key.refused", name=one.name))

    accepting, refusing = use_action(accept), use_action(refuse)
    busy = accepting.busy or refusing.busy
    return section_card(
        app.t("share.other_key.title", name=one.name),
        note(app.t("share.other_key.text", name=one.name), "attention", icon=ft.Icons.WARNING_AMBER_ROUNDED),
        heading(app.t("share.other_key.known"), 3),
        fingerprint(one.known),
        heading(app.t("share.other_key.shown"), 3),
        fingerprint(one.shown),
        toolbar(
            secondary_button(
                app.t("share.other_key.same", name=one.name),
                accepting.start,
                key=f"other-key-same-{one.recipient_id}",
                disabled=busy,
            ),
            text_button(
                app.t("share.other_key.not"),
                refusing.start,
                key=f"other-key-not-{one.recipient_id}",
                disabled=busy,
            ),
        ),
    )


@component
def Costly() -> ft.Control:
    """Records wait for another connection; the person can send all the same."""
    app = use_app()

    async def send() -> None:
        if isinstance(await app.run(deliver.send_now, app.session), Ok):
            app.changed()

    sending = use_action(send)
    return stacked(
        note(app.t("share.metered.note"), "info", icon=ft.Icons.SIGNAL_CELLULAR_ALT_ROUNDED),
        toolbar(
            secondary_button(
                app.t("share.metered.anyway"), sending.start, key="share-send-anyway", disabled=sending.busy
            )
        ),
        spacing=8,
    )


@component
def CostSetting() -> ft.Control:
    """Whether records wait on a connection that costs money."""
    app = use_app()
    waits = use_query(holding.waits_on_metered).value

    async def change(wanted: bool) -> None:
        if isinstance(await app.run(holding.set_waits_on_metered, app.session, wanted), Ok):
            app.changed()

    if waits is None:
        return body("")
    return switch_row(
        app.t("share.metered.setting"),
        waits,
        change,
        key="share-wait-on-metered",
        detail=app.t("share.metered.setting_why"),
    )
