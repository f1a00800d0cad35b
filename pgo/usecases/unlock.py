"""Create, open and lock a vault.

Rules:
1. A wrong passphrase costs the same time as a right one and changes nothing.
2. Nothing is ever recreated: a vault that lost a part raises and stays as it is.
3. The recovery code is shown once, when it is made; only its effect on the key slot is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgo.usecases.session import Application, Session


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """One vault the start screen can offer: its folder and the name it is shown by (the folder's name)."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class NewVault:
    """A vault just made: its open session and the recovery code, to be shown once and typed back."""

    session: Session
    recovery_code_text: str


@dataclass(frozen=True, slots=True)
class PassphraseQuality:
    """Honest strength of a passphrase.

    Attributes:
        score: 0 (useless) to 4 (very strong).
        acceptable: whether ``create_vault`` takes it (guide security 3.1: 12 characters or 4 words, score 3 or more).
        reason: text key suffix such as ``too_short``, ``common``, ``ok``.
        guesses_log10: power of ten of the estimated guesses.
    """

    score: int
    acceptable: bool
    reason: str
    guesses_log10: float


def vaults(app: Application) -> tuple[VaultPlace, ...]:
    """List the vaults under the application's folder, by name."""
    raise NotImplementedError


def new_vault_folder(app: Application, name: str) -> Path:
    """Folder for a new vault of that name.

    Raises:
        InputRefused: ``vault_name`` (empty, longer than 40 characters or with characters no file system takes) or
            ``vault_exists``.
    """
    raise NotImplementedError


def vault_exists(folder: Path) -> bool:
    """Whether the folder holds a vault, or what is left of one."""
    raise NotImplementedError


def passphrase_quality(passphrase: str, *, words: tuple[str, ...] = ()) -> PassphraseQuality:
    """Estimate a passphrase offline; ``words`` are things a guesser would try first (the vault's name)."""
    raise NotImplementedError


def create_vault(app: Application, folder: Path, passphrase: str) -> NewVault:
    """Make a new, empty, encrypted vault and open it.

    Raises:
        InputRefused: ``vault_exists`` or ``weak_passphrase``.
    """
    raise NotImplementedError


def confirm_recovery_code(session: Session, typed: str) -> bool:
    """Check the code typed back; True is remembered so that the app stops asking."""
    raise NotImplementedError


def recovery_confirmed(session: Session) -> bool:
    """Whether the present recovery code was ever typed back."""
    raise NotImplementedError


def renew_recovery_code(session: Session) -> str:
    """Replace the recovery code; the old one opens nothing any more. Returns the new code to show once."""
    raise NotImplementedError


def change_passphrase(session: Session, new_passphrase: str) -> None:
    """Replace the passphrase slot; no data is encrypted again.

    Raises:
        InputRefused: ``weak_passphrase``.
    """
    raise NotImplementedError


def unlock(app: Application, folder: Path, passphrase: str) -> Session:
    """Open a vault with its passphrase.

    Raises:
        WrongPassphrase: it opens no slot; nothing changed.
        KeyLost: there is a database but no header.
        StoreDamaged: something is missing, cut short, replaced or foreign; nothing was created.
        VaultBusy: another process has it open.
        NotFound: there is no vault in that folder.
    """
    raise NotImplementedError


def unlock_with_code(app: Application, folder: Path, code_text: str) -> Session:
    """Open a vault with its recovery code; the screen then asks for a new passphrase.

    Raises:
        InputRefused: ``recovery_code`` with ``detail`` naming the group that was mistyped, when known.
        WrongPassphrase, KeyLost, StoreDamaged, VaultBusy, NotFound: as ``unlock``.
    """
    raise NotImplementedError


def lock(session: Session) -> None:
    """Close the vault and forget its keys."""
    session.lock()
