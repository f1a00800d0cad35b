"""Both ways of cutting give the same slices, whatever stands inside them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgo.health.record import slicing

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=5), st.sampled_from([None, 1]))
def test_members_agree_with_json(value: dict[str, Any], indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=False, indent=indent).encode()
    fast = slicing.members(data)
    assert {name: json.loads(piece) for name, piece in fast.items()} == value
    slow = [piece for _, piece in slicing._counted_members(data)]
    assert slow == list(fast.values())


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1]))
def test_items_agree_with_json(value: list[Any], indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=False, indent=indent).encode()
    assert [json.loads(piece) for piece in slicing.items(data)] == value
    assert list(slicing._counted(data, b"[")) == slicing.items(data)


def test_the_slow_way_gets_around_what_no_parser_takes() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    assert slicing.items(b'[{"a": NaN}, "\\ud800",' + deep + b"]") == [b'{"a": NaN}', b'"\\ud800"', deep]


@pytest.mark.parametrize("data", [b"", b"[1", b'"x"', b"{}", b"[1] 2", b"[1}}"])
def test_what_has_no_outer_list_is_not_cut(data: bytes) -> None:
    with pytest.raises(slicing.NotSliceable):
        slicing.items(data)
