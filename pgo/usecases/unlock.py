"""Create, open and lock a vault.

Rules:
1. A wrong passphrase costs the same time as a right one and changes nothing.
2. Nothing is ever recreated: a vault that lost a part raises and stays as it is.
3. The recovery code is shown once, when it is made; only its effect on the key slot is kept.
"""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from crypto.errors import Malformed
from crypto.passphrase import Price
from crypto.secret import Secret
from pgo.errors import DiskFailed, InputRefused, StoreFull
from pgo.store.founding import remove_half_made
from pgo.store.journal import Event
from pgo.store.opening import create_vault as create_store
from pgo.store.opening import (
    has_keyring_slot,
    open_with_code,
    open_with_keyring,
    open_with_passphrase,
    vault_present,
)
from pgo.usecases.faces import NO_FACE, Face, default_face, load_faces
from pgo.usecases.session import Application, Session

PRICE_KEY = "passphrase_seconds"
"""Setting that keeps how long a guess took on the machine where the passphrase was chosen."""

_log = logging.getLogger("pgo.usecases")
_MAX_CHARACTERS = 1024
_MAX_NAME = 40
# Letters, digits and a few marks that every file system takes; no leading dot or space, none at the end.
_NAME = re.compile(r"[^\W_](?:[\w .,'()-]{0,38}[\w)])?")
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """One vault the start screen can offer.

    Attributes:
        name: what it is shown by.
        folder: where it lies.
        face: its colour and initial.
        keyring: the key ring of this computer may open it.
    """

    name: str
    folder: Path
    face: Face = NO_FACE
    keyring: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class NewVault(Secret):
    """A vault just made: its open session and the recovery code, to be shown once and typed back."""

    session: Session
    recovery_code_text: str


@dataclass(frozen=True, slots=True)
class PassphraseQuality:
    """Honest strength of a passphrase.

    Attributes:
        score: 0 (useless) to 4 (very strong).
        acceptable: whether ``create_vault`` takes it: 12 characters or more, and not guessable (no
            composition rules).
        reason: text key suffix such as ``too_short``, ``common``, ``ok``.
        guesses_log10: power of ten of the estimated guesses.
    """

    score: int
    acceptable: bool
    reason: str
    guesses_log10: float


def vaults(app: Application, *, hidden: bool = False) -> tuple[VaultPlace, ...]:
    """List the vaults under the application's folder, by name.

    Args:
        app: says where.
        hidden: those taken off the list instead of those on it.
    """
    if not app.vaults.is_dir():
        return ()
    known = load_faces(app)
    found = []
    for folder in app.vaults.iterdir():
        if not folder.is_dir() or folder.name.startswith(".") or not vault_present(folder):
            continue
        face = known.get(folder.name) or default_face(folder.name)
        if face.hidden == hidden:
            found.append(VaultPlace(face.name, folder, face, has_keyring_slot(folder)))
    return tuple(sorted(found, key=lambda place: (place.name.casefold(), place.folder.name)))


def tidy(app: Application) -> None:
    """Remove what a crash left of vaults that were never finished, or were being deleted."""
    with contextlib.suppress(OSError):
        remove_half_made(app.vaults)


def new_vault_folder(app: Application, name: str) -> Path:
    """Folder for a new vault of that name.

    Raises:
        InputRefused: ``vault_name`` (empty, longer than 40 characters or with characters no file system
        takes) or
            ``vault_exists``.
    """
    cleaned = " ".join(name.split())
    if len(cleaned) > _MAX_NAME or _NAME.fullmatch(cleaned) is None or cleaned.casefold() in _RESERVED:
        raise InputRefused("vault_name")
    taken = {place.name.casefold() for place in (*vaults(app), *vaults(app, hidden=True))}
    folder = app.vaults / cleaned
    if cleaned.casefold() in taken or folder.exists():
        raise InputRefused("vault_exists")
    return folder


def vault_exists(folder: Path) -> bool:
    """Whether the folder holds a vault, or what is left of one."""
    return vault_present(folder)


def passphrase_quality(passphrase: str, *, words: tuple[str, ...] = ()) -> PassphraseQuality:
    """Estimate a passphrase offline; ``words`` are things a guesser would try first (the vault's name)."""
    from crypto.strength import estimate  # its word lists take a while to load; not needed to unlock

    if len(passphrase) > _MAX_CHARACTERS:
        return PassphraseQuality(score=0, acceptable=False, reason="too_long", guesses_log10=0.0)
    strength = estimate(passphrase, words=words)
    return PassphraseQuality(
        score=strength.score,
        acceptable=strength.reason == "ok",
        reason=strength.reason,
        guesses_log10=strength.guesses_log10,
    )


