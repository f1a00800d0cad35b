"""One value, one spelling; and strict reading of what others spelled.

`canonical_bytes` gives the bytes that we sign and hash (RFC 8785). `parse_strict` is the only reader
for JSON that comes from outside. Neither repairs anything: input that two readers could understand
differently is refused with a reason.

Rules of `parse_strict`:

1. at most `max_bytes` bytes, UTF-8 without byte order mark (RFC 8259 section 8.1);
2. brackets nest at most `max_depth` deep, counted before parsing, so no input can exhaust the stack;
3. no member name twice in one object (RFC 8259 section 4 leaves the meaning open);
4. no NaN or Infinity, no number with an absurd number of digits; a number with a fraction becomes a
   `Decimal`, because a binary float turns 1.10 into 1.1 and FHIR says precision matters;
5. no lone surrogates and no U+0000: neither survives storage in UTF-8 text columns.

>>> canonical_bytes({"b": 1, "a": ["x", None]})
b'{"a":["x",null],"b":1}'
>>> parse_strict(b'{"value": 1.10}', max_bytes=100)
{'value': Decimal('1.10')}

Sources: RFC 8785 (https://www.rfc-editor.org/rfc/rfc8785), RFC 8259, RFC 4648 section 5,
FHIR R4 JSON (https://hl7.org/fhir/R4/json.html) on precision.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NoReturn, TypeAlias, cast

import rfc8785

from crypto.errors import Malformed

JsonValue: TypeAlias = "bool | int | Decimal | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""What JSON can hold once it is read; numbers with a fraction are `Decimal`, never `float`."""

_Plain: TypeAlias = "bool | int | str | list[_Plain] | dict[str, _Plain] | None"

MAX_NUMBER_LENGTH = 1_000
"""Characters of one number. Python itself stops at 4300 digits; no measurement needs a tenth of this."""

MAX_EXPONENT = 6_144
"""Largest exponent kept, that of IEEE 754 decimal128; a larger one fills the memory when spread out."""

# A JSON string, closed or running to the end of the text. Possessive, so that time stays linear.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_PAIR = re.compile(rb"\[\]|\{\}")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")
# What may end a text whose last group is short: the bits that carry nothing are zero (RFC 4648 section 3.5).
_LAST_CHARACTER = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}


def canonical_bytes(value: JsonValue) -> bytes:
    """Write a value in the one form of RFC 8785.

    Args:
        value: Objects, lists, strings, integers below 2**53, booleans, null. No floats and no
            decimals: number formatting is where canonical JSON breaks, so our records carry none.

    Returns:
        UTF-8 bytes. Strings are kept as they are (no Unicode normalisation, as the RFC demands).

    Raises:
        Malformed: reason `not_canonical` when the value has no such form.
    """
    try:
        return rfc8785.dumps(_plain(value, 0))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as exc:
        raise Malformed("not_canonical") from exc


def parse_strict(data: bytes, *, max_bytes: int, max_depth: int = 64) -> JsonValue:
    """Read JSON from outside by the rules of this module.

    Args:
        data: Untrusted bytes.
        max_bytes: Refuse more than this.
        max_depth: Refuse deeper nesting (at most 500); a scalar has depth 0, `[]` has depth 1.

    Returns:
        Dicts, lists, str, int, Decimal, bool or None.

    Raises:
        Malformed: with reason `too_large`, `byte_order_mark`, `not_utf8`, `too_deep`, `not_json`,
            `duplicate_key`, `not_a_number`, `lone_surrogate` or `nul`.
    """
    text = decode_strict(data, max_bytes=max_bytes, max_depth=max_depth)
    value = _loads(text)
    if "\\u" in text:  # surrogates and NUL can only come in as escapes: raw ones are refused above
        _refuse_characters(value)
    return value


def decode_strict(data: bytes, *, max_bytes: int, max_depth: int) -> str:
    """Check rules 1 and 2 of this module and return the text, not yet parsed.

    Raises:
        Malformed: with reason `too_large`, `byte_order_mark`, `not_utf8` or `too_deep`.
    """
    if len(data) > max_bytes:
        raise Malformed("too_large", position=max_bytes)
    if data.startswith(codecs.BOM_UTF8):
        raise Malformed("byte_order_mark", position=0)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Malformed("not_utf8", position=exc.start) from exc
    _refuse_depth(data, max_depth)
    return text


def sha256_id(data: bytes) -> str:
    """Name bytes by their SHA-256: `sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def b64url(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 4648 section 5, RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64url_decode(text: str) -> bytes:
    """Read base64url without padding; one byte string has exactly one accepted spelling.

    Raises:
        Malformed: reason `not_base64url` for padding, foreign characters, impossible length or
            leftover bits that are not zero.
    """
    left_over = len(text) % 4
    if left_over == 1 or not _BASE64URL.match(text):
        raise Malformed("not_base64url")
    if left_over and text[-1] not in _LAST_CHARACTER[left_over]:
        raise Malformed("not_base64url")
    return binascii.a2b_base64(text.encode("ascii").translate(_TO_BASE64) + b"=" * (-left_over % 4))


def _plain(value: JsonValue, depth: int) -> _Plain:
    if depth > 64:
        raise Malformed("not_canonical")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(member, depth + 1) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member, depth + 1) for member in value]
    raise Malformed("not_canonical")


def _refuse_depth(data: bytes, max_depth: int) -> None:
    # Strings out, then everything but brackets out, then peel the innermost pairs: a well-formed text
    # of depth d is empty after d rounds, each one pass in C over a shrinking text. Only a text that is
    # not empty by then is walked bracket by bracket, to tell "too deep" from "brackets do not match"
    # (which the parser then reports; it stops at the first mismatch, so its own depth is bounded too).
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    rest = brackets
    for _ in range(max_depth):
        peeled = _PAIR.sub(b"", rest)
        if len(peeled) == len(rest):
            break
        rest = peeled
    if rest and _climbs_above(brackets, max_depth):
        raise Malformed("too_deep")


def _climbs_above(brackets: bytes, max_depth: int) -> bool:
    depth = 0
    for byte in brackets:
        depth += 1 if byte in b"[{" else -1
        if depth > max_depth:
            return True
        if depth < 0:
            return False
    return False


def _loads(text: str) -> JsonValue:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object_without_duplicates,
            parse_float=_decimal,
            parse_constant=_refuse_constant,
            parse_int=_integer,
        )
    except json.JSONDecodeError as exc:
        raise Malformed("not_json", position=exc.pos) from exc
    return cast(JsonValue, value)


def _object_without_duplicates(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("duplicate_key")
    return members


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise Malformed("not_json")
    return int(digits)


def _decimal(digits: str) -> Decimal:
    _, _, exponent = digits.lower().partition("e")
    too_long = len(digits) > MAX_NUMBER_LENGTH or len(exponent) > MAX_NUMBER_LENGTH
    if too_long or abs(int(exponent or "0")) > MAX_EXPONENT:
        raise Malformed("not_json")
    return Decimal(digits)


def _refuse_constant(_name: str) -> NoReturn:
    raise Malformed("not_a_number")


def _refuse_characters(value: JsonValue) -> None:
    waiting: list[JsonValue] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            _refuse_text(item)
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _refuse_text(text: str) -> None:
    if "\x00" in text:
        raise Malformed("nul")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise Malformed("lone_surrogate") from exc
