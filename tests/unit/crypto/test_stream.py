"""A sealed stream opens whole and in order, or not at all."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, Malformed, WrongKey
from crypto.stream import (
    CHUNK_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    open_stream,
    seal_stream,
    sealed_length,
)

KEY = bytes(range(32))


def seal(plain: bytes, key: bytes = KEY) -> bytes:
    return b"".join(seal_stream(io.BytesIO(plain), key))


def opened(sealed: bytes, key: bytes = KEY) -> bytes:
    return b"".join(open_stream(io.BytesIO(sealed), key))


def chunks_of(sealed: bytes) -> list[bytes]:
    return [sealed[at : at + SEALED_CHUNK_BYTES] for at in range(0, len(sealed), SEALED_CHUNK_BYTES)]


@pytest.mark.parametrize(
    "length", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]
)
def test_every_length_comes_back_and_is_foretold(length: int) -> None:
    plain = random.Random(length).randbytes(length)
    sealed = seal(plain)
    assert opened(sealed) == plain
    assert len(sealed) == sealed_length(length)


def test_the_nonce_is_an_eleven_byte_counter_and_a_flag_for_the_last() -> None:
    first, last = chunks_of(seal(bytes(CHUNK_BYTES) + b"end"))
    cipher = ChaCha20Poly1305(KEY)
    assert cipher.decrypt(bytes(12), first, None) == bytes(CHUNK_BYTES)
    assert cipher.decrypt(bytes(10) + b"\x01\x01", last, None) == b"end"


def _flip(sealed: bytes, at: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


DAMAGE: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "last chunk gone": lambda chunks: chunks[:-1],
    "first chunk gone": lambda chunks: chunks[1:],
    "middle chunk gone": lambda chunks: [chunks[0], *chunks[2:]],
    "two chunks swapped": lambda chunks: [chunks[1], chunks[0], *chunks[2:]],
    "a chunk doubled": lambda chunks: [chunks[0], chunks[0], *chunks[1:]],
    "last chunk doubled": lambda chunks: [*chunks, chunks[-1]],
    "last chunk cut": lambda chunks: [*chunks[:-1], chunks[-1][:-1]],
    "last chunk cut to its tag": lambda chunks: [*chunks[:-1], chunks[-1][:TAG_BYTES]],
    "last chunk cut to less than a tag": lambda chunks: [*chunks[:-1], chunks[-1][:3]],
    "a byte added": lambda chunks: [*chunks, b"\x00"],
    "nothing left": lambda chunks: [],
    "one bit": lambda chunks: [_flip(chunks[0], 100), *chunks[1:]],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_streams_do_not_open(damage: Callable[[list[bytes]], list[bytes]]) -> None:
    chunks = chunks_of(seal(random.Random(1).randbytes(3 * CHUNK_BYTES + 500)))
    with pytest.raises(CryptoError):
        opened(b"".join(damage(chunks)))


def test_a_stream_sealed_empty_and_followed_by_an_empty_last_chunk_is_refused() -> None:
    cipher = ChaCha20Poly1305(KEY)
    full = cipher.encrypt(bytes(12), bytes(CHUNK_BYTES), None)
    empty_last = cipher.encrypt(bytes(10) + b"\x01\x01", b"", None)
    with pytest.raises(Malformed, match="stream_chunk"):
        opened(full + empty_last)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(WrongKey):
        opened(seal(b"text"), bytes(32))


def test_a_key_of_another_length_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seal(b"text", KEY[:31])


@given(st.binary(max_size=400), st.data())
def test_any_changed_byte_is_noticed(plain: bytes, data: st.DataObject) -> None:
    sealed = seal(plain)
    at = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises(WrongKey):
        opened(_flip(sealed, at))
