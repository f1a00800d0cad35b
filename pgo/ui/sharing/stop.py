"""Stop sharing: one button, one question, no reason asked; the same wherever a share is shown."""

from __future__ import annotations

from functools import partial

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.safety import component
from pgo.ui.sharing.parts import named_button
from pgo.ui.state import Ok
from pgo.ui.widgets import Ask, use_confirm
from pgo.usecases import share
from pgo.usecases.share import ShareRow


@component
def StopButton(row: ShareRow, *, whole: bool = False) -> ft.Control:
    """The button with its question.

    Args:
        row: the share.
        whole: the screen is about this share alone, so the button needs no name of its own.
    """
    app = use_app()
    ask = use_confirm()
    name = row.recipient.name

    async def stop() -> None:
        if isinstance(await app.run(share.withdraw, app.session, row.grant_id), Ok):
            app.changed(app.t("share.detail.stopped_toast", name=name))

    question = Ask(
        title=app.t("share.detail.stop_sure", name=name),
        text=app.t("share.detail.stop_body", name=name),
        yes=app.t("share.detail.stop_yes"),
        no=app.t("share.detail.stop_no"),
        work=stop,
        danger=True,
    )
    label = app.t("share.detail.stop")
    return named_button(
        label,
        label if whole else app.t("share.button_for", label=label, name=name),
        partial(ask, question),
        key="share-stop" if whole else f"share-stop-{row.grant_id}",
        icon=ft.Icons.BLOCK_ROUNDED,
        danger=True,
    )
