"""Which characters the bundled font can draw; what it cannot is replaced by a visible mark, never dropped.

PDF/A forbids a character without a drawing (ISO 19005-2, 6.2.11.8), so it has to be known beforehand.
Control and direction characters say nothing on paper and can turn words around: they go.

Source: OpenType ``cmap``, formats 4 and 12 (https://learn.microsoft.com/typography/opentype/spec/cmap).
"""

from __future__ import annotations

import struct
import unicodedata
from functools import cache

from pgo.health.assets import ASSETS

FONTS = ASSETS / "fonts"
FAMILY = "Noto Sans"
REPLACEMENT = "\ufffd"
_FILES = ("NotoSans-Regular.ttf", "NotoSans-SemiBold.ttf")
# What matters in a measurement or dosage and the font lacks, in signs everybody reads the same way.
_WRITTEN_OUT = {
    "≤": "<=",
    "≥": ">=",
    "≠": "<>",
    "≈": "~",
    "→": "->",
    "←": "<-",
    "−": "-",
    "‑": "-",
}
_SPACES = {"\t": " ", "\r": " ", "\x0b": " ", "\x0c": " ", "\u2028": " ", "\u2029": " "}


def printable(text: str) -> str:
    """The text with only characters that can be drawn, composed where Unicode has a composed form."""
    return "".join(_drawn(one) for one in unicodedata.normalize("NFC", text))


def _drawn(character: str) -> str:
    character = _SPACES.get(character, character)
    if character == "\n":  # a line break of a cell
        return character
    if unicodedata.category(character) in ("Cc", "Cf"):
        return ""
    if ord(character) in covered():
        return character
    other = _WRITTEN_OUT.get(character) or unicodedata.normalize("NFKC", character)
    return other if all(ord(one) in covered() for one in other) else REPLACEMENT


@cache
def covered() -> frozenset[int]:
    """Code points that every bundled font draws."""
    found = [_code_points((FONTS / name).read_bytes()) for name in _FILES]
    return found[0].intersection(*found[1:])


def replaced(text: str) -> bool:
    """Whether ``printable`` had to put a mark in the place of a character."""
    return REPLACEMENT in printable(text) and REPLACEMENT not in text


def _code_points(font: bytes) -> frozenset[int]:
    cmap = _table(font, b"cmap")
    found: set[int] = set()
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    for number in range(count):
        (offset,) = struct.unpack_from(">I", font, cmap + 4 + 8 * number + 4)
        (form,) = struct.unpack_from(">H", font, cmap + offset)
        if form == 4:
            found |= _format_4(font, cmap + offset)
        elif form == 12:
            found |= _format_12(font, cmap + offset)
    return frozenset(found)


def _table(font: bytes, name: bytes) -> int:
    (count,) = struct.unpack_from(">H", font, 4)
    for number in range(count):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, 12 + 16 * number)
        if tag == name:
            return int(offset)
    raise ValueError(f"no {name.decode()} table")


def _format_4(font: bytes, start: int) -> set[int]:
    (double,) = struct.unpack_from(">H", font, start + 6)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", font, start + 14)
    starts = struct.unpack_from(f">{count}H", font, start + 16 + double)
    deltas = struct.unpack_from(f">{count}h", font, start + 16 + 2 * double)
    offsets_at = start + 16 + 3 * double
    offsets = struct.unpack_from(f">{count}H", font, offsets_at)
    found: set[int] = set()
    for place in range(count):
        for code in range(starts[place], min(ends[place], 0xFFFE) + 1):
            glyph = code + deltas[place]
            if offsets[place]:
                at = offsets_at + 2 * place + offsets[place] + 2 * (code - starts[place])
                (index,) = struct.unpack_from(">H", font, at)
                glyph = index + deltas[place] if index else 0
            if glyph & 0xFFFF:
                found.add(code)
    return found


def _format_12(font: bytes, start: int) -> set[int]:
    (groups,) = struct.unpack_from(">I", font, start + 12)
    found: set[int] = set()
    for number in range(groups):
        first, last, glyph = struct.unpack_from(">III", font, start + 16 + 12 * number)
        found.update(code for code in range(first, last + 1) if glyph + code - first)
    return found
