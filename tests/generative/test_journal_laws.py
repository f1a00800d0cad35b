"""Laws of the journal's check: nothing done to a journal file goes unnoticed, each fault has its place."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import canonical_bytes
from crypto.chain import GENESIS, link
from crypto.keys import SigningKey
from pgo.errors import InputRefused
from pgo.usecases.journal_file import build_journal_file, verify_journal_file
from pgo.usecases.journal_verify import Fault, Finding

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = SigningKey.from_seed(bytes(range(32)))
OTHER_KEY = SigningKey.from_seed(bytes(range(1, 33)))
OURS, THEIRS = "0a" * 16, "0b" * 16
Rows: TypeAlias = "list[tuple[int, bytes, str]]"
places = st.integers(min_value=0, max_value=10**6)


def rows(count: int, *, salt: int = 0) -> Rows:
    made: Rows = []
    head = GENESIS
    for position in range(count):
        at = (START + timedelta(minutes=position)).isoformat()
        body = canonical_bytes({"at": at, "details": {"record": position + salt}, "event": "record_saved"})
        head = link(head, body)
        made.append((position, body, head))
    return made


def a_file(count: int, *, journal: str = OURS, key: SigningKey = KEY, salt: int = 0) -> list[bytes]:
    data = build_journal_file(rows(count, salt=salt), journal=journal, key=key, at=START)
    return data.removesuffix(b"\n").split(b"\n")


def findings(lines: list[bytes]) -> tuple[tuple[Fault, int, int], ...]:
    found = verify_journal_file(b"\n".join(lines) + b"\n", key=KEY.public).findings
    return tuple((one.fault, one.position, one.until) for one in found)


def with_body(line: bytes, **members: Any) -> bytes:
    value = json.loads(line)
    value["body"] |= members
    return canonical_bytes(value)


def numbered(line: bytes, position: int) -> bytes:
    return canonical_bytes(json.loads(line) | {"position": position})


def outcome(data: bytes) -> str:
    """'' for a journal that passes, else why not."""
    try:
        found = verify_journal_file(data, key=KEY.public, journal=OURS).findings
    except InputRefused as refused:
        return refused.code
    return found[0].fault.value if found else ""


@given(st.integers(min_value=0, max_value=30))
def test_a_journal_as_written_holds(count: int) -> None:
    checked = verify_journal_file(b"\n".join(a_file(count)) + b"\n", key=KEY.public, journal=OURS)
    assert (checked.count, checked.findings) == (count, ())
    assert checked.fingerprint == KEY.public.fingerprint()


@given(st.integers(min_value=1, max_value=30), places)
def test_a_changed_line_is_named_and_nothing_else(count: int, place: int) -> None:
    lines, at = a_file(count), place % count
    lines[at] = with_body(lines[at], event="record_removed")
    assert findings(lines) == ((Fault.CHANGED, at, at),)


@given(st.integers(min_value=1, max_value=30), places)
def test_a_changed_link_is_named(count: int, place: int) -> None:
    lines, at = a_file(count), place % count
    lines[at] = canonical_bytes(json.loads(lines[at]) | {"link": "sha256:" + "ab" * 32})
    assert (Fault.CHANGED, at, at) in findings(lines)
    assert {fault for fault, _, _ in findings(lines)} == {Fault.CHANGED}


@given(st.integers(min_value=1, max_value=30), places)
def test_a_file_cut_at_its_end_says_which_lines_are_gone(count: int, place: int) -> None:
    lines, left = a_file(count), place % count
    assert findings([*lines[:left], lines[-1]]) == ((Fault.TRUNCATED, left, count - 1),)


@given(st.integers(min_value=3, max_value=30), places, places)
def test_lines_taken_out_of_the_middle_are_named(count: int, one: int, other: int) -> None:
    first, until = sorted((one % (count - 1), other % (count - 1)))
    lines = a_file(count)
    del lines[first : until + 1]
    assert findings(lines) == ((Fault.MISSING, first, until),)


@given(st.integers(min_value=3, max_value=30), places)
def test_a_line_taken_out_with_the_rest_renumbered_is_named(count: int, place: int) -> None:
    lines, at = a_file(count), place % (count - 2)
    kept = [*lines[:at], *(numbered(line, n) for n, line in enumerate(lines[at + 1 : -1], start=at))]
    assert findings([*kept, lines[-1]]) == ((Fault.MISSING, at, at),)


@given(st.integers(min_value=2, max_value=30), places, places)
def test_a_moved_line_is_named_once(count: int, one: int, other: int) -> None:
    start, end = one % count, other % count
    lines = a_file(count)
    lines.insert(end, lines.pop(start))
    expected = () if start == end else ((Fault.MOVED, start, start),)
    found = findings(lines)
    # Two neighbours that changed places: either of them may be called the moved one.
    assert found == expected or (abs(start - end) == 1 and found == ((Fault.MOVED, end, end),))


@given(st.integers(min_value=2, max_value=30), places, places)
def test_two_lines_that_changed_places_are_named(count: int, one: int, other: int) -> None:
    first, second = sorted((one % count, other % count))
    lines = a_file(count)
    lines[first], lines[second] = lines[second], lines[first]
    moved = {position for fault, position, _ in findings(lines) if fault is Fault.MOVED}
    assert moved <= {first, second}
    assert bool(moved) is (first != second)
    assert {fault for fault, _, _ in findings(lines)} <= {Fault.MOVED}


@given(st.integers(min_value=1, max_value=30), places, places)
def test_a_line_that_stands_twice_is_named(count: int, which: int, where: int) -> None:
    lines = a_file(count)
    taken = which % count
    place = taken + 1 + where % (count - taken)
    lines.insert(place, lines[taken])
    assert findings(lines) == ((Fault.DUPLICATED, taken, taken),)


@given(st.integers(min_value=1, max_value=30), places, st.booleans())
def test_a_line_squeezed_in_is_named(count: int, place: int, renumber: bool) -> None:
    lines, at = a_file(count), place % count
    forged = with_body(lines[at], event="grant_signed")
    rest = lines[at:-1]
    if renumber:
        rest = [numbered(line, n) for n, line in enumerate(rest, start=at + 1)]
    found = findings([*lines[:at], forged, *rest, lines[-1]])
    assert found[0] == (Fault.INSERTED, at, at)
    assert {fault for fault, _, _ in found[1:]} <= ({Fault.RENUMBERED} if renumber else set())


@given(st.integers(min_value=1, max_value=20), places)
def test_a_line_of_another_journal_is_named(count: int, place: int) -> None:
    lines, at = a_file(count), place % count
    lines.insert(at, a_file(count, journal=THEIRS, salt=7)[at])
    assert findings(lines) == ((Fault.FOREIGN, at, at),)


@given(st.integers(min_value=0, max_value=20), st.integers(min_value=1, max_value=5))
def test_lines_after_the_signed_end_are_named(count: int, more: int) -> None:
    longer = a_file(count + more)
    assert findings([*longer[:-1], a_file(count)[-1]]) == ((Fault.ADDED, count, count + more - 1),)


@given(st.integers(min_value=1, max_value=20), places)
def test_a_chain_made_anew_after_a_change_does_not_pass(count: int, place: int) -> None:
    lines, at = a_file(count), place % count
    head = GENESIS if at == 0 else json.loads(lines[at - 1])["link"]
    for number in range(at, count):
        value = json.loads(with_body(lines[number], event="unlocked"))
        head = link(head, canonical_bytes(value["body"]))
        lines[number] = canonical_bytes(value | {"link": head})
    assert findings(lines) == ((Fault.OTHER_END, count - 1, count - 1),)


@given(st.integers(min_value=1, max_value=12), places, st.integers(min_value=0, max_value=7))
def test_no_flipped_bit_anywhere_goes_unnoticed(count: int, place: int, bit: int) -> None:
    data = bytearray(b"\n".join(a_file(count)) + b"\n")
    data[place % len(data)] ^= 1 << bit
    assert outcome(bytes(data)) != ""


@given(
    st.lists(st.tuples(st.sampled_from(["drop", "twice", "swap", "edit"]), places), min_size=1, max_size=4)
)
def test_whatever_is_done_the_check_ends_and_passes_only_the_original(steps: list[tuple[str, int]]) -> None:
    lines = a_file(8)
    body, end = lines[:-1], lines[-1]
    for what, place in steps:
        if not body:
            break
        at = place % len(body)
        _STEPS[what](body, at)
    assert bool(findings([*body, end])) is (body != lines[:-1])


_STEPS: dict[str, Callable[[list[bytes], int], Any]] = {
    "drop": lambda body, at: body.pop(at),
    "twice": lambda body, at: body.insert(at, body[at]),
    "swap": lambda body, at: body.insert(0, body.pop(at)),
    "edit": lambda body, at: body.__setitem__(at, with_body(body[at], event="exported")),
}


def test_every_move_swap_double_and_pair_of_edits_of_a_short_journal_is_named() -> None:
    tried = 0
    for count in range(2, 8):
        original = a_file(count)
        for one, other in product(range(count), repeat=2):
            moved, swapped, doubled, edited = (list(original) for _ in range(4))
            moved.insert(other, moved.pop(one))
            swapped[one], swapped[other] = swapped[other], swapped[one]
            doubled.insert(other, doubled[one])
            edited[one] = with_body(edited[one], event="exported")
            edited[other] = with_body(edited[other], event="unlocked")
            if one != other:
                assert findings(moved) in [((Fault.MOVED, at, at),) for at in (one, other)]
                assert {(fault, at) for fault, at, _ in findings(swapped)} <= {
                    (Fault.MOVED, one),
                    (Fault.MOVED, other),
                }
                assert findings(swapped)
            assert Fault.DUPLICATED in {fault for fault, _, _ in findings(doubled)}
            assert {(fault, at) for fault, at, _ in findings(edited)} == {
                (Fault.CHANGED, one),
                (Fault.CHANGED, other),
            }
            tried += 4
    print(f"journal: {tried} changed files, 0 accepted")


def test_a_journal_turned_round_and_one_number_for_all_lines_end_in_time() -> None:
    lines = a_file(1_500)
    turned = findings([*reversed(lines[:-1]), lines[-1]])
    assert {fault for fault, _, _ in turned} == {Fault.MOVED}
    same = [numbered(line, 5) for line in a_file(1_500, salt=9)[:-1]]
    assert findings([*lines[:5], *same, lines[-1]])[0][0] in (Fault.CHANGED, Fault.INSERTED)


def test_an_end_signed_by_somebody_else_is_refused() -> None:
    forged = b"\n".join(a_file(3, key=OTHER_KEY))
    with pytest.raises(InputRefused) as refused:
        verify_journal_file(forged, key=KEY.public)
    assert refused.value.code == "journal_other_key"
    stranger = verify_journal_file(forged)
    assert stranger.fingerprint == OTHER_KEY.public.fingerprint()


def test_a_file_without_its_end_or_of_another_vault_is_refused() -> None:
    lines = a_file(3)
    for data, code in (
        (b"\n".join(lines[:-1]), "journal_no_end"),
        (b"", "journal_no_end"),
        (b"{}\n", "journal_no_end"),
    ):
        with pytest.raises(InputRefused) as refused:
            verify_journal_file(data)
        assert refused.value.code == code
    with pytest.raises(InputRefused) as other:
        verify_journal_file(b"\n".join(lines), journal=THEIRS)
    assert other.value.code == "journal_other_vault"


def test_an_unreadable_line_is_named_with_its_line_in_the_file() -> None:
    lines = a_file(4)
    lines.insert(2, b"not a line")
    assert verify_journal_file(b"\n".join(lines)).findings == (Finding(Fault.UNREADABLE, 2, 2, line=3),)


def test_the_signed_end_cannot_be_edited() -> None:
    lines = a_file(4)
    end = json.loads(lines[-1])
    head, payload, signature = end["head"].split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) | {"count": 3}
    edited = base64.urlsafe_b64encode(canonical_bytes(said)).rstrip(b"=").decode()
    lines[-1] = canonical_bytes(end | {"head": f"{head}.{edited}.{signature}"})
    with pytest.raises(InputRefused) as refused:
        verify_journal_file(b"\n".join(lines[:3] + lines[-1:]))
    assert refused.value.code == "journal_bad_signature"
