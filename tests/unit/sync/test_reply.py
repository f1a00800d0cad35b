from __future__ import annotations

from typing import Any

import pytest

from crypto.canonical import canonical_bytes, sha256_id
from crypto.keys import OpeningKey, SigningKey
from crypto.sealing import SUITE, pad, seal
from crypto.signing import sign_jws
from sync.errors import LocalRuleError, RemoteRuleError
from sync.reply import open_reply, seal_reply
from sync.wire import MAX_BODY_BYTES, MAX_CONTENT_BYTES
from tests.support.sync_world import CLINIC_SIGNING, MESSAGE_ID, PATIENT

OTHER_ID = "BAECAwQFBgcICQoLDA0ODw"
KEY = PATIENT.opening


def _sealed(content: bytes = b"receipt", **changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "to": KEY.public,
        "signer": CLINIC_SIGNING,
        "message_id": MESSAGE_ID,
        **changes,
    }
    return seal_reply(content, **arguments)


def _refused(body: bytes, *, key: OpeningKey = KEY, message_id: str = MESSAGE_ID) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        open_reply(body, key=key, signer=CLINIC_SIGNING.public, message_id=message_id)
    assert refusal.value.code == "no_proof"


@pytest.mark.parametrize("content", [b"", b"receipt", b"line\nline", b"x" * 100_000])
def test_an_answer_opens_for_its_question(content: bytes) -> None:
    opened = open_reply(_sealed(content), key=KEY, signer=CLINIC_SIGNING.public, message_id=MESSAGE_ID)
    assert opened == content


def test_step_1_size() -> None:
    _refused(bytes(MAX_BODY_BYTES + 1))


def test_too_much_to_answer_is_our_own_mistake() -> None:
    with pytest.raises(LocalRuleError):
        _sealed(bytes(MAX_CONTENT_BYTES + 1))


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>", b'{"code":"ok"}', bytes(5_000)])
def test_step_2_a_page_of_a_proxy_is_no_answer(body: bytes) -> None:
    _refused(body)


def test_step_2_another_key_does_not_open() -> None:
    _refused(_sealed(), key=OpeningKey.generate())


def test_step_2_an_answer_to_another_message() -> None:
    _refused(_sealed(message_id=OTHER_ID))
    _refused(_sealed(), message_id=OTHER_ID)


def test_step_2_every_cut_is_refused() -> None:
    body = _sealed()
    for length in (0, 31, 48, len(body) // 2, len(body) - 1):
        _refused(body[:length])


def test_step_3_another_signer() -> None:
    _refused(_sealed(signer=SigningKey.generate()))


def _by_hand(signed: dict[str, Any], *, typ: str = "pgo-reply+jws") -> bytes:
    inner = sign_jws(canonical_bytes(signed), CLINIC_SIGNING, typ=typ)
    context: dict[str, Any] = {
        "v": 1,
        "suite": SUITE,
        "use": "reply",
        "kid": KEY.public.id,
        "mid": MESSAGE_ID,
    }
    return seal(pad(inner.encode() + b"\nreceipt"), KEY.public, info=canonical_bytes(context))


GOOD: dict[str, Any] = {
    "v": 1,
    "kid": KEY.public.id,
    "mid": MESSAGE_ID,
    "content_hash": sha256_id(b"receipt"),
}


def test_an_answer_built_by_hand_from_the_description_opens() -> None:
    body = _by_hand(GOOD)
    assert open_reply(body, key=KEY, signer=CLINIC_SIGNING.public, message_id=MESSAGE_ID) == b"receipt"


@pytest.mark.parametrize(
    "change", [{"v": 2}, {"kid": "x"}, {"mid": OTHER_ID}, {"content_hash": "x"}, {"extra": 1}]
)
def test_steps_3_and_4_the_signature_names_question_key_and_content(change: dict[str, Any]) -> None:
    _refused(_by_hand({**GOOD, **change}))


def test_step_3_another_document_of_the_recipient_is_no_answer() -> None:
    _refused(_by_hand(GOOD, typ="pgo-receipt+jws"))


def test_step_3_bytes_that_are_no_text() -> None:
    context: dict[str, Any] = {
        "v": 1,
        "suite": SUITE,
        "use": "reply",
        "kid": KEY.public.id,
        "mid": MESSAGE_ID,
    }
    _refused(seal(pad(b"\xff\n"), KEY.public, info=canonical_bytes(context)))
