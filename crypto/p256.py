"""ECDSA keys on the curve P-256, for signatures that others make (`ES256`); our own keys are Ed25519.

Hardware keystores and cards sign with this curve and no other, so a device key or an organisation's key
may be one. What this module promises:

1. A key that exists as an object is one point of the curve, in the one form we take: 65 bytes, `04`,
   x, y. Compressed and hybrid forms, the point at infinity, coordinates outside the field and points of
   another curve are refused. The curve has cofactor 1, so it has no points of low order.
2. A signature is r and s, 32 bytes each, one after the other; the ASN.1 form is refused.
3. r and s lie between 1 and n - 1. Both values of s that fit are taken: keystores do not choose the lower
   one, and RFC 7515 A.3 itself shows a high one. So one text has several valid signatures, and **nothing
   may take its identity from a signature** (`consent.document.record_hash` does not).

Sources: RFC 7518 sections 3.4 (ES256, form of the signature) and 6.2.1 (public key); SEC 1 version 2.0
sections 2.3.3, 2.3.4 and 3.2.2.1 (form and validation of a public key); NIST SP 800-186 section 3.2.1.3
(curve P-256); RFC 7638 (thumbprint).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from crypto.canonical import b64url, b64url_decode, canonical_bytes
from crypto.errors import BadSignature, Malformed, WeakParameters
from crypto.keys import KeyId

POINT_BYTES: Final = 65
SIGNATURE_BYTES: Final = 64
_HALF: Final = 32
# NIST SP 800-186 section 3.2.1.3: the field, the constant b of y**2 = x**3 - 3x + b, the order of the group.
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class P256Key:
    """A public key on P-256. Make one with `from_bytes` or `from_text`; checked once, then kept ready.

    Attributes:
        algorithm: the one JWS algorithm this key can be used with.
        raw: `04`, x and y.
        id: JWK thumbprint of this key.
    """

    algorithm: ClassVar[str] = "ES256"
    raw: bytes
    id: KeyId = field(init=False, compare=False, repr=False)
    _public: ec.EllipticCurvePublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        x, y = _check_point(self.raw)
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        object.__setattr__(self, "id", _thumbprint(self.raw))
        object.__setattr__(self, "_public", public)

    @classmethod
    def from_bytes(cls, raw: bytes) -> P256Key:
        """Take 65 untrusted bytes as a key.

        Raises:
            Malformed: `key_length` or `key_form`.
            WeakParameters: `non_canonical_key` or `not_on_curve`.
        """
        return cls(raw)

    @classmethod
    def from_text(cls, text: str) -> P256Key:
        """Take the base64url form; raises as `from_bytes`, and `Malformed` for other text."""
        return cls(b64url_decode(text))

    @property
    def text(self) -> str:
        """The key as base64url, 87 characters."""
        return b64url(self.raw)

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature, r and s of 32 bytes each; return means it holds.

        Raises:
            BadSignature: it does not, or is no pair of that form.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise BadSignature
        r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
        if not (0 < r < _N and 0 < s < _N):
            # The library checks it too. Once one did not: r = s = 0 fitted every text (CVE-2022-21449).
            raise BadSignature
        try:
            self._public.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as exc:
            raise BadSignature from exc


def _check_point(raw: bytes) -> tuple[int, int]:
    """Validate an encoded point (SEC 1 section 3.2.2.1) and return its coordinates."""
    if len(raw) != POINT_BYTES:
        raise Malformed("key_length")
    if raw[0] != 4:
        raise Malformed("key_form")
    x, y = (int.from_bytes(half, "big") for half in (raw[1 : 1 + _HALF], raw[1 + _HALF :]))
    if x >= _P or y >= _P:
        raise WeakParameters("non_canonical_key")
    if (y * y - (x * x * x - 3 * x + _B)) % _P:
        raise WeakParameters("not_on_curve")
    return x, y


def _thumbprint(raw: bytes) -> KeyId:
    # RFC 7638 section 3.2: the thumbprint of an EC key is taken over crv, kty, x and y.
    x, y = raw[1 : 1 + _HALF], raw[1 + _HALF :]
    jwk = canonical_bytes({"crv": "P-256", "kty": "EC", "x": b64url(x), "y": b64url(y)})
    return KeyId(b64url(hashlib.sha256(jwk).digest()))
