"""Vaults with something in them, their backups, and how a backup file is taken apart."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from crypto.stream import SEALED_CHUNK_BYTES
from pgo.store.backup_format import SIGNATURE_BYTES, read_header
from pgo.store.backup_write import MadeBackup, backup_name
from pgo.usecases.collect import collect
from pgo.usecases.session import Session
from pgo.usecases.unlock import unlock
from tests.support.applications import PASSPHRASE
from tests.support.vaults import Home, a_bundle, a_condition, a_patient


def filled(home: Home, name: str = "Thuis", *, conditions: int = 60) -> Session:
    """A new vault with a person and some conditions, open."""
    session = home.open_new(name)
    more(session, range(conditions))
    return session


def more(session: Session, numbers: range) -> None:
    """Take in conditions with these numbers."""
    resources = [a_condition(f"c{number}", text=f"Klacht {number}") for number in numbers]
    collect(session, a_bundle(a_patient(), *resources), name="dossier.json")


def backup_of(session: Session, folder: Path) -> MadeBackup:
    """Make a backup of an open vault in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    at = session.now()
    return session.store.write_backup(folder / backup_name(session.store.vault_id, at), at=at)


def reopened(home: Home, folder: Path, passphrase: str = PASSPHRASE) -> Session:
    """Open a vault as the app does."""
    return unlock(home.app, folder, passphrase)


@dataclass(frozen=True)
class Pieces:
    """A backup taken apart: header, sealed chunks, signature."""

    header: bytes
    chunks: tuple[bytes, ...]
    signature: bytes

    @property
    def whole(self) -> bytes:
        return self.header + b"".join(self.chunks) + self.signature


def pieces_of(path: Path) -> Pieces:
    """Take a backup apart."""
    data = path.read_bytes()
    with path.open("rb") as stream:
        header = read_header(stream, file_bytes=len(data)).raw
    sealed = data[len(header) : -SIGNATURE_BYTES]
    starts = range(0, len(sealed), SEALED_CHUNK_BYTES)
    chunks = tuple(sealed[at : at + SEALED_CHUNK_BYTES] for at in starts)
    return Pieces(header, chunks, data[-SIGNATURE_BYTES:])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def copied(folder: Path, to: Path) -> Path:
    """A copy of a vault's folder."""
    return Path(shutil.copytree(folder, to / folder.name))
