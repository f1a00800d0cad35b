"""ECDSA keys on the curve P-384, for tokens that others sign (`ES384`).

A key that exists as an object is one point of the curve; the library underneath refuses every other pair of
numbers, and a test says so. A signature is r and s, 48 bytes each, one after the other; r and s lie between 1
and n - 1, which the library checks as well.

Sources: RFC 7518 sections 3.4 and 6.2.1; NIST SP 800-186 section 3.2.1.4 (curve P-384).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from crypto.canonical import b64url_decode
from crypto.errors import BadSignature, Malformed, WeakParameters

_HALF: Final = 48


@dataclass(frozen=True, slots=True)
class P384Key:
    """A public key on P-384, checked when it is made."""

    algorithm: ClassVar[str] = "ES384"
    x: int
    y: int
    _public: ec.EllipticCurvePublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        try:
            public = ec.EllipticCurvePublicNumbers(self.x, self.y, ec.SECP384R1()).public_key()
        except ValueError as exc:
            raise WeakParameters("not_on_curve") from exc
        object.__setattr__(self, "_public", public)

    @classmethod
    def from_text(cls, x: str, y: str) -> P384Key:
        """Read the coordinates of a JSON Web Key, both untrusted.

        Raises:
            Malformed: `not_base64url` or `key_length`.
            WeakParameters: `not_on_curve`.
        """
        raw = b64url_decode(x), b64url_decode(y)
        if any(len(half) != _HALF for half in raw):
            raise Malformed("key_length")
        return cls(int.from_bytes(raw[0], "big"), int.from_bytes(raw[1], "big"))

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature; return means it holds.

        Raises:
            BadSignature: it does not, or is no pair of that form.
        """
        if len(signature) != 2 * _HALF:
            raise BadSignature
        r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
        if not r or not s:
            raise BadSignature
        try:
            self._public.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA384()))
        except InvalidSignature as exc:
            raise BadSignature from exc
