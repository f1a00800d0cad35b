"""The content of a removal: what is asked to go."""

from __future__ import annotations

import json

import pytest

from sync.errors import LocalRuleError, RemoteRuleError
from sync.removal import MAX_GONE, build_removal, parse_removal


def test_what_is_built_is_read_back_in_order() -> None:
    content = build_removal(["Observation/r2", "Condition/r1"])
    assert parse_removal(content) == ("Condition/r1", "Observation/r2")


def test_the_same_wish_has_the_same_bytes() -> None:
    assert build_removal(["A0/r1", "Bb/r2"][1:]) == build_removal(["Bb/r2"])
    assert build_removal(["Bb/r2", "Aa/r1"]) == build_removal(["Aa/r1", "Bb/r2"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"v":1}',
        b'{"v":1,"gone":[]}',
        b'{"v":1,"gone":"Observation/r1"}',
        b'{"v":1,"gone":[1]}',
        b'{"v":1,"gone":["Observation/r1","Observation/r1"]}',
        b'{"v":1,"gone":["../r1"]}',
        b'{"v":1,"gone":["Observation/r1/_history/1"]}',
        b'{"v":1,"gone":["Observation"]}',
        b'{"v":1,"gone":["Observation/r1"],"statement":"x"}',
        b'{"v":2,"gone":["Observation/r1"]}',
        b'{"v":true,"gone":["Observation/r1"]}',
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        parse_removal(content)
    assert refusal.value.code == "bad_content"


def test_more_than_the_limit_is_refused_at_both_ends() -> None:
    names = [f"Observation/r{number}" for number in range(MAX_GONE + 1)]
    assert len(parse_removal(build_removal(names[:-1]))) == MAX_GONE
    with pytest.raises(LocalRuleError):
        build_removal(names)
    with pytest.raises(RemoteRuleError):
        parse_removal(json.dumps({"v": 1, "gone": names}).encode())
