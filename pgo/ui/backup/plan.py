"""Backups that make themselves: how often, where, how many stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import flet as ft

from pgo.ui.backup.places import FolderChoice
from pgo.ui.hooks import use_action, use_app
from pgo.ui.safety import component
from pgo.ui.state import AppState, Failed
from pgo.ui.widgets import radio_group, secondary_button, section_card, toolbar
from pgo.usecases.backup_plan import EVERY_CHOICES, KEEP_CHOICES, BackupPlan, Every, save_plan

_EVERY: Final[dict[str, Every]] = {name: name for name in EVERY_CHOICES}


@component
def PlanCard(plan: BackupPlan, vault: Path) -> ft.Control:
    """Show and change the plan; nothing changes before it is saved."""
    app = use_app()
    wanted, set_wanted = ft.use_state(plan)
    error, set_error = ft.use_state("")

    def change(new: BackupPlan) -> None:
        set_error("")
        set_wanted(lambda _old: new)

    async def save() -> None:
        folder = wanted.folder.strip()
        if wanted.every != "never" and not folder:
            set_error(app.t("backup.place.first"))
            return
        final = replace(wanted, folder=str(Path(folder).expanduser()) if folder else "")
        outcome = await app.attempt(save_plan, app.session, final)
        if isinstance(outcome, Failed):
            set_error(outcome.text)
        else:
            app.say(app.t("backup.plan.saved" if final.every != "never" else "backup.plan.off"))

    action = use_action(save)
    parts: list[ft.Control] = [_every(app, wanted, change)]
    if wanted.every != "never":
        parts += [_place(wanted, vault, change, error), _keep(app, wanted, change)]
    return section_card(
        app.t("backup.plan.title"),
        *parts,
        toolbar(
            secondary_button(
                app.t("common.save"),
                action.start,
                key="plan-save",
                disabled=action.busy or wanted == plan,
            )
        ),
        lead=app.t("backup.plan.lead"),
    )


def _every(app: AppState, wanted: BackupPlan, change: Callable[[BackupPlan], None]) -> ft.Control:
    return radio_group(
        app.t("backup.plan.every"),
        wanted.every,
        {name: app.t(f"backup.plan.{name}") for name in EVERY_CHOICES},
        lambda name: change(replace(wanted, every=_EVERY[name])),
        key="plan-every",
    )


def _place(wanted: BackupPlan, vault: Path, change: Callable[[BackupPlan], None], error: str) -> ft.Control:
    def choose(folder: str) -> None:
        change(replace(wanted, folder=folder))

    place: ft.Control = FolderChoice(wanted.folder, vault, choose, "plan", error)
    return place


def _keep(app: AppState, wanted: BackupPlan, change: Callable[[BackupPlan], None]) -> ft.Control:
    return radio_group(
        app.t("backup.plan.keep"),
        str(wanted.keep),
        {str(n): app.t("backup.plan.keep.n", n=n) for n in KEEP_CHOICES},
        lambda n: change(replace(wanted, keep=int(n))),
        key="plan-keep",
    )
