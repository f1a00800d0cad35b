"""Sealing under one symmetric key."""

from __future__ import annotations

import pickle

import pytest

from crypto.aead import AeadKey
from crypto.errors import WeakParameters, WrongKey

KEY = AeadKey(bytes(range(32)))


def test_opens_what_it_sealed_and_never_seals_the_same_twice() -> None:
    one, two = KEY.seal(b"record", aad=b"who"), KEY.seal(b"record", aad=b"who")
    assert one != two
    assert KEY.open(one, aad=b"who") == KEY.open(two, aad=b"who") == b"record"
    assert b"record" not in one


@pytest.mark.parametrize("at", [0, 11, 12, 20, -1])
def test_one_changed_bit_does_not_open(at: int) -> None:
    sealed = bytearray(KEY.seal(b"record" * 3, aad=b"who"))
    sealed[at] ^= 1
    with pytest.raises(WrongKey):
        KEY.open(bytes(sealed), aad=b"who")


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(12), bytes(28)])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(WrongKey):
        KEY.open(sealed, aad=b"who")


def test_neither_another_key_nor_another_name_opens() -> None:
    sealed = KEY.seal(b"record", aad=b"who")
    with pytest.raises(WrongKey):
        KEY.open(sealed, aad=b"else")
    with pytest.raises(WrongKey):
        AeadKey.generate().open(sealed, aad=b"who")


def test_a_wrapped_key_opens_what_the_key_sealed() -> None:
    inner = AeadKey.generate()
    sealed = inner.seal(b"record", aad=b"")
    assert KEY.unwrap(KEY.wrap(inner, aad=b"id"), aad=b"id").open(sealed, aad=b"") == b"record"


def test_digests_compare_contents_under_one_key_only() -> None:
    assert KEY.digest(b"a", b"b") == KEY.digest(b"a", b"b")
    assert KEY.digest(b"a", b"b") != KEY.digest(b"ab", b"")
    assert KEY.digest(b"a") != AeadKey.generate().digest(b"a")


def test_derived_keys_differ_by_label_and_from_the_key() -> None:
    assert len({KEY.derive("one"), KEY.derive("two"), KEY.raw()}) == 3


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_only_256_bits_make_a_key(length: int) -> None:
    with pytest.raises(WeakParameters):
        AeadKey(bytes(length))


def test_a_key_does_not_print_or_pickle() -> None:
    assert "0102" not in repr(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
