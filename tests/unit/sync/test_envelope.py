from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crypto.canonical import b64url, b64url_decode, canonical_bytes, sha256_id
from crypto.keys import OpeningKey, SigningKey, VerifyKey
from crypto.sealing import SUITE, pad, seal
from crypto.signing import sign_jws
from sync.envelope import OpenedMessage, open_message, peek_message_id, refuse_conflict, seal_message
from sync.errors import LocalRuleError, RemoteRuleError
from sync.wire import MAX_BODY_BYTES, MAX_CONTENT_BYTES, MAX_HEADER_BYTES, REFUSALS, Kind
from tests.support.sync_world import AT, CLINIC_ID, CLINIC_OPENING, MESSAGE_ID, PATIENT, a_card

CONTENT = b'{"statement":"a.b.c"}'
OTHER = SigningKey.from_seed(b"x" * 32)
KEYS = {CLINIC_OPENING.public.id: CLINIC_OPENING}


def _sealed(**changes: Any) -> bytes:
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


def _open(body: bytes, **changes: Any) -> OpenedMessage:
    arguments: dict[str, Any] = {"opening_keys": KEYS, "audience": CLINIC_ID, "at": AT}
    return open_message(body, **{**arguments, **changes})


def _refusal(body: bytes, **changes: Any) -> str:
    with pytest.raises(RemoteRuleError) as refusal:
        _open(body, **changes)
    assert refusal.value.code in REFUSALS
    return refusal.value.code


def _parts(body: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    token, _, sealed = body.partition(b"\n")
    head, payload, _ = token.decode().split(".")
    return json.loads(b64url_decode(head)), json.loads(b64url_decode(payload)), sealed


def _rebuilt(
    header: Any, sealed: bytes, *, key: SigningKey = PATIENT.signing, typ: str = "pgo-envelope+jws"
) -> bytes:
    """A body with a valid outer signature over any header."""
    payload = header if isinstance(header, bytes) else json.dumps(header).encode()
    return sign_jws(payload, key, typ=typ).encode() + b"\n" + sealed


def _built(
    *,
    outer: dict[str, Any] | None = None,
    inner: dict[str, Any] | None = None,
    content: bytes = CONTENT,
    inner_key: SigningKey = PATIENT.signing,
    inner_type: str = "pgo-content+jws",
    wrap: Callable[[bytes], bytes] = pad,
) -> bytes:
    """A whole message by hand, with changed members inside or outside, signed and sealed properly."""
    _, header, _ = _parts(_sealed())
    header |= outer or {}
    del header["sealed_hash"]
    signed = {name: header[name] for name in ("v", "aud", "kid", "sub", "mid", "seq", "kind")}
    signed |= {"content_hash": sha256_id(content)} | (inner or {})
    plain = sign_jws(canonical_bytes(signed), inner_key, typ=inner_type).encode() + b"\n" + content
    sealed = seal(wrap(plain), CLINIC_OPENING.public, info=canonical_bytes(header))
    return _rebuilt(header | {"sealed_hash": sha256_id(sealed)}, sealed)


def test_a_message_opens_to_what_was_sealed() -> None:
    opened = _open(_sealed())
    assert opened.content == CONTENT
    assert (opened.kind, opened.message_id, opened.sequence) == (Kind.PUSH, MESSAGE_ID, 7)
    assert opened.sender == PATIENT.signing.public
    assert opened.issued_at == AT
    assert opened.payload_hash == sha256_id(CONTENT)


def test_a_message_built_by_hand_from_the_description_opens() -> None:
    assert _open(_built()).content == CONTENT


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 20_000, bytes(range(256))])
def test_every_kind_and_content_goes_through(kind: Kind, content: bytes) -> None:
    opened = _open(_sealed(kind=kind, content=content))
    assert (opened.kind, opened.content) == (kind, content)


def test_largest_content_fits_in_the_largest_body() -> None:
    body = _sealed(content=bytes(MAX_CONTENT_BYTES))
    assert len(body) <= MAX_BODY_BYTES
    assert len(_open(body).content) == MAX_CONTENT_BYTES


def test_larger_content_is_our_own_mistake() -> None:
    with pytest.raises(LocalRuleError) as refusal:
        _sealed(content=bytes(MAX_CONTENT_BYTES + 1))
    assert refusal.value.code == "too_large"


