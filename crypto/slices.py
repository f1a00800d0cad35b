"""Cut a JSON text into pieces without writing it again: bytes in, the very same bytes out.

A resource travels as the bytes it came as. Whoever takes it out of a bundle must not parse and print
it (that changes numbers, escapes and spacing), but cut it out. `Cutter` walks the outer structure and
hands out the inner pieces; the pieces that matter are then read by `canonical.parse_strict`.

At each value the caller does one of: `take()` the bytes, walk in with `members()` or `items()`, or
nothing, and then the value is skipped. Names that occur twice in a walked object are refused.

>>> cutter = Cutter(b'{"n": 1, "list": [ {"v": 1.10} ]}', max_bytes=100)
>>> [cutter.take() for name in cutter.members() if name == "list" for _ in cutter.items()]
[b'{"v": 1.10}']
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NoReturn

from crypto.canonical import decode_strict
from crypto.errors import Malformed

_SPACE = re.compile(r"[ \t\n\r]*+")  # RFC 8259 section 2
_DECODER = json.JSONDecoder()


class Cutter:
    """A cursor over one JSON text. Raises `Malformed` with the reasons of `parse_strict`."""

    __slots__ = ("_at", "_text")

    def __init__(self, data: bytes, *, max_bytes: int, max_depth: int = 64) -> None:
        """Start at the outermost value; size, encoding and depth are checked here."""
        self._text = decode_strict(data, max_bytes=max_bytes, max_depth=max_depth)
        self._at = 0
        self._skip_space()

    def members(self) -> Iterator[str]:
        """Walk the object at the cursor; at each name the cursor stands on its value."""
        seen: set[str] = set()
        for _ in self._elements("{", "}"):
            name = self._value()
            if not isinstance(name, str):
                self._fail()
            if name in seen:
                raise Malformed("duplicate_key")
            seen.add(name)
            self._skip_space()
            self._expect(":")
            self._skip_space()
            start = self._at
            yield name
            self._skip_if_untouched(start)

    def items(self) -> Iterator[int]:
        """Walk the list at the cursor; at each number (from 0) the cursor stands on that item."""
        for number, _ in enumerate(self._elements("[", "]")):
            start = self._at
            yield number
            self._skip_if_untouched(start)

    def take(self) -> bytes:
        """Cut out the value at the cursor."""
        start = self._at
        self._value()
        return self._text[start : self._at].encode("utf-8")

    def finish(self) -> None:
        """Refuse anything after the outermost value; call it when the walk is over."""
        self._skip_space()
        if self._at != len(self._text):
            self._fail()

    def _elements(self, opening: str, closing: str) -> Iterator[None]:
        self._expect(opening)
        self._skip_space()
        if self._accept(closing):
            return
        while True:
            yield
            self._skip_space()
            if self._accept(closing):
                return
            self._expect(",")
            self._skip_space()

    def _skip_if_untouched(self, start: int) -> None:
        if self._at == start:
            self._value()

    def _value(self) -> object:
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as exc:
            raise Malformed("not_json", position=exc.pos) from exc
        except ValueError as exc:  # more digits than the interpreter converts
            raise Malformed("not_json", position=self._at) from exc
        return value

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _accept(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _expect(self, character: str) -> None:
        if not self._accept(character):
            self._fail()

    def _fail(self) -> NoReturn:
        raise Malformed("not_json", position=self._at)
