"""Check 13: one envelope, every field changed, taken out, doubled, moved elsewhere: none is accepted.

Every edit is made three ways: left as it is (somebody on the way), signed anew by the sender itself (a
program that writes it wrongly), and signed by a stranger with his own key (who wants to pass it off as his).
The inside is edited too, sealed again and signed by the sender: then the two signatures disagree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crypto.canonical import b64url, b64url_decode, canonical_bytes, sha256_id
from crypto.keys import OpeningKey, SigningKey
from crypto.sealing import pad, seal, unpad, unseal
from crypto.signing import sign_jws
from sync.envelope import open_message, seal_message
from sync.errors import RemoteRuleError
from sync.wire import REFUSALS, Kind
from tests.support.fault_figures import figures
from tests.support.sync_world import AT, CLINIC_ID, CLINIC_OPENING, MESSAGE_ID, PATIENT, a_card

OUTER, INNER = "pgo-envelope+jws", "pgo-content+jws"
STRANGER = SigningKey.from_seed(b"s" * 32)
OTHER_OPENING = OpeningKey.from_seed(b"q" * 32)
BODY = seal_message(
    kind=Kind.PUSH,
    content=b'{"synthetic":"content"}',
    sender=PATIENT.signing,
    to=a_card(),
    message_id=MESSAGE_ID,
    sequence=7,
    at=AT,
)
TOKEN, SEALED = BODY.split(b"\n", 1)
HEADER: dict[str, Any] = json.loads(b64url_decode(TOKEN.decode().split(".")[1]))

OTHERS: dict[str, tuple[Any, ...]] = {
    "v": (0, 2, -1, "1", 1.5, None, True),
    "suite": ("", "hpke-p256-sha256-aes128gcm", "none", 1),
    "aud": ("ura:00000999", "", CLINIC_ID + "x", CLINIC_ID.upper(), None),
    "kid": (OTHER_OPENING.public.id, "", "x", 3),
    "sub": (STRANGER.public.text, "", "AA", None, PATIENT.signing.public.text + "="),
    "mid": ("AAAAAAAAAAAAAAAAAAAAAA", "", "AA", MESSAGE_ID + "=", 1),
    "seq": (8, 6, 0, -1, "7", 2**53, 7.5),
    "kind": ("statement", "access", "head", "removal", "PUSH", "", None),
    "iat": (HEADER["iat"] + 1, HEADER["iat"] - 301, HEADER["iat"] + 301, 0, "0"),
    "exp": (HEADER["exp"] + 1, HEADER["iat"], HEADER["iat"] - 1, HEADER["exp"] + 10**6, None),
    "sealed_hash": ("sha256:" + "0" * 64, "", "md5:0", None),
}


def _raw(header: bytes, *, key: SigningKey | None, typ: str = OUTER) -> bytes:
    """The token around other header bytes: with the old signature, or signed anew."""
    if key is not None:
        return sign_jws(header, key, typ=typ).encode()
    first, _, last = TOKEN.decode().split(".")
    return f"{first}.{b64url(header)}.{last}".encode()


def _headers() -> Iterator[tuple[str, bytes]]:
    """Every edit of the open header, with its name."""
    for name, others in OTHERS.items():
        for other in others:
            yield f"{name} = {other!r}", json.dumps(HEADER | {name: other}, separators=(",", ":")).encode()
        yield f"{name} missing", canonical_bytes({k: v for k, v in HEADER.items() if k != name})
        whole = canonical_bytes(HEADER).decode()
        again = json.dumps({name: HEADER[name]}, separators=(",", ":"))[1:]
        yield f"{name} twice", f"{whole[:-1]},{again}".encode()
    yield "one more", canonical_bytes(HEADER | {"grant": "g1"})
    yield "a list", b"[" + canonical_bytes(HEADER) + b"]"
    yield "empty", b""


def _outside() -> Iterator[tuple[str, bytes]]:
    signers = {"as it was": None, "by the sender": PATIENT.signing, "by a stranger": STRANGER}
    for what, header in _headers():
        for who, key in signers.items():
            yield f"{what}, {who}", _raw(header, key=key) + b"\n" + SEALED


def _wrong_forms() -> Iterator[tuple[str, bytes]]:
    whole = canonical_bytes(HEADER)
    yield "another type of document", _raw(whole, key=PATIENT.signing, typ=INNER) + b"\n" + SEALED
    yield "no seal", TOKEN + b"\n"
    yield "no line feed", TOKEN + SEALED
    yield "two line feeds", TOKEN + b"\n\n" + SEALED
    yield "seal twice", TOKEN + b"\n" + SEALED + SEALED
    yield "seal cut", TOKEN + b"\n" + SEALED[:-1]
    yield "seal longer", TOKEN + b"\n" + SEALED + b"\0"
    yield "token twice", TOKEN + b"\n" + TOKEN + b"\n" + SEALED
    yield "nothing", b""
    for position in range(0, len(SEALED), len(SEALED) // 24):
        changed = bytearray(SEALED)
        changed[position] ^= 1
        yield f"seal, bit at {position}", TOKEN + b"\n" + bytes(changed)
        header = canonical_bytes(HEADER | {"sealed_hash": sha256_id(bytes(changed))})
        yield f"seal, bit at {position}, signed", _raw(header, key=PATIENT.signing) + b"\n" + bytes(changed)


def _inside() -> Iterator[tuple[str, bytes]]:
    """Another inside under a true outside: the sender's program, or a stranger with a stolen inside."""
    info = canonical_bytes({key: value for key, value in HEADER.items() if key != "sealed_hash"})
    plain = unpad(unseal(SEALED, CLINIC_OPENING, info=info))
    inner, content = plain.split(b"\n", 1)
    said: dict[str, Any] = json.loads(b64url_decode(inner.decode().split(".")[1]))

    def packed(token: str, text: bytes, *, header: dict[str, Any] = HEADER, key: SigningKey) -> bytes:
        bound = canonical_bytes({name: value for name, value in header.items() if name != "sealed_hash"})
        sealed = seal(pad(token.encode() + b"\n" + text), a_card().sealing_key, info=bound)
        outer = sign_jws(canonical_bytes(header | {"sealed_hash": sha256_id(sealed)}), key, typ=OUTER)
        return outer.encode() + b"\n" + sealed

    for name in said:
        for other in ("x", 99, None):
            edited = canonical_bytes(said | {name: other})
            token = sign_jws(edited, PATIENT.signing, typ=INNER)
            yield f"inside {name} = {other!r}", packed(token, content, key=PATIENT.signing)
        left = canonical_bytes({key: value for key, value in said.items() if key != name})
        token = sign_jws(left, PATIENT.signing, typ=INNER)
        yield f"inside {name} missing", packed(token, content, key=PATIENT.signing)
    yield "other content", packed(inner.decode(), content + b" ", key=PATIENT.signing)
    yield "no inner signature", packed("", content, key=PATIENT.signing)
    mine = HEADER | {"sub": STRANGER.public.text}
    yield (
        "a stolen inside in a stranger's envelope",
        packed(inner.decode(), content, header=mine, key=STRANGER),
    )
    forged = sign_jws(canonical_bytes(said), STRANGER, typ=INNER)
    yield "an inside by a stranger", packed(forged, content, key=PATIENT.signing)


