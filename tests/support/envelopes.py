"""Messages for tests: whole, opened, and built by hand from the description in docs/wire-format.md."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from crypto.canonical import b64url_decode, canonical_bytes, sha256_id
from crypto.keys import SigningKey
from crypto.sealing import pad, seal
from crypto.signing import sign_jws
from sync.envelope import OpenedMessage, open_message, seal_message
from sync.errors import RemoteRuleError
from sync.packing import pack
from sync.wire import REFUSALS, Kind
from tests.support.sync_world import AT, CLINIC_ID, CLINIC_OPENING, MESSAGE_ID, PATIENT, a_card

CONTENT = b'{"statement":"a.b.c"}'
OTHER = SigningKey.from_seed(b"x" * 32)
KEYS = {CLINIC_OPENING.public.id: CLINIC_OPENING}


def sealed_message(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "kind": Kind.PUSH,
        "content": CONTENT,
        "sender": PATIENT.signing,
        "to": a_card(),
        "message_id": MESSAGE_ID,
        "sequence": 7,
        "at": AT,
    }
    return seal_message(**{**arguments, **changes})


def opened(body: bytes, **changes: Any) -> OpenedMessage:
    arguments: dict[str, Any] = {"opening_keys": KEYS, "audience": CLINIC_ID, "at": AT}
    return open_message(body, **{**arguments, **changes})


def refusal_of(body: bytes, **changes: Any) -> str:
    with pytest.raises(RemoteRuleError) as refusal:
        opened(body, **changes)
    assert refusal.value.code in REFUSALS
    return refusal.value.code


def parts_of(body: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    token, _, sealed = body.partition(b"\n")
    head, payload, _ = token.decode().split(".")
    return json.loads(b64url_decode(head)), json.loads(b64url_decode(payload)), sealed


def rebuilt(
    header: Any, sealed: bytes, *, key: SigningKey = PATIENT.signing, typ: str = "pgo-envelope+jws"
) -> bytes:
    """A body with a valid outer signature over any header."""
    payload = header if isinstance(header, bytes) else json.dumps(header).encode()
    return sign_jws(payload, key, typ=typ).encode() + b"\n" + sealed


def built_by_hand(
    *,
    outer: dict[str, Any] | None = None,
    inner: dict[str, Any] | None = None,
    content: bytes = CONTENT,
    inner_key: SigningKey = PATIENT.signing,
    inner_type: str = "pgo-content+jws",
    wrap: Callable[[bytes], bytes] = pad,
    packed: Callable[[bytes], bytes] = pack,
) -> bytes:
    """A whole message by hand, with changed members inside or outside, signed and sealed properly."""
    _, header, _ = parts_of(sealed_message())
    header |= outer or {}
    del header["sealed_hash"]
    signed = {name: header[name] for name in ("v", "aud", "kid", "sub", "mid", "seq", "kind")}
    signed |= {"content_hash": sha256_id(content)} | (inner or {})
    plain = sign_jws(canonical_bytes(signed), inner_key, typ=inner_type).encode() + b"\n" + packed(content)
    sealed = seal(wrap(plain), CLINIC_OPENING.public, info=canonical_bytes(header))
    return rebuilt(header | {"sealed_hash": sha256_id(sealed)}, sealed)
