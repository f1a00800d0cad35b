"""How each vault looks in the list before it is opened: a name, an initial, a colour, or not in the list.

Rules:
1. All of it can be read by whoever can read the folder, and says so where it is chosen.
2. The vault keeps its own face inside (``people.take_face``); the file beside the vaults is a copy for the
   list. A copy that is lost or cannot be read gives the folder's name and a colour of its own.
"""

from __future__ import annotations

import contextlib
import json
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pgo.store.files import make_private_folder, save_atomically

if TYPE_CHECKING:
    from pgo.usecases.session import Application

COLOURS: Final = ("rose", "orange", "violet", "brown", "blue", "green", "teal", "grey")
MAX_NAME: Final = 40
_FILE: Final = "people.json"
_MAX_BYTES: Final = 200_000
_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Face:
    """How a vault looks.

    Attributes:
        name: what it is called.
        initial: one or two characters.
        colour: one of ``COLOURS``.
        hidden: not in the list; the vault itself stays where it is.
    """

    name: str
    initial: str
    colour: str
    hidden: bool = False


NO_FACE: Final = Face("", "", COLOURS[0])


def default_face(name: str) -> Face:
    """The face of a vault that has none yet; the same name always gets the same one, and never grey."""
    return Face(name, initial_of(name), COLOURS[zlib.crc32(name.encode()) % (len(COLOURS) - 1)])


def initial_of(name: str) -> str:
    """First letter or digit of a name."""
    return next((letter.upper() for letter in name if letter.isalnum()), "?")[:1]


def load_faces(app: Application) -> dict[str, Face]:
    """Faces by folder name; what cannot be read is as if it were not there."""
    kept: Any = None
    with contextlib.suppress(OSError, ValueError):
        kept = json.loads(_path(app).read_bytes()[:_MAX_BYTES])
    if not isinstance(kept, dict):
        return {}
    faces = {str(folder): parse_face(value) for folder, value in kept.items()}
    return {folder: face for folder, face in faces.items() if face is not None}


def change_faces(app: Application, change: Callable[[dict[str, Face]], Mapping[str, Face]]) -> None:
    """Read the faces, change them and keep them, as one step: two threads do not undo each other's change.

    Raises:
        OSError, StoreDamaged: as ``save_atomically``; the faces stay as they were.
    """
    with _guard:
        before = load_faces(app)
        after = change(before)
        if after != before:
            _save_faces(app, after)


def _save_faces(app: Application, faces: Mapping[str, Face]) -> None:
    """Keep the faces beside the vaults; those of vaults that are gone go."""
    make_private_folder(app.vaults)
    kept = {folder: asdict(face) for folder, face in sorted(faces.items()) if (app.vaults / folder).is_dir()}
    save_atomically(_path(app), json.dumps(kept, ensure_ascii=True).encode("ascii"))


def parse_face(value: Any) -> Face | None:
    """A face as it was kept; None when it is none."""
    kept = value if isinstance(value, dict) else {}
    name, initial, colour = kept.get("name"), kept.get("initial"), kept.get("colour")
    if not isinstance(name, str) or not isinstance(initial, str) or colour not in COLOURS:
        return None
    if not 0 < len(name) <= MAX_NAME or not 0 < len(initial) <= 2 or not (name + initial).isprintable():
        return None
    return Face(name, initial, colour, kept.get("hidden") is True)


def _path(app: Application) -> Path:
    return app.vaults / _FILE
