"""Steps 7 to 11 of opening a message: time, key, seal, inner signature, repetition."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crypto.canonical import canonical_bytes, sha256_id
from crypto.keys import OpeningKey
from crypto.sealing import pad, seal
from crypto.signing import sign_jws
from sync.envelope import peek_message_id, refuse_conflict
from sync.errors import RemoteRuleError
from sync.packing import pack
from sync.wire import MAX_CONTENT_BYTES
from tests.support.envelopes import (
    CONTENT,
    KEYS,
    OTHER,
    built_by_hand,
    opened,
    parts_of,
    rebuilt,
    refusal_of,
    sealed_message,
)
from tests.support.sync_world import AT, CLINIC_OPENING, MESSAGE_ID, PATIENT, a_card

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
    body = sealed_message()
    if accepted:
        assert opened(body, at=AT + timedelta(seconds=seconds)).content == CONTENT
    else:
        assert refusal_of(body, at=AT + timedelta(seconds=seconds)) == "clock"


def test_step_7_expiry_is_excluded() -> None:
    now = int(AT.timestamp())
    body = built_by_hand(outer={"exp": now + 10})
    assert opened(body, at=AT + timedelta(seconds=9)).content == CONTENT
    assert refusal_of(body, at=AT + timedelta(seconds=10)) == "clock"


@pytest.mark.parametrize("lifetime", [-1, 0, 601, 10**9])
def test_step_7_lifetime_is_bounded(lifetime: int) -> None:
    now = int(AT.timestamp())
    assert refusal_of(built_by_hand(outer={"iat": now, "exp": now + lifetime})) == "clock"


def test_step_7_is_skipped_for_a_message_that_is_here_already() -> None:
    asked: list[tuple[str, str]] = []

    def received(sender: str, message_id: str) -> bool:
        asked.append((sender, message_id))
        return True

    late = AT + timedelta(days=400)
    assert opened(sealed_message(), at=late, already_received=received).content == CONTENT
    assert asked == [(PATIENT.signing.public.text, MESSAGE_ID)]
    assert refusal_of(sealed_message(), at=late, already_received=lambda *_: False) == "clock"


def test_step_7_an_instant_without_zone_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        opened(sealed_message(), at=AT.replace(tzinfo=None))


# Step 8


def test_step_8_a_key_we_do_not_have() -> None:
    assert refusal_of(sealed_message(), opening_keys={}) == "unknown_key"
    other = OpeningKey.from_seed(b"z" * 32)
    assert refusal_of(sealed_message(to=a_card(sealing_key=other.public))) == "unknown_key"


def test_step_8_an_older_key_still_opens() -> None:
    newer = OpeningKey.from_seed(b"n" * 32)
    assert opened(sealed_message(), opening_keys={newer.public.id: newer, **KEYS}).content == CONTENT


# Step 9


def test_step_9_the_wrong_key_under_the_right_name() -> None:
    wrong = {CLINIC_OPENING.public.id: OpeningKey.from_seed(b"w" * 32)}
    assert refusal_of(sealed_message(), opening_keys=wrong) == "cannot_open"


@pytest.mark.parametrize(
    "change",
    [{"seq": 8}, {"kind": "access"}, {"mid": "BAECAwQFBgcICQoLDA0ODw"}, {"exp": int(AT.timestamp()) + 5}],
)
def test_step_9_a_seal_fits_its_own_header_only(change: dict[str, Any]) -> None:
    _, header, sealed = parts_of(sealed_message())
    assert refusal_of(rebuilt({**header, **change}, sealed)) == "cannot_open"


def test_step_9_a_stranger_cannot_put_his_header_around_it() -> None:
    _, header, sealed = parts_of(sealed_message())
    stolen = {**header, "sub": OTHER.public.text}
    assert refusal_of(rebuilt(stolen, sealed, key=OTHER)) == "cannot_open"


@pytest.mark.parametrize(
    "wrap", [lambda plain: plain, lambda plain: pad(plain) + b"\0", lambda plain: pad(b"\xff" + plain)]
)
def test_step_9_other_padding_or_text(wrap: Callable[[bytes], bytes]) -> None:
    assert refusal_of(built_by_hand(wrap=wrap)) == "cannot_open"


@pytest.mark.parametrize(
    "packed",
    [
        bytes,
        lambda content: pack(content)[:-1],
        lambda content: pack(content) + b"\0",
        lambda content: pack(content) * 2,
        lambda _: b"",
        lambda _: pack(bytes(MAX_CONTENT_BYTES + 1)),
        lambda _: pack(bytes(200_000_000)),
    ],
    ids=["not packed", "cut", "a byte behind", "two frames", "nothing", "one byte too much", "a bomb"],
)
def test_step_9_other_packing(packed: Callable[[bytes], bytes]) -> None:
    assert refusal_of(built_by_hand(packed=packed)) == "cannot_open"


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
    assert refusal_of(built_by_hand(inner=change)) == "bad_signature"


def test_step_10_the_inner_signature_is_the_senders() -> None:
    assert refusal_of(built_by_hand(inner_key=OTHER)) == "bad_signature"


def test_step_10_the_inner_type_is_its_own() -> None:
    assert refusal_of(built_by_hand(inner_type="pgo-envelope+jws")) == "bad_signature"


def test_step_10_a_recipient_cannot_forward_as_if_written_to_another() -> None:
    # The clinic opens a message and seals its inside, signature and all, to the registry.
    registry = OpeningKey.from_seed(b"r" * 32)
    _, header, _ = parts_of(sealed_message())
    del header["sealed_hash"]
    to_registry = {**header, "aud": "oin:registry", "kid": registry.public.id, "sub": OTHER.public.text}
    inner = {name: header[name] for name in ("v", "aud", "kid", "sub", "mid", "seq", "kind")}
    inner["content_hash"] = sha256_id(CONTENT)
    plain = (
        sign_jws(canonical_bytes(inner), PATIENT.signing, typ="pgo-content+jws").encode()
        + b"\n"
        + pack(CONTENT)
    )
    sealed = seal(pad(plain), registry.public, info=canonical_bytes(to_registry))
    body = rebuilt({**to_registry, "sealed_hash": sha256_id(sealed)}, sealed, key=OTHER)
    found = refusal_of(body, opening_keys={registry.public.id: registry}, audience="oin:registry")
    assert found == "bad_signature"


# Step 11


def test_step_11_the_same_message_again_is_no_conflict() -> None:
    message = opened(sealed_message())
    refuse_conflict(message, stored_payload_hash=message.payload_hash)


def test_step_11_other_content_under_the_same_id_is_a_conflict() -> None:
    message = opened(sealed_message(content=b"other"))
    with pytest.raises(RemoteRuleError) as refusal:
        refuse_conflict(message, stored_payload_hash=sha256_id(CONTENT))
    assert refusal.value.code == "conflict"


def test_message_id_of_a_refused_body_can_be_read() -> None:
    assert peek_message_id(sealed_message()) == MESSAGE_ID
    with pytest.raises(RemoteRuleError):
        peek_message_id(b"rubbish")


def test_sealing_checks_its_own_message_id() -> None:
    with pytest.raises(RemoteRuleError):
        sealed_message(message_id="short")
