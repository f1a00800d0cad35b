from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crypto import passphrase as module
from crypto.errors import Malformed, WeakParameters, WrongKey
from crypto.passphrase import (
    CALIBRATION_CEILING_KIB,
    RFC_9106_SECOND_CHOICE,
    Argon2Parameters,
    calibrate,
    derive_kek,
    hash_password,
    new_salt,
    unwrap_key,
    verify_password,
    wrap_key,
)
from tests.support.vectors import load

SALT = bytes(range(16))
CHEAPEST = Argon2Parameters(iterations=1)
KEK = bytes(range(32))


def test_the_library_matches_the_rfc() -> None:
    case = load("crypto/argon2id.json")
    argon2 = Argon2id(
        salt=bytes.fromhex(case["salt"]),
        length=32,
        iterations=case["iterations"],
        lanes=case["lanes"],
        memory_cost=case["memory_kib"],
        ad=bytes.fromhex(case["ad"]),
        secret=bytes.fromhex(case["secret"]),
    )
    assert argon2.derive(bytes.fromhex(case["password"])).hex() == case["tag"]


def test_parameters_reach_the_library_in_the_right_places() -> None:
    ours = derive_kek("correct horse", salt=SALT, parameters=Argon2Parameters(65_536, 2, 3))
    theirs = Argon2id(salt=SALT, length=32, iterations=2, lanes=3, memory_cost=65_536)
    assert ours == theirs.derive(b"correct horse")


def test_default_is_the_second_choice_of_the_rfc() -> None:
    price = RFC_9106_SECOND_CHOICE
    assert (price.memory_kib, price.iterations, price.lanes) == (64 * 1024, 3, 4)


@pytest.mark.parametrize(
    ("memory_kib", "iterations", "lanes"),
    [
        (64 * 1024 - 1, 3, 4),
        (8, 3, 4),
        (0, 3, 4),
        (-1, 3, 4),
        (1024 * 1024 + 1, 3, 4),
        (2**30, 3, 4),
        (65_536, 0, 4),
        (65_536, 11, 4),
        (65_536, 2**31, 4),
        (65_536, 3, 0),
        (65_536, 3, 5),
    ],
)
def test_prices_outside_the_bounds_do_not_exist(memory_kib: int, iterations: int, lanes: int) -> None:
    with pytest.raises(WeakParameters):
        Argon2Parameters(memory_kib, iterations, lanes)


@pytest.mark.parametrize(("memory_kib", "iterations", "lanes"), [(65_536, 1, 1), (1_048_576, 10, 4)])
def test_bounds_are_included(memory_kib: int, iterations: int, lanes: int) -> None:
    assert Argon2Parameters(memory_kib, iterations, lanes).memory_kib == memory_kib


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(WeakParameters) as refusal:
        derive_kek("x", salt=bytes(15), parameters=CHEAPEST)
    assert refusal.value.what == "salt_too_short"


def test_salts_are_random_and_long_enough() -> None:
    assert len(new_salt()) == 16
    assert new_salt() != new_salt()


def test_another_keyboard_gives_the_same_key() -> None:
    composed, decomposed, wide = "caf\u00e9 1", "cafe\u0301 1", "caf\u00e9 \uff11"
    found = {derive_kek(text, salt=SALT, parameters=CHEAPEST) for text in (composed, decomposed, wide)}
    assert len(found) == 1


def test_case_and_space_count() -> None:
    found = {derive_kek(text, salt=SALT, parameters=CHEAPEST) for text in ("abc", "Abc", "abc ", " abc")}
    assert len(found) == 4


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(Malformed):
        derive_kek("\ud800", salt=SALT, parameters=CHEAPEST)


class _Clock:
    """Answers like a clock around derivations of given durations."""

    def __init__(self, durations: list[float]) -> None:
        self._ticks = self._run(durations)

    def _run(self, durations: list[float]) -> Iterator[float]:
        now = 100.0
        for duration in durations:
            yield now
            now += duration
            yield now

    def __call__(self) -> float:
        return next(self._ticks)


@pytest.mark.parametrize(
    ("durations", "memory_mib"),
    [([0.6], 64), ([0.375, 0.75], 128), ([0.1, 0.2], 256), ([30.0], 64)],
)
def test_calibration_stays_below_the_target(
    durations: list[float], memory_mib: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    priced: list[Argon2Parameters] = []

    def counted(_text: str, *, salt: bytes, parameters: Argon2Parameters) -> bytes:
        priced.append(parameters)
        return salt

    monkeypatch.setattr(module, "derive_kek", counted)
    found = calibrate(0.75, _Clock(durations))
    assert found.memory_kib == memory_mib * 1024
    assert (found.iterations, found.lanes) == (3, 4)
    assert len(priced) == len(durations)


def test_calibration_has_a_ceiling_and_really_works() -> None:
    assert calibrate(10**6, lambda: 0.0).memory_kib == CALIBRATION_CEILING_KIB


def test_a_wrapped_key_opens() -> None:
    assert unwrap_key(wrap_key(b"k" * 32, KEK, aad=b"slot 1"), KEK, aad=b"slot 1") == b"k" * 32


def test_wrapping_twice_gives_different_bytes() -> None:
    assert wrap_key(b"k", KEK, aad=b"") != wrap_key(b"k", KEK, aad=b"")


def test_a_wrapped_key_opens_with_its_key_and_context_only() -> None:
    wrapped = wrap_key(b"k" * 32, KEK, aad=b"slot 1")
    attempts = [(wrapped, bytes(32), b"slot 1"), (wrapped, KEK, b"slot 2"), (wrapped, KEK, b"")]
    attempts += [(wrapped[:cut], KEK, b"slot 1") for cut in range(len(wrapped))]
    for bit in range(len(wrapped) * 8):
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        attempts.append((bytes(changed), KEK, b"slot 1"))
    for data, kek, aad in attempts:
        with pytest.raises(WrongKey):
            unwrap_key(data, kek, aad=aad)


def test_a_password_fits_its_own_hash_only() -> None:
    stored = hash_password("p\u00e9 12345")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    verify_password(stored, "pe\u0301 12345")
    with pytest.raises(WrongKey):
        verify_password(stored, "pe 12345")


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("same") != hash_password("same")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "plain",
        "$argon2i$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA",
        "$argon2id$v=16$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA",
        "$argon2id$v=19$m=65536,t=3,p=4$$",
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA\n",
    ],
)
def test_other_hash_formats_are_refused(stored: str) -> None:
    with pytest.raises(Malformed):
        verify_password(stored, "x")


@pytest.mark.parametrize(
    "price", ["m=8,t=3,p=4", "m=999999999,t=3,p=4", "m=65536,t=999999999,p=4", "m=65536,t=3,p=99"]
)
def test_a_doctored_price_is_refused_before_it_is_paid(price: str) -> None:
    with pytest.raises(WeakParameters):
        verify_password(f"$argon2id$v=19${price}$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2g", "x")
