"""Key types: who signs, who opens, and which public keys are fit to be trusted.

What this module promises:

1. A public key that exists as an object is safe to use: canonical encoding, on the curve, not of low
   order. The library underneath accepts Ed25519 keys for which one signature fits every text.
2. Secrets do not show: no `repr`, no pickle, no comparison reveals them.
3. The id of a key is its JWK thumbprint, so any other implementation computes the same one.
4. Pairwise keys follow from one identity seed and the recipient's id alone: nothing to store per
   recipient, and two recipients who compare notes find no key in common.

Sources: RFC 8032 (Ed25519), RFC 7748 (X25519), RFC 8037 section 2 and RFC 7638 (thumbprint);
low order points: https://eprint.iacr.org/2020/1244 (Taming the many EdDSAs), table 1.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import ClassVar, NewType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from crypto.canonical import b64url, b64url_decode, canonical_bytes
from crypto.errors import BadSignature, Malformed, WeakParameters
from crypto.kdf import derive
from crypto.secret import Secret

KeyId = NewType("KeyId", str)
"""JWK thumbprint (RFC 7638) of a public key, base64url, 43 characters."""

KEY_BYTES = 32

_P = 2**255 - 19  # RFC 7748 section 4.1: the field of both curves
_D = -121665 * pow(121666, -1, _P) % _P  # RFC 8032 section 5.1: curve constant of edwards25519
_SIGN_BIT = 1 << 255
# y of the eight points whose order divides 8: 1 (neutral), -1 (order 2), 0 (order 4), and the two
# values of order 8. A test recomputes them by point arithmetic.
_Y_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_LOW_ORDER_Y = frozenset({0, 1, _P - 1, _Y_ORDER_8, _P - _Y_ORDER_8})
# Any scalar shows a low order point: X25519 scalars are multiples of 8 (RFC 7748 section 5).
_PROBE = X25519PrivateKey.from_private_bytes(bytes(range(KEY_BYTES)))


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public Ed25519 key. Make one with `from_bytes` or `from_text`; checked once, then kept ready.

    Attributes:
        algorithm: The one JWS algorithm this key can be used with (RFC 8037 section 3.1).
        raw: The 32 bytes.
        id: Thumbprint of this key.
    """

    algorithm: ClassVar[str] = "EdDSA"
    raw: bytes
    id: KeyId = field(init=False, compare=False, repr=False)
    _public: Ed25519PublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_verify_key(self.raw)
        object.__setattr__(self, "id", _thumbprint("Ed25519", self.raw))
        object.__setattr__(self, "_public", Ed25519PublicKey.from_public_bytes(self.raw))

    @classmethod
    def from_bytes(cls, raw: bytes) -> VerifyKey:
        """Take 32 untrusted bytes as a key.

        Raises:
            Malformed: reason `key_length`.
            WeakParameters: `non_canonical_key`, `low_order_key` or `not_on_curve`.
        """
        return cls(raw)

    @classmethod
    def from_text(cls, text: str) -> VerifyKey:
        """Take the base64url form; raises as `from_bytes`, and `Malformed` for other text."""
        return cls(b64url_decode(text))

    @property
    def text(self) -> str:
        """The key as base64url, 43 characters."""
        return b64url(self.raw)

    def fingerprint(self) -> str:
        """Form for human comparison: 8 groups of 4 base32 characters, 160 bits of SHA-256."""
        letters = base64.b32encode(hashlib.sha256(self.raw).digest()).decode("ascii")
        return " ".join(letters[start : start + 4] for start in range(0, 32, 4))

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature; return means it holds.

        Raises:
            BadSignature: it does not.
        """
        try:
            self._public.verify(signature, data)
        except InvalidSignature as exc:
            raise BadSignature from exc

    def public_key(self) -> Ed25519PublicKey:
        """The key in the form of the library underneath; for use inside `crypto` only."""
        return self._public


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A public X25519 key: whoever has it can seal, only the owner of the `OpeningKey` opens."""

    raw: bytes

    def __post_init__(self) -> None:
        _check_sealing_key(self.raw)

    @classmethod
    def from_bytes(cls, raw: bytes) -> SealingKey:
        """Take 32 untrusted bytes as a key; raises as `VerifyKey.from_bytes`."""
        return cls(raw)

    @classmethod
    def from_text(cls, text: str) -> SealingKey:
        """Take the base64url form; raises as `from_bytes`, and `Malformed` for other text."""
        return cls(b64url_decode(text))

    @property
    def text(self) -> str:
        """The key as base64url, 43 characters."""
        return b64url(self.raw)

    @property
    def id(self) -> KeyId:
        """Thumbprint of this key."""
        return _thumbprint("X25519", self.raw)

    def public_key(self) -> X25519PublicKey:
        """The key in the form of the library underneath; for use inside `crypto` only."""
        return X25519PublicKey.from_public_bytes(self.raw)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SigningKey(Secret):
    """A private Ed25519 key and its public half."""

    seed: bytes
    public: VerifyKey = field(init=False)
    _private: Ed25519PrivateKey = field(init=False)

    def __post_init__(self) -> None:
        _check_length(self.seed)
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        object.__setattr__(self, "_private", private)
        object.__setattr__(self, "public", VerifyKey(private.public_key().public_bytes_raw()))

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """Make the key that belongs to 32 secret bytes (RFC 8032 section 5.1.5)."""
        return cls(bytes(seed))

    def sign(self, data: bytes) -> bytes:
        """Sign bytes; 64 bytes, the same each time (RFC 8032 section 5.1.6)."""
        return self._private.sign(data)

    def private_key(self) -> Ed25519PrivateKey:
        """The key in the form of the library underneath; for use inside `crypto` only."""
        return self._private


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OpeningKey(Secret):
    """A private X25519 key: opens what was sealed to its public half."""

    seed: bytes

    def __post_init__(self) -> None:
        _check_length(self.seed)

    @classmethod
    def generate(cls) -> OpeningKey:
        """Make a new random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> OpeningKey:
        """Make the key that belongs to 32 secret bytes (RFC 7748 section 5)."""
        return cls(bytes(seed))

    @property
    def public(self) -> SealingKey:
        """The public half."""
        return SealingKey(self.private_key().public_key().public_bytes_raw())

    def private_key(self) -> X25519PrivateKey:
        """The key in the form of the library underneath; for use inside `crypto` only."""
        return X25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True, eq=False)
class Pairwise:
    """The keys that a patient uses towards one recipient and nobody else."""

    signing: SigningKey
    opening: OpeningKey


def derive_pairwise(identity_seed: bytes, recipient_id: str) -> Pairwise:
    """Derive the keys for one recipient.

    Args:
        identity_seed: 32 secret bytes, from the vault key under its own label.
        recipient_id: Stable id of the recipient, for instance `ura:00000123`.

    Raises:
        Malformed: the seed is not 32 bytes.
        ValueError: empty recipient id.
    """
    _check_length(identity_seed)
    if not recipient_id:
        raise ValueError("a pairwise key needs a recipient")
    # The variable part comes last and the fixed parts are no prefix of each other: no two pairs of
    # (use, recipient) give the same label.
    return Pairwise(
        signing=SigningKey(derive(identity_seed, f"pgo/1/pairwise/signing/{recipient_id}")),
        opening=OpeningKey(derive(identity_seed, f"pgo/1/pairwise/opening/{recipient_id}")),
    )


def _thumbprint(curve: str, raw: bytes) -> KeyId:
    # RFC 8037 section 2: the thumbprint of an OKP key is taken over crv, kty and x.
    jwk = canonical_bytes({"crv": curve, "kty": "OKP", "x": b64url(raw)})
    return KeyId(b64url(hashlib.sha256(jwk).digest()))


def _check_length(raw: bytes) -> None:
    if len(raw) != KEY_BYTES:
        raise Malformed("key_length")


def _check_verify_key(raw: bytes) -> None:
    _check_length(raw)
    encoded = int.from_bytes(raw, "little")
    y = encoded & (_SIGN_BIT - 1)
    if y % _P in _LOW_ORDER_Y:  # before the canonical test, so that all 14 encodings get this name
        raise WeakParameters("low_order_key")
    if y >= _P:
        raise WeakParameters("non_canonical_key")
    # RFC 8032 section 5.1.3: x**2 = (y**2 - 1) / (d y**2 + 1) must have a root (Euler's criterion).
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(x_squared, (_P - 1) // 2, _P) != 1:
        raise WeakParameters("not_on_curve")


def _check_sealing_key(raw: bytes) -> None:
    _check_length(raw)
    if int.from_bytes(raw, "little") >= _P:
        raise WeakParameters("non_canonical_key")
    try:
        _PROBE.exchange(X25519PublicKey.from_public_bytes(raw))
    except ValueError as exc:  # all-zero shared secret, RFC 7748 section 6.1
        raise WeakParameters("low_order_key") from exc
