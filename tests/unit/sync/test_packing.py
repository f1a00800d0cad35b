"""Packing gives back what it was given, and opens nothing that is too much or is not whole."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import RemoteRuleError
from sync.packing import pack, unpack

LIMIT = 1_000_000


@given(st.binary(max_size=5_000))
def test_what_was_packed_comes_back(content: bytes) -> None:
    assert unpack(pack(content), max_bytes=LIMIT) == content


@given(st.binary(max_size=500), st.integers(0, 600), st.binary(min_size=1, max_size=5))
def test_a_changed_frame_opens_to_bounded_content_or_not(content: bytes, place: int, other: bytes) -> None:
    frame = pack(content)
    changed = frame[:place] + other + frame[place + len(other) :]
    with contextlib.suppress(RemoteRuleError):  # its only error, whatever came
        assert len(unpack(changed, max_bytes=LIMIT)) <= LIMIT


def test_the_largest_content_opens_and_one_byte_more_does_not() -> None:
    frame = pack(bytes(LIMIT))
    assert len(unpack(frame, max_bytes=LIMIT)) == LIMIT
    with pytest.raises(RemoteRuleError, match="cannot_open"):
        unpack(frame, max_bytes=LIMIT - 1)


def test_a_bomb_costs_no_more_than_the_limit() -> None:
    bomb = pack(bytes(200_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(RemoteRuleError, match="cannot_open"):
            unpack(bomb, max_bytes=LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT
