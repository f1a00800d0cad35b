"""What a restore left: who gets nothing yet and why, what was stopped, and the vault from before."""

from __future__ import annotations

import flet as ft

from pgo.ui.backup.words import size
from pgo.ui.hooks import go, use_action, use_app, use_query
from pgo.ui.safety import component
from pgo.ui.state import AppState, Failed
from pgo.ui.text import fmt_moment
from pgo.ui.theme import GAP
from pgo.ui.widgets import (
    Ask,
    body,
    muted,
    note,
    progress,
    secondary_button,
    section_card,
    text_button,
    toolbar,
    use_confirm,
)
from pgo.usecases.backup_restore import forget_before
from pgo.usecases.deliver import send_now
from pgo.usecases.reconcile import AfterRestore, Settled, Waiting, after_restore
from pgo.usecases.reconcile_answer import WITHDRAWN


@component
def AfterCards(after: AfterRestore | None, kept_bytes: int) -> ft.Control:
    """Draw what there is to say; nothing for a vault that was never put back."""
    cards: list[ft.Control] = []
    if after is not None:
        cards.append(AfterCard(after))
    if kept_bytes:
        cards.append(KeptCard(kept_bytes))
    if not cards:
        return ft.Container(width=0, height=0)
    return ft.Column(cards, spacing=GAP, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


@component
def AfterCard(after: AfterRestore) -> ft.Control:
    """Say from which moment this vault is, and how it stands with each recipient."""
    app = use_app()

    async def ask_now() -> None:
        await app.run(send_now, app.session)

    action = use_action(ask_now)
    parts: list[ft.Control] = [
        body(
            app.t(
                "backup.after.text",
                made=fmt_moment(app.lang, after.made_at),
                restored=fmt_moment(app.lang, after.restored_at),
            )
        )
    ]
    parts += [note(waiting_words(app, one), "attention") for one in after.waiting]
    parts += [
        note(settled_words(app, one), "attention" if one.outcome == WITHDRAWN else "good")
        for one in after.settled
    ]
    if after.waiting:
        parts += [progress(app.t("backup.after.asking"), None)] if action.busy else []
        parts.append(
            toolbar(
                secondary_button(
                    app.t("backup.after.ask"), action.start, key="after-ask", disabled=action.busy
                )
            )
        )
    if after.waiting or after.settled:
        parts += [
            muted(app.t("backup.after.lost")),
            toolbar(text_button(app.t("backup.after.check"), lambda: go("/share"), key="after-share")),
        ]
    return section_card(app.t("backup.after.title"), *parts)


@component
def WaitingNotes() -> ft.Control:
    """On the sharing screen of a vault that was put back: who gets nothing yet, and why."""
    app = use_app()
    after = use_query(after_restore).value
    notes = [note(waiting_words(app, one), "attention") for one in (after.waiting if after else ())]
    if not notes:
        return ft.Container(width=0, height=0)
    return ft.Column(notes, spacing=GAP, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def waiting_words(app: AppState, one: Waiting) -> str:
    """Why one recipient gets nothing yet."""
    if not one.problem:
        return app.t("backup.after.waits", name=one.name)
    known = f"backup.after.problem.{one.problem}"
    reason = app.t(known if one.problem in _PROBLEMS else "backup.after.problem.other")
    return f"{app.t('backup.after.waits', name=one.name)} {reason}"


_PROBLEMS = frozenset({"unreachable", "head_rolled_back", "bad_head"})


def settled_words(app: AppState, one: Settled) -> str:
    """What the answer of one recipient came to."""
    if one.outcome == WITHDRAWN:
        return app.t("backup.after.withdrawn", name=one.name, n=one.withdrawn)
    return app.t("backup.after.goes_on", name=one.name)


@component
def KeptCard(kept_bytes: int) -> ft.Control:
    """The vault from before the restore lies beside this one until the person says so."""
    app, ask = use_app(), use_confirm()

    async def forget() -> None:
        outcome = await app.attempt(forget_before, app.session.folder)
        app.changed(outcome.text if isinstance(outcome, Failed) else app.t("backup.kept.done"))

    question = Ask(
        app.t("backup.kept.ask"), app.t("backup.kept.ask.text"), app.t("backup.kept.do"), forget, danger=True
    )
    return section_card(
        app.t("backup.kept.title"),
        body(app.t("backup.kept.text", size=size(app.lang, kept_bytes))),
        toolbar(secondary_button(app.t("backup.kept.do"), lambda: ask(question), key="kept-forget")),
    )
