from __future__ import annotations

import contextlib
import copy
import pickle
import traceback
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import keys
from crypto.errors import BadSignature, Malformed, WeakParameters
from crypto.keys import OpeningKey, SealingKey, SigningKey, VerifyKey, derive_pairwise
from tests.support.vectors import load

ED25519 = load("crypto/ed25519.json")["cases"]
WEAK = load("crypto/weak_keys.json")
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def _weak(curve: str) -> list[Any]:
    return [
        pytest.param(bytes.fromhex(text), what, id=f"{what} {text[:8]}..{text[-2:]}")
        for what, texts in WEAK[curve].items()
        for text in texts
    ]


@pytest.mark.parametrize("case", ED25519, ids=lambda case: case["name"])
def test_signatures_match_the_rfc(case: dict[str, str]) -> None:
    key = SigningKey.from_seed(bytes.fromhex(case["seed"]))
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    assert key.public.raw.hex() == case["public"]
    assert key.sign(message) == signature
    key.public.verify(signature, message)


@pytest.mark.parametrize("case", ED25519, ids=lambda case: case["name"])
def test_a_changed_text_or_signature_is_refused(case: dict[str, str]) -> None:
    key = VerifyKey.from_bytes(bytes.fromhex(case["public"]))
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    broken = [
        (signature, message + b"x"),
        (b"", message),
        (signature[:-1], message),
        (signature + b"\0", message),
    ]
    broken += [(_flip(signature, position), message) for position in range(64)]
    for bad_signature, bad_message in broken:
        with pytest.raises(BadSignature):
            key.verify(bad_signature, bad_message)


def test_a_signature_has_one_form() -> None:
    # RFC 8032 section 5.1.7: S must be below the group order, or anyone could make a second signature.
    case = ED25519[1]
    signature = bytes.fromhex(case["signature"])
    order = 2**252 + 27742317777372353535851937790883648493
    larger = int.from_bytes(signature[32:], "little") + order
    with pytest.raises(BadSignature):
        VerifyKey.from_bytes(bytes.fromhex(case["public"])).verify(
            signature[:32] + larger.to_bytes(32, "little"), bytes.fromhex(case["message"])
        )


@pytest.mark.parametrize(("raw", "what"), _weak("ed25519"))
def test_weak_verify_keys_are_refused(raw: bytes, what: str) -> None:
    with pytest.raises(WeakParameters) as refusal:
        VerifyKey.from_bytes(raw)
    assert refusal.value.what == what


@pytest.mark.parametrize(("raw", "what"), _weak("x25519"))
def test_weak_sealing_keys_are_refused(raw: bytes, what: str) -> None:
    with pytest.raises(WeakParameters) as refusal:
        SealingKey.from_bytes(raw)
    assert refusal.value.what == what


def test_why_low_order_keys_must_be_refused() -> None:
    # The control: the library itself takes the neutral element as a key, and then R = neutral, S = 0
    # is a signature of every text.
    neutral = b"\x01" + bytes(31)
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"anything at all")


def test_fourteen_encodings_are_listed() -> None:
    assert len(set(WEAK["ed25519"]["low_order_key"])) == 14


def test_listed_points_are_exactly_those_of_order_dividing_eight() -> None:
    found = {y for y in keys._LOW_ORDER_Y if _times_eight(y) == (0, 1)}
    assert found == set(keys._LOW_ORDER_Y)
    # Seven other y, the torsion subgroup being cyclic of order 8: {1, -1, 0, +-y8} is all there is.
    assert len(found) == 5


def test_ordinary_points_do_not_vanish_times_eight() -> None:
    raw = bytes.fromhex(ED25519[0]["public"])
    assert _times_eight(int.from_bytes(raw, "little") & (2**255 - 1)) != (0, 1)


@pytest.mark.parametrize(
    "make", [VerifyKey.from_bytes, SealingKey.from_bytes, SigningKey.from_seed, OpeningKey.from_seed]
)
@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_keys_are_32_bytes(make: Any, length: int) -> None:
    with pytest.raises(Malformed) as refusal:
        make(bytes(length))
    assert refusal.value.reason == "key_length"


