from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from crypto.canonical import b64url_decode
from crypto.keys import SigningKey
from crypto.signing import sign_jws
from sync.errors import LocalRuleError, RemoteRuleError, SyncError, Unreachable
from sync.reading import as_text, as_whole, instant, whole_seconds
from sync.wire import PATHS, REFUSALS, Kind, new_message_id, parse_message_id, sign_time, verify_time
from tests.support.sync_world import AT, CLINIC_SIGNING, MESSAGE_ID

KEY = CLINIC_SIGNING.public


def test_message_ids_are_128_random_bits() -> None:
    ids = {new_message_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(b64url_decode(parse_message_id(text))) == 16 for text in ids)


def test_every_kind_has_a_path_and_every_refusal_a_status() -> None:
    assert set(PATHS) == set(Kind)
    assert set(REFUSALS.values()) <= {400, 403, 409, 413}


def test_a_signed_time_reads_back() -> None:
    assert (
        verify_time(sign_time(CLINIC_SIGNING, message_id=MESSAGE_ID, at=AT), KEY, message_id=MESSAGE_ID) == AT
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        sign_time(SigningKey.from_seed(b"n" * 32), message_id=MESSAGE_ID, at=AT),
        sign_time(CLINIC_SIGNING, message_id="BAECAwQFBgcICQoLDA0ODw", at=AT),
        sign_jws(b"{}", CLINIC_SIGNING, typ="pgo-time+jws"),
        sign_jws(
            json.dumps({"v": 2, "message_id": MESSAGE_ID, "now": instant(AT)}).encode(),
            CLINIC_SIGNING,
            typ="pgo-time+jws",
        ),
        sign_jws(
            json.dumps({"v": 1, "message_id": MESSAGE_ID, "now": instant(AT)}).encode(),
            CLINIC_SIGNING,
            typ="pgo-card+jws",
        ),
    ],
)
def test_another_time_is_not_believed(token: str) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        verify_time(token, KEY, message_id=MESSAGE_ID)
    assert refusal.value.code == "clock"


@pytest.mark.parametrize("value", [None, 1, "", "x" * 11, "a\nb", "\u202e", []])
def test_text_is_bounded_and_printable(value: Any) -> None:
    with pytest.raises(RemoteRuleError):
        as_text(value, max_length=10)


@pytest.mark.parametrize("value", [None, "1", True, False, -1, 2**53, []])
def test_whole_numbers_are_whole_numbers(value: Any) -> None:
    with pytest.raises(RemoteRuleError):
        as_whole(value)
    assert as_whole(2**53 - 1) == 2**53 - 1


def test_instants_are_cut_to_seconds() -> None:
    at = AT + timedelta(microseconds=999_999)
    assert instant(at) == "2026-06-01T12:00:00Z"
    assert whole_seconds(at) == AT


def test_errors_carry_codes_only() -> None:
    errors: list[SyncError] = [
        LocalRuleError("too_large"),
        RemoteRuleError("conflict", status=409),
        Unreachable(retry_after_seconds=3),
    ]
    assert (
        [str(error) for error in errors]
        == [error.code for error in errors]
        == ["too_large", "conflict", "unreachable"]
    )
