from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Malformed
from crypto.slices import Cutter


def _cutter(data: bytes) -> Cutter:
    return Cutter(data, max_bytes=10_000)


def test_pieces_are_the_bytes_as_they_came() -> None:
    data = b' { "a" : 1.10 , "b":[ {"x":"\\u00e9"} ,2e0 ] } '
    cutter = _cutter(data)
    assert {name: cutter.take() for name in cutter.members()} == {
        "a": b"1.10",
        "b": b'[ {"x":"\\u00e9"} ,2e0 ]',
    }
    cutter.finish()


def test_values_that_nobody_takes_are_skipped() -> None:
    cutter = _cutter(b'{"skip": [1, {"deep": []}], "take": "x", "last": null}')
    assert [cutter.take() for name in cutter.members() if name == "take"] == [b'"x"']
    cutter.finish()


def test_items_number_from_zero_and_may_be_walked() -> None:
    cutter = _cutter(b'[{"v":1},[],{"v":3}]')
    found = []
    for number in cutter.items():
        if number != 1:
            found += [(number, cutter.take()) for _ in cutter.members()]
    assert found == [(0, b"1"), (2, b"3")]


@pytest.mark.parametrize("data", [b"{}", b"[]", b" { } ", b" [ ] "])
def test_empty_containers_have_no_pieces(data: bytes) -> None:
    cutter = _cutter(data)
    walk = cutter.members() if b"{" in data else cutter.items()
    assert list(walk) == []
    cutter.finish()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":2}', "duplicate_key"),
        (b'{"a" 1}', "not_json"),
        (b'{"a":}', "not_json"),
        (b'{"a":1', "not_json"),
        (b'{"a":1,}', "not_json"),
        (b"{1:2}", "not_json"),
        (b"[1]", "not_json"),
        (b'{"a":1} x', "not_json"),
        (b'{"a":' + b"1" * 5000 + b"}", "not_json"),
        (b"", "not_json"),
        (b"[" * 65, "too_deep"),
        (b"\xff", "not_utf8"),
        (b" " * 10_001, "too_large"),
    ],
)
def test_broken_text_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as refusal:
        _walk(data)
    assert refusal.value.reason == reason


def _walk(data: bytes) -> None:
    cutter = _cutter(data)
    for _ in cutter.members():
        cutter.take()
    cutter.finish()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=5), st.sampled_from([None, 1, "\t"]))
def test_every_member_comes_out_whole(value: dict[str, Any], indent: int | str | None) -> None:
    try:
        data = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    cutter = Cutter(data, max_bytes=10**6)
    pieces = {name: cutter.take() for name in cutter.members()}
    cutter.finish()
    assert {name: json.loads(piece) for name, piece in pieces.items()} == value
    assert all(piece in data for piece in pieces.values())
