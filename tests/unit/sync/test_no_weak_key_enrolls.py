"""Check 12: no key of low order, or written in another form than the one, becomes anybody's key here.

Under a key of low order one signature holds for every text; the forged signatures below really satisfy the
equation (the library alone takes them), so that what refuses them is our rule about keys and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crypto.canonical import b64url, canonical_bytes, sha256_id
from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import sign_jws
from recipient.identity import load_identity
from recipient.inbox import Inbox
from sync.card import parse_card, sign_card
from sync.errors import RemoteRuleError
from sync.succession import follow, parse_succession
from sync.wire import Kind, new_message_id
from tests.support.direct_line import START, a_pair
from tests.support.edwards import forged_signature, non_canonical_keys, small_order_keys
from tests.support.fault_figures import figures
from tests.support.sync_world import AT, CLINIC_ID, CLINIC_SIGNING, a_card
from tests.support.vectors import load

SMALL = small_order_keys()
KEYS = sorted({*SMALL, *non_canonical_keys()})
GOOD = SigningKey.from_seed(b"g" * 32)


def _jws(key: bytes, typ: str, members: dict[str, Any]) -> str:
    """A document signed by a weak key: forged where the key is of small order, else a signature of zeros."""
    thumbprint = canonical_bytes({"crv": "Ed25519", "kty": "OKP", "x": b64url(key)})
    kid = b64url(hashlib.sha256(thumbprint).digest())
    header = b64url(canonical_bytes({"alg": "EdDSA", "kid": kid, "typ": typ}))
    signed = f"{header}.{b64url(canonical_bytes(members))}"
    signature = forged_signature(key, SMALL[key], signed.encode()) if key in SMALL else bytes(64)
    return f"{signed}.{b64url(signature)}"


def _card_members() -> dict[str, Any]:
    payload = sign_card(a_card(), CLINIC_SIGNING).split(".")[1]
    members: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return members


def _as_card(key: bytes) -> None:
    parse_card(_jws(key, "pgo-card+jws", _card_members() | {"verify_key": b64url(key)}), at=AT)


def _succession(key: bytes, old: str, new: str) -> str:
    members = {"v": 1, "id": CLINIC_ID, "from": old, "to": new, "at": "2026-06-01T12:00:00Z"}
    return _jws(key, "pgo-succession+jws", members)


def _as_successor(key: bytes) -> None:
    """Named by the true key of the clinic: a card that is taken over by its own recipient, so to speak."""
    said = {"v": 1, "id": CLINIC_ID, "from": CLINIC_SIGNING.public.text, "to": b64url(key)}
    token = sign_jws(
        canonical_bytes({**said, "at": "2026-06-01T12:00:00Z"}), CLINIC_SIGNING, typ="pgo-succession+jws"
    )
    parse_succession(token)


def _as_sealing_key(key: bytes) -> None:
    members = _card_members() | {"sealing_key": b64url(key)}
    parse_card(sign_jws(canonical_bytes(members), CLINIC_SIGNING, typ="pgo-card+jws"), at=AT)


def _as_predecessor(key: bytes) -> None:
    token = _succession(key, b64url(key), GOOD.public.text)
    follow(CLINIC_SIGNING.public, a_card(verify_key=GOOD.public), [token])


@pytest.mark.parametrize("enrol", [_as_card, _as_successor, _as_predecessor])
def test_a_patient_pins_none_of_them(enrol: Callable[[bytes], None]) -> None:
    accepted = 0
    for key in KEYS:
        try:
            enrol(key)
        except RemoteRuleError:
            continue
        accepted += 1
    _count(f"weak keys as {enrol.__name__.removeprefix('_as_')}", len(KEYS), accepted)


def test_nothing_is_sealed_to_a_weak_key() -> None:
    weak = [bytes.fromhex(one) for kind in load("crypto/weak_keys.json")["x25519"].values() for one in kind]
    accepted = 0
    for key in weak:
        try:
            _as_sealing_key(key)
        except RemoteRuleError:
            continue
        accepted += 1
    _count("weak keys as sealing key", len(weak), accepted)


def test_no_key_object_can_be_made_of_them() -> None:
    accepted = 0
    for key in KEYS:
        try:
            VerifyKey.from_text(b64url(key))
        except CryptoError:
            continue
        accepted += 1
    _count("weak keys as key", len(KEYS), accepted)


def _message(key: bytes, kind: Kind, card: Any, at_seconds: int) -> bytes:
    """An envelope from a sender with that key; the seal is never reached."""
    sealed = b"\0" * 4200
    header = {
        "v": 1,
        "suite": "hpke-x25519-sha256-chacha20poly1305",
        "aud": card.id,
        "kid": card.sealing_key.id,
        "sub": b64url(key),
        "mid": new_message_id(),
        "seq": 1,
        "kind": kind.value,
        "iat": at_seconds,
        "exp": at_seconds + 600,
        "sealed_hash": sha256_id(sealed),
    }
    return _jws(key, "pgo-envelope+jws", header).encode() + b"\n" + sealed


def test_a_recipient_knows_none_of_them_as_sender(tmp_path: Path) -> None:
    pair = a_pair(tmp_path)
    inbox, accepted, codes = Inbox(pair.store, load_identity(pair.store)), 0, set()
    card = parse_card(pair.session.store.recipients.get(pair.recipient_id).card, at=START)
    doors = {
        Kind.PUSH: inbox.receive,
        Kind.STATEMENT: inbox.receive,
        Kind.REMOVAL: inbox.receive,
        Kind.ACCESS: inbox.access,
        Kind.HEAD: inbox.head,
    }
    for key in KEYS:
        for kind, door in doors.items():
            try:
                door(_message(key, kind, card, int(START.timestamp())), at=START)
                accepted += 1
            except RemoteRuleError as refusal:
                codes.add(refusal.code)
    assert codes == {"weak_key"}  # the signature was never the reason
    assert pair.store.row("SELECT count(*) FROM sender", ()) == (0,)
    pair.close()
    _count("weak keys as sender", len(KEYS) * len(doors), accepted)


def test_the_forgeries_are_real() -> None:
    """Without our rule the library takes them: the figure says for how many of the encodings."""
    taken = 0
    for key, point in SMALL.items():
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(forged_signature(key, point, b"text"), b"text")
        except Exception:
            continue
        taken += 1
    assert len(SMALL) == 14
    assert taken >= 8
    figures["weak keys, the library alone"] = (
        f"{len(SMALL)} of low order, {taken} taken with a forged signature"
    )


def _count(name: str, tried: int, accepted: int) -> None:
    figures[name] = f"{tried} tried, {accepted} enrolled"
    assert accepted == 0
