"""A long stream, encrypted in pieces: what is cut, moved, doubled, changed or added to does not open.

The STREAM construction: the plaintext is cut into chunks of 64 KiB; each is sealed with ChaCha20-Poly1305
under a nonce of 11 bytes counter (big endian) and 1 byte that is 1 for the last chunk and 0 for every
other. So a chunk opens at its own place only, and a stream without its last chunk is no stream.

Rules:
1. one key, one stream: the nonces repeat with every stream, so the caller derives a fresh key each time;
2. the last chunk may be shorter but is never empty, unless the whole plaintext is;
3. nothing of a chunk is given out before its tag held; what was given out is right, but it is whole only
   when the iterator ends without an error;
4. never more than two chunks in memory.

>>> import io
>>> key = bytes(range(32))
>>> sealed = b"".join(seal_stream(io.BytesIO(b"twice " * 20_000), key))
>>> b"".join(open_stream(io.BytesIO(sealed), key)) == b"twice " * 20_000
True

Sources: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", CRYPTO 2015, https://eprint.iacr.org/2015/189, section 7 (STREAM); chunk size, nonce
and rule 2 as in the age file format, https://c2sp.org/age, section "Payload"; RFC 8439 (the cipher).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.errors import Malformed, WrongKey

KEY_BYTES = 32
CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
_COUNTER_BYTES = 11
_LAST = b"\x01"
_MORE = b"\x00"


class Readable(Protocol):
    """Anything with ``read(n)`` that gives fewer than ``n`` bytes only at its end (files, ``BytesIO``)."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, empty at the end."""
        ...


def sealed_length(plain_bytes: int) -> int:
    """Bytes that a plaintext of this length takes when sealed."""
    chunks = max(1, -(-plain_bytes // CHUNK_BYTES))
    return plain_bytes + chunks * TAG_BYTES


def seal_stream(plain: Readable, key: bytes) -> Iterator[bytes]:
    """Seal a stream.

    Args:
        plain: what to seal, from its present place to its end.
        key: 32 bytes, used for this stream and no other (rule 1).

    Yields:
        Sealed chunks in order.
    """
    cipher = ChaCha20Poly1305(_fit(key))
    for nonce, chunk in _numbered(plain, CHUNK_BYTES):
        yield cipher.encrypt(nonce, chunk, None)


def open_stream(sealed: Readable, key: bytes) -> Iterator[bytes]:
    """Open a sealed stream.

    Args:
        sealed: untrusted, from its present place to its end.
        key: the key it was sealed with.

    Yields:
        Plain chunks in order; whole only when the iterator ends by itself (rule 3).

    Raises:
        WrongKey: another key, or a chunk that is changed, moved, doubled, missing or added.
        Malformed: ``stream_chunk``, shorter than a tag, or an empty last chunk after others.
    """
    cipher = ChaCha20Poly1305(_fit(key))
    for number, (nonce, chunk) in enumerate(_numbered(sealed, SEALED_CHUNK_BYTES)):
        if len(chunk) < TAG_BYTES or (number and len(chunk) == TAG_BYTES):
            raise Malformed("stream_chunk", position=number * SEALED_CHUNK_BYTES)
        try:
            yield cipher.decrypt(nonce, chunk, None)
        except InvalidTag as exc:
            raise WrongKey from exc


def _numbered(source: Readable, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Cut into pieces, each with its nonce; one is read ahead to know which is the last."""
    number, chunk = 0, source.read(size)
    while True:
        ahead = source.read(size) if len(chunk) == size else b""
        yield number.to_bytes(_COUNTER_BYTES, "big") + (_MORE if ahead else _LAST), chunk
        if not ahead:
            return
        number, chunk = number + 1, ahead


def _fit(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError("a stream key has 32 bytes")
    return key
