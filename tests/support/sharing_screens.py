"""The sharing screens on a real vault, without a browser: how tests open them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import flet as ft

from consent.codes import Sensitivity
from pgo.ui.app import start
from pgo.ui.sharing_words import shown_text
from pgo.ui.state import AppState
from pgo.usecases import share
from pgo.usecases.session import Session
from pgo.usecases.share import ShareChoice
from tests.support.headless import Headless
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card


def screens(session: Session, route: str, **more: Any) -> Headless:
    """Open the app on one screen, with this vault unlocked."""
    lang = more.pop("lang", "nl")

    def main(page: ft.Page) -> None:
        state = AppState()
        state.attach(session.app)
        state.prefs.lang = lang
        state.opened(session)
        state.follow(lambda work: page.run_task(work))
        start(page, state)

    return Headless(main, route=route, **more)


async def tap(app: Headless, key: str) -> None:
    """Touch the words of a switch or an option."""
    await app.fire(app.by_key(key, ft.GestureDetector), "tap")


def with_clinic(session: Session) -> str:
    return share.add_recipient(session, a_card())


def a_choice(session: Session, **change: Any) -> ShareChoice:
    today = session.today()
    members: dict[str, Any] = {
        "recipient_id": CLINIC_ID,
        "categories": share.presets("clinic")[0].categories,
        "sensitivity": frozenset[Sensitivity](),
        "purpose": "TREAT",
        "period": (today, today + timedelta(days=90)),
    }
    return ShareChoice(**{**members, **change})


def with_share(session: Session) -> str:
    with_clinic(session)
    choice = a_choice(session)
    return share.sign_share(session, choice, lang="nl", shown_text=shown_text("nl", choice, name=CLINIC_NAME))