def test_two_attempts_differ_but_carry_the_same_message() -> None:
    first, second = _sealed(), _sealed(at=AT + timedelta(seconds=60))
    assert first != second
    assert _open(first).payload_hash == _open(second).payload_hash
    assert _open(first).message_id == _open(second).message_id


def test_open_header_names_nothing_but_what_it_must() -> None:
    jws, header, sealed = _parts(_sealed())
    assert set(jws) == {"alg", "kid", "typ"}
    assert set(header) == {
        "v",
        "suite",
        "aud",
        "kid",
        "sub",
        "mid",
        "seq",
        "kind",
        "iat",
        "exp",
        "sealed_hash",
    }
    assert sha256_id(CONTENT) not in json.dumps(header)
    assert CONTENT not in sealed


def test_equal_size_class_hides_the_length() -> None:
    assert len(_sealed(content=b"")) == len(_sealed(content=b"x" * 2_000))


# Step 1


def test_step_1_size() -> None:
    assert _refusal(bytes(MAX_BODY_BYTES + 1)) == "too_large"
    assert _refusal(bytes(MAX_BODY_BYTES)) == "malformed"


# Step 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"a.b.c",
        b"a.b.c\n",
        b"\xff\n",
        b"e30.e30.\n",
        b"x" * (MAX_HEADER_BYTES + 1) + b"\n",
        b"{}\n{}",
    ],
    ids=["nothing", "line feed", "no line", "no base64", "no text", "empty", "long line", "JSON"],
)
def test_step_2_form(body: bytes) -> None:
    assert _refusal(body) == "malformed"


MEMBERS = ["v", "suite", "aud", "kid", "sub", "mid", "seq", "kind", "iat", "exp", "sealed_hash"]


@pytest.mark.parametrize("name", MEMBERS)
def test_step_2_a_removed_member(name: str) -> None:
    _, header, sealed = _parts(_sealed())
    del header[name]
    assert _refusal(_rebuilt(header, sealed)) == "malformed"


@pytest.mark.parametrize("name", MEMBERS)
def test_step_2_a_duplicated_member(name: str) -> None:
    _, header, sealed = _parts(_sealed())
    twice = json.dumps(header)[:-1] + f',"{name}":{json.dumps(header[name])}}}'
    assert _refusal(_rebuilt(twice.encode(), sealed)) == "malformed"


@pytest.mark.parametrize("name", ["crit", "x", "V", "aud ", "grant"])
def test_step_2_an_added_member(name: str) -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt({**header, name: 1}, sealed)) == "malformed"


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("value", [None, [], {}, True, -1, 1.5, "", "\u0000", 2**53], ids=repr)
def test_step_2_a_member_of_another_type(name: str, value: Any) -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt({**header, name: value}, sealed)) == "malformed"


@pytest.mark.parametrize("mid", ["AA", MESSAGE_ID + "AA", MESSAGE_ID[:-1] + "!", MESSAGE_ID + "=="])
def test_step_2_a_message_id_is_128_bits(mid: str) -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt({**header, "mid": mid}, sealed)) == "malformed"


def test_step_2_another_kind() -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt({**header, "kind": "order"}, sealed)) == "malformed"


def test_step_2_the_header_is_an_object() -> None:
    assert _refusal(_rebuilt([1], b"")) == "malformed"


# Step 3


@pytest.mark.parametrize("change", [{"v": 0}, {"v": 2}, {"suite": "hpke-none"}, {"suite": SUITE.upper()}])
def test_step_3_another_version_or_suite(change: dict[str, Any]) -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt({**header, **change}, sealed)) == "unsupported_version"


# Step 4


def test_step_4_another_recipient() -> None:
    assert _refusal(_sealed(), audience="ura:00000124") == "wrong_audience"
    assert _refusal(_sealed(to=a_card(id="ura:00000124"))) == "wrong_audience"


# Step 5


@pytest.mark.parametrize("raw", [bytes(32), b"\1" + bytes(31), b"\xff" * 32])
def test_step_5_a_weak_sender_key(raw: bytes) -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt({**header, "sub": b64url(raw)}, sealed)) == "weak_key"


@pytest.mark.parametrize("text", ["short", b64url(bytes(31)), b64url(bytes(33)), "no base64!"])
def test_step_5_a_sender_that_is_no_key(text: str) -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt({**header, "sub": text}, sealed)) == "malformed"


