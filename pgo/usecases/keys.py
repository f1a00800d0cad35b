"""What opens an open vault, and how to change it: passphrase, recovery code, key ring, the vault key itself.

Rules:
1. No change encrypts a record again, except the renewal of the vault key, which is what that is for.
2. A recovery code is shown once, when it is made; the app asks until it was typed back.
3. The key ring is off until the person switches it on, and goes off when the passphrase changes.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from crypto.secret import Secret
from pgo.errors import DiskFailed, KeyringRefused, Locked, StoreFull
from pgo.store.clouds import cloud_of
from pgo.store.journal import Event
from pgo.store.oskeyring import SECRET_BYTES
from pgo.store.renewal import Secrets
from pgo.usecases.session import Application, Session
from pgo.usecases.unlock import PRICE_KEY, new_price, refuse_weak, remember_price, unlock


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What the screens say about the ways into the open vault.

    Attributes:
        memory_mib: memory that one guess at the passphrase takes.
        seconds: how long a guess took where the passphrase was chosen; None when that was not measured.
        generation: number of the vault key.
        in_keyring: the key ring of this computer opens the vault.
        confirmed: the present recovery code was typed back.
        cloud: name of the service that keeps the vault's folder in step, '' for none that shows.
    """

    memory_mib: int
    seconds: float | None
    generation: int
    in_keyring: bool
    confirmed: bool
    cloud: str


@dataclass(frozen=True, slots=True, repr=False)
class Renewal(Secret):
    """After renewing the vault key: the newly opened vault and the recovery code to show once."""

    session: Session
    recovery_code_text: str


def key_facts(session: Session) -> KeyFacts:
    """Everything worth saying about the ways in."""
    keys = session.store.keys
    price, seconds = keys.price(), session.store.settings.get(PRICE_KEY)
    return KeyFacts(
        memory_mib=price.memory_kib // 1024 if price is not None else 0,
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        generation=keys.generation(),
        in_keyring=keys.in_keyring(),
        confirmed=keys.recovery_confirmed(),
        cloud=cloud_of(session.folder),
    )


def cloud_service(app: Application) -> str:
    """Name of the service that keeps the folder of the vaults in step, '' for none that shows."""
    return cloud_of(app.vaults)


def change_passphrase(session: Session, new_passphrase: str) -> None:
    """Replace the passphrase slot; no data is encrypted again, and the key ring's slot goes.

    Raises:
        InputRefused: ``weak_passphrase``.
    """
    refuse_weak(new_passphrase, session.folder)
    store, at = session.store, session.now()
    price, had_keyring = new_price(session.app), store.keys.in_keyring()
    store.keys.replace_passphrase(new_passphrase, argon2=price.parameters)
    with store.write(at):
        store.journal.add(Event.PASSPHRASE_CHANGED, at=at)
    remember_price(session, price)
    if had_keyring:
        _forget_secret(session)
    session.changed()


def confirm_recovery_code(session: Session, typed: str) -> bool:
    """Check the code typed back; True is remembered so that the app stops asking."""
    store, at = session.store, session.now()
    if not store.keys.recovery_opens(typed):
        return False
    store.keys.confirm_recovery()
    with store.write(at):
        store.journal.add(Event.RECOVERY_CONFIRMED, at=at)
    session.changed()
    return True


def recovery_confirmed(session: Session) -> bool:
    """Whether the present recovery code was ever typed back."""
    return session.store.keys.recovery_confirmed()


def renew_recovery_code(session: Session) -> str:
    """Replace the recovery code; the old one opens nothing any more. Returns the new code to show once."""
    store, at = session.store, session.now()
    text = store.keys.replace_recovery()
    with store.write(at):
        store.journal.add(Event.RECOVERY_RENEWED, at=at)
    session.changed()
    return text


def keyring_on(session: Session) -> None:
    """Let the key ring of this computer open the vault.

    Raises:
        KeyringRefused: there is no key ring that can be trusted, or it did not take the secret; nothing
            changed.
    """
    store, at = session.store, session.now()
    keeper, secret = session.app.keyring(), secrets.token_bytes(SECRET_BYTES)
    keeper.keep(store.vault_id, secret)
    try:
        store.keys.add_keyring(secret)
    except BaseException:
        keeper.forget(store.vault_id)
        raise
    with store.write(at):
        store.journal.add(Event.KEYRING_ON, at=at)
    session.changed()


def keyring_off(session: Session) -> None:
    """Let only passphrase and recovery code open the vault."""
    store, at = session.store, session.now()
    store.keys.drop_keyring()
    with store.write(at):
        store.journal.add(Event.KEYRING_OFF, at=at)
    _forget_secret(session)
    session.changed()


def renew_vault_key(session: Session, passphrase: str, *, on_progress: Callable[[float], None]) -> Renewal:
    """Copy everything under a new vault key and open it; the old file is shredded by that opening.

    The key ring's slot is wrapped anew with the secret it has; where it does not give it, the slot goes.

    Args:
        session: the open vault; it is locked when this succeeds.
        passphrase: the present one, typed again: its slot is wrapped anew.
        on_progress: called with 0.0 to 1.0.

    Raises:
        WrongPassphrase: it is not the present one; nothing changed.
        StoreFull, DiskFailed, StoreDamaged: nothing changed, the vault stays open.
        Locked: the key is new, but the disk did not let the vault be opened again; the passphrase opens it,
            and the app then asks for a new recovery code.
    """
    store, app = session.store, session.app
    opens = Secrets(passphrase, new_price(app).parameters, _kept_secret(session))
    code_text = store.renew(opens, at=session.now(), on_progress=on_progress)
    session.lock()
    try:
        return Renewal(unlock(app, session.folder, passphrase), code_text)
    except (StoreFull, DiskFailed):
        raise Locked from None


def _kept_secret(session: Session) -> bytes | None:
    if not session.store.keys.in_keyring():
        return None
    try:
        return session.app.keyring().secret_of(session.store.vault_id)
    except KeyringRefused:
        return None


def _forget_secret(session: Session) -> None:
    """Remove what the key ring holds; without its slot it opens nothing, so failing does no harm."""
    with contextlib.suppress(KeyringRefused):
        session.app.keyring().forget(session.store.vault_id)
