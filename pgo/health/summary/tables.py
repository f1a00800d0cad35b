"""Tables as CSV that a spreadsheet opens without running anything.

Rules:

1. RFC 4180: comma, CRLF, a header line, every text field between quotes, quotes doubled. UTF-8 with a byte
   order mark, because common spreadsheets take a file without one for something else.
2. A text that begins with what starts a formula gets an apostrophe in front, so that it stays text: ``=``,
   ``+``, ``-``, ``@``, tab, carriage return, line feed, and their full-width forms, also after white space.
   Source: OWASP, "CSV Injection"; guide security 3.14.
3. A number column holds numbers digit for digit as the source wrote them, with a point as decimal mark.
   What is no plain number does not pass for one: it is written as text, by rule 2.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

_MARK = "\ufeff"
_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")


def csv_bytes(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[int] = ()
) -> bytes:
    """Write a table.

    Args:
        header: names of the columns.
        rows: one text per column, untrusted.
        numbers: columns (from 0) that hold numbers.
    """
    lines = [",".join(_text(name) for name in header)]
    for row in rows:
        cells = [
            cell if place in numbers and _NUMBER.fullmatch(cell) else _text(cell)
            for place, cell in enumerate(row)
        ]
        lines.append(",".join(cells))
    return (_MARK + "".join(f"{line}\r\n" for line in lines)).encode("utf-8")


def _text(value: str) -> str:
    bare = value.lstrip()
    risky = value[:1] in _STARTS or bare[:1] in _STARTS
    guarded = f"'{value}" if value and risky else value
    return '"' + guarded.replace('"', '""') + '"'
