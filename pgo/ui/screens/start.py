"""First screen while nothing is open: choose a vault, make one, open one.

One component walks through the steps, because nothing of this may be an address: an address stays in the
browser's history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import flet as ft

from pgo.ui.hooks import use_action, use_app
from pgo.ui.room import use_layout
from pgo.ui.safety import component
from pgo.ui.screens.create import CreateStep
from pgo.ui.screens.recovery import CodeStep, RecoverStep
from pgo.ui.screens.restore import RestoreStep
from pgo.ui.screens.unlock import UnlockStep, enter
from pgo.ui.state import AppState, Failed
from pgo.ui.theme import GAP, GAP_LARGE, RADIUS, THEMES
from pgo.ui.widgets import (
    avatar,
    card,
    gap,
    heading,
    key_values,
    list_row,
    live,
    muted,
    note,
    primary_button,
    progress,
    tabs_row,
    text_button,
)
from pgo.usecases.people import hide
from pgo.usecases.settings import LockScreenPrefs, save_lock_screen_prefs
from pgo.usecases.unlock import NewVault, VaultPlace, unlock, vaults

if TYPE_CHECKING:
    from pgo.usecases.session import DemoInfo

CARD_WIDTH = 520


class Step(StrEnum):
    """Where in the start screen the person is."""

    CHOOSE = "choose"
    CREATE = "create"
    UNLOCK = "unlock"
    RECOVER = "recover"
    CODE = "code"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Place:
    """A step with what it is about."""

    step: Step
    vault: VaultPlace | None = None
    made: NewVault | None = None


def first_place(found: tuple[VaultPlace, ...], *, demo: bool) -> Place:
    """Where to begin: straight at the passphrase when there is one vault and nothing to choose."""
    if len(found) == 1 and not demo:
        return Place(Step.UNLOCK, found[0])
    return Place(Step.CHOOSE)


@component
def Screen() -> ft.Control:
    """Draw the step the person is at."""
    app = use_app()
    found = vaults(app.application)
    demo = app.application.demo
    place, set_place = ft.use_state(first_place(found, demo=demo is not None))

    def to(step: Step, vault: VaultPlace | None = None, made: NewVault | None = None) -> None:
        set_place(lambda _old: Place(step, vault, made))

    def back() -> None:
        to(Step.CHOOSE)

    content: ft.Control
    match place:
        case Place(Step.UNLOCK, vault=VaultPlace() as vault):
            choose = back if len(found) > 1 or demo is not None else None
            content = UnlockStep(vault, choose, lambda: to(Step.RECOVER, vault), lambda: to(Step.CREATE))
        case Place(Step.RECOVER, vault=VaultPlace() as vault):
            content = RecoverStep(vault, lambda: to(Step.UNLOCK, vault))
        case Place(Step.CREATE):
            content = CreateStep(back, lambda made: to(Step.CODE, made=made))
        case Place(Step.CODE, made=NewVault() as made):
            content = CodeStep(made.session, made.recovery_code_text, True)
        case Place(Step.RESTORE):
            content = RestoreStep(back, lambda vault: to(Step.UNLOCK, vault))
        case _:
            content = Chooser(found, demo, lambda vault: to(Step.UNLOCK, vault), lambda: to(Step.CREATE))
    if place.step in (Step.CHOOSE, Step.UNLOCK):
        link = text_button(app.t("restore.link"), lambda: to(Step.RESTORE), key="to-restore")
        content = ft.Column(
            [content, link],
            spacing=GAP,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    return _frame(app, content, use_layout().width)


def _frame(app: AppState, content: ft.Control, width: float) -> ft.Control:
    reason = (
        [note(app.t(app.lock_reason), "info", icon=ft.Icons.LOCK_OUTLINE_ROUNDED)] if app.lock_reason else []
    )
    room = min(CARD_WIDTH, width - 2 * GAP)
    column = ft.Column(
        [
            _brand(app),
            *reason,
            content,
            _choices(app),
            live(app.t(app.lock_reason) if app.lock_reason else ""),
        ],
        spacing=GAP_LARGE,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        width=room,
    )
    return ft.Column(
        [gap(GAP_LARGE), column, gap(GAP_LARGE)],
        expand=True,
        scroll=ft.ScrollMode.AUTO,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _brand(app: AppState) -> ft.Control:
    mark = ft.Container(
        ft.Icon(ft.Icons.HEALTH_AND_SAFETY_OUTLINED, size=34, color=ft.Colors.ON_PRIMARY),
        bgcolor=ft.Colors.PRIMARY,
        border_radius=RADIUS,
        width=60,
        height=60,
        alignment=ft.Alignment.CENTER,
    )
    words = ft.Column(
        [heading(app.t("app.name")), muted(app.t("app.promise"))], spacing=2, expand=True, tight=True
    )
    return ft.Row([mark, words], spacing=GAP, vertical_alignment=ft.CrossAxisAlignment.CENTER)


def _choices(app: AppState) -> ft.Control:
    """Language and theme, for the person who cannot read the rest."""

    def keep() -> None:
        app.chosen_at_start = True
        chosen = "en" if app.prefs.lang == "en" else "nl"
        save_lock_screen_prefs(app.application, LockScreenPrefs(language=chosen, theme=app.prefs.theme))  # type: ignore[arg-type]

    def set_lang(lang: str) -> None:
        app.prefs.lang = lang
        keep()

    def set_theme(name: str) -> None:
        app.prefs.theme = next(theme for theme in THEMES if theme == name)
        keep()

    languages = [("nl", "Nederlands"), ("en", "English")]
    themes = [(name, app.t(f"settings.theme.{name}")) for name in THEMES]
    return ft.Row(
        [
            tabs_row(languages, app.lang, label=app.t("settings.language"), on_choose=set_lang),
            tabs_row(themes, app.prefs.theme, label=app.t("settings.theme"), on_choose=set_theme),
        ],
        wrap=True,
        alignment=ft.MainAxisAlignment.SPACE_BETWEEN,
        run_spacing=GAP,
    )


@component
def Chooser(
    found: tuple[VaultPlace, ...],
    demo: DemoInfo | None,
    on_vault: Callable[[VaultPlace], None],
    on_create: Callable[[], None],
) -> ft.Control:
    """Which vault; in the demonstration also the ready-made patient."""
    app = use_app()

    async def open_example() -> None:
        if demo is None:
            return
        outcome = await app.run(unlock, app.application, demo.vault, demo.passphrase)
        if not isinstance(outcome, Failed):
            await enter(app, outcome.value)

    example = use_action(open_example)
    own = [place for place in found if demo is None or place.folder != demo.vault]
    rows: list[ft.Control] = [_person_row(place, on_vault) for place in own]
    rows += [OffTheList(on_vault)]
    parts: list[ft.Control] = [heading(app.t("start.choose" if found else "start.welcome"), 2)]
    if app.failure:
        parts.append(note(app.failure, "bad"))
    if demo is not None:
        parts += _demo_rows(app, example.start, on_create)
        parts += _clinic(app, demo)
        if example.busy:
            parts.append(progress(app.t("unlock.busy"), None))
        parts += [muted(app.t("start.own")), *rows] if own else []
    elif found or vaults(app.application, hidden=True):
        parts += [*rows, _new_row(app, on_create)]
    else:
        parts += [
            muted(app.t("start.welcome.text")),
            primary_button(app.t("start.create"), on_create, key="create-vault", icon=ft.Icons.ADD_ROUNDED),
        ]
    return card(*parts)


def _person_row(place: VaultPlace, on_vault: Callable[[VaultPlace], None]) -> ft.Control:
    return list_row(
        place.name,
        key=f"vault-{place.name}",
        leading=avatar(place.face.initial, place.face.colour),
        on_click=lambda _e: on_vault(place),
    )


@component
def OffTheList(on_vault: Callable[[VaultPlace], None]) -> ft.Control:
    """Vaults that were taken off the list, behind one button; opening one puts it back on the list."""
    app = use_app()
    shown, set_shown = ft.use_state(False)
    found = vaults(app.application, hidden=True)
    if not found:
        return ft.Container(height=0)

    def put_back(place: VaultPlace) -> None:
        hide(app.application, place.folder, hidden=False)
        on_vault(place)

    button = text_button(
        app.t("start.hidden.close" if shown else "start.hidden", n=len(found)),
        lambda: set_shown(not shown),
        key="hidden-vaults",
    )
    rows = [_person_row(place, put_back) for place in found] if shown else []
    return ft.Column([ft.Row([button], wrap=True), *rows], spacing=0, tight=True)


def _clinic(app: AppState, demo: DemoInfo) -> list[ft.Control]:
    """Where the clinic of the demonstration is; public and invented."""
    if not demo.portal_url:
        return []
    login = f"{demo.portal_user} / {demo.portal_password}"
    rows = [(app.t("start.clinic.address"), demo.portal_url), (app.t("start.clinic.login"), login)]
    return [muted(app.t("start.clinic")), key_values(rows)]


def _new_row(app: AppState, on_create: Callable[[], None]) -> ft.Control:
    return list_row(
        app.t("start.create"),
        key="create-vault",
        detail=app.t("start.create.detail"),
        icon=ft.Icons.ADD_ROUNDED,
        on_click=lambda _e: on_create(),
    )


def _demo_rows(
    app: AppState, on_example: Callable[..., object], on_create: Callable[[], None]
) -> list[ft.Control]:
    return [
        muted(app.t("start.demo.text")),
        list_row(
            app.t("start.example"),
            key="open-example",
            detail=app.t("start.example.detail"),
            icon=ft.Icons.PERSON_OUTLINE_ROUNDED,
            on_click=on_example,
        ),
        list_row(
            app.t("start.empty"),
            key="create-vault",
            detail=app.t("start.empty.detail"),
            icon=ft.Icons.ADD_ROUNDED,
            on_click=lambda _e: on_create(),
        ),
    ]
