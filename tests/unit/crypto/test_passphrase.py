from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crypto import passphrase as module
from crypto.errors import Malformed, WeakParameters, WrongKey
from crypto.passphrase import (
    CALIBRATION_CEILING_KIB,
    LONGEST_SECONDS,
    MIN_MEMORY_KIB,
    RFC_9106_SECOND_CHOICE,
    SHORTEST_SECONDS,
    Argon2Parameters,
    Price,
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
    found = {bytes(derive_kek(text, salt=SALT, parameters=CHEAPEST)) for text in (composed, decomposed, wide)}
    assert len(found) == 1


def test_case_and_space_count() -> None:
    found = {
        bytes(derive_kek(text, salt=SALT, parameters=CHEAPEST)) for text in ("abc", "Abc", "abc ", " abc")
    }
    assert len(found) == 4


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(Malformed):
        derive_kek("\ud800", salt=SALT, parameters=CHEAPEST)


@pytest.mark.parametrize(
    ("seconds_of_64_mib", "memory_mib", "passes"),
    [(0.6, 64, 3), (0.44, 128, 3), (0.375, 128, 3), (0.1, 256, 4), (0.01, 256, 10), (30.0, 64, 3)],
)
def test_calibration_asks_half_a_second_to_a_second_where_the_machine_can(
    seconds_of_64_mib: float, memory_mib: int, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = _calibrated(seconds_of_64_mib, monkeypatch)
    found = price.parameters
    assert (found.memory_kib, found.iterations, found.lanes) == (memory_mib * 1024, passes, 4)
    assert price.seconds == pytest.approx(seconds_of_64_mib * memory_mib / 64 * passes / 3)
    if 0.1 <= seconds_of_64_mib <= 1.0:
        assert SHORTEST_SECONDS <= price.seconds <= LONGEST_SECONDS


def _calibrated(seconds_of_64_mib: float, monkeypatch: pytest.MonkeyPatch) -> Price:
    now = [0.0]

    def priced(_text: str, *, salt: bytes, parameters: Argon2Parameters) -> bytes:
        now[0] += seconds_of_64_mib * parameters.memory_kib / MIN_MEMORY_KIB * parameters.iterations / 3
        return salt

    monkeypatch.setattr(module, "derive_kek", priced)
    return calibrate(lambda: now[0])


def test_one_busy_moment_does_not_make_guessing_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    now, calls = [0.0], [0]

    def priced(_text: str, *, salt: bytes, parameters: Argon2Parameters) -> bytes:
        calls[0] += 1
        now[0] += 0.2 * parameters.memory_kib / MIN_MEMORY_KIB + (5.0 if calls[0] % 2 else 0.0)
        return salt

    monkeypatch.setattr(module, "derive_kek", priced)
    assert calibrate(lambda: now[0]).parameters.memory_kib == 256 * 1024


def test_calibration_takes_no_memory_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def priced(_text: str, *, salt: bytes, parameters: Argon2Parameters) -> bytes:
        if parameters.memory_kib > MIN_MEMORY_KIB:
            raise MemoryError
        return salt

    monkeypatch.setattr(module, "derive_kek", priced)
    assert calibrate(lambda: 0.0).parameters.memory_kib == MIN_MEMORY_KIB


def test_calibration_really_works() -> None:
    price = calibrate(time.perf_counter)
    assert MIN_MEMORY_KIB <= price.parameters.memory_kib <= CALIBRATION_CEILING_KIB
    assert price.seconds > 0


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
