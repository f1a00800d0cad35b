"""The access log in full form: the steps of ``sync.access_full``, and how it continues the short form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crypto.canonical import b64url_decode, canonical_bytes
from crypto.chain import GENESIS, link
from crypto.keys import SigningKey
from crypto.signing import sign_jws
from sync.access import (
    NO_HEAD,
    AccessDetails,
    AccessEntry,
    AccessHead,
    AccessLog,
    AccessRequest,
    next_entry,
    parse_access_request,
    short_body,
)
from sync.access_full import (
    MAX_LINES,
    build_full_request,
    check_short_chain,
    full_line,
    parse_line,
    sign_access_head,
    sign_full_log,
    verify_access_head,
    verify_full_log,
)
from sync.errors import RemoteRuleError
from tests.support.sync_world import AT, CLINIC_SIGNING
from tests.vectors.sync import generate_access

SUBJECT = "subject"
DETAILS = AccessDetails(
    user_id="staff:17",
    organisation="Praktijk De Test (fictief)",
    organisation_id="ura:00000123",
    on_behalf_of="",
    outcome="permitted",
    reason="covering",
    note="waarneming",
    origin="portal",
    place="sha256:" + "1" * 64,
    statement=3,
    short="",
)


def _short(count: int, *, user: str = "dr. Test") -> list[AccessEntry]:
    entries: list[AccessEntry] = []
    head = NO_HEAD
    for number in range(count):
        entry = next_entry(
            head,
            at=AT + timedelta(minutes=number),
            user=user,
            role="huisarts",
            action="open",
            categories=["vitals"],
            purpose="TREAT",
        )
        entries.append(entry)
        head = AccessHead(entry.sequence, entry.hash)
    return entries


def _lines(entries: Sequence[AccessEntry], *, short_ones: int = 2) -> list[str]:
    """The first looks are older than the full form."""
    return [
        short_body(entry).decode() if place < short_ones else full_line(entry, DETAILS)
        for place, entry in enumerate(entries)
    ]


def _heads(lines: Sequence[str]) -> list[AccessHead]:
    heads = [NO_HEAD]
    for number, line in enumerate(lines, start=1):
        heads.append(AccessHead(number, link(heads[-1].hash, line.encode())))
    return heads


SHORT = _short(6)
LINES = _lines(SHORT)
HEADS = _heads(LINES)


def _signed(
    lines: Sequence[str] = LINES, *, after: int = 0, head: AccessHead = HEADS[-1], subject: str = SUBJECT
) -> str:
    return sign_full_log(lines, after=after, head=head, subject=subject, key=CLINIC_SIGNING, at=AT)


def _verified(token: str, known: AccessHead = NO_HEAD) -> AccessLog:
    return verify_full_log(token, CLINIC_SIGNING.public, subject=SUBJECT, known_head=known)


def _refusal(token: str, known: AccessHead = NO_HEAD) -> str:
    with pytest.raises(RemoteRuleError) as refusal:
        _verified(token, known)
    return refusal.value.code


def _raw(
    change: Callable[[dict[str, Any]], Any], *, typ: str = "pgo-access+jws", key: SigningKey = CLINIC_SIGNING
) -> str:
    members = json.loads(b64url_decode(_signed().split(".")[1]))
    return sign_jws(canonical_bytes(change(members)), key, typ=typ)


@pytest.mark.parametrize("known", range(7))
def test_every_piece_that_follows_what_we_know_reads_back(known: int) -> None:
    log = _verified(_signed(LINES[known:], after=known), HEADS[known])
    assert [entry.sequence for entry in log.entries] == list(range(known + 1, 7))
    assert (log.head, log.total, log.issued_at) == (HEADS[6], 6, AT)
    assert verify_access_head(log.signed_head, CLINIC_SIGNING.public, subject=SUBJECT) == (HEADS[6], AT)


def test_a_line_tells_everything_and_an_old_line_what_was_known_then() -> None:
    old, new = _verified(_signed()).entries[1:3]
    assert old.details is None
    assert old.hash == SHORT[1].hash
    assert new.details == replace(DETAILS, short=SHORT[2].hash)
    assert (new.user, new.categories, new.purpose) == ("dr. Test", ("vitals",), "TREAT")
    assert new.previous == HEADS[2].hash


def test_a_piece_says_that_there_is_more() -> None:
    log = _verified(_signed(LINES[:2]))
    assert (log.head, log.total) == (HEADS[2], 6)


def test_an_empty_log_is_good() -> None:
    assert _verified(_signed([], head=NO_HEAD)).entries == ()


def test_step_1_another_signer_or_document() -> None:
    assert _refusal(_raw(lambda members: members, key=SigningKey.generate())) == "bad_access_log"
    assert _refusal(_raw(lambda members: members, typ="pgo-receipt+jws")) == "bad_access_log"


@pytest.mark.parametrize("name", ["v", "subject", "issued_at", "after", "lines", "head"])
def test_step_2_every_member_is_needed(name: str) -> None:
    assert _refusal(_raw(lambda members: {k: v for k, v in members.items() if k != name})) == "bad_access_log"


@pytest.mark.parametrize(
    "change",
    [
        {"v": 1},
        {"x": 1},
        {"lines": {}},
        {"lines": [1]},
        {"lines": ["{}"]},
        {"lines": ["[]"]},
        {"lines": ["no json"]},
        {"lines": ["x"] * (MAX_LINES + 1)},
        {"head": "no token"},
        {"head": sign_jws(b"{}", CLINIC_SIGNING, typ="pgo-access-head+jws")},
        {"head": sign_access_head(HEADS[-1], subject="other", key=CLINIC_SIGNING, at=AT)},
    ],
)
def test_step_2_members_have_their_types(change: dict[str, Any]) -> None:
    assert _refusal(_raw(lambda members: {**members, **change})) == "bad_access_log"


def test_step_2_a_line_of_a_later_version_is_not_read_around() -> None:
    later = canonical_bytes(json.loads(LINES[2]) | {"v": 3}).decode()
    with pytest.raises(RemoteRuleError):
        parse_line(later)


def test_step_3_the_log_of_another_patient_or_of_another_question() -> None:
    assert _refusal(_signed(subject="other")) == "bad_access_log"
    assert _refusal(_signed(LINES[1:], after=1)) == "bad_access_log"


@pytest.mark.parametrize("gone", range(5))
def test_step_4_a_missing_number_is_a_gap(gone: int) -> None:
    def dropped(members: dict[str, Any]) -> Any:
        return members | {"lines": [*LINES[:gone], *LINES[gone + 1 :]]}

    assert _refusal(_raw(dropped)) == "access_log_gap"


def test_step_4_nothing_given_although_there_is_more() -> None:
    assert _refusal(_signed([]), NO_HEAD) == "access_log_gap"


@pytest.mark.parametrize("name", sorted(json.loads(LINES[2]).keys() - {"v", "sequence"}))
@pytest.mark.parametrize("place", [2, 5])
def test_step_5_nothing_in_a_line_can_be_changed(name: str, place: int) -> None:
    others: dict[str, Any] = {"at": "2026-01-01T00:00:00Z", "category": ["labs"], "statement": 9}
    changed = canonical_bytes(json.loads(LINES[place]) | {name: others.get(name, "other")}).decode()
    lines = [*LINES[:place], changed, *LINES[place + 1 :]]
    assert _refusal(_raw(lambda members: members | {"lines": lines})) == "access_log_broken"


def test_step_5_lines_after_the_signed_end() -> None:
    assert _refusal(_signed(head=HEADS[4])) == "access_log_broken"


@pytest.mark.parametrize("shorter", [0, 3])
def test_step_6_a_shorter_log_was_rolled_back(shorter: int) -> None:
    token = _signed([], after=4, head=HEADS[shorter])
    assert _refusal(token, HEADS[4]) == "access_log_rolled_back"


def test_step_6_another_end_at_the_same_place_was_rewritten() -> None:
    other = _heads(_lines(_short(6, user="nobody")))
    assert _refusal(_signed([], after=6, head=other[6]), HEADS[6]) == "access_log_rewritten"


@pytest.mark.parametrize("known", range(1, 7))
def test_a_full_log_continues_a_list_known_in_short_form(known: int) -> None:
    entries = _verified(_signed()).entries
    head = AccessHead(known, SHORT[known - 1].hash)
    assert check_short_chain(entries, head) == SHORT[5].hash
    middle = check_short_chain(entries[:3], head)
    assert check_short_chain(entries[3:], head, start=middle) == SHORT[5].hash


@pytest.mark.parametrize("known", range(1, 7))
def test_a_full_log_of_another_history_does_not(known: int) -> None:
    others = _short(6, user="nobody")
    lines = _lines(others)
    entries = _verified(_signed(lines, head=_heads(lines)[-1])).entries
    with pytest.raises(RemoteRuleError) as refusal:
        check_short_chain(entries, AccessHead(known, SHORT[known - 1].hash))
    assert refusal.value.code == "access_log_rewritten"


def test_links_that_were_only_claimed_do_not_help() -> None:
    forged = [replace(entry, hash=SHORT[place].hash) for place, entry in enumerate(_short(6, user="nobody"))]
    lines = _lines(forged, short_ones=0)
    entries = _verified(_signed(lines, head=_heads(lines)[-1])).entries
    with pytest.raises(RemoteRuleError):
        check_short_chain(entries, AccessHead(6, SHORT[5].hash), start=GENESIS)


@pytest.mark.parametrize("known", [NO_HEAD, HEADS[3]])
def test_a_request_says_which_form(known: AccessHead) -> None:
    assert parse_access_request(build_full_request(known)) == AccessRequest(known.sequence, full=True)


@pytest.mark.parametrize("content", [b'{"after":1,"form":1}', b'{"after":1,"form":3}', b'{"form":2}'])
def test_other_forms_are_malformed(content: bytes) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        parse_access_request(content)
    assert refusal.value.code == "malformed"


def test_pinned_answers_of_both_forms_read_as_ever() -> None:
    kept = json.loads(generate_access.FILE.read_text("utf-8"))
    assert generate_access.outcome(kept["answers"]) == kept["expect"]
    assert kept["expect"]["reasons"] == [None, None, "", "covering"]
