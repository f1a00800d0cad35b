from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.api_jws import PyJWS

from crypto.canonical import b64url, b64url_decode
from crypto.errors import BadSignature, CryptoError, Malformed, WrongKey
from crypto.keys import SigningKey
from crypto.signing import peek_jws, sign_jws, verify_jws

KEY = SigningKey.from_seed(bytes(range(32)))
TYPE = "pgo-test+jws"
HEADER = {"alg": "EdDSA", "kid": KEY.public.id, "typ": TYPE}


def _token(header: Any, payload: bytes = b"{}", *, key: SigningKey = KEY) -> str:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signing_input = f"{b64url(head)}.{b64url(payload)}"
    return f"{signing_input}.{b64url(key.sign(signing_input.encode()))}"


@given(st.binary(max_size=300))
def test_payload_comes_back_as_signed(payload: bytes) -> None:
    assert verify_jws(sign_jws(payload, KEY, typ=TYPE), KEY.public, typ=TYPE) == payload


def test_a_token_made_by_hand_from_the_rfc_holds() -> None:
    # Independent of the library that signs: RFC 7515 section 5.1 done by hand above.
    assert verify_jws(_token(HEADER, b"text"), KEY.public, typ=TYPE) == b"text"


@given(st.binary(max_size=100))
def test_the_library_agrees_on_what_holds(payload: bytes) -> None:
    token = sign_jws(payload, KEY, typ=TYPE)
    assert PyJWS().decode(token, KEY.public.public_key(), algorithms=["EdDSA"]) == payload
    by_library = PyJWS().encode(
        payload, KEY.private_key(), algorithm="EdDSA", headers={"kid": KEY.public.id, "typ": TYPE}
    )
    assert verify_jws(by_library, KEY.public, typ=TYPE) == payload


def test_signing_is_deterministic() -> None:
    assert sign_jws(b"{}", KEY, typ=TYPE) == sign_jws(b"{}", KEY, typ=TYPE)


def test_step_1_size_is_bounded() -> None:
    token = sign_jws(b"x" * 100, KEY, typ=TYPE)
    assert verify_jws(token, KEY.public, typ=TYPE, max_bytes=len(token)) == b"x" * 100
    with pytest.raises(Malformed) as refusal:
        verify_jws(token, KEY.public, typ=TYPE, max_bytes=len(token) - 1)
    assert refusal.value.reason == "too_large"


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "é.e30.e30", "e30=.e30.e30"])
def test_step_2_form(token: str) -> None:
    with pytest.raises(Malformed):
        verify_jws(token, KEY.public, typ=TYPE)


@pytest.mark.parametrize("end", ["=", "==", "A", " ", "\n"])
def test_step_2_a_signature_part_has_one_spelling(end: str) -> None:
    with pytest.raises((Malformed, BadSignature)):
        verify_jws(sign_jws(b"{}", KEY, typ=TYPE) + end, KEY.public, typ=TYPE)


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "crit": ["exp"], "exp": 1},
        {**HEADER, "crit": []},
        {**HEADER, "b64": False},
        {**HEADER, "jwk": {"kty": "OKP"}},
        {**HEADER, "jku": "https://example.org/keys"},
        {**HEADER, "x5c": []},
        {**HEADER, "zip": "DEF"},
        {"alg": "EdDSA", "kid": KEY.public.id},
        {"alg": "EdDSA", "typ": TYPE},
        {"kid": KEY.public.id, "typ": TYPE},
        {**HEADER, "kid": 1},
        {**HEADER, "typ": None},
        [],
        "text",
        b'{"alg":"EdDSA","alg":"EdDSA","kid":"x","typ":"y"}',
        b"not json",
        b"\xff",
        b"[" * 500,
    ],
    ids=str,
)
def test_step_3_header_has_exactly_three_members(header: Any) -> None:
    with pytest.raises(Malformed):
        verify_jws(_token(header), KEY.public, typ=TYPE)


@pytest.mark.parametrize("typ", ["", "JWT", "pgo-test", TYPE.upper(), TYPE + " "])
def test_step_4_another_type_is_refused(typ: str) -> None:
    with pytest.raises(Malformed) as refusal:
        verify_jws(_token({**HEADER, "typ": typ}), KEY.public, typ=TYPE)
    assert refusal.value.reason == "jws_type"


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "ES256", "RS256", "Ed25519", "eddsa", "", None, ["EdDSA"]]
)
def test_step_5_another_algorithm_is_refused(algorithm: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        verify_jws(_token({**HEADER, "alg": algorithm}), KEY.public, typ=TYPE)
    assert refusal.value.reason == "jws_algorithm"


def test_step_6_a_token_that_names_another_key_is_refused() -> None:
    other = SigningKey.generate()
    with pytest.raises(WrongKey):
        verify_jws(sign_jws(b"{}", other, typ=TYPE), KEY.public, typ=TYPE)


def test_step_7_a_token_that_lies_about_its_key_is_refused() -> None:
    with pytest.raises(BadSignature):
        verify_jws(_token(HEADER, key=SigningKey.generate()), KEY.public, typ=TYPE)


def test_step_7_no_bit_of_a_token_can_change() -> None:
    token = sign_jws(b'{"amount":1}', KEY, typ=TYPE)
    for part in range(3):
        pieces = token.split(".")
        raw = b64url_decode(pieces[part])
        for bit in range(len(raw) * 8):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            pieces[part] = b64url(bytes(changed))
            with pytest.raises(CryptoError):
                verify_jws(".".join(pieces), KEY.public, typ=TYPE)


def test_peek_reads_without_trusting() -> None:
    untrusted = peek_jws(_token(HEADER, b"claim", key=SigningKey.generate()))
    assert (untrusted.kid, untrusted.typ, untrusted.payload) == (KEY.public.id, TYPE, b"claim")
