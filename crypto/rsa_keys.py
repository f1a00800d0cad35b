"""RSA keys, for signatures that others make; we never make or hold one.

Log-in services still sign mostly with RSA, so the receiving side has to check it. What this module promises:

1. A key has 2048 to 8192 bits (below: too weak; above: one signature would keep a core busy) and an odd
   public exponent from 65537 up to 32 bits.
2. `RS...` is PKCS #1 v1.5, `PS...` is PSS with MGF1 and a salt as long as the hash, with SHA-256 or SHA-384.
   Whoever verifies names the algorithm; a signature never chooses it.

Sources: RFC 7518 sections 3.3, 3.5 and 6.3.1 (RS256 and RS384, PS256 and PS384, RSA keys), RFC 8017, NIST
SP 800-57 part 1 rev. 5 table 2 (2048 bits), NIST SP 800-56B rev. 2 section 6.2 (exponent).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from crypto.canonical import b64url_decode
from crypto.errors import BadSignature, Malformed, WeakParameters

_PKCS1: Final = {"RS256": SHA256, "RS384": SHA384}
_PSS: Final = {"PS256": SHA256, "PS384": SHA384}
RSA_ALGORITHMS: Final = frozenset({*_PKCS1, *_PSS})
MIN_BITS, MAX_BITS = 2048, 8192
_MIN_EXPONENT, _EXPONENT_BITS = 65_537, 32


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A public RSA key, checked when it is made.

    Attributes:
        modulus: n.
        exponent: e.
    """

    modulus: int
    exponent: int
    _public: rsa.RSAPublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not MIN_BITS <= self.modulus.bit_length() <= MAX_BITS or not self.modulus & 1:
            raise WeakParameters("rsa_modulus")
        e = self.exponent
        if not (e >= _MIN_EXPONENT and e.bit_length() <= _EXPONENT_BITS and e & 1):
            raise WeakParameters("rsa_exponent")
        public = rsa.RSAPublicNumbers(e, self.modulus).public_key()
        object.__setattr__(self, "_public", public)

    @classmethod
    def from_text(cls, modulus: str, exponent: str) -> RsaKey:
        """Read `n` and `e` of a JSON Web Key, both untrusted.

        Raises:
            Malformed: `not_base64url` or `key_length`.
            WeakParameters: `rsa_modulus` or `rsa_exponent`.
        """
        if len(modulus) > MAX_BITS // 4 or len(exponent) > _EXPONENT_BITS:
            raise Malformed("key_length")
        n, e = (int.from_bytes(b64url_decode(text), "big") for text in (modulus, exponent))
        return cls(n, e)

    def verify(self, signature: bytes, data: bytes, *, algorithm: str) -> None:
        """Check a signature by one algorithm; return means it holds.

        Raises:
            BadSignature: it does not.
            ValueError: the caller names no algorithm of RSA.
        """
        if algorithm not in RSA_ALGORITHMS:
            raise ValueError("not an algorithm of RSA")
        try:
            if algorithm in _PKCS1:
                self._public.verify(signature, data, padding.PKCS1v15(), _PKCS1[algorithm]())
            else:
                digest = _PSS[algorithm]()
                pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.DIGEST_LENGTH)
                self._public.verify(signature, data, pss, digest)
        except InvalidSignature as exc:
            raise BadSignature from exc
