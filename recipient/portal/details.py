"""One record with all its details, and as it was received."""

from __future__ import annotations

import re
from datetime import datetime

from pgo.health.record.views import Detail, details
from recipient.portal.pages import Page, head_of, received_text
from recipient.portal.text import day_text, health_word, number_text, shown, t
from recipient.reading import Item, Look

_MAX_RAW_CHARACTERS = 200_000


def record_page(look: Look, item: Item, *, lang: str, at: datetime) -> Page:
    """Gather one record's rows in the order of the standard."""
    index = item.index
    return {
        "head": head_of(look, lang=lang, at=at),
        "record": {
            "kind": t(lang, f"kind.{index.kind}"),
            "title": shown(index.title) or t(lang, "record.no_title"),
            "detail": number_text(lang, shown(index.detail)),
            "rows": [_row(detail, lang=lang) for detail in details(item.resource, look.resolve)],
            "received": received_text(item, lang=lang),
            "reference": item.reference,
            "raw": _readable(item.resource.raw),
        },
    }


def _row(detail: Detail, *, lang: str) -> dict[str, str]:
    value = shown(detail.value)
    if detail.kind == "date":
        value = day_text(lang, value)
    elif detail.kind == "code" and detail.value_key:
        value = health_word(lang, detail.value_key)
    return {"label": health_word(lang, detail.label_key), "value": value}


def _readable(raw: bytes) -> str:
    return shown(laid_out(raw.decode("utf-8"))[:_MAX_RAW_CHARACTERS])


def laid_out(text: str) -> str:
    """Indent JSON without decoding it, so that every digit and escape stays as it was sent.

    >>> print(laid_out('{"value": 1.10, "note": "a, b"}'))
    {
      "value": 1.10,
      "note": "a, b"
    }
    """
    out: list[str] = []
    depth = 0
    for piece in _TOKENS.findall(text):
        if piece in "{[":
            depth += 1
            out += [piece, "\n", "  " * depth]
        elif piece in "}]":
            depth -= 1
            out += ["\n", "  " * depth, piece]
        elif piece == ",":
            out += [piece, "\n", "  " * depth]
        elif piece == ":":
            out.append(": ")
        else:
            out.append(piece)
    return "".join(out)


# RFC 8259: strings, structural characters, and runs of anything else that is not white space
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
