"""What a message is, and steps 1 to 6 of opening one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crypto.canonical import b64url, b64url_decode, canonical_bytes, sha256_id
from crypto.keys import VerifyKey
from crypto.sealing import SUITE
from sync.errors import LocalRuleError
from sync.wire import MAX_BODY_BYTES, MAX_CONTENT_BYTES, MAX_HEADER_BYTES, Kind
from tests.support.envelopes import (
    CONTENT,
    OTHER,
    built_by_hand,
    opened,
    parts_of,
    rebuilt,
    refusal_of,
    sealed_message,
)
from tests.support.sync_world import AT, MESSAGE_ID, PATIENT, a_card


def test_a_message_opens_to_what_was_sealed() -> None:
    message = opened(sealed_message())
    assert message.content == CONTENT
    assert (message.kind, message.message_id, message.sequence) == (Kind.PUSH, MESSAGE_ID, 7)
    assert message.sender == PATIENT.signing.public
    assert message.issued_at == AT
    assert message.payload_hash == sha256_id(CONTENT)


def test_a_message_built_by_hand_from_the_description_opens() -> None:
    assert opened(built_by_hand()).content == CONTENT


def test_a_message_that_is_not_packed_opens_too() -> None:
    body = built_by_hand(outer={"suite": SUITE}, packed=bytes)
    assert opened(body).content == CONTENT


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 20_000, bytes(range(256))])
def test_every_kind_and_content_goes_through(kind: Kind, content: bytes) -> None:
    message = opened(sealed_message(kind=kind, content=content))
    assert (message.kind, message.content) == (kind, content)


def test_largest_content_fits_in_the_largest_body() -> None:
    content = random.Random(1).randbytes(MAX_CONTENT_BYTES)  # which packing makes longer, not shorter
    body = sealed_message(content=content)
    assert len(body) <= MAX_BODY_BYTES
    assert opened(body).content == content


def test_larger_content_is_our_own_mistake() -> None:
    with pytest.raises(LocalRuleError) as refusal:
        sealed_message(content=bytes(MAX_CONTENT_BYTES + 1))
    assert refusal.value.code == "too_large"


def test_two_attempts_differ_but_carry_the_same_message() -> None:
    first, second = sealed_message(), sealed_message(at=AT + timedelta(seconds=60))
    assert first != second
    assert opened(first).payload_hash == opened(second).payload_hash
    assert opened(first).message_id == opened(second).message_id


def test_open_header_names_nothing_but_what_it_must() -> None:
    jws, header, sealed = parts_of(sealed_message())
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
    long = random.Random(1).randbytes(2_000)
    assert len(sealed_message(content=b"")) == len(sealed_message(content=long))


def test_content_is_packed_before_it_is_sealed() -> None:
    entry = b'{"resource":{"resourceType":"Observation","status":"final"}},'
    assert len(sealed_message(content=entry * 10_000)) < 10_000


# Step 1


def test_step_1_size() -> None:
    assert refusal_of(bytes(MAX_BODY_BYTES + 1)) == "too_large"
    assert refusal_of(bytes(MAX_BODY_BYTES)) == "malformed"


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
    assert refusal_of(body) == "malformed"


MEMBERS = ["v", "suite", "aud", "kid", "sub", "mid", "seq", "kind", "iat", "exp", "sealed_hash"]


@pytest.mark.parametrize("name", MEMBERS)
def test_step_2_a_removed_member(name: str) -> None:
    _, header, sealed = parts_of(sealed_message())
    del header[name]
    assert refusal_of(rebuilt(header, sealed)) == "malformed"


@pytest.mark.parametrize("name", MEMBERS)
def test_step_2_a_duplicated_member(name: str) -> None:
    _, header, sealed = parts_of(sealed_message())
    twice = json.dumps(header)[:-1] + f',"{name}":{json.dumps(header[name])}}}'
    assert refusal_of(rebuilt(twice.encode(), sealed)) == "malformed"


@pytest.mark.parametrize("name", ["crit", "x", "V", "aud ", "grant"])
def test_step_2_an_added_member(name: str) -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt({**header, name: 1}, sealed)) == "malformed"


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("value", [None, [], {}, True, -1, 1.5, "", "\u0000", 2**53], ids=repr)
def test_step_2_a_member_of_another_type(name: str, value: Any) -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt({**header, name: value}, sealed)) == "malformed"


@pytest.mark.parametrize("mid", ["AA", MESSAGE_ID + "AA", MESSAGE_ID[:-1] + "!", MESSAGE_ID + "=="])
def test_step_2_a_message_id_is_128_bits(mid: str) -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt({**header, "mid": mid}, sealed)) == "malformed"


def test_step_2_another_kind() -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt({**header, "kind": "order"}, sealed)) == "malformed"


def test_step_2_the_header_is_an_object() -> None:
    assert refusal_of(rebuilt([1], b"")) == "malformed"


# Step 3


@pytest.mark.parametrize("change", [{"v": 0}, {"v": 2}, {"suite": "hpke-none"}, {"suite": SUITE.upper()}])
def test_step_3_another_version_or_suite(change: dict[str, Any]) -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt({**header, **change}, sealed)) == "unsupported_version"


# Step 4


def test_step_4_another_recipient() -> None:
    assert refusal_of(sealed_message(), audience="ura:00000124") == "wrong_audience"
    assert refusal_of(sealed_message(to=a_card(id="ura:00000124"))) == "wrong_audience"


# Step 5


@pytest.mark.parametrize("raw", [bytes(32), b"\1" + bytes(31), b"\xff" * 32])
def test_step_5_a_weak_sender_key(raw: bytes) -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt({**header, "sub": b64url(raw)}, sealed)) == "weak_key"


@pytest.mark.parametrize("text", ["short", b64url(bytes(31)), b64url(bytes(33)), "no base64!"])
def test_step_5_a_sender_that_is_no_key(text: str) -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt({**header, "sub": text}, sealed)) == "malformed"


def test_step_5_an_unknown_sender_when_senders_are_enrolled() -> None:
    assert refusal_of(sealed_message(), known_sender=lambda _: None) == "unknown_sender"
    assert refusal_of(sealed_message(), known_sender=lambda _: OTHER.public) == "unknown_sender"


def test_step_5_an_enrolled_sender_passes() -> None:
    asked: list[str] = []

    def enrolled(text: str) -> VerifyKey:
        asked.append(text)
        return VerifyKey.from_text(text)

    assert opened(sealed_message(), known_sender=enrolled).sender == PATIENT.signing.public
    assert asked == [PATIENT.signing.public.text]


# Step 6


def test_step_6_a_header_signed_by_another_than_it_names() -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt(header, sealed, key=OTHER)) == "bad_signature"


def test_step_6_every_changed_header_member_needs_a_new_signature() -> None:
    body = sealed_message()
    token, _, sealed = body.partition(b"\n")
    head, payload, signature = token.decode().split(".")
    header = json.loads(b64url_decode(payload))
    changes: dict[str, Any] = {"seq": 8, "kind": "access", "iat": header["iat"] + 1, "exp": header["exp"] - 1}
    changes |= {"mid": "B" + MESSAGE_ID[1:], "kid": "x", "sealed_hash": sha256_id(b"")}
    for name, value in changes.items():
        changed = b64url(canonical_bytes({**header, name: value}))
        assert refusal_of(f"{head}.{changed}.{signature}".encode() + b"\n" + sealed) == "bad_signature"


def test_step_6_another_document_of_the_same_sender_is_no_header() -> None:
    _, header, sealed = parts_of(sealed_message())
    for typ in ("pgo-content+jws", "pgo-statement+jws", "JWT"):
        assert refusal_of(rebuilt(header, sealed, typ=typ)) == "bad_signature"


@pytest.mark.parametrize(
    "change", [lambda s: s + b"\0", lambda s: s[:-1], lambda s: b"", lambda s: b"\0" + s[1:]]
)
def test_step_6_changed_sealed_bytes(change: Callable[[bytes], bytes]) -> None:
    token, _, sealed = sealed_message().partition(b"\n")
    assert refusal_of(token + b"\n" + change(sealed)) == "bad_signature"