@pytest.mark.parametrize("kind", [VerifyKey, SealingKey])
def test_text_form_round_trips(kind: Any) -> None:
    key = SigningKey.generate().public if kind is VerifyKey else OpeningKey.generate().public
    assert kind.from_text(key.text) == key
    with pytest.raises(Malformed):
        kind.from_text(key.text + "=")


def test_id_is_the_jwk_thumbprint() -> None:
    # RFC 8037 appendix A.3.
    key = VerifyKey.from_bytes(bytes.fromhex(ED25519[0]["public"]))
    assert key.id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_same_bytes_have_another_id_as_sealing_key() -> None:
    raw = OpeningKey.from_seed(bytes(range(32))).public.raw
    assert SealingKey(raw).id != keys._thumbprint("Ed25519", raw)


def test_fingerprint_is_eight_groups_of_four() -> None:
    fingerprint = SigningKey.from_seed(bytes(32)).public.fingerprint()
    assert [len(group) for group in fingerprint.split(" ")] == [4] * 8
    assert fingerprint == SigningKey.from_seed(bytes(32)).public.fingerprint()
    assert fingerprint != SigningKey.from_seed(bytes(31) + b"\1").public.fingerprint()


@pytest.mark.parametrize(
    "key", [SigningKey.from_seed(b"S" * 32), OpeningKey.from_seed(b"S" * 32)], ids=["sign", "open"]
)
def test_secrets_do_not_show(key: Any) -> None:
    shown = [repr(key), str(key), f"{key}", repr([key]), repr({"k": key})]
    try:
        raise RuntimeError(key)
    except RuntimeError:
        shown.append(traceback.format_exc())
    assert not any("SSSS" in text or "5353" in text for text in shown)
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(key)


def test_secret_keys_do_not_compare_by_content() -> None:
    assert SigningKey.from_seed(bytes(32)) != SigningKey.from_seed(bytes(32))


def test_generated_keys_differ() -> None:
    assert SigningKey.generate().seed != SigningKey.generate().seed
    assert OpeningKey.generate().seed != OpeningKey.generate().seed


def test_pairwise_keys_follow_from_seed_and_recipient() -> None:
    first, again = derive_pairwise(b"i" * 32, "ura:1"), derive_pairwise(b"i" * 32, "ura:1")
    assert first.signing.seed == again.signing.seed
    assert first.opening.seed == again.opening.seed


def test_pairwise_keys_have_nothing_in_common() -> None:
    found = [
        derive_pairwise(seed * 32, name) for seed in (b"i", b"j") for name in ("ura:1", "ura:2", "ura:11")
    ]
    seeds = {key.signing.seed for key in found} | {key.opening.seed for key in found}
    assert len(seeds) == 2 * len(found)


def test_pairwise_keys_are_pinned() -> None:
    # A change here would cut every patient off from every recipient.
    pair = derive_pairwise(bytes(range(32)), "ura:00000123")
    assert pair.signing.public.text == "-yWeitBC9AJE28O35S3nvssv3hzNIUVNAYSjroAlgaE"
    assert pair.opening.public.text == "07v4eW_zBZia8IFvWvyJHjzBH_iWsgw942KVuhloDiA"


def test_pairwise_keys_need_seed_and_recipient() -> None:
    with pytest.raises(Malformed):
        derive_pairwise(b"short", "ura:1")
    with pytest.raises(ValueError, match="recipient"):
        derive_pairwise(bytes(32), "")


@settings(max_examples=40)
@given(st.binary(min_size=32, max_size=32))
def test_any_32_bytes_are_a_key_or_refused(raw: bytes) -> None:
    for kind in (VerifyKey, SealingKey):
        with contextlib.suppress(WeakParameters):
            assert kind(raw).raw == raw


def _flip(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def _times_eight(y: int) -> tuple[int, int]:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0
    point = (x, y)
    for _ in range(3):
        x, y = point
        product = D * x * x * y * y
        point = (
            2 * x * y * pow(1 + product, -1, P) % P,
            (y * y + x * x) * pow(1 - product, -1, P) % P,
        )
    return point
