from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crypto.canonical import b64url_decode, canonical_bytes
from crypto.keys import SigningKey
from crypto.signing import sign_jws
from sync.access import (
    NO_HEAD,
    AccessEntry,
    AccessHead,
    AccessLog,
    AccessRequest,
    build_access_request,
    next_entry,
    parse_access_request,
    sign_access_log,
    verify_access_log,
)
from sync.errors import LocalRuleError, RemoteRuleError
from tests.support.sync_world import AT, CLINIC_SIGNING

SUBJECT = "subject"


def _entries(count: int, *, user: str = "dr. Test") -> list[AccessEntry]:
    entries: list[AccessEntry] = []
    head = NO_HEAD
    for number in range(count):
        entry = next_entry(
            head,
            at=AT + timedelta(minutes=number),
            user=user,
            role="huisarts",
            action="view",
            categories=["vitals", "medications"],
            purpose="TREAT",
        )
        entries.append(entry)
        head = _head(entry)
    return entries


def _head(entry: AccessEntry) -> AccessHead:
    return AccessHead(entry.sequence, entry.hash)


LOOKS = _entries(6)


def _signed(entries: list[AccessEntry], *, total: int = 6, subject: str = SUBJECT) -> str:
    return sign_access_log(entries, subject=subject, total=total, key=CLINIC_SIGNING, at=AT)


def _verified(token: str, known: AccessHead = NO_HEAD) -> AccessLog:
    return verify_access_log(token, CLINIC_SIGNING.public, subject=SUBJECT, known_head=known)


def _refusal(token: str, known: AccessHead = NO_HEAD) -> str:
    with pytest.raises(RemoteRuleError) as refusal:
        _verified(token, known)
    return refusal.value.code


def _raw(change: Any, *, typ: str = "pgo-access+jws", key: SigningKey = CLINIC_SIGNING) -> str:
    members = json.loads(b64url_decode(_signed(LOOKS).split(".")[1]))
    return sign_jws(canonical_bytes(change(members)), key, typ=typ)


def test_a_log_reads_back() -> None:
    log = _verified(_signed(LOOKS))
    assert list(log.entries) == LOOKS
    assert log.head == _head(LOOKS[-1])
    assert (log.total, log.issued_at) == (6, AT)


def test_categories_are_sorted_and_time_is_whole() -> None:
    entry = next_entry(
        NO_HEAD,
        at=AT.replace(microsecond=999),
        user="u",
        role="r",
        action="view",
        categories=["b", "a", "b"],
        purpose="TREAT",
    )
    assert entry.categories == ("a", "b")
    assert entry.at == AT


def test_an_empty_log_is_good() -> None:
    assert _verified(_signed([], total=0)) == AccessLog((), NO_HEAD, 0, AT)


@pytest.mark.parametrize("known", range(7))
def test_step_5_the_rest_after_what_we_know_is_enough(known: int) -> None:
    head = _head(LOOKS[known - 1]) if known else NO_HEAD
    log = _verified(_signed(LOOKS[known:]), head)
    assert list(log.entries) == LOOKS[known:]
    assert log.head == _head(LOOKS[-1])


@pytest.mark.parametrize("known", range(1, 7))
def test_step_6_the_whole_log_again_is_good_too(known: int) -> None:
    assert _verified(_signed(LOOKS), _head(LOOKS[known - 1])).head == _head(LOOKS[-1])


def test_a_piece_says_that_there_is_more() -> None:
    log = _verified(_signed(LOOKS[:2]))
    assert (log.head.sequence, log.total) == (2, 6)


def test_step_1_another_signer_or_document() -> None:
    assert _refusal(_raw(lambda members: members, key=SigningKey.generate())) == "bad_access_log"
    assert _refusal(_raw(lambda members: members, typ="pgo-receipt+jws")) == "bad_access_log"


@pytest.mark.parametrize("name", ["v", "subject", "entries", "issued_at", "total"])
def test_step_2_every_member_is_needed(name: str) -> None:
    assert _refusal(_raw(lambda members: {k: v for k, v in members.items() if k != name})) == "bad_access_log"


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"x": 1}, {"entries": {}}, {"entries": [1]}, {"total": -1}, {"entries": [{}] * 5_001}],
)
def test_step_2_members_have_their_types(change: dict[str, Any]) -> None:
    assert _refusal(_raw(lambda members: {**members, **change})) == "bad_access_log"


def test_step_3_the_log_of_another_patient() -> None:
    assert _refusal(_signed(LOOKS, subject="other")) == "bad_access_log"


