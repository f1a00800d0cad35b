"""Seal bytes to one public key, so that only its owner opens them; and hide their length.

Hybrid public key encryption in base mode, one message per seal. `info` binds the context: opening
needs the very same bytes, so an envelope header given as `info` cannot be swapped. Base mode says
nothing about the sender: the sender signs inside (see `sync/envelope.py`).

`pad` brings a message to one of six sizes, because the length of a sealed record tells much about
what is in it. The true length stands in front, inside the seal.

Sources: RFC 9180 (https://www.rfc-editor.org/rfc/rfc9180) sections 5.1.1, 7.1 to 7.3, 8.1 (info).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from crypto.errors import Malformed, WrongKey
from crypto.keys import OpeningKey, SealingKey

SUITE = "hpke-x25519-sha256-chacha20poly1305"
"""Name of the algorithms, carried in every envelope so that a later suite can stand beside it."""

OVERHEAD_BYTES = 48
"""Encapsulated key (32) and tag (16), RFC 9180 section 7.1 and RFC 8439 section 2.8."""

PAD_SIZES = tuple(kib * 1024 for kib in (4, 16, 64, 256, 1024, 5 * 1024))
PREFIX_BYTES = 4
MAX_PADDED_CONTENT = PAD_SIZES[-1] - PREFIX_BYTES

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def seal(plaintext: bytes, to: SealingKey, *, info: bytes) -> bytes:
    """Seal bytes; the same call twice gives different bytes.

    Returns:
        Encapsulated key, ciphertext and tag: `OVERHEAD_BYTES` longer than the plaintext.
    """
    return _SUITE.encrypt(plaintext, to.public_key(), info=info)


def unseal(sealed: bytes, key: OpeningKey, *, info: bytes) -> bytes:
    """Open what was sealed to this key under this context.

    Raises:
        WrongKey: other key, other `info`, or any changed, missing or added byte; an AEAD cannot and
            must not tell these apart.
    """
    try:
        return _SUITE.decrypt(sealed, key.private_key(), info=info)
    except InvalidTag as exc:
        raise WrongKey from exc


def pad(data: bytes) -> bytes:
    """Bring bytes to the next of the fixed sizes.

    Raises:
        Malformed: reason `too_large` above `MAX_PADDED_CONTENT`.
    """
    needed = PREFIX_BYTES + len(data)
    size = next((size for size in PAD_SIZES if size >= needed), None)
    if size is None:
        raise Malformed("too_large", position=MAX_PADDED_CONTENT)
    return len(data).to_bytes(PREFIX_BYTES, "big") + data + bytes(size - needed)


def unpad(padded: bytes) -> bytes:
    """Take the padding off; exactly the output of `pad` is accepted.

    Raises:
        Malformed: reason `padding`.
    """
    length = int.from_bytes(padded[:PREFIX_BYTES], "big")
    data = padded[PREFIX_BYTES : PREFIX_BYTES + length]
    if len(padded) not in PAD_SIZES or len(data) != length or pad(data) != padded:
        raise Malformed("padding")
    return data
