"""The private key with which our app proves who it is to a token endpoint, and the assertions it signs.

1. A new key is ECDSA on P-384 (ES384); an RSA key of at least 2048 bits (RS384) can be taken over from a file
   that somebody else made. These two algorithms are the ones every SMART server must know.
2. The key does not show: no `repr`, no pickle. It is kept as PKCS #8 inside the encrypted vault.
3. An assertion lives five minutes at most, is for one audience, and each has its own random id.

Sources: SMART App Launch 2.1, Backend Services and Client Authentication: Asymmetric
(https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html); RFC 7523 section 3; RFC 7638.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crypto.canonical import JsonValue, b64url, canonical_bytes
from crypto.errors import Malformed, WeakParameters
from crypto.secret import Secret

LIFETIME: Final = timedelta(minutes=5)
"""The longest that the source allows."""

MIN_RSA_BITS: Final = 2048
MAX_PEM_BYTES: Final = 16 * 1024
_ID_BYTES: Final = 16
_COORDINATE_BYTES: Final = 48


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ClientKey(Secret):
    """A private key for client assertions.

    Attributes:
        algorithm: `ES384` or `RS384`, from the key.
    """

    pkcs8: bytes
    algorithm: str = field(init=False)
    _private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(init=False)

    def __post_init__(self) -> None:
        private = _load(self.pkcs8)
        name = "ES384" if isinstance(private, ec.EllipticCurvePrivateKey) else "RS384"
        object.__setattr__(self, "_private", private)
        object.__setattr__(self, "algorithm", name)

    @classmethod
    def generate(cls) -> ClientKey:
        """Make a new key on P-384."""
        return cls(_pkcs8(ec.generate_private_key(ec.SECP384R1())))

    @classmethod
    def from_pem(cls, untrusted: bytes) -> ClientKey:
        """Take over an unencrypted private key from a PEM file.

        Raises:
            Malformed: `client_key`, no such key.
            WeakParameters: `client_key`, another curve or a short RSA key.
        """
        if len(untrusted) > MAX_PEM_BYTES:
            raise Malformed("client_key")
        try:
            private = serialization.load_pem_private_key(untrusted, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise Malformed("client_key") from exc
        return cls(_pkcs8(_checked(private)))

    @property
    def public_jwk(self) -> dict[str, JsonValue]:
        """The public half as the server wants it registered (RFC 7517), its thumbprint as `kid`."""
        found = _public_members(self._private)
        return {
            **found,
            "kid": _thumbprint(found),
            "alg": self.algorithm,
            "use": "sig",
            "key_ops": ["verify"],
        }

    def sign_assertion(self, *, client_id: str, audience: str, at: datetime) -> str:
        """Sign an assertion for a token endpoint.

        Args:
            client_id: as the server registered us; issuer and subject.
            audience: the URL of the token endpoint.
            at: now.
        """
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": int(at.timestamp()),
            "exp": int((at + LIFETIME).timestamp()),
            "jti": b64url(secrets.token_bytes(_ID_BYTES)),
        }
        headers = {"kid": _thumbprint(_public_members(self._private)), "typ": "JWT"}
        return jwt.encode(claims, self._private, algorithm=self.algorithm, headers=headers)


def _load(pkcs8: bytes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    try:
        return _checked(serialization.load_der_private_key(pkcs8, password=None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise Malformed("client_key") from exc


def _checked(private: Any) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP384R1):
        return private
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= MIN_RSA_BITS:
        return private
    raise WeakParameters("client_key")


def _pkcs8(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_members(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> dict[str, JsonValue]:
    """Give exactly the members over which RFC 7638 takes the thumbprint."""
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = private.public_key().public_numbers()
        return {"kty": "RSA", "n": _whole(numbers.n), "e": _whole(numbers.e)}
    point = private.public_key().public_numbers()
    x, y = (b64url(value.to_bytes(_COORDINATE_BYTES, "big")) for value in (point.x, point.y))
    return {"kty": "EC", "crv": "P-384", "x": x, "y": y}


def _whole(number: int) -> str:
    return b64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _thumbprint(members: dict[str, JsonValue]) -> str:
    return b64url(hashlib.sha256(canonical_bytes(members)).digest())
