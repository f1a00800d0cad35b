"""Signed records: a record with its place in the chain of one device key, as one JWS.

The signed payload is `{"position": n, "previous": hash, "record": {...}}`. Its hash, the record id,
covers a domain tag and the JWS signing input, not the signature. Verification, in this order:

1. the token is short enough and its `typ` is one of ours (untrusted, used only to pick the check);
2. the signature holds under the key given, with the algorithm of the key;
3. the payload is strict JSON of exactly these three members;
4. the record inside is valid and its kind is the one `typ` announced;
5. the record names the key that signed it.

Step 2 takes Ed25519 and, from keys certified as such, ES256: of one text there are several such signatures,
so two tokens that differ in the signature only are one record.

Source: RFC 7515 (JWS), RFC 8037 (EdDSA), RFC 7518 section 3.4 (ES256); guide consent.md section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consent.errors import InvalidDocument, NotTrusted
from consent.record_json import read_object, record_from_json, record_to_json
from consent.records import Authority, Cosignature, Grant, KeyRecord, Record, RecordHash, Withdrawal
from crypto.canonical import JsonValue, canonical_bytes, sha256_id
from crypto.chain import GENESIS
from crypto.errors import CryptoError, Malformed
from crypto.keys import SigningKey
from crypto.public_keys import PublicKey
from crypto.signing import UntrustedJws, peek_jws, sign_jws, verify_read_jws

MAX_TOKEN_BYTES: Final = 64 * 1024
TYP_GRANT: Final = "pgo-grant+jws"
TYP_WITHDRAWAL: Final = "pgo-withdrawal+jws"
TYP_KEY: Final = "pgo-key+jws"
TYP_AUTHORITY: Final = "pgo-authority+jws"
TYP_COSIGNATURE: Final = "pgo-cosignature+jws"
_TYPES: Final = frozenset({TYP_GRANT, TYP_WITHDRAWAL, TYP_KEY, TYP_AUTHORITY, TYP_COSIGNATURE})
_HASH_TAG: Final = b"pgo/1/consent-record\n"
# What is wrong with the form of a token, where that is more than a bad signature.
_MALFORMED: Final = {"jws_algorithm": "algorithm", "jws_header": "header", "too_large": "too_large"}


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A record whose signature was verified, with its place in the chain of key `kid`."""

    token: str
    hash: RecordHash
    kid: str
    position: int
    previous: str
    record: Record


def typ_of(record: Record) -> str:
    """Return the JWS type for this kind of record."""
    match record:
        case Grant():
            return TYP_GRANT
        case Withdrawal():
            return TYP_WITHDRAWAL
        case KeyRecord():
            return TYP_KEY
        case Authority():
            return TYP_AUTHORITY
        case Cosignature():  # pragma: no branch (mypy: nothing else is left)
            return TYP_COSIGNATURE


def sign_record(record: Record, key: SigningKey, *, position: int, previous: str) -> SignedRecord:
    """Sign a record at a place in this key's chain.

    Args:
        record: must name this key in `by.kid`.
        key: the device key.
        position: 0 for the first record of this key, then one more each time.
        previous: hash of the record before, or `crypto.chain.GENESIS` at position 0.

    Raises:
        ValueError: the record names another key, or position and previous do not fit.
        InvalidDocument: the record is too long, or carries a rule of a newer version.
    """
    if record.by.kid != key.public.id:
        raise ValueError("the record names another key")
    if position < 0 or (position == 0) != (previous == GENESIS):
        raise ValueError("position and previous do not fit")
    body: dict[str, JsonValue] = {
        "position": position,
        "previous": previous,
        "record": record_to_json(record),
    }
    token = sign_jws(canonical_bytes(body), key, typ=typ_of(record))
    if len(token) > MAX_TOKEN_BYTES:
        # Signed, it could never be read back, and would take the whole ledger with it.
        raise InvalidDocument("too_large")
    return SignedRecord(token, record_hash(token), key.public.id, position, previous, record)


def verify_record(token: str, key: PublicKey) -> SignedRecord:
    """Verify one token under one key, in the numbered steps of this module.

    Raises:
        NotTrusted: size, type, signature or key does not hold (steps 1, 2, 5).
        InvalidDocument: signed, but not a record we may act on (steps 3, 4).
    """
    try:
        return verify_read_record(token, peek_jws(token, max_bytes=MAX_TOKEN_BYTES), key)
    except CryptoError as exc:
        raise NotTrusted(token_fault(exc, "signature")) from exc


def verify_read_record(token: str, untrusted: UntrustedJws, key: PublicKey) -> SignedRecord:
    """Verify a token that `peek_jws` has read already; many are verified faster so.

    Args:
        token: the token.
        untrusted: what `peek_jws` gave for this very token.
        key: whose signature it must carry.

    Raises:
        NotTrusted, InvalidDocument: as `verify_record`.
    """
    # Step 1
    typ = untrusted.typ
    if typ not in _TYPES:
        raise NotTrusted("typ")
    # Step 2
    try:
        payload = verify_read_jws(untrusted, key, typ=typ)
    except CryptoError as exc:
        raise NotTrusted(token_fault(exc, "signature")) from exc
    # Step 3
    body = read_object(payload, max_bytes=MAX_TOKEN_BYTES)
    if body.keys() != {"position", "previous", "record"}:
        raise InvalidDocument("envelope")
    position, previous = _place(body)
    # Step 4
    record = record_from_json(body["record"])
    if typ_of(record) != typ:
        raise InvalidDocument("typ")
    # Step 5
    if record.by.kid != key.id:
        raise NotTrusted("kid")
    return SignedRecord(token, _hash(untrusted.signed), key.id, position, previous, record)


def token_fault(error: CryptoError, otherwise: str) -> str:
    """Name what is wrong with a token, where its form alone tells."""
    return _MALFORMED.get(error.reason, otherwise) if isinstance(error, Malformed) else otherwise


def _place(body: Mapping[str, object]) -> tuple[int, str]:
    position, previous = body["position"], body["previous"]
    if not isinstance(position, int) or isinstance(position, bool) or position < 0:
        raise InvalidDocument("position")
    if not isinstance(previous, str) or (position == 0) != (previous == GENESIS):
        raise InvalidDocument("previous")
    return position, previous


def record_hash(token: str) -> RecordHash:
    """Return the id of a signed record: SHA-256 over a domain tag and the JWS signing input."""
    return _hash(token.rpartition(".")[0].encode("ascii"))


def _hash(signed: bytes) -> RecordHash:
    return RecordHash(sha256_id(_HASH_TAG + signed))
