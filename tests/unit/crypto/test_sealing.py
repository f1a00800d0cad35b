from __future__ import annotations

import random

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import Malformed, WrongKey
from crypto.keys import OpeningKey
from crypto.sealing import MAX_PADDED_CONTENT, OVERHEAD_BYTES, PAD_SIZES, pad, seal, unpad, unseal
from tests.support import hpke_reference
from tests.support.vectors import load

KEY = OpeningKey.from_seed(bytes(range(32)))
RFC = {name: bytes.fromhex(text) for name, text in load("crypto/hpke.json").items() if name != "source"}


@given(st.binary(max_size=500), st.binary(max_size=80))
def test_what_was_sealed_opens(plaintext: bytes, info: bytes) -> None:
    sealed = seal(plaintext, KEY.public, info=info)
    assert len(sealed) == len(plaintext) + OVERHEAD_BYTES
    assert unseal(sealed, KEY, info=info) == plaintext


def test_sealing_twice_gives_different_bytes() -> None:
    assert seal(b"x", KEY.public, info=b"") != seal(b"x", KEY.public, info=b"")


def test_reference_matches_the_rfc() -> None:
    sealed = RFC["enc"] + RFC["ct"]
    made = hpke_reference.seal(
        RFC["pt"], RFC["pkRm"], ephemeral=RFC["skEm"], info=RFC["info"], aad=RFC["aad"]
    )
    assert made == sealed
    assert hpke_reference.unseal(sealed, RFC["skRm"], info=RFC["info"], aad=RFC["aad"]) == RFC["pt"]


def test_reference_and_product_open_each_other_400_times() -> None:
    dice = random.Random(9180)
    for _ in range(200):
        key = OpeningKey.from_seed(dice.randbytes(32))
        plaintext, info = dice.randbytes(dice.randrange(200)), dice.randbytes(dice.randrange(60))
        by_product = seal(plaintext, key.public, info=info)
        assert hpke_reference.unseal(by_product, key.seed, info=info) == plaintext
        by_reference = hpke_reference.seal(plaintext, key.public.raw, ephemeral=dice.randbytes(32), info=info)
        assert unseal(by_reference, key, info=info) == plaintext
        with pytest.raises(InvalidTag):
            hpke_reference.unseal(by_product, key.seed, info=info + b"x")


def test_another_key_does_not_open() -> None:
    with pytest.raises(WrongKey):
        unseal(seal(b"x", KEY.public, info=b""), OpeningKey.generate(), info=b"")


@pytest.mark.parametrize("info", [b"", b"context ", b"Context", b"context\0"])
def test_another_context_does_not_open(info: bytes) -> None:
    with pytest.raises(WrongKey):
        unseal(seal(b"x", KEY.public, info=b"context"), KEY, info=info)


def test_no_bit_of_a_sealed_message_can_change() -> None:
    sealed = seal(b"content", KEY.public, info=b"i")
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WrongKey):
            unseal(bytes(changed), KEY, info=b"i")


@pytest.mark.parametrize("length", range(OVERHEAD_BYTES + 8))
def test_a_cut_message_does_not_open(length: int) -> None:
    sealed = seal(b"12345678", KEY.public, info=b"")
    with pytest.raises(WrongKey):
        unseal(sealed[:length], KEY, info=b"")


def test_an_encapsulated_key_of_low_order_is_refused() -> None:
    with pytest.raises(WrongKey):
        unseal(bytes(32) + bytes(16), KEY, info=b"")


@pytest.mark.parametrize("size", PAD_SIZES)
def test_padding_goes_to_the_next_size(size: int) -> None:
    fits = size - 4
    assert len(pad(b"x" * fits)) == size
    assert unpad(pad(b"x" * fits)) == b"x" * fits
    if size != PAD_SIZES[-1]:
        assert len(pad(b"x" * (fits + 1))) == PAD_SIZES[PAD_SIZES.index(size) + 1]


def test_sizes_are_those_of_the_design() -> None:
    assert [size // 1024 for size in PAD_SIZES] == [4, 16, 64, 256, 1024, 5120]


def test_more_than_the_largest_size_is_refused() -> None:
    with pytest.raises(Malformed) as refusal:
        pad(bytes(MAX_PADDED_CONTENT + 1))
    assert refusal.value.reason == "too_large"


@settings(max_examples=50)
@given(st.binary(max_size=5000))
def test_padding_round_trips(data: bytes) -> None:
    assert unpad(pad(data)) == data


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\0\0\0",
        pad(b"abc")[:-1],
        pad(b"abc") + b"\0",
        pad(b"abc")[:-1] + b"\1",
        b"\0\0\x10\0" + bytes(4092),
        b"\xff\xff\xff\xff" + bytes(4092),
        b"\0\0\0\1" + bytes(16 * 1024 - 4),
    ],
    ids=[
        "empty",
        "short",
        "cut",
        "longer",
        "not zero",
        "length too large",
        "length absurd",
        "size too large",
    ],
)
def test_other_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        unpad(padded)
    assert refusal.value.reason == "padding"