def test_step_5_an_unknown_sender_when_senders_are_enrolled() -> None:
    assert _refusal(_sealed(), known_sender=lambda _: None) == "unknown_sender"
    assert _refusal(_sealed(), known_sender=lambda _: OTHER.public) == "unknown_sender"


def test_step_5_an_enrolled_sender_passes() -> None:
    asked: list[str] = []

    def enrolled(text: str) -> VerifyKey:
        asked.append(text)
        return VerifyKey.from_text(text)

    assert _open(_sealed(), known_sender=enrolled).sender == PATIENT.signing.public
    assert asked == [PATIENT.signing.public.text]


# Step 6


def test_step_6_a_header_signed_by_another_than_it_names() -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt(header, sealed, key=OTHER)) == "bad_signature"


def test_step_6_every_changed_header_member_needs_a_new_signature() -> None:
    body = _sealed()
    token, _, sealed = body.partition(b"\n")
    head, payload, signature = token.decode().split(".")
    header = json.loads(b64url_decode(payload))
    changes: dict[str, Any] = {"seq": 8, "kind": "access", "iat": header["iat"] + 1, "exp": header["exp"] - 1}
    changes |= {"mid": "B" + MESSAGE_ID[1:], "kid": "x", "sealed_hash": sha256_id(b"")}
    for name, value in changes.items():
        changed = b64url(canonical_bytes({**header, name: value}))
        assert _refusal(f"{head}.{changed}.{signature}".encode() + b"\n" + sealed) == "bad_signature"


def test_step_6_another_document_of_the_same_sender_is_no_header() -> None:
    _, header, sealed = _parts(_sealed())
    for typ in ("pgo-content+jws", "pgo-statement+jws", "JWT"):
        assert _refusal(_rebuilt(header, sealed, typ=typ)) == "bad_signature"


@pytest.mark.parametrize(
    "change", [lambda s: s + b"\0", lambda s: s[:-1], lambda s: b"", lambda s: b"\0" + s[1:]]
)
def test_step_6_changed_sealed_bytes(change: Callable[[bytes], bytes]) -> None:
    token, _, sealed = _sealed().partition(b"\n")
    assert _refusal(token + b"\n" + change(sealed)) == "bad_signature"


# Step 7


@pytest.mark.parametrize(
    ("seconds", "accepted"),
    [
        (-301, False),
        (-300, True),
        (-299, True),
        (0, True),
        (299, True),
        (300, True),
        (301, False),
        (86_400, False),
        (-20 * 365 * 86_400, False),
    ],
)
def test_step_7_time_is_within_300_seconds(seconds: int, accepted: bool) -> None:
    body = _sealed()
    if accepted:
        assert _open(body, at=AT + timedelta(seconds=seconds)).content == CONTENT
    else:
        assert _refusal(body, at=AT + timedelta(seconds=seconds)) == "clock"


def test_step_7_expiry_is_excluded() -> None:
    now = int(AT.timestamp())
    body = _built(outer={"exp": now + 10})
    assert _open(body, at=AT + timedelta(seconds=9)).content == CONTENT
    assert _refusal(body, at=AT + timedelta(seconds=10)) == "clock"


@pytest.mark.parametrize("lifetime", [-1, 0, 601, 10**9])
def test_step_7_lifetime_is_bounded(lifetime: int) -> None:
    now = int(AT.timestamp())
    assert _refusal(_built(outer={"iat": now, "exp": now + lifetime})) == "clock"


def test_step_7_is_skipped_for_a_message_that_is_here_already() -> None:
    asked: list[tuple[str, str]] = []

    def received(sender: str, message_id: str) -> bool:
        asked.append((sender, message_id))
        return True

    late = AT + timedelta(days=400)
    assert _open(_sealed(), at=late, already_received=received).content == CONTENT
    assert asked == [(PATIENT.signing.public.text, MESSAGE_ID)]
    assert _refusal(_sealed(), at=late, already_received=lambda *_: False) == "clock"


def test_step_7_an_instant_without_zone_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        _open(_sealed(), at=AT.replace(tzinfo=None))


# Step 8


def test_step_8_a_key_we_do_not_have() -> None:
    assert _refusal(_sealed(), opening_keys={}) == "unknown_key"
    other = OpeningKey.from_seed(b"z" * 32)
    assert _refusal(_sealed(to=a_card(sealing_key=other.public))) == "unknown_key"


