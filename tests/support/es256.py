"""A device whose key lies in hardware and signs with ES256; the product itself only verifies that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from consent.document import typ_of
from consent.model import By, Record
from consent.record_json import record_to_json
from crypto.canonical import b64url, canonical_bytes
from crypto.p256 import P256Key

# NIST SP 800-186 section 3.2.1.3: the order of the group.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Es256Key:
    """A private key, from a number between 1 and the order."""

    number: int

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.number, ec.SECP256R1())

    @property
    def public(self) -> P256Key:
        numbers = self.private.public_key().public_numbers()
        return P256Key.from_bytes(b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big"))

    @property
    def jwk(self) -> dict[str, str]:
        raw = self.public.raw
        return {"kty": "EC", "crv": "P-256", "x": b64url(raw[1:33]), "y": b64url(raw[33:])}

    def asn1(self, data: bytes) -> bytes:
        """A signature in the form of X.509, which JWS does not take; the same each time (RFC 6979)."""
        return self.private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

    def sign(self, data: bytes) -> bytes:
        return joined(*decode_dss_signature(self.asn1(data)))

    def token(self, payload: bytes, *, typ: str, **header: Any) -> str:
        head = {"alg": "ES256", "kid": self.public.id, "typ": typ} | header
        text = f"{b64url(canonical_bytes(head))}.{b64url(payload)}"
        return f"{text}.{b64url(self.sign(text.encode()))}"

    def record(self, record: Record, *, position: int, previous: str) -> str:
        """A record signed by this key, as the token another program would send."""
        told = record_to_json(replace(record, by=By(self.public.id)))
        body = {"position": position, "previous": previous, "record": told}
        return self.token(canonical_bytes(body), typ=typ_of(record))


def joined(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def other_of(signature: bytes) -> bytes:
    """The second signature that fits the same text: r and n - s."""
    return joined(int.from_bytes(signature[:32], "big"), ORDER - int.from_bytes(signature[32:], "big"))
