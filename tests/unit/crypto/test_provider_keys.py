"""Key sets and tokens of others: what is taken of them, and what is refused with which reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from crypto.canonical import b64url
from crypto.errors import BadSignature, CryptoError, Malformed, WeakParameters, WrongKey
from crypto.p384 import P384Key
from crypto.provider_keys import FOREIGN_ALGORITHMS, parse_key_set, verify_foreign_jws
from crypto.rsa_keys import RsaKey
from tests.support.login_service import make_key, number, public_jwk, sign

ALL = FOREIGN_ALGORITHMS
TYPES: frozenset[str | None] = frozenset({None, "jwt"})
KEYS = {name: make_key(name) for name in ("RS256", "ES256", "EdDSA")}


def key_set(*jwks: dict[str, Any]) -> bytes:
    return json.dumps({"keys": list(jwks)}).encode()


def verify(token: str, *jwks: dict[str, Any], allowed: frozenset[str] = ALL, **more: bool) -> bytes:
    return verify_foreign_jws(token, parse_key_set(key_set(*jwks)), algorithms=allowed, types=TYPES, **more)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_payload_comes_back_byte_for_byte(algorithm: str) -> None:
    key = KEYS["RS256" if algorithm == "PS256" else algorithm]
    token = sign({"alg": algorithm, "kid": "a"}, {"sub": "x"}, key)
    assert verify(token, public_jwk(key, "a")) == b'{"sub": "x"}'
    with pytest.raises(Malformed, match="jws_algorithm"):
        verify(token, public_jwk(key, "a"), allowed=ALL - {algorithm})


def test_es384_and_rs384_are_known() -> None:
    curve = ec.generate_private_key(ec.SECP384R1())
    point = curve.public_key().public_numbers()
    head, body = (b64url(json.dumps(part).encode()) for part in ({"alg": "ES384", "kid": "p"}, {}))
    r, s = decode_dss_signature(curve.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA384())))
    signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    jwk = {"kty": "EC", "crv": "P-384", "kid": "p", "x": number(point.x, 48), "y": number(point.y, 48)}
    assert verify(f"{head}.{body}.{b64url(signature)}", jwk) == b"{}"
    for bad in (bytes(96), signature[:95], signature[48:] + signature[:48]):
        with pytest.raises(BadSignature):
            verify(f"{head}.{body}.{b64url(bad)}", jwk)
    with pytest.raises(WeakParameters):
        P384Key(point.x, point.y ^ 1)
    own = KEYS["RS256"]
    assert isinstance(own, rsa.RSAPrivateKey)
    head = b64url(json.dumps({"alg": "RS384", "kid": "r"}).encode())
    signed = own.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA384())
    assert verify(f"{head}.{body}.{b64url(signed)}", public_jwk(own, "r")) == b"{}"


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, 1),
        ({"use": "enc"}, 0),
        ({"alg": "RS512"}, 0),
        ({"alg": "RS256"}, 1),
        ({"d": "AQAB"}, 0),
        ({"e": "Aw"}, 0),
        ({"e": number(2**40 + 1)}, 0),
        ({"n": number(2**1023 + 1)}, 0),
        ({"n": number(2**8192 + 1)}, 0),
        ({"n": number(2**2047)}, 0),
        ({"n": "not base64!"}, 0),
        ({"n": 5}, 0),
        ({"kid": 5}, 0),
        ({"kid": "x" * 300}, 0),
        ({"kty": "oct", "k": "c2VjcmV0"}, 0),
        ({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}, 0),
        ({"kty": None}, 0),
    ],
)
def test_of_a_set_only_fit_signing_keys_are_taken(change: dict[str, Any], kept: int) -> None:
    jwk = {**public_jwk(KEYS["RS256"], "a"), **change}
    assert len(parse_key_set(key_set(jwk, public_jwk(KEYS["ES256"], "b")))) == kept + 1


@pytest.mark.parametrize("data", [b"", b"[]", b'{"keys": {}}', b'{"keys": [], "keys": []}', b"{}", b"\xff"])
def test_what_is_no_key_set_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_key_set(data)
    with pytest.raises(Malformed):
        parse_key_set(key_set(*[{}] * 65))


def test_without_a_name_there_must_be_one_key_that_fits() -> None:
    own, other = KEYS["ES256"], make_key("ES256")
    token = sign({"alg": "ES256"}, {}, own)
    assert verify(token, public_jwk(own, "a"), public_jwk(KEYS["EdDSA"], "b")) == b"{}"
    for error, jwks, more in (
        (WrongKey, (public_jwk(own, "a"), public_jwk(other, "b")), {}),
        (WrongKey, (public_jwk(KEYS["EdDSA"], "b"),), {}),
        (Malformed, (public_jwk(own, "a"),), {"kid_required": True}),
    ):
        with pytest.raises(error):
            verify(token, *jwks, **more)


def test_two_keys_of_one_name_are_nobodys() -> None:
    own, other = KEYS["ES256"], make_key("ES256")
    with pytest.raises(WrongKey):
        verify(sign({"alg": "ES256", "kid": "a"}, {}, own), public_jwk(own, "a"), public_jwk(other, "a"))


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c.d", "..", "e30.e30.", "W10.e30.AA", "x" * 20_000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(CryptoError):
        verify(token, public_jwk(KEYS["ES256"], "a"))


def test_the_caller_names_the_algorithm_of_a_bare_key() -> None:
    own = KEYS["RS256"]
    assert isinstance(own, rsa.RSAPrivateKey)
    numbers = own.public_key().public_numbers()
    with pytest.raises(ValueError, match="not an algorithm"):
        RsaKey(numbers.n, numbers.e).verify(b"", b"", algorithm="none")
