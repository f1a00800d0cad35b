"""What is printed by accident, in a log or a traceback, holds no health data."""

from __future__ import annotations

import pytest

from sync.bundle import build_push, build_transaction, parse_push
from sync.envelope import open_message, seal_message
from sync.outbox import start
from sync.runner import Prepared
from sync.wire import Kind
from tests.support.sync_world import (
    AT,
    CLINIC_ID,
    CLINIC_OPENING,
    MESSAGE_ID,
    PATIENT,
    a_card,
    a_correspondent,
    an_entry,
)

CANARY = "Jansen-BSN-123456782"
RAW = b'{"resourceType":"Patient","name":[{"text":"%s"}]}' % CANARY.encode()
PUSH = build_push(
    statement="a.b.c",
    transaction=build_transaction([("Patient/1", RAW)], subject_id="s"),
    purpose="TREAT",
    actions=["view"],
)
BODY = seal_message(
    kind=Kind.PUSH,
    content=PUSH,
    sender=PATIENT.signing,
    to=a_card(),
    message_id=MESSAGE_ID,
    sequence=1,
    at=AT,
)
STARTED = start(an_entry(), payload=PUSH, manifest=((CANARY, "sha256:x"),))


@pytest.mark.parametrize(
    "value",
    [
        parse_push(PUSH, subject_id="s"),
        parse_push(PUSH, subject_id="s").items[0],
        open_message(
            BODY, opening_keys={CLINIC_OPENING.public.id: CLINIC_OPENING}, audience=CLINIC_ID, at=AT
        ),
        STARTED,
        Prepared(entry=STARTED, content=PUSH, to=a_correspondent()),
        a_correspondent(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_content_shows(value: object) -> None:
    shown = repr(value)
    assert CANARY not in shown
    assert repr(PATIENT.signing.seed)[2:-1] not in shown