def create_vault(app: Application, folder: Path, passphrase: str) -> NewVault:
    """Make a new, empty, encrypted vault and open it.

    Raises:
        InputRefused: ``vault_exists`` or ``weak_passphrase``.
    """
    refuse_weak(passphrase, folder)
    price = new_price(app)
    store, code_text = create_store(folder, passphrase, argon2=price.parameters, at=app.clock())
    session = Session(app, store, folder=folder)
    remember_price(session, price)
    return NewVault(_opened(session), code_text)


def unlock(app: Application, folder: Path, passphrase: str) -> Session:
    """Open a vault with its passphrase.

    Raises:
        WrongPassphrase: it opens no slot; nothing changed.
        KeyLost: there is a database but no header.
        StoreDamaged: something is missing, cut short, replaced or foreign; nothing was created.
        VaultBusy: another process has it open.
        NotFound: there is no vault in that folder.
    """
    session = Session(app, open_with_passphrase(folder, passphrase), folder=folder)
    _note(session, Event.UNLOCKED)
    return _opened(session)


def unlock_with_keyring(app: Application, folder: Path) -> Session:
    """Open a vault with the secret that the key ring of this computer keeps.

    Raises:
        KeyringRefused: there is no key ring, or it has no secret for this vault; the passphrase still opens.
        WrongPassphrase, KeyLost, StoreDamaged, VaultBusy, NotFound: as ``unlock``.
    """
    keeper = app.keyring()
    session = Session(app, open_with_keyring(folder, keeper.secret_of), folder=folder)
    _note(session, Event.UNLOCKED)
    return _opened(session)


def unlock_with_code(app: Application, folder: Path, code_text: str) -> Session:
    """Open a vault with its recovery code; the screen then asks for a new passphrase.

    Raises:
        InputRefused: ``recovery_code`` with ``detail`` naming the group that was mistyped, when known.
        WrongPassphrase, KeyLost, StoreDamaged, VaultBusy, NotFound: as ``unlock``.
    """
    try:
        store = open_with_code(folder, code_text)
    except Malformed as exc:
        raise InputRefused("recovery_code", "" if exc.group is None else f"group {exc.group}") from exc
    session = Session(app, store, folder=folder)
    _note(session, Event.RECOVERY_USED)
    return _opened(session)


def check_vault(session: Session) -> None:
    """Verify every page, the counters, the journal's chain and every signature of the ledger.

    Raises:
        StoreDamaged: with the part that does not hold.
    """
    session.store.check()
    if session.store.ledger.head()[0]:
        from pgo.usecases.consenting import load_ledger

        load_ledger(session.store)


def lock(session: Session) -> None:
    """Close the vault and forget its keys."""
    session.lock()


def _note(session: Session, event: Event) -> None:
    """Write a journal line about the opening; a disk that takes none must keep nobody out."""
    at = session.now()
    try:
        with session.store.write(at):
            session.store.journal.add(event, at=at)
    except (StoreFull, DiskFailed):
        _log.warning("unlock_not_in_journal")
    except BaseException:
        session.lock()  # nobody would get hold of it to lock it
        raise


def new_price(app: Application) -> Price:
    """What the passphrase of a new slot costs on this machine."""
    return app.calibrate() if app.calibrate is not None else Price(app.argon2, 0.0)


def remember_price(session: Session, price: Price) -> None:
    """Keep how long a guess took when it was measured, to be shown; not worth failing for."""
    if price.seconds <= 0:
        return
    with contextlib.suppress(StoreFull, DiskFailed), session.store.write(session.now()):
        session.store.settings.put(PRICE_KEY, round(price.seconds, 2))


def _opened(session: Session) -> Session:
    if session.app.on_open is not None:
        session.app.on_open(session)
    return session


def refuse_weak(passphrase: str, folder: Path) -> None:
    """Return when a new passphrase is good enough.

    Raises:
        InputRefused: ``weak_passphrase``, ``detail`` says why.
    """
    quality = passphrase_quality(passphrase, words=(folder.name,))
    if not quality.acceptable:
        raise InputRefused("weak_passphrase", quality.reason)
