"""Put back from a backup, a step of the start screen: find the file, open it, wait, and unlock as always.

Nothing of it is an address. Until the very end nothing on this device changes, and an existing vault stays
beside the restored one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import flet as ft

from pgo.ui.backup.places import FolderChoice
from pgo.ui.backup.run import Long, use_long
from pgo.ui.backup.words import size
from pgo.ui.hooks import Action, use_action, use_app
from pgo.ui.safety import component
from pgo.ui.screens.passphrase import SecretField
from pgo.ui.state import AppState, Failed
from pgo.ui.text import fmt_moment
from pgo.ui.widgets import (
    card,
    checkbox_row,
    heading,
    live,
    muted,
    note,
    primary_button,
    radio_group,
    secondary_button,
    text_button,
    text_field,
    toolbar,
)
from pgo.usecases.backup_restore import FoundBackup, Secret, backups_in, restore, vault_of
from pgo.usecases.unlock import VaultPlace, new_vault_folder


@dataclass(frozen=True, slots=True)
class Opening:
    """What the person filled in about one backup."""

    text: str = ""
    is_code: bool = False
    name: str = ""
    insists: bool = False
    older: bool = False
    error: str = ""


@component
def RestoreStep(on_back: Callable[[], None], on_done: Callable[[VaultPlace], None]) -> ft.Control:
    """Find a backup; then open it."""
    app = use_app()
    folder, set_folder = ft.use_state("")
    nothing: tuple[FoundBackup, ...] | None = None
    found, set_found = ft.use_state(nothing)
    chosen, set_chosen = ft.use_state("")
    error, set_error = ft.use_state("")

    async def look() -> None:
        if not folder.strip():
            set_error(app.t("backup.place.first"))
            return
        outcome = await app.attempt(backups_in, Path(folder.strip()).expanduser())
        if isinstance(outcome, Failed):
            set_error(outcome.text)
            return
        usable = [one for one in outcome.value if not one.problem]
        set_error("")
        set_found(lambda _old: outcome.value)
        set_chosen(str(usable[0].path) if usable else "")

    def move(new: str) -> None:
        set_folder(new)
        set_found(lambda _old: None)

    search = use_action(look)
    picked = next((one for one in found or () if str(one.path) == chosen), None)
    parts: list[ft.Control] = [
        heading(app.t("restore.title"), 2),
        muted(app.t("restore.lead")),
        FolderChoice(folder, None, move, "restore", error, app.t("restore.place")),
        _search(app, search, on_back),
        *_choices(app, found, chosen, set_chosen),
    ]
    if picked is not None:
        parts.append(OpenBackup(picked, on_done, key=chosen))
    return card(*parts)


def _search(app: AppState, search: Action, on_back: Callable[[], None]) -> ft.Control:
    return toolbar(
        secondary_button(app.t("restore.look"), search.start, key="restore-look", disabled=search.busy),
        text_button(app.t("common.back"), on_back, key="back"),
    )


def _choices(
    app: AppState,
    found: tuple[FoundBackup, ...] | None,
    chosen: str,
    choose: Callable[[str], None],
) -> list[ft.Control]:
    if found is None:
        return []
    usable = [one for one in found if one.made_at is not None]
    refused = [
        note(app.t("restore.unusable", name=one.path.name, reason=app.t(f"error.{one.problem}")), "attention")
        for one in found
        if one.problem
    ]
    if not usable:
        words = app.t("restore.none")
        return [note(words, "attention"), live(words), *refused]
    options = {str(one.path): fmt_moment(app.lang, one.made_at) for one in usable if one.made_at}
    details = {
        str(one.path): app.t(
            "restore.option.detail",
            records=app.t("backup.records", n=one.records),
            size=size(app.lang, one.size_bytes),
            name=one.path.name,
        )
        for one in usable
    }
    group = radio_group(app.t("restore.which"), chosen, options, choose, key="restore-which", details=details)
    return [group, *refused]


@component
def OpenBackup(picked: FoundBackup, on_done: Callable[[VaultPlace], None]) -> ft.Control:
    """Ask for the secret and where it goes, then put it back."""
    app, long = use_app(), use_long()
    there: VaultPlace | None = ft.use_memo(lambda: vault_of(app.application, picked), [])
    typed, set_typed = ft.use_state(Opening())

    def change(**members: object) -> None:
        set_typed(lambda old: _changed(old, members))

    async def put_back() -> None:
        if not typed.text:
            change(error=app.t("unlock.type"))
            return
        place = there or await _new_place(app, typed.name, change)
        if place is None:
            return
        secret = Secret(typed.text, is_code=typed.is_code)
        done = await long.start(
            restore, app.application, picked.path, place.folder, secret, accept_older=typed.insists
        )
        if done.failed is None:
            app.say(app.t("restore.done"))
            on_done(place)
        else:
            older = done.failed.code == "backup_older"
            change(error="" if older else done.failed.text, older=older)

    action = use_action(put_back)
    return ft.Column(
        [
            *_where(app, there, typed, change),
            *_secret(app, typed, change, action.start),
            *_older(app, picked, typed, change),
            *long.bar,
            muted(app.t("restore.safe"), small=True),
            _do(app, long, action.start, busy=action.busy),
        ],
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


async def _new_place(app: AppState, name: str, change: Callable[..., None]) -> VaultPlace | None:
    outcome = await app.attempt(new_vault_folder, app.application, name)
    if isinstance(outcome, Failed):
        change(error=outcome.text)
        return None
    return VaultPlace(outcome.value.name, outcome.value)


def _changed(old: Opening, members: dict[str, object]) -> Opening:
    kept = {name: getattr(old, name) for name in Opening.__slots__} | {"error": ""} | members
    return Opening(**kept)


def _do(app: AppState, long: Long[object], start: Callable[..., object], *, busy: bool) -> ft.Control:
    return toolbar(
        primary_button(
            app.t("restore.do"),
            start,
            key="restore-do",
            icon=ft.Icons.SETTINGS_BACKUP_RESTORE_ROUNDED,
            disabled=busy or long.busy,
        )
    )


def _where(
    app: AppState, there: VaultPlace | None, typed: Opening, change: Callable[..., None]
) -> list[ft.Control]:
    if there is not None:
        return [note(app.t("restore.exists", name=there.name), "info")]
    return [
        text_field(
            app.t("restore.name"),
            typed.name,
            lambda text: change(name=text),
            key="restore-name",
            helper=app.t("restore.name.help"),
            max_length=40,
        )
    ]


def _secret(
    app: AppState, typed: Opening, change: Callable[..., None], submit: Callable[..., object]
) -> list[ft.Control]:
    label = app.t("restore.secret.code.label" if typed.is_code else "passphrase.label")
    return [
        radio_group(
            app.t("restore.secret.kind"),
            "code" if typed.is_code else "passphrase",
            {kind: app.t(f"restore.secret.{kind}") for kind in ("passphrase", "code")},
            lambda kind: change(is_code=kind == "code", text=""),
            key="restore-kind",
        ),
        SecretField(
            label,
            typed.text,
            lambda text: change(text=text),
            "restore-secret",
            typed.error,
            on_submit=submit,
        ),
    ]


def _older(
    app: AppState, picked: FoundBackup, typed: Opening, change: Callable[..., None]
) -> list[ft.Control]:
    if not typed.older and not typed.insists:
        return []
    when = fmt_moment(app.lang, picked.made_at) if picked.made_at else ""
    return [
        note(app.t("restore.older", when=when), "attention"),
        checkbox_row(
            app.t("restore.older.yes"),
            typed.insists,
            lambda yes: change(insists=yes, older=True),
            key="restore-insist",
        ),
    ]
