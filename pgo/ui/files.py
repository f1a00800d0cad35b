"""Let the person pick one file and get its bytes, without a trace on disk.

In a browser the file comes through `pgo.ui.uploads`; with a native client (no `uploads`) it is read where it
lies. A file that was picked for one vault never arrives in another: when the vault was locked meanwhile, it
is dropped.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import flet as ft

from pgo.errors import InputRefused
from pgo.ui.uploads import MAX_FILE_BYTES, Uploads

if TYPE_CHECKING:
    from pgo.ui.state import AppState

TRANSFER_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Picked:
    """A picked file: its name as the person knows it, its untrusted bytes."""

    name: str
    data: bytes


async def pick_file(picker: ft.FilePicker, app: AppState, *, limit: int = MAX_FILE_BYTES) -> Picked | None:
    """Ask for one file.

    Args:
        picker: Made once per screen (Flet drops services nobody holds).
        app: Knows where the browser sends it, and whether the vault was locked meanwhile.
        limit: Largest file taken, bytes.

    Returns:
        The file, or None when the person chose nothing or the vault was locked meanwhile.

    Raises:
        InputRefused: ``too_large`` (nothing was read) or ``unreadable`` (it never came).
    """
    lockings = app.lockings
    picked = await _picked(picker, app.uploads, limit)
    return picked if app.lockings == lockings else None


async def _picked(picker: ft.FilePicker, uploads: Uploads | None, limit: int) -> Picked | None:
    files = await picker.pick_files(allow_multiple=False)
    if not files:
        return None
    chosen = files[0]
    if (chosen.size or 0) > limit:
        raise InputRefused("too_large")
    if chosen.bytes is not None:
        return Picked(chosen.name, chosen.bytes)
    if uploads is None:
        if chosen.path is None:
            raise InputRefused("unreadable")
        return Picked(chosen.name, await asyncio.to_thread(Path(chosen.path).read_bytes))
    slot = uploads.expect()
    await picker.upload([ft.FilePickerUploadFile(upload_url=slot.url, id=chosen.id, name=chosen.name)])
    try:
        return Picked(chosen.name, await asyncio.wait_for(slot.data, TRANSFER_SECONDS))
    except TimeoutError as exc:
        raise InputRefused("unreadable") from exc
