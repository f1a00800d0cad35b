"""Keys from a key: HKDF-SHA256 with a label that says what the new key is for.

Two different labels give independent keys, so every use has its own label, dated by a version
(`pgo/1/...`). The input must already be a strong key; a passphrase goes through `passphrase` first.

Source: RFC 5869 (https://www.rfc-editor.org/rfc/rfc5869) section 3.2 on the use of `info`.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import WeakParameters

MIN_KEY_BYTES = 16


def derive(key: bytes | bytearray, label: str, length: int = 32, *, salt: bytes | None = None) -> bytes:
    """Derive an independent key.

    Args:
        key: Input key material with at least 128 bits of entropy.
        label: What the derived key is for; not secret, never empty.
        length: Bytes wanted, 1 to 8160 (RFC 5869 section 2.3).
        salt: Optional, not secret.

    Raises:
        WeakParameters: the input is shorter than 128 bits.
        ValueError: empty label.
    """
    return _hkdf(key, label, length, salt).derive(key)


def derive_erasable(
    key: bytes | bytearray, label: str, length: int = 32, *, salt: bytes | None = None
) -> bytearray:
    """As ``derive``, into memory that the caller erases when the key is not needed any more."""
    derived = bytearray(length)
    _hkdf(key, label, length, salt).derive_into(key, derived)
    return derived


def erase(secret: bytearray) -> None:
    """Overwrite a key with zeros, in place."""
    secret[:] = bytes(len(secret))


def _hkdf(key: bytes | bytearray, label: str, length: int, salt: bytes | None) -> HKDF:
    if len(key) < MIN_KEY_BYTES:
        raise WeakParameters("key_too_short")
    if not label:
        raise ValueError("a derived key needs a label")
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=label.encode("utf-8"))
