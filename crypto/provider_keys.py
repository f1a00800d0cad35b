"""Tokens that a log-in service signed, and the set of keys it publishes.

Our own documents go through `signing`, which takes one form only. What others sign comes in the forms that
they are free to choose; this module takes of those what is safe and refuses the rest:

1. size and form: three parts of strict base64url, header read by `parse_strict`;
2. `crit` is refused (RFC 7515 section 4.1.11: what is not understood must not be skipped), and `b64` with it;
   keys inside or linked from the header (`jwk`, `jku`, `x5c`, `x5u`) are never looked at;
3. `typ` is one of those asked for, so that an access token or a log-out token cannot pass for an ID token;
4. `alg` is one of those the caller allows *and* one that the key is good for; `none` and the keyed hashes
   (`HS256` ...) are not in this program at all, so a public key cannot pass for a shared secret;
5. `kid` names the key. Where the caller lets it be absent there must be exactly one key that fits (OpenID
   Connect Core 1.0 section 10.1);
6. the signature holds.

Of a key set we take what we understand: signing keys of RSA, P-256, P-384 and Ed25519. Others are left out,
because a service may publish keys for other clients; an unfit key of a kind we know is left out too.

Sources: RFC 7515, RFC 7517 (JWK Set), RFC 7518, RFC 8037, RFC 8725 sections 3.1, 3.2, 3.5 and 3.11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from crypto.canonical import JsonValue, b64url_decode, parse_strict
from crypto.errors import CryptoError, Malformed, WrongKey
from crypto.p384 import P384Key
from crypto.public_keys import ES256, PublicKey, key_from_jwk
from crypto.rsa_keys import RSA_ALGORITHMS, RsaKey

MAX_TOKEN_BYTES = 16_384
MAX_KEYS = 64
MAX_KEY_SET_BYTES = 256 * 1024
"""Services add whole certificate chains to their keys; sixty of those stay below this."""

EDDSA: Final = "EdDSA"
FOREIGN_ALGORITHMS: Final = frozenset({*RSA_ALGORITHMS, ES256, P384Key.algorithm, EDDSA})
_MAX_KID = 256
_MEMBERS: Mapping[str, tuple[str, ...]] = {"EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}
ForeignKey: TypeAlias = PublicKey | P384Key | RsaKey


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """One published signing key.

    Attributes:
        kid: its name, None when it has none.
        algorithms: what it may be used with; never empty.
        key: the key.
    """

    kid: str | None
    algorithms: frozenset[str]
    key: ForeignKey


def parse_key_set(data: bytes) -> tuple[ProviderKey, ...]:
    """Read an untrusted JWK Set.

    Returns:
        The signing keys we understand, in the order of the set; may be empty.

    Raises:
        Malformed: `key_set`, or a reason of `parse_strict`.
    """
    value = parse_strict(data, max_bytes=MAX_KEY_SET_BYTES, max_depth=8)
    listed = value.get("keys") if isinstance(value, Mapping) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise Malformed("key_set")
    found = (_provider_key(jwk) for jwk in listed if isinstance(jwk, Mapping))
    return tuple(key for key in found if key is not None)


def verify_foreign_jws(
    token: str,
    keys: Sequence[ProviderKey],
    *,
    algorithms: frozenset[str],
    types: frozenset[str | None],
    kid_required: bool = False,
) -> bytes:
    """Check a compact JWS against published keys; return means it holds.

    Args:
        token: untrusted.
        keys: of the one who is believed to have signed.
        algorithms: those the caller allows, of `FOREIGN_ALGORITHMS`.
        types: values of `typ` the caller allows, in lower case; None where it may be absent.
        kid_required: refuse a token that does not name its key.

    Returns:
        The payload, byte for byte as signed.

    Raises:
        Malformed: steps 1 to 4, `reason` says which.
        WrongKey: step 5; the keys may have been renewed since they were fetched.
        BadSignature: step 6.
    """
    if len(token) > MAX_TOKEN_BYTES:  # step 1
        raise Malformed("too_large", position=MAX_TOKEN_BYTES)
    parts = token.split(".")
    if len(parts) != 3:
        raise Malformed("jws_form")
    header = _header(parts[0])  # steps 1 and 2
    payload, signature = b64url_decode(parts[1]), b64url_decode(parts[2])
    typ = header.get("typ")
    if not (typ is None or isinstance(typ, str)) or (typ.lower() if typ else typ) not in types:  # step 3
        raise Malformed("jws_type")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms & FOREIGN_ALGORITHMS:  # step 4
        raise Malformed("jws_algorithm")
    if kid_required and "kid" not in header:  # step 5
        raise Malformed("jws_header")
    key = _named(keys, header.get("kid"), algorithm)
    signed = token[: -len(parts[2]) - 1].encode("ascii") if parts[2] else b""
    if isinstance(key, RsaKey):  # step 6
        key.verify(signature, signed, algorithm=algorithm)
    else:
        key.verify(signature, signed)
    return payload


def _header(text: str) -> Mapping[str, JsonValue]:
    header = parse_strict(b64url_decode(text), max_bytes=MAX_TOKEN_BYTES, max_depth=4)
    if not isinstance(header, Mapping) or "crit" in header or "b64" in header:
        raise Malformed("jws_header")
    return header


def _named(keys: Sequence[ProviderKey], kid: JsonValue, algorithm: str) -> ForeignKey:
    fitting = [one for one in keys if algorithm in one.algorithms]
    if kid is not None:
        fitting = [one for one in fitting if one.kid == kid]
    if len(fitting) != 1:  # none, or nobody can say which
        raise WrongKey
    return fitting[0].key


def _provider_key(jwk: Mapping[str, JsonValue]) -> ProviderKey | None:
    """Take one key of a set, None when it is not for us."""
    kid = jwk.get("kid")
    if jwk.get("use", "sig") != "sig" or not (kid is None or (isinstance(kid, str) and len(kid) <= _MAX_KID)):
        return None
    try:
        key = _key(jwk)
    except CryptoError:
        return None
    algorithms = RSA_ALGORITHMS if isinstance(key, RsaKey) else frozenset({key.algorithm})
    if "alg" in jwk:  # RFC 7517 section 4.4: then it is meant for this one only
        algorithms = frozenset(one for one in algorithms if one == jwk["alg"])
    return ProviderKey(kid, algorithms, key) if algorithms else None


def _key(jwk: Mapping[str, JsonValue]) -> ForeignKey:
    kind = jwk.get("kty")
    if kind == "RSA":
        n, e = jwk.get("n"), jwk.get("e")
        if not isinstance(n, str) or not isinstance(e, str) or "d" in jwk:
            raise Malformed("key_form")
        return RsaKey.from_text(n, e)
    members = _MEMBERS.get(kind, ()) if isinstance(kind, str) else ()
    if not members or "d" in jwk:  # a published private key is nobody's proof of anything
        raise Malformed("key_form")
    if jwk.get("crv") == "P-384":
        return P384Key.from_text(*(text if isinstance(text := jwk.get(name), str) else "" for name in "xy"))
    return key_from_jwk({name: jwk[name] for name in members if name in jwk})
