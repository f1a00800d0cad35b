"""Where a backup could go on this computer: drives that are plugged in, and the person's own documents.

Only folders that are there now are offered; the person can always type another one.

Source: udisks2 mounts removable drives under /run/media/<user> or /media/<user> (udisks(8)); macOS mounts
under /Volumes (Apple File System Programming Guide).
"""

from __future__ import annotations

import contextlib
import os
import string
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER_NAME = "pgo-backups"
_DOCUMENTS = ("Documents", "Documenten")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to offer: on a drive of its own, or among the documents on this computer."""

    folder: Path
    kind: Literal["drive", "documents"]
    name: str


def places(home: Path | None = None, drive_roots: tuple[Path, ...] | None = None) -> tuple[Place, ...]:
    """Folders to offer, drives first.

    Args:
        home: the person's own folder; that of this user when None.
        drive_roots: folders whose folders are drives; those of this system when None.
    """
    own = home or Path.home()
    roots = _drive_roots(own) if drive_roots is None else drive_roots
    drives = [Place(drive / FOLDER_NAME, "drive", drive.name or str(drive)) for drive in _drives(roots)]
    documents = [own / name for name in _DOCUMENTS if (own / name).is_dir()]
    return (*drives, *(Place(folder / FOLDER_NAME, "documents", folder.name) for folder in documents[:1]))


def on_same_disk(folder: Path, vault: Path) -> bool:
    """Whether one broken disk would take both; no when it cannot be told."""
    with contextlib.suppress(OSError):
        return _existing(folder).stat().st_dev == _existing(vault).stat().st_dev
    return False


def _existing(folder: Path) -> Path:
    return next((one for one in (folder, *folder.parents) if one.exists()), folder)


def _drives(roots: tuple[Path, ...]) -> list[Path]:
    found: list[Path] = []
    for root in roots:
        with contextlib.suppress(OSError):
            found += sorted(one for one in root.iterdir() if one.is_dir() and os.access(one, os.W_OK))
    return [*found, *_letters()]


def _drive_roots(home: Path) -> tuple[Path, ...]:
    if sys.platform == "darwin":
        return (Path("/Volumes"),)
    if sys.platform == "win32":
        return ()
    return (Path("/run/media") / home.name, Path("/media") / home.name)


def _letters() -> list[Path]:
    if sys.platform != "win32":
        return []
    system = os.environ.get("SYSTEMDRIVE", "C:").upper()
    letters = [Path(f"{letter}:\\") for letter in string.ascii_uppercase if f"{letter}:" != system]
    return [drive for drive in letters if drive.exists()]
