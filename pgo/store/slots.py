"""Key slots: the vault key wrapped by a passphrase and by the recovery code (guide security 3.1)."""

from __future__ import annotations

from crypto.errors import CryptoError, WrongKey
from crypto.passphrase import Argon2Parameters, derive_kek, new_salt, unwrap_key, wrap_key
from crypto.recovery import RecoveryCode, kek_from_code, parse_recovery_code
from pgo.errors import KeyLost, WrongPassphrase
from pgo.store.header import Header, Slot, slot_aad


def passphrase_slot(
    header: Header, passphrase: str, *, argon2: Argon2Parameters, vault_key: bytes | bytearray
) -> Slot:
    """Wrap the vault key for a passphrase."""
    salt = new_salt()
    kek = derive_kek(passphrase, salt=salt, parameters=argon2)
    wrapped = wrap_key(bytes(vault_key), kek, aad=slot_aad(header, "passphrase", argon2))
    return Slot(kind="passphrase", salt=salt, wrapped=wrapped, parameters=argon2)


def recovery_slot(header: Header, code: RecoveryCode, *, vault_key: bytes | bytearray) -> Slot:
    """Wrap the vault key for a recovery code."""
    salt = new_salt()
    wrapped = wrap_key(
        bytes(vault_key), kek_from_code(code, salt=salt), aad=slot_aad(header, "recovery", None)
    )
    return Slot(kind="recovery", salt=salt, wrapped=wrapped, parameters=None)


def open_passphrase_slot(header: Header, passphrase: str) -> bytearray:
    """Unwrap the vault key with a passphrase, at the full price whether it fits or not.

    Raises:
        WrongPassphrase: it does not fit.
        KeyLost: the vault has no passphrase slot.
    """
    slot = header.slot("passphrase")
    if slot is None or slot.parameters is None:
        raise KeyLost
    kek = derive_kek(passphrase, salt=slot.salt, parameters=slot.parameters)
    return _unwrap(header, slot, kek)


def open_recovery_slot(header: Header, code: RecoveryCode) -> bytearray:
    """Unwrap the vault key with a recovery code.

    Raises:
        WrongPassphrase: it does not fit.
        KeyLost: the vault has no recovery slot.
    """
    slot = header.slot("recovery")
    if slot is None:
        raise KeyLost
    return _unwrap(header, slot, kek_from_code(code, salt=slot.salt))


def code_opens(header: Header, code_text: str) -> bool:
    """Whether a typed code is the recovery code of this vault; mistyped means no."""
    try:
        open_recovery_slot(header, parse_recovery_code(code_text))
    except (CryptoError, WrongPassphrase, KeyLost):
        return False
    return True


def _unwrap(header: Header, slot: Slot, kek: bytes) -> bytearray:
    try:
        return bytearray(unwrap_key(slot.wrapped, kek, aad=slot_aad(header, slot.kind, slot.parameters)))
    except WrongKey as exc:
        raise WrongPassphrase from exc
