"""Cut a JSON document into exact byte slices without decoding what is inside them.

The fast way is msgspec, which hands out each member of an object as the bytes it stood in. It refuses the
whole text as soon as one entry holds something no JSON parser takes (a bare ``NaN``, half a surrogate pair,
10,000 brackets). One bad entry must not take the file with it, so then a bracket counter cuts the same
slices; it looks at strings and brackets only and needs no stack.

Neither way judges a slice: that is the strict reader's work, one slice at a time. (``crypto.slices`` cuts
as well, but refuses the whole text for one bad piece: right for messages, wrong for a patient's file.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[][{},:]', re.DOTALL)
_SPACE = b" \t\r\n"

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


class NotSliceable(Exception):
    """The text has no outer structure that can be followed."""


def members(data: bytes) -> dict[str, bytes]:
    """Give the members of an object as exact slices.

    Args:
        data: UTF-8 JSON text of one object, untrusted.

    Returns:
        Name to bytes; of a name that occurs twice the last counts (the strict reader refuses such an object).

    Raises:
        NotSliceable: when it is no object or has no end.
    """
    try:
        return {name: bytes(raw) for name, raw in _members.decode(data).items()}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return dict(_counted_members(data))


def items(data: bytes) -> list[bytes]:
    """Give the items of a list as exact slices, in order.

    Raises:
        NotSliceable: when it is no list or has no end.
    """
    try:
        return [bytes(raw) for raw in _items.decode(data)]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return list(_counted(data, b"["))


def _counted_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    for piece in _counted(data, b"{"):
        name = _TOKEN.match(piece)
        rest = piece[name.end() :].lstrip(_SPACE) if name else b""
        if name is None or not name.group().startswith(b'"') or not rest.startswith(b":"):
            raise NotSliceable
        yield name.group()[1:-1].decode("utf-8", "replace"), rest[1:].strip(_SPACE)


def _counted(data: bytes, opener: bytes) -> Iterator[bytes]:
    """Cut at the commas of the outermost level."""
    if data.strip(_SPACE)[:1] != opener:
        raise NotSliceable
    depth, start = 0, 0
    for token in _TOKEN.finditer(data):
        mark = token.group()
        if mark in (b"[", b"{"):
            depth += 1
            if depth == 1:
                start = token.end()
        elif mark in (b"]", b"}"):
            depth -= 1
            if depth == 0:
                last = data[start : token.start()].strip(_SPACE)
                if last:
                    yield last
                if data[token.end() :].strip(_SPACE):
                    raise NotSliceable
                return
        elif mark == b"," and depth == 1:
            yield data[start : token.start()].strip(_SPACE)
            start = token.end()
    raise NotSliceable
