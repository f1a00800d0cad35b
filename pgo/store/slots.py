"""Key slots: the vault key wrapped by a passphrase, by the recovery code, by a secret in the key ring.

Each slot is bound to vault, generation, kind and cost (``header.slot_aad``), so a slot moved to another
place or with another price opens nothing (guide security 3.1). The keys that wrap are erased after use.
"""

from __future__ import annotations

from crypto.errors import CryptoError, WrongKey
from crypto.kdf import derive_erasable, erase
from crypto.passphrase import Argon2Parameters, derive_kek, new_salt, unwrap_key, wrap_key
from crypto.recovery import RecoveryCode, kek_from_code, parse_recovery_code
from pgo.errors import KeyLost, WrongPassphrase
from pgo.store.header import Header, Slot, SlotKind, slot_aad

_KEYRING_LABEL = "pgo/1/keyring"


def passphrase_slot(
    header: Header, passphrase: str, *, argon2: Argon2Parameters, vault_key: bytes | bytearray
) -> Slot:
    """Wrap the vault key for a passphrase."""
    salt = new_salt()
    kek = derive_kek(passphrase, salt=salt, parameters=argon2)
    return _wrapped(header, "passphrase", kek, salt=salt, vault_key=vault_key, argon2=argon2)


def recovery_slot(header: Header, code: RecoveryCode, *, vault_key: bytes | bytearray) -> Slot:
    """Wrap the vault key for a recovery code."""
    salt = new_salt()
    return _wrapped(header, "recovery", kek_from_code(code, salt=salt), salt=salt, vault_key=vault_key)


def keyring_slot(header: Header, secret: bytes, *, vault_key: bytes | bytearray) -> Slot:
    """Wrap the vault key for a random secret that the operating system keeps."""
    salt = new_salt()
    kek = derive_erasable(secret, _KEYRING_LABEL, salt=salt)
    return _wrapped(header, "keyring", kek, salt=salt, vault_key=vault_key)


def open_passphrase_slot(header: Header, passphrase: str) -> bytearray:
    """Unwrap the vault key with a passphrase, at the full price whether it fits or not.

    Raises:
        WrongPassphrase: it does not fit.
        KeyLost: the vault has no passphrase slot.
    """
    slot = _present(header, "passphrase")
    if slot.parameters is None:
        raise KeyLost
    return _unwrapped(header, slot, derive_kek(passphrase, salt=slot.salt, parameters=slot.parameters))


def open_recovery_slot(header: Header, code: RecoveryCode) -> bytearray:
    """Unwrap the vault key with a recovery code.

    Raises:
        WrongPassphrase: it does not fit.
        KeyLost: the vault has no recovery slot.
    """
    slot = _present(header, "recovery")
    return _unwrapped(header, slot, kek_from_code(code, salt=slot.salt))


def open_keyring_slot(header: Header, secret: bytes) -> bytearray:
    """Unwrap the vault key with the secret of the key ring.

    Raises:
        WrongPassphrase: it is the secret of something else.
        KeyLost: the vault has no such slot.
    """
    slot = _present(header, "keyring")
    return _unwrapped(header, slot, derive_erasable(secret, _KEYRING_LABEL, salt=slot.salt))


def code_opens(header: Header, code_text: str) -> bool:
    """Whether a typed code is the recovery code of this vault; mistyped means no."""
    try:
        erase(open_recovery_slot(header, parse_recovery_code(code_text)))
    except (CryptoError, WrongPassphrase, KeyLost):
        return False
    return True


def _present(header: Header, kind: SlotKind) -> Slot:
    slot = header.slot(kind)
    if slot is None:
        raise KeyLost
    return slot


def _wrapped(
    header: Header,
    kind: SlotKind,
    kek: bytearray,
    *,
    salt: bytes,
    vault_key: bytes | bytearray,
    argon2: Argon2Parameters | None = None,
) -> Slot:
    try:
        wrapped = wrap_key(vault_key, kek, aad=slot_aad(header, kind, argon2))
    finally:
        erase(kek)
    return Slot(kind=kind, salt=salt, wrapped=wrapped, parameters=argon2)


def _unwrapped(header: Header, slot: Slot, kek: bytearray) -> bytearray:
    try:
        return unwrap_key(slot.wrapped, kek, aad=slot_aad(header, slot.kind, slot.parameters))
    except WrongKey as exc:
        raise WrongPassphrase from exc
    finally:
        erase(kek)
