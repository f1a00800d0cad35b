"""Signed documents: compact JWS; we sign with Ed25519, others may with ES256. Only this module imports `jwt`.

The payload bytes are signed as they are and come back as they were: nothing is parsed before the
signature holds, and nothing is ever written again to be verified.

`verify_jws` goes in this order, and tests carry the same numbers:

1. size: at most `max_bytes`;
2. form: three parts of strict base64url, header read by `parse_strict`;
3. header: exactly `alg`, `kid` and `typ`, all text. So `crit`, `b64`, `jku`, `jwk`, `x5c` and every
   other way to steer the verifier from inside the token are refused;
4. `typ` is the one asked for: a receipt can never pass as a statement;
5. `alg` is the one of the key that the caller trusts (`EdDSA` or `ES256`); it never chooses the algorithm;
6. `kid` names that key;
7. the signature holds.

Sources: RFC 7515 (JWS), RFC 8037 section 3.1 (EdDSA), RFC 7518 section 3.4 (ES256), RFC 8725 sections 3.1
and 3.11 (algorithm from the key, explicit typing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from jwt.api_jws import PyJWS

from crypto.canonical import b64url_decode, parse_strict
from crypto.errors import Malformed, WrongKey
from crypto.keys import KeyId, SigningKey
from crypto.public_keys import ALGORITHMS, EDDSA, PublicKey

MAX_TOKEN_BYTES = 65_536
MAX_HEADER_BYTES = 1_024
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ"})
_SIGNER = PyJWS(algorithms=[EDDSA])


@dataclass(frozen=True, slots=True)
class UntrustedJws:
    """What a token says before anybody checked it: good for finding the key, for nothing else.

    `signature` is over `signed`, the first two parts of the token as they stand.
    """

    algorithm: str
    kid: KeyId
    typ: str
    payload: bytes
    signed: bytes
    signature: bytes


def sign_jws(payload: bytes, key: SigningKey, *, typ: str) -> str:
    """Sign bytes as a compact JWS.

    Args:
        payload: Bytes to sign, normally from `canonical_bytes`.
        key: Who signs; its id becomes `kid`.
        typ: Kind of document, for instance `pgo-receipt+jws`; one name per kind.
    """
    headers = {"kid": key.public.id, "typ": typ}
    return _SIGNER.encode(payload, key.private_key(), algorithm=EDDSA, headers=headers)


def verify_jws(token: str, key: PublicKey, *, typ: str, max_bytes: int = MAX_TOKEN_BYTES) -> bytes:
    """Check a token against a key that the caller trusts; return means it holds.

    Returns:
        The payload, byte for byte as signed.

    Raises:
        Malformed: steps 1 to 5; `reason` is `too_large`, `jws_form`, `jws_header`, `jws_type` or
            `jws_algorithm`, or a reason of `parse_strict`.
        WrongKey: step 6, the token names another key.
        BadSignature: step 7.
    """
    return verify_read_jws(peek_jws(token, max_bytes=max_bytes), key, typ=typ)  # steps 1, 2, 3


def verify_read_jws(untrusted: UntrustedJws, key: PublicKey, *, typ: str) -> bytes:
    """Check a token that `peek_jws` has read already, from step 4 on.

    Returns:
        The payload, byte for byte as signed.

    Raises:
        Malformed: steps 4 and 5; WrongKey: step 6; BadSignature: step 7.
    """
    if untrusted.typ != typ:  # step 4
        raise Malformed("jws_type")
    if untrusted.algorithm != key.algorithm:  # step 5
        raise Malformed("jws_algorithm")
    if untrusted.kid != key.id:  # step 6
        raise WrongKey
    # Step 7. Not by the library's own decoder: it would read the token a second time, and takes spellings
    # (padding) that step 2 has refused. What it must agree on, a test compares.
    key.verify(untrusted.signature, untrusted.signed)
    return untrusted.payload


def peek_jws(token: str, *, max_bytes: int = MAX_TOKEN_BYTES) -> UntrustedJws:
    """Read a token without checking its signature, to look up which key it claims.

    Raises:
        Malformed: as `verify_jws`, steps 1 to 3.
    """
    if len(token) > max_bytes:  # step 1; a character is at least a byte, and step 2 wants ASCII
        raise Malformed("too_large", position=max_bytes)
    parts = token.split(".")
    if len(parts) != 3:  # step 2
        raise Malformed("jws_form")
    algorithm, kid, typ = _read_header(parts[0])
    payload, signature = b64url_decode(parts[1]), b64url_decode(parts[2])
    signed = token[: -len(parts[2]) - 1].encode("ascii")
    return UntrustedJws(algorithm, kid, typ, payload, signed, signature)


@lru_cache(maxsize=64)
def _read_header(text: str) -> tuple[str, KeyId, str]:
    """Read the first part of a token; one key writes the same header for every document of a kind."""
    if len(text) > 2 * MAX_HEADER_BYTES:
        raise Malformed("too_large", position=MAX_HEADER_BYTES)
    header = parse_strict(b64url_decode(text), max_bytes=MAX_HEADER_BYTES, max_depth=2)  # step 2
    if not isinstance(header, Mapping) or header.keys() != _HEADER_MEMBERS:  # step 3
        raise Malformed("jws_header")
    algorithm, kid, typ = header["alg"], header["kid"], header["typ"]
    if not isinstance(kid, str) or not isinstance(typ, str):
        raise Malformed("jws_header")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:  # no key of ours has another
        raise Malformed("jws_algorithm")
    return algorithm, KeyId(kid), typ
