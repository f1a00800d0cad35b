"""Keys on P-256: published vectors hold, everything that is no point or no signature is refused."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from crypto.canonical import b64url, b64url_decode
from crypto.errors import BadSignature, CryptoError, Malformed, WeakParameters
from crypto.keys import SigningKey
from crypto.p256 import P256Key
from crypto.public_keys import key_from_jwk, key_from_text
from crypto.signing import sign_jws, verify_jws
from tests.support.es256 import ORDER, Es256Key, joined, other_of
from tests.support.vectors import load

VECTORS: list[dict[str, str]] = load("crypto/es256.json")["cases"]
KEY, OURS = Es256Key(7), SigningKey.from_seed(bytes(range(32)))
FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
TYPE = "pgo-test+jws"


def _jwk(case: dict[str, str]) -> dict[str, object]:
    return {"kty": "EC", "crv": "P-256", "x": case["x"], "y": case["y"]}


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_published_signatures_hold_and_changed_ones_do_not(case: dict[str, str]) -> None:
    key = key_from_jwk(_jwk(case))
    assert key == Es256Key(int(case["private"], 16)).public
    signature, text = b64url_decode(case["signature"]), case["text"].encode()
    key.verify(signature, text)
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 1
        with pytest.raises(BadSignature):
            key.verify(bytes(changed), text)
    with pytest.raises(BadSignature):
        key.verify(signature, text + b" ")


def test_our_way_of_signing_in_tests_is_that_of_rfc_6979() -> None:
    for case in VECTORS[1:]:
        assert b64url(Es256Key(int(case["private"], 16)).sign(case["text"].encode())) == case["signature"]


def test_either_s_is_taken_and_rfc_7515_shows_a_high_one() -> None:
    case = VECTORS[0]
    signature, key = b64url_decode(case["signature"]), key_from_jwk(_jwk(case))
    assert int.from_bytes(signature[32:], "big") > ORDER // 2
    key.verify(other_of(signature), case["text"].encode())


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(64),
        joined(0, 1),
        joined(1, 0),
        joined(ORDER, 1),
        joined(1, ORDER),
        joined(FIELD, FIELD),
        KEY.asn1(b"text"),
        KEY.sign(b"text")[:-1],
        KEY.sign(b"text") + b"\0",
    ],
    ids=["empty", "zeros", "r = 0", "s = 0", "r = n", "s = n", "field", "ASN.1", "short", "long"],
)
def test_what_is_no_pair_of_numbers_in_range_is_no_signature(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        KEY.public.verify(signature, b"text")


POINT = KEY.public.raw
TWIST = b"\x04" + (5).to_bytes(32, "big") + (1).to_bytes(32, "big")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "key_length"),
        (b"\0", "key_length"),  # the point at infinity, SEC 1 section 2.3.3
        (b"\x02" + POINT[1:33], "key_length"),  # compressed
        (b"\x06" + POINT[1:], "key_form"),  # hybrid
        (POINT[:-1], "key_length"),
        (b"\x04" + bytes(64), "not_on_curve"),
        (TWIST, "not_on_curve"),
        (POINT[:-1] + bytes([POINT[-1] ^ 1]), "not_on_curve"),
        (b"\x04" + (FIELD + 5).to_bytes(32, "big") + POINT[33:], "non_canonical_key"),
        (POINT[:33] + FIELD.to_bytes(32, "big"), "non_canonical_key"),
    ],
)
def test_what_is_no_point_in_its_one_form_is_no_key(raw: bytes, reason: str) -> None:
    with pytest.raises((Malformed, WeakParameters)) as refusal:
        P256Key.from_bytes(raw)
    assert reason in str(refusal.value)


def test_the_id_is_the_thumbprint_and_the_text_reads_back() -> None:
    # RFC 7638 section 3: SHA-256 over the required members in order, written by hand here.
    x, y = KEY.jwk["x"], KEY.jwk["y"]
    members = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    assert KEY.public.id == b64url(hashlib.sha256(members.encode()).digest())
    assert key_from_text(KEY.public.text, algorithm="ES256") == KEY.public == key_from_jwk(KEY.jwk)
    assert key_from_text(OURS.public.text, algorithm="EdDSA") == OURS.public


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(KEY, "EdDSA"), (OURS, "ES256"), (OURS, "HS256"), (KEY, "none"), (KEY, "ES384"), (OURS, "")],
    ids=str,
)
def test_a_key_of_one_algorithm_is_no_key_of_another(key: Any, algorithm: str) -> None:
    with pytest.raises(CryptoError):
        key_from_text(key.public.text, algorithm=algorithm)


@pytest.mark.parametrize(
    "change",
    [
        {"crv": "P-384"},
        {"kty": "OKP"},
        {"d": "AQ"},
        {"alg": "ES256"},
        {"y": None},
        {"y": 5},
        {"x": "AQ"},
        {"x": KEY.jwk["x"] + "=", "y": KEY.jwk["y"]},
    ],
    ids=str,
)
def test_a_jwk_has_exactly_the_public_members(change: dict[str, Any]) -> None:
    jwk = {name: part for name, part in (KEY.jwk | change).items() if part is not None}
    with pytest.raises(CryptoError):
        key_from_jwk(jwk)


def test_a_token_of_either_algorithm_holds_under_its_own_key_only() -> None:
    theirs, ours = KEY.token(b"text", typ=TYPE), sign_jws(b"text", OURS, typ=TYPE)
    assert verify_jws(theirs, KEY.public, typ=TYPE) == verify_jws(ours, OURS.public, typ=TYPE) == b"text"
    for token, key in ((theirs, OURS.public), (ours, KEY.public)):
        with pytest.raises(Malformed, match="jws_algorithm"):
            verify_jws(token, key, typ=TYPE)


@pytest.mark.parametrize("algorithm", ["EdDSA", "HS256", "ES384", "ES256K", "none", ""])
def test_step_5_a_token_never_chooses_the_algorithm_of_a_p256_key(algorithm: str) -> None:
    with pytest.raises(Malformed, match="jws_algorithm"):
        verify_jws(KEY.token(b"text", typ=TYPE, alg=algorithm), KEY.public, typ=TYPE)


def test_step_5_a_token_never_makes_our_key_one_of_ecdsa() -> None:
    token = KEY.token(b"text", typ=TYPE, kid=OURS.public.id)
    with pytest.raises(Malformed, match="jws_algorithm"):
        verify_jws(token, OURS.public, typ=TYPE)
    with pytest.raises(BadSignature):
        verify_jws(KEY.token(b"text", typ=TYPE, kid=OURS.public.id, alg="EdDSA"), OURS.public, typ=TYPE)