@pytest.mark.parametrize(
    "field", ["at", "user", "role", "action", "category", "purpose", "previous", "hash", "sequence"]
)
@pytest.mark.parametrize("place", [0, 3, 5])
def test_step_4_no_entry_can_be_changed(field: str, place: int) -> None:
    other = {
        "at": "2026-01-01T00:00:00Z",
        "category": ["labs"],
        "sequence": 99,
        "previous": "sha256:" + "0" * 63 + "1",
    }

    def changed(members: Any) -> Any:
        members["entries"][place][field] = other.get(field, "other")
        return members

    assert _refusal(_raw(changed)) == "bad_access_log"


def test_step_4_a_link_that_is_no_link() -> None:
    def changed(members: Any) -> Any:
        members["entries"][2]["previous"] = "nothing"
        return members

    assert _refusal(_raw(changed)) == "bad_access_log"


@pytest.mark.parametrize("place", [1, 2, 4])
def test_step_4_no_entry_can_be_left_out_or_moved(place: int) -> None:
    def dropped(members: Any) -> Any:
        del members["entries"][place]
        return members

    def moved(members: Any) -> Any:
        entries = members["entries"]
        entries[place], entries[place - 1] = entries[place - 1], entries[place]
        return members

    assert _refusal(_raw(dropped)) == "bad_access_log"
    assert _refusal(_raw(moved)) == "bad_access_log"


@pytest.mark.parametrize("start", [1, 3, 4])
def test_step_5_a_gap_after_what_we_know(start: int) -> None:
    # We know two entries; the answer must start at 1 or at 3.
    known = _head(LOOKS[1])
    if start == 3:
        assert _refusal(_signed(LOOKS[3:]), known) == "bad_access_log"
    else:
        assert _refusal(_signed(LOOKS[start:]), NO_HEAD if start == 1 else known) == "bad_access_log"


def test_step_4_an_entry_that_follows_another_history() -> None:
    other = _entries(3, user="other")

    def grafted(members: Any) -> Any:
        theirs = json.loads(b64url_decode(_signed(other, total=3).split(".")[1]))["entries"]
        members["entries"][2] = theirs[2]  # numbered 3, and right in itself
        del members["entries"][3:]
        return members | {"total": 3}

    assert _refusal(_raw(grafted)) == "bad_access_log"


def test_step_4_the_first_entry_follows_nothing() -> None:
    late_start = next_entry(
        AccessHead(0, LOOKS[0].hash),
        at=AT,
        user="u",
        role="r",
        action="view",
        categories=["a"],
        purpose="TREAT",
    )

    def replaced(members: Any) -> Any:
        return members | {"entries": [dict(_json(late_start))], "total": 1}

    assert _refusal(_raw(replaced)) == "bad_access_log"


def _json(entry: AccessEntry) -> dict[str, Any]:
    names = ("sequence", "user", "role", "action", "purpose", "previous", "hash")
    return {name: getattr(entry, name) for name in names} | {
        "at": "2026-06-01T12:00:00Z",
        "category": list(entry.categories),
    }


def test_step_5_a_total_below_the_entries() -> None:
    assert _refusal(_signed(LOOKS, total=5)) == "bad_access_log"


def test_step_5_nothing_given_although_there_is_more() -> None:
    assert _refusal(_signed([], total=6), _head(LOOKS[1])) == "bad_access_log"


@pytest.mark.parametrize("total", [0, 3])
def test_step_6_a_shorter_log_was_rolled_back(total: int) -> None:
    assert _refusal(_signed(LOOKS[:total], total=total), _head(LOOKS[4])) == "access_log_rolled_back"


def test_step_6_a_list_that_stops_before_what_we_know() -> None:
    assert _refusal(_signed(LOOKS[:3], total=6), _head(LOOKS[4])) == "access_log_rolled_back"


def test_step_6_a_rewritten_log() -> None:
    rewritten = _entries(6, user="nobody")
    known = _head(LOOKS[2])
    assert _refusal(_signed(rewritten), known) == "access_log_rewritten"
    assert _refusal(_signed(rewritten[3:]), known) == "access_log_rewritten"


def test_a_log_nobody_would_accept_is_not_signed() -> None:
    broken = [LOOKS[0], replace(LOOKS[1], user="other")]
    for entries in (broken, [replace(LOOKS[0], user="")]):
        with pytest.raises(LocalRuleError) as refusal:
            _signed(entries)
        assert refusal.value.code == "bad_access_log"


@pytest.mark.parametrize("known", [NO_HEAD, _head(LOOKS[3])])
def test_a_request_asks_for_what_is_new(known: AccessHead) -> None:
    assert parse_access_request(build_access_request(known)) == AccessRequest(known.sequence, full=False)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"after":-1}', b'{"after":"1"}', b'{"after":1,"x":1}', b"[]", b'{"after":null}']
)
def test_other_requests_are_malformed(content: bytes) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        parse_access_request(content)
    assert refusal.value.code == "malformed"
