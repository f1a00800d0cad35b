"""HPKE base mode written from RFC 9180 on plain primitives: the second opinion on `crypto.sealing`.

X25519, HKDF-SHA256, ChaCha20-Poly1305, one message. For tests only: it makes no effort at all to be
constant in time.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEM_ID, KDF_ID, AEAD_ID = 0x0020, 0x0001, 0x0003  # RFC 9180 sections 7.1 to 7.3
_KEM_SUITE = b"KEM" + KEM_ID.to_bytes(2, "big")
_HPKE_SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (KEM_ID, KDF_ID, AEAD_ID))


def _extract(suite: bytes, salt: bytes, label: bytes, key: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, hashlib.sha256)


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    output, block = b"", b""
    for number in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + labelled + bytes([number]), hashlib.sha256)
        output += block
    return output[:length]


def _key_and_nonce(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    id_hash = _extract(_HPKE_SUITE, b"", b"psk_id_hash", b"")
    context = b"\x00" + id_hash + _extract(_HPKE_SUITE, b"", b"info_hash", info)
    secret = _extract(_HPKE_SUITE, shared, b"secret", b"")
    return _expand(_HPKE_SUITE, secret, b"key", context, 32), _expand(
        _HPKE_SUITE, secret, b"base_nonce", context, 12
    )


def _shared(exchanged: bytes, encapsulated: bytes, public: bytes) -> bytes:
    prk = _extract(_KEM_SUITE, b"", b"eae_prk", exchanged)
    return _expand(_KEM_SUITE, prk, b"shared_secret", encapsulated + public, 32)


def seal(plaintext: bytes, public: bytes, *, ephemeral: bytes, info: bytes, aad: bytes = b"") -> bytes:
    own = X25519PrivateKey.from_private_bytes(ephemeral)
    encapsulated = own.public_key().public_bytes_raw()
    exchanged = own.exchange(X25519PublicKey.from_public_bytes(public))
    key, nonce = _key_and_nonce(_shared(exchanged, encapsulated, public), info)
    return encapsulated + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def unseal(sealed: bytes, secret: bytes, *, info: bytes, aad: bytes = b"") -> bytes:
    own = X25519PrivateKey.from_private_bytes(secret)
    encapsulated, ciphertext = sealed[:32], sealed[32:]
    exchanged = own.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    shared = _shared(exchanged, encapsulated, own.public_key().public_bytes_raw())
    key, nonce = _key_and_nonce(shared, info)
    return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, aad)
