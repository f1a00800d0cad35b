"""Sealing many things under one symmetric key: records at rest, keys under a key.

Promises:
1. ChaCha20-Poly1305 with a random 96-bit nonce each time; the result is nonce, ciphertext, tag;
2. what a sealed thing *is* (whose, under which name) goes in as associated data, so that it cannot be put in
   another's place unnoticed;
3. `digest` tells whether two contents are equal only to whoever holds the key: without it, contents cannot be
   guessed and compared.

Random nonces are safe up to 2**32 seals under one key (RFC 8439 section 4, NIST SP 800-38D section 8.3); a
key here seals the records of one person.

Sources: RFC 8439 (https://www.rfc-editor.org/rfc/rfc8439); RFC 7693 (BLAKE2, keyed).
"""

from __future__ import annotations

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.errors import WeakParameters, WrongKey
from crypto.kdf import derive
from crypto.secret import Secret

KEY_BYTES = 32
_NONCE_BYTES = 12
_DIGEST_BYTES = 16
_DIGEST_LABEL = "aead/1/digest"


class AeadKey(Secret):
    """One 256-bit key; does not print, pickle or copy."""

    __slots__ = ("_cipher", "_digest_key", "_key")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise WeakParameters("key_length")
        self._key = key
        self._cipher = ChaCha20Poly1305(key)
        self._digest_key = derive(key, _DIGEST_LABEL)

    @classmethod
    def generate(cls) -> AeadKey:
        """Return a fresh random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes:
        """Seal bytes, bound to what they are."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plaintext, aad)

    def open(self, sealed: bytes, *, aad: bytes) -> bytes:
        """Open what `seal` made.

        Raises:
            WrongKey: other key, other associated data, or changed bytes.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], aad)
        except (InvalidTag, ValueError) as exc:  # ValueError: shorter than a nonce
            raise WrongKey from exc

    def digest(self, *parts: bytes) -> bytes:
        """Return 128 bits that are equal for equal parts, to compare contents without opening them."""
        made = hashlib.blake2b(key=self._digest_key, digest_size=_DIGEST_BYTES)
        for part in parts:
            made.update(len(part).to_bytes(8, "big"))
            made.update(part)
        return made.digest()

    def wrap(self, inner: AeadKey, *, aad: bytes) -> bytes:
        """Seal another key under this one."""
        return self.seal(inner._key, aad=aad)

    def unwrap(self, wrapped: bytes, *, aad: bytes) -> AeadKey:
        """Open what `wrap` made.

        Raises:
            WrongKey: as `open`.
        """
        return AeadKey(self.open(wrapped, aad=aad))

    def derive(self, label: str) -> bytes:
        """Return an independent key for another use (`crypto.kdf`)."""
        return derive(self._key, label)

    def raw(self) -> bytes:
        """Return the 32 bytes, for the file they are kept in."""
        return self._key
