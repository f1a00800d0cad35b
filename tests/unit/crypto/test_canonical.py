from __future__ import annotations

import base64
import contextlib
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import b64url, b64url_decode, canonical_bytes, parse_strict, sha256_id
from crypto.errors import Malformed
from tests.support.vectors import load

CANONICAL = load("crypto/canonical.json")["cases"]
STRICT = load("crypto/strict_json.json")["cases"]

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def _input(case: dict[str, Any]) -> bytes:
    if case["input_b64"] is None:
        return str(case["repeat"]).encode() * 100_000
    return base64.b64decode(case["input_b64"])


@pytest.mark.parametrize("case", CANONICAL, ids=lambda case: case["name"])
def test_canonical_bytes_follow_the_rfc(case: dict[str, Any]) -> None:
    assert canonical_bytes(case["value"]) == case["expect"].encode()


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        Decimal("1.5"),
        2**53,
        -(2**53),
        "\ud800",
        {"\ud800": 1},
        b"bytes",
        {1: "a"},
        pytest.param([object()], id="object"),
        {"a": {1, 2}},
    ],
    ids=repr,
)
def test_values_without_one_spelling_are_refused(value: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        canonical_bytes(value)
    assert refusal.value.reason == "not_canonical"


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(Malformed):
        canonical_bytes(endless)


@given(JSON)
def test_canonical_bytes_survive_reading_and_writing(value: Any) -> None:
    once = canonical_bytes(value)
    assert parse_strict(once, max_bytes=10**6) == value
    assert canonical_bytes(parse_strict(once, max_bytes=10**6)) == once


@given(st.dictionaries(TEXT, WHOLE, max_size=6), st.randoms())
def test_order_of_members_never_matters(value: dict[str, int], random: Any) -> None:
    names = list(value)
    random.shuffle(names)
    assert canonical_bytes({name: value[name] for name in names}) == canonical_bytes(value)


@pytest.mark.parametrize("case", STRICT, ids=lambda case: case["name"])
def test_strict_reading_accepts_or_names_the_rule(case: dict[str, Any]) -> None:
    data = _input(case)
    try:
        parse_strict(data, max_bytes=10**6)
        found = "ok"
    except Malformed as refusal:
        found = refusal.reason
    assert found == case["expect"]


@pytest.mark.parametrize(
    ("data", "reason", "position"),
    [
        (b'{"a": nope}', "not_json", 6),
        (b'"ab\xff"', "not_utf8", 3),
        (b"\xef\xbb\xbf1", "byte_order_mark", 0),
        (b"123456", "too_large", 5),
    ],
)
def test_refusal_says_where(data: bytes, reason: str, position: int) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_strict(data, max_bytes=5 if reason == "too_large" else 100)
    assert (refusal.value.reason, refusal.value.position) == (reason, position)


def test_limit_is_included() -> None:
    assert parse_strict(b"12345", max_bytes=5) == 12345


def test_numbers_keep_their_precision() -> None:
    value = parse_strict(b"[1.10, 1e2, 9007199254740993, -0.0]", max_bytes=100)
    assert value == [Decimal("1.10"), Decimal("1e2"), 9007199254740993, Decimal("-0.0")]
    assert isinstance(value, list)
    assert str(value[0]) == "1.10"


def test_depth_zero_allows_scalars_only() -> None:
    assert parse_strict(b'"["', max_bytes=10, max_depth=0) == "["
    with pytest.raises(Malformed) as refusal:
        parse_strict(b"[]", max_bytes=10, max_depth=0)
    assert refusal.value.reason == "too_deep"


@pytest.mark.parametrize(
    "hostile",
    [b"[" * 10**6, b"[]" * 10**6, b'"' + b'\\"' * 10**6, b"[[]" * 10**5, b'{"a":' * 10**5],
    ids=["open", "pairs", "quotes", "half open", "objects"],
)
def test_hostile_shapes_are_refused_quickly(hostile: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(Malformed):
        parse_strict(hostile, max_bytes=10**7)
    assert time.monotonic() - started < 5  # linear: far below a second on any machine


@given(JSON)
def test_agrees_with_the_standard_reader_on_good_input(value: Any) -> None:
    data = json.dumps(value).encode()
    assert parse_strict(data, max_bytes=10**6) == json.loads(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        parse_strict(data, max_bytes=1000)


def test_error_text_holds_no_content() -> None:
    with pytest.raises(Malformed) as refusal:
        parse_strict(b'{"name": "Jansen", "name": "Jansen"}', max_bytes=100)
    assert "Jansen" not in str(refusal.value)
    assert str(refusal.value) == "malformed: duplicate_key"


@given(st.binary(max_size=100))
def test_base64url_round_trip(data: bytes) -> None:
    text = b64url(data)
    assert "=" not in text
    assert b64url_decode(text) == data


@pytest.mark.parametrize("text", ["QQ==", "Q", "QR", "Q Q", "QQ\n", "+/+/", "é", "QQ=", "AAAAA"])
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(Malformed) as refusal:
        b64url_decode(text)
    assert refusal.value.reason == "not_base64url"


def test_sha256_id_of_nothing() -> None:
    # FIPS 180-4: digest of the empty message.
    assert sha256_id(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
