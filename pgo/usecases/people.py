"""Several people in one app: what each vault is called and looks like, taking it off the list, deleting it.

Rules:
1. The face is kept inside the vault; what stands beside the vaults is a copy for the list.
2. A vault is deleted only by who has it open, and only when its name was typed.
3. Deleting destroys the key slots first: from then on nothing can open what is still being removed.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, replace
from pathlib import Path

from pgo.errors import AppError, InputRefused
from pgo.store.journal import Event
from pgo.store.removal import remove_vault
from pgo.usecases.faces import COLOURS, MAX_NAME, Face, change_faces, default_face, load_faces, parse_face
from pgo.usecases.session import Application, Session

_KEY = "face"


def face(session: Session) -> Face:
    """How the open vault looks."""
    kept = parse_face(session.store.settings.get(_KEY))
    return kept or load_faces(session.app).get(session.folder.name) or default_face(session.folder.name)


def change_face(session: Session, *, name: str, initial: str, colour: str) -> Face:
    """Give the open vault another name, initial or colour.

    Raises:
        InputRefused: ``face_invalid`` with ``fields``, or ``vault_exists`` (another vault has that name).
    """
    cleaned, letters = " ".join(name.split()), "".join(initial.split()).upper()
    fields = {}
    if not 0 < len(cleaned) <= MAX_NAME or not cleaned.isprintable():
        fields["name"] = "name"
    if not 0 < len(letters) <= 2 or not letters.isalnum():
        fields["initial"] = "initial"
    if colour not in COLOURS:
        fields["colour"] = "colour"
    if fields:
        raise InputRefused("face_invalid", fields=fields)
    faces = _all_faces(session.app)
    own = session.folder.name
    if any(other != own and kept.name.casefold() == cleaned.casefold() for other, kept in faces.items()):
        raise InputRefused("vault_exists")
    new = Face(cleaned, letters, colour)
    store, at = session.store, session.now()
    with store.write(at):
        store.settings.put(_KEY, asdict(new))
        store.journal.add(Event.SETTINGS_CHANGED, at=at, settings="face")
    take_face(session)
    session.changed()
    return new


def take_face(session: Session) -> Face:
    """Bring the copy beside the vaults up to what the open vault says; failing is not worth a word."""
    inside, own = face(session), session.folder.name

    def with_mine(faces: dict[str, Face]) -> dict[str, Face]:
        beside = faces.get(own)
        return {**faces, own: replace(inside, hidden=beside is not None and beside.hidden)}

    if session.folder.parent == session.app.vaults:
        with contextlib.suppress(OSError, AppError):
            change_faces(session.app, with_mine)
    return inside


def hide(app: Application, folder: Path, *, hidden: bool = True) -> None:
    """Take a vault off the list, or put it back; the vault itself does not change."""
    own = folder.name

    def with_it(faces: dict[str, Face]) -> dict[str, Face]:
        return {**faces, own: replace(faces.get(own) or default_face(own), hidden=hidden)}

    change_faces(app, with_it)


def active_shares(session: Session) -> int:
    """How many recipients have a grant in force; deleting the vault does not end it."""
    if not session.store.ledger.head()[0]:
        return 0
    # The consent engine, which a vault without grants does not need.
    from consent.decision import GrantState
    from pgo.usecases.share import shares

    ahead = (GrantState.IN_FORCE, GrantState.NOT_YET)
    return len({row.recipient.id for row in shares(session) if row.state in ahead})


def delete_vault(session: Session, typed_name: str) -> None:
    """Lock the open vault and destroy it.

    Raises:
        InputRefused: ``name_differs``; nothing changed, the vault stays open.
        OSError: not everything could be removed; the key slots are gone.
    """
    if " ".join(typed_name.split()).casefold() != face(session).name.casefold():
        raise InputRefused("name_differs")
    app, folder = session.app, session.folder
    session.lock()
    remove_vault(folder)
    with contextlib.suppress(OSError, AppError):
        change_faces(app, lambda faces: {name: kept for name, kept in faces.items() if name != folder.name})


def _all_faces(app: Application) -> dict[str, Face]:
    """Kept faces, and default ones for vaults that have none."""
    folders = (path for path in app.vaults.iterdir() if path.is_dir() and not path.name.startswith("."))
    return {**{path.name: default_face(path.name) for path in folders}, **load_faces(app)}
