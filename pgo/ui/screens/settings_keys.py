"""Who can get in: passphrase, recovery code, the key ring of this computer, a new vault key."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from pgo.ui.hooks import Query, use_action, use_app, use_query
from pgo.ui.safety import component
from pgo.ui.screens.recovery import ConfirmCode
from pgo.ui.settings.keyring import KeyringCard
from pgo.ui.settings.passphrase import PassphraseCard
from pgo.ui.settings.renewal import RenewalCard
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_number
from pgo.ui.widgets import (
    body,
    muted,
    note,
    page_body,
    query_placeholder,
    secondary_button,
    section_card,
    status_badge,
    toolbar,
)
from pgo.usecases.keys import KeyFacts, key_facts, renew_recovery_code


@component
def Screen() -> ft.Control:
    """Draw everything about the ways in; a new recovery code has the screen to itself."""
    app = use_app()
    facts = use_query(key_facts)
    code, set_code = ft.use_state("")

    def done() -> None:
        set_code("")
        app.changed(app.t("settings.code.done"))

    parts: list[ft.Control]
    if code:
        parts = [ConfirmCode(app.session, code, done, False)]
    else:
        parts = _parts(app, facts, lambda text: set_code(text))
    return page_body(
        app.t("settings.keys"),
        *parts,
        lead="" if code else app.t("settings.keys.lead"),
        back=("/settings", app.t("settings.title")),
    )


def _parts(app: AppState, facts: Query[KeyFacts], on_code: Callable[[str], None]) -> list[ft.Control]:
    waiting = query_placeholder(facts, app.t("common.busy"))
    if waiting is not None or facts.value is None:
        return [waiting] if waiting is not None else []
    found = facts.value
    cloud = [note(app.t("keys.cloud", service=found.cloud), "attention")] if found.cloud else []
    return [
        *cloud,
        PassphraseCard(price(app, found)),
        CodeCard(found.confirmed, on_code),
        KeyringCard(found.in_keyring),
        RenewalCard(on_code),
    ]


def price(app: AppState, facts: KeyFacts) -> str:
    """What a guess costs, in words."""
    if facts.seconds is None:
        return app.t("keys.price", memory=facts.memory_mib)
    seconds = fmt_number(app.lang, f"{facts.seconds:.1f}")
    return app.t("keys.price.measured", memory=facts.memory_mib, seconds=seconds)


@component
def CodeCard(confirmed: bool, on_code: Callable[[str], None]) -> ft.Control:
    """Whether the code on paper was checked, and a new one."""
    app = use_app()

    async def renew() -> None:
        outcome = await app.run(renew_recovery_code, app.session)
        if isinstance(outcome, Ok):
            on_code(outcome.value)

    action = use_action(renew)
    kind = "good" if confirmed else "attention"
    return section_card(
        app.t("settings.code.title"),
        body(app.t("keys.code.text")),
        ft.Row([status_badge(app.t(f"keys.code.{kind}"), "good" if confirmed else "attention")], wrap=True),
        muted(app.t("keys.code.used"), small=True),
        toolbar(
            secondary_button(app.t("settings.code"), action.start, key="renew-code", disabled=action.busy)
        ),
    )