def _for_another() -> Iterator[tuple[str, bytes]]:
    for what, card in {
        "another recipient": a_card(id="ura:00000999", identifiers=()),
        "a key that is not ours": a_card(sealing_key=OTHER_OPENING.public),
    }.items():
        yield (
            what,
            seal_message(
                kind=Kind.PUSH,
                content=b"x",
                sender=PATIENT.signing,
                to=card,
                message_id=MESSAGE_ID,
                sequence=7,
                at=AT,
            ),
        )


def _opens(body: bytes) -> str:
    try:
        opened = open_message(
            body,
            opening_keys={CLINIC_OPENING.public.id: CLINIC_OPENING},
            audience=CLINIC_ID,
            at=AT,
            known_sender=lambda sub: PATIENT.signing.public if sub == PATIENT.signing.public.text else None,
        )
    except RemoteRuleError as refusal:
        return "" if refusal.code in REFUSALS else f"refused as {refusal.code}, which nobody knows"
    return str(opened.message_id)


def test_the_envelope_itself_opens() -> None:
    assert _opens(BODY) == MESSAGE_ID


@pytest.mark.parametrize(
    ("part", "edits"),
    [("outside", _outside), ("form", _wrong_forms), ("inside", _inside), ("address", _for_another)],
)
def test_nothing_else_does(part: str, edits: Callable[[], Iterator[tuple[str, bytes]]]) -> None:
    tried = dict(edits())
    accepted = [what for what, body in tried.items() if _opens(body)]
    figures[f"envelope edited, {part}"] = f"{len(tried)} tried, {len(accepted)} accepted"
    assert accepted == []
