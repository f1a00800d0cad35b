"""Choose a folder of this computer: the ones that are offered, or one that is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.safety import component
from pgo.ui.state import AppState
from pgo.ui.theme import GAP_SMALL
from pgo.ui.widgets import note, radio_group, text_field
from pgo.usecases.backup_places import Place, on_same_disk, places

OTHER: Final = "other"


@component
def FolderChoice(
    folder: str,
    vault: Path | None,
    on_choose: Callable[[str], None],
    prefix: str,
    error: str = "",
    label: str = "",
) -> ft.Control:
    """Ask for a folder.

    Args:
        folder: chosen now, '' for none.
        vault: where the vault lies, to warn when one disk holds both; None when it does not matter.
        on_choose: called with the folder.
        prefix: of the keys, so that two of these can stand on one screen.
        error: sentence under it.
        label: the question; where a backup should go when empty.
    """
    app = use_app()
    offered: tuple[Place, ...] = ft.use_memo(places, [])
    known = {str(place.folder): place for place in offered}
    chosen = folder if folder in known else (OTHER if folder or not known else None)
    typing, set_typing = ft.use_state(chosen == OTHER)

    def choose(value: str) -> None:
        set_typing(value == OTHER)
        on_choose("" if value == OTHER else value)

    parts: list[ft.Control] = []
    if known:
        question = label or app.t("backup.place")
        parts.append(_offers(app, question, known, OTHER if typing else chosen, choose, prefix))
    if typing or not known:
        typed = folder if folder not in known else ""
        parts.append(_typed(app, typed, on_choose, prefix, error))
    elif error:
        parts.append(note(error, "bad"))
    if folder and vault is not None and on_same_disk(Path(folder), vault):
        parts.append(note(app.t("backup.place.same_disk"), "attention"))
    return ft.Column(parts, spacing=GAP_SMALL, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _offers(
    app: AppState,
    question: str,
    known: Mapping[str, Place],
    chosen: str | None,
    choose: Callable[[str], None],
    prefix: str,
) -> ft.Control:
    options = {name: app.t(f"backup.place.{place.kind}", name=place.name) for name, place in known.items()}
    return radio_group(
        question,
        chosen,
        {**options, OTHER: app.t("backup.place.other")},
        choose,
        key=f"{prefix}-place",
        details={name: name for name in options},
    )


def _typed(
    app: AppState, folder: str, on_choose: Callable[[str], None], prefix: str, error: str
) -> ft.Control:
    return text_field(
        app.t("backup.place.typed"),
        folder,
        on_choose,
        key=f"{prefix}-folder",
        helper=app.t("backup.place.typed.help"),
        error=error,
    )
