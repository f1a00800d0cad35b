"""Laws of the envelope over any content and any damage."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.canonical import sha256_id
from crypto.keys import OpeningKey, SigningKey
from sync.bundle import build_push, build_transaction, parse_push
from sync.envelope import open_message, open_reply, seal_message, seal_reply
from sync.errors import RemoteRuleError
from sync.wire import REFUSALS, Kind, new_message_id
from tests.support.sync_world import (
    AT,
    CLINIC_ID,
    CLINIC_OPENING,
    CLINIC_SIGNING,
    MESSAGE_ID,
    PATIENT,
    a_card,
)

SEEDS = st.binary(min_size=32, max_size=32)
BODY = seal_message(
    kind=Kind.PUSH,
    content=b"content",
    sender=PATIENT.signing,
    to=a_card(),
    message_id=MESSAGE_ID,
    sequence=1,
    at=AT,
)
REPLY = seal_reply(b"receipt", to=PATIENT.opening.public, signer=CLINIC_SIGNING, message_id=MESSAGE_ID)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)).map(
    lambda naive: naive.replace(tzinfo=AT.tzinfo)
)


@settings(max_examples=60)
@given(st.binary(max_size=6_000), SEEDS, SEEDS, st.sampled_from(Kind), st.integers(0, 2**53 - 1), INSTANTS)
def test_every_message_opens_to_itself(
    content: bytes, sender_seed: bytes, opening_seed: bytes, kind: Kind, sequence: int, at: datetime
) -> None:
    sender, opening = SigningKey.from_seed(sender_seed), OpeningKey.from_seed(opening_seed)
    message_id = new_message_id()
    body = seal_message(
        kind=kind,
        content=content,
        sender=sender,
        to=a_card(sealing_key=opening.public),
        message_id=message_id,
        sequence=sequence,
        at=at,
    )
    opened = open_message(body, opening_keys={opening.public.id: opening}, audience=CLINIC_ID, at=at)
    assert (opened.kind, opened.content, opened.message_id, opened.sequence) == (
        kind,
        content,
        message_id,
        sequence,
    )
    assert opened.sender == sender.public
    assert opened.payload_hash == sha256_id(content)
    assert timedelta(0) <= at - opened.issued_at < timedelta(seconds=1)


@settings(max_examples=300)
@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_byte_of_a_message_can_change(position: int, change: int) -> None:
    damaged = bytearray(BODY)
    damaged[position] ^= change
    with pytest.raises(RemoteRuleError) as refusal:
        open_message(
            bytes(damaged), opening_keys={CLINIC_OPENING.public.id: CLINIC_OPENING}, audience=CLINIC_ID, at=AT
        )
    assert refusal.value.code in REFUSALS


@settings(max_examples=200)
@given(st.integers(0, len(REPLY) - 1), st.integers(1, 255))
def test_no_byte_of_a_reply_can_change(position: int, change: int) -> None:
    damaged = bytearray(REPLY)
    damaged[position] ^= change
    with pytest.raises(RemoteRuleError):
        open_reply(bytes(damaged), key=PATIENT.opening, signer=CLINIC_SIGNING.public, message_id=MESSAGE_ID)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_listed_code(body: bytes) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        open_message(body, opening_keys={}, audience=CLINIC_ID, at=AT)
    assert refusal.value.code in REFUSALS


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
SPACE = st.sampled_from(["", " ", "\n\t "])


@st.composite
def resources(draw: st.DrawFn) -> tuple[str, bytes]:
    """A resource in an odd but legal spelling."""
    import json

    kind = draw(st.sampled_from(["Patient", "Observation", "MedicationStatement"]))
    gap = draw(SPACE)
    number = draw(st.sampled_from(["1", "1.10", "-0.0", "1E+2", "123456789012345678901234567890"]))
    text = json.dumps(draw(TEXT), ensure_ascii=draw(st.booleans()))
    raw = f'{gap}{{{gap}"resourceType"{gap}:"{kind}",{gap}"v":{number}{gap},"t":{text}}}'
    return f"{kind}/{draw(st.integers(1, 10**6))}", raw.encode()


@settings(max_examples=60)
@given(st.lists(resources(), max_size=6, unique_by=lambda pair: pair[0]))
def test_resources_travel_as_their_exact_bytes(sent: list[tuple[str, bytes]]) -> None:
    transaction = build_transaction(sent, subject_id="s")
    content = build_push(statement="a.b.c", transaction=transaction, purpose="TREAT", actions=["view"])
    items = parse_push(content, subject_id="s").items
    assert [(item.reference, item.raw) for item in items] == [(name, raw.strip()) for name, raw in sent]