def test_step_8_an_older_key_still_opens() -> None:
    newer = OpeningKey.from_seed(b"n" * 32)
    assert _open(_sealed(), opening_keys={newer.public.id: newer, **KEYS}).content == CONTENT


# Step 9


def test_step_9_the_wrong_key_under_the_right_name() -> None:
    wrong = {CLINIC_OPENING.public.id: OpeningKey.from_seed(b"w" * 32)}
    assert _refusal(_sealed(), opening_keys=wrong) == "cannot_open"


@pytest.mark.parametrize(
    "change",
    [{"seq": 8}, {"kind": "access"}, {"mid": "BAECAwQFBgcICQoLDA0ODw"}, {"exp": int(AT.timestamp()) + 5}],
)
def test_step_9_a_seal_fits_its_own_header_only(change: dict[str, Any]) -> None:
    _, header, sealed = _parts(_sealed())
    assert _refusal(_rebuilt({**header, **change}, sealed)) == "cannot_open"


def test_step_9_a_stranger_cannot_put_his_header_around_it() -> None:
    _, header, sealed = _parts(_sealed())
    stolen = {**header, "sub": OTHER.public.text}
    assert _refusal(_rebuilt(stolen, sealed, key=OTHER)) == "cannot_open"


@pytest.mark.parametrize(
    "wrap", [lambda plain: plain, lambda plain: pad(plain) + b"\0", lambda plain: pad(b"\xff" + plain)]
)
def test_step_9_other_padding_or_text(wrap: Callable[[bytes], bytes]) -> None:
    assert _refusal(_built(wrap=wrap)) == "cannot_open"


# Step 10


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"aud": "ura:00000124"},
        {"kid": "x"},
        {"sub": OTHER.public.text},
        {"mid": "BAECAwQFBgcICQoLDA0ODw"},
        {"seq": 8},
        {"kind": "access"},
        {"content_hash": sha256_id(b"other")},
        {"extra": 1},
    ],
    ids=str,
)
def test_step_10_inside_and_outside_say_the_same(change: dict[str, Any]) -> None:
    assert _refusal(_built(inner=change)) == "bad_signature"


def test_step_10_the_inner_signature_is_the_senders() -> None:
    assert _refusal(_built(inner_key=OTHER)) == "bad_signature"


def test_step_10_the_inner_type_is_its_own() -> None:
    assert _refusal(_built(inner_type="pgo-envelope+jws")) == "bad_signature"


def test_step_10_a_recipient_cannot_forward_as_if_written_to_another() -> None:
    # The clinic opens a message and seals its inside, signature and all, to the registry.
    registry = OpeningKey.from_seed(b"r" * 32)
    _, header, _ = _parts(_sealed())
    del header["sealed_hash"]
    to_registry = {**header, "aud": "oin:registry", "kid": registry.public.id, "sub": OTHER.public.text}
    inner = {name: header[name] for name in ("v", "aud", "kid", "sub", "mid", "seq", "kind")}
    inner["content_hash"] = sha256_id(CONTENT)
    plain = (
        sign_jws(canonical_bytes(inner), PATIENT.signing, typ="pgo-content+jws").encode() + b"\n" + CONTENT
    )
    sealed = seal(pad(plain), registry.public, info=canonical_bytes(to_registry))
    body = _rebuilt({**to_registry, "sealed_hash": sha256_id(sealed)}, sealed, key=OTHER)
    found = _refusal(body, opening_keys={registry.public.id: registry}, audience="oin:registry")
    assert found == "bad_signature"


# Step 11


def test_step_11_the_same_message_again_is_no_conflict() -> None:
    opened = _open(_sealed())
    refuse_conflict(opened, stored_payload_hash=opened.payload_hash)


def test_step_11_other_content_under_the_same_id_is_a_conflict() -> None:
    opened = _open(_sealed(content=b"other"))
    with pytest.raises(RemoteRuleError) as refusal:
        refuse_conflict(opened, stored_payload_hash=sha256_id(CONTENT))
    assert refusal.value.code == "conflict"


def test_message_id_of_a_refused_body_can_be_read() -> None:
    assert peek_message_id(_sealed()) == MESSAGE_ID
    with pytest.raises(RemoteRuleError):
        peek_message_id(b"rubbish")


def test_sealing_checks_its_own_message_id() -> None:
    with pytest.raises(RemoteRuleError):
        _sealed(message_id="short")
