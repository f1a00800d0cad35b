"""One record with all its details, its files, its narrative, what the patient says of it, and as received.

Promises: our own rows come first; the narrative stands behind a disclosure and says that it is the source's;
only what may be shown is named.
"""

from __future__ import annotations

import re
from typing import Any

from pgo.health.record.kinds import RecordKind
from pgo.health.record.safe import obj, text
from pgo.health.record.views import Detail, details
from pgo.health.record.words import plain_display
from recipient.look import Item
from recipient.portal.files import Attached, attached, text_of
from recipient.portal.heads import head_of
from recipient.portal.lines import Line, detail_text, kind_words, line_of, newest_first
from recipient.portal.narrative import safe_narrative
from recipient.portal.remarks import about, remarks_of
from recipient.portal.said import by_patient
from recipient.portal.text import day_text, health_word, instant_words, number_text, shown
from recipient.portal.things import things
from recipient.portal.view import View

_MAX_RAW_CHARACTERS = 200_000
# Kinds that can be over; a letter or a result just was.
_WITH_AN_END = frozenset(
    {RecordKind.CONDITION, RecordKind.ALLERGY, RecordKind.MEDICATION, RecordKind.DIRECTIVE}
)
# Kinds of which several sources write about one thing; readings have their line over time.
_TOGETHER = frozenset(
    {RecordKind.CONDITION, RecordKind.ALLERGY, RecordKind.MEDICATION, RecordKind.VACCINATION}
)
# Who stands for a record, in the order in which a reader wants to know.
_AUTHORS = ("custodian", "asserter", "performer", "requester", "author", "recorder", "informationSource")


def record_page(view: View, item: Item) -> dict[str, Any]:
    """Gather one record's rows in the order of the standard."""
    body = item.resource.body
    line = line_of(view, item, mark_past=item.index.kind in _WITH_AN_END)
    return {
        "head": head_of(view),
        "record": {
            "id": item.id,
            "kind": kind_words(view, item),
            "title": line.title or view.say("record.no_title"),
            "detail": detail_text(view, item),
            "marks": line.marks,
            "rows": [_row(view, detail) for detail in details(item.resource, view.look.resolve)],
            "files": [_file(view, found) for found in attached(body)],
            "narrative": safe_narrative(text(obj(body, "text"), "div")),
            "together": _together(view, item),
            "remarks": about(remarks_of(view, view.usable()), item.id),
            "source": source_of(view, item),
            "received": instant_words(view.lang, item.received_at),
            "reference": item.reference,
            "raw": _readable(item.resource.raw),
        },
    }


def source_of(view: View, item: Item) -> str:
    """Say who stands for a record; empty when it names nobody."""
    body = item.resource.body
    if by_patient(body):
        return view.say("record.by_patient")
    for name in _AUTHORS:
        who = obj(body, name)
        if words := plain_display(text(who, "display") or text(who, "actor", "display")):
            return shown(words)
    return ""


def _together(view: View, item: Item) -> list[Line]:
    """Give the other records about the same thing, newest first."""
    kind = item.index.kind
    if kind not in _TOGETHER:
        return []
    alike = [other for other in view.usable() if other.index.kind is kind]
    groups = (group for group in things(view, alike) if any(one.id == item.id for one in group))
    others = (other for group in groups for other in group if other.id != item.id)
    return [line_of(view, other) for other in newest_first(others)]


def _row(view: View, detail: Detail) -> dict[str, str]:
    value = shown(detail.value)
    if detail.kind == "date":
        value = day_text(view.lang, value)
    elif detail.kind == "code" and detail.value_key:
        value = health_word(view.lang, detail.value_key)
    return {"label": health_word(view.lang, detail.label_key), "value": value}


def _file(view: View, found: Attached) -> dict[str, Any]:
    kilobytes = max(1, round(found.size_bytes / 1000))
    return {
        "number": found.number,
        "title": shown(found.title) or view.say(f"file.{found.kind}"),
        "kind": view.say(f"file.{found.kind}"),
        "size": view.say("file.size", n=number_text(view.lang, str(kilobytes))),
        "here": bool(found.packed),
        "text": shown(text_of(found)),
    }


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
