"""A kept list of looks, checked again from its first line: the steps of ``sync.access_kept``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from crypto.chain import link
from crypto.keys import SigningKey
from sync.access import AccessDetails, AccessEntry, AccessHead, next_entry, short_body
from sync.access_full import full_line, parse_line, sign_access_head
from sync.access_kept import KeptEnd, check_kept_chain, verify_kept_log
from sync.errors import RemoteRuleError
from tests.support.sync_world import AT, CLINIC_SIGNING

SUBJECT, LOOKS, OLD_LOOKS = "subject", 5, 2
DETAILS = AccessDetails("staff:17", "Praktijk Test", "ura:1", "", "permitted", "", "", "portal", "", 3, "")
Entries = list[AccessEntry]


def short_list() -> Entries:
    entries, head = [], AccessHead(0, "sha256:" + "0" * 64)
    for number in range(LOOKS):
        moment = AT + timedelta(minutes=number)
        entry = next_entry(
            head, at=moment, user="dr. Test", role="arts", action="open", categories=["labs"], purpose="TREAT"
        )
        entries.append(entry)
        head = AccessHead(entry.sequence, entry.hash)
    return entries


def full_list() -> Entries:
    """The same looks in full; the first ones are older than that form."""
    found: Entries = []
    seal = "sha256:" + "0" * 64
    for entry in short_list():
        old = entry.sequence <= OLD_LOOKS
        line = short_body(entry).decode() if old else full_line(entry, DETAILS)
        following = link(seal, line.encode())
        found.append(replace(parse_line(line), previous=seal, hash=following, line=line))
        seal = following
    return found


KEPT = full_list()
END = AccessHead(LOOKS, KEPT[-1].hash)


def signed(head: AccessHead = END, *, key: SigningKey = CLINIC_SIGNING, subject: str = SUBJECT) -> str:
    return sign_access_head(head, subject=subject, key=key, at=AT)


def refusal(entries: Entries, token: str) -> str:
    with pytest.raises(RemoteRuleError) as refused:
        verify_kept_log(entries, token, CLINIC_SIGNING.public, subject=SUBJECT)
    return refused.value.code


def relinked(entries: Entries) -> Entries:
    """The chain made anew over these lines, as a forger without the recipient's key would."""
    found: Entries = []
    seal = "sha256:" + "0" * 64
    for entry in entries:
        following = link(seal, entry.line.encode())
        found.append(replace(entry, previous=seal, hash=following))
        seal = following
    return found


def test_a_whole_list_holds_with_and_without_what_its_lines_tell_more() -> None:
    bare = [replace(entry, details=None) for entry in KEPT]
    for entries in (KEPT, bare):
        found = verify_kept_log(entries, signed(), CLINIC_SIGNING.public, subject=SUBJECT)
        assert found == KeptEnd(END, AT)


def test_an_empty_list_with_an_end_at_nothing_holds() -> None:
    nothing = AccessHead(0, "sha256:" + "0" * 64)
    assert verify_kept_log([], signed(nothing), CLINIC_SIGNING.public, subject=SUBJECT).head == nothing


@pytest.mark.parametrize(
    "token",
    [signed(key=SigningKey.from_seed(b"9" * 32)), signed(subject="other"), signed()[:-4] + "AAAA", "x", ""],
    ids=["other_key", "other_patient", "signature", "no_token", "nothing"],
)
def test_step_1_the_end_is_the_recipients_and_about_this_patient(token: str) -> None:
    assert refusal(KEPT, token) == "bad_access_log"


@pytest.mark.parametrize(
    "change",
    [
        {"user": "dr. Ander"},
        {"role": "assistent"},
        {"action": "print"},
        {"purpose": "HRESCH"},
        {"categories": ()},
        {"at": AT + timedelta(days=1)},
        {"details": replace(DETAILS, user_id="staff:1")},
        {"line": "{}"},
        {"line": "no json"},
    ],
    ids=str,
)
def test_step_3_what_is_read_is_what_was_chained(change: dict[str, object]) -> None:
    entries = [*KEPT]
    entries[3] = replace(entries[3], **change)  # type: ignore[arg-type] # members by name
    assert refusal(entries, signed()) == "bad_access_log"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda entries: entries[1:], "access_log_gap"),
        (lambda entries: [*entries[:2], *entries[3:]], "access_log_gap"),
        (lambda entries: [entries[1], entries[0], *entries[2:]], "access_log_gap"),
        (lambda entries: [*entries, entries[-1]], "access_log_gap"),
        (lambda entries: [*entries[:4], replace(entries[4], sequence=2**70)], "access_log_gap"),
    ],
    ids=["first_gone", "one_gone", "swapped", "twice", "no_number_json_knows"],
)
def test_step_2_looks_are_numbered_from_1(damage: Callable[[Entries], Entries], code: str) -> None:
    assert refusal(damage(KEPT), signed()) == code


@pytest.mark.parametrize("link_of", ["previous", "hash"])
@pytest.mark.parametrize("place", range(LOOKS))
def test_step_4_every_look_stands_there_with_its_own_links(place: int, link_of: str) -> None:
    entries = [*KEPT]
    entries[place] = replace(entries[place], **{link_of: "sha256:" + "1" * 64})
    assert refusal(entries, signed()) == "access_log_broken"


def test_step_5_looks_missing_at_the_end_are_seen() -> None:
    for count in range(LOOKS):
        assert refusal(KEPT[:count], signed()) == "access_log_gap"


def test_step_5_looks_after_the_end_are_seen() -> None:
    assert refusal(KEPT, signed(AccessHead(4, KEPT[3].hash))) == "access_log_broken"


def test_step_5_a_list_made_anew_without_the_recipients_key_is_seen() -> None:
    line = KEPT[3].line.replace("dr. Test", "dr. Niemand")
    forged = relinked([*KEPT[:3], replace(parse_line(line), line=line), *KEPT[4:]])
    assert check_kept_chain(forged).sequence == LOOKS  # the chain alone does not tell
    assert refusal(forged, signed()) == "access_log_rewritten"


def test_a_list_in_short_form_shows_that_it_is_in_one_piece() -> None:
    entries = short_list()
    assert check_kept_chain(entries) == AccessHead(LOOKS, entries[-1].hash)
    entries[2] = replace(entries[2], user="dr. Ander")
    with pytest.raises(RemoteRuleError) as refused:
        check_kept_chain(entries)
    assert refused.value.code == "access_log_broken"
