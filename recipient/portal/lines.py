"""One record as one line of a list: title, what it says, when, and what to know before trusting it.

Promises: entered in error is always marked; the patient's own word is marked as such; what is over is marked
where the list does not say so itself; nothing is rounded or rewritten but measured values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from pgo.health.record.kinds import RecordKind
from pgo.health.record.printed import brief_number, printed_unit
from pgo.health.record.status import RecordStatus
from pgo.health.record.words import folded
from recipient.look import Item
from recipient.portal.said import by_patient
from recipient.portal.text import day_text, number_text, shown
from recipient.portal.view import View

# zib Alert; what the patient writes about the record
_KINDS: Final = {"Flag": "kind.alert", "Communication": "kind.message"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A word beside a title; ``tone`` is ``plain``, ``warn`` or ``new``."""

    words: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Line:
    """One record, or one thing several records are about (``sources``)."""

    id: int
    title: str
    detail: str
    when: str
    marks: tuple[Mark, ...]
    sources: int = 1


def line_of(view: View, item: Item, *, with_kind: bool = False, mark_past: bool = False) -> Line:
    """Word one record."""
    detail = detail_text(view, item)
    if with_kind:
        detail = " · ".join(filter(None, (kind_words(view, item), detail)))
    return Line(
        id=item.id,
        title=shown(item.index.title),
        detail=detail,
        when=day_text(view.lang, item.index.start),
        marks=tuple(_marks(view, item, mark_past=mark_past)),
    )


def thing_line(view: View, items: tuple[Item, ...], *, mark_past: bool = False) -> Line:
    """Word a thing by its foremost record; it is new when any of its records is."""
    line = line_of(view, items[0], mark_past=mark_past)
    marks = line.marks
    if not view.is_new(items[0]) and any(view.is_new(item) for item in items):
        marks = (*marks, Mark(view.say("mark.new"), "new"))
    return replace(line, marks=marks, sources=len(items))


def kind_words(view: View, item: Item) -> str:
    """Name the kind of a record; what has no list of its own is named by what it is."""
    return view.say(_KINDS.get(item.resource.type, f"kind.{item.index.kind}"))


def detail_text(view: View, item: Item) -> str:
    """Give what a record says beside its title."""
    said = shown(item.index.detail)
    brief = printed_unit(brief_number(said)) if item.index.kind is RecordKind.MEASUREMENT else said
    return number_text(view.lang, brief)


def newest_first(items: Iterable[Item]) -> list[Item]:
    """Sort by the record's own date; undated last, equal dates in alphabetical order."""
    by_title = sorted(items, key=lambda item: (folded(item.index.title), item.id))
    return sorted(by_title, key=lambda item: item.index.start, reverse=True)


def _marks(view: View, item: Item, *, mark_past: bool) -> Iterable[Mark]:
    status = view.status(item.index)
    if status is RecordStatus.ENTERED_IN_ERROR:
        yield Mark(view.say("status.entered_in_error"), "warn")
    elif status is RecordStatus.PLANNED or (mark_past and status is RecordStatus.PAST):
        yield Mark(view.say(f"status.{status}"))
    if by_patient(item.resource.body):
        yield Mark(view.say("mark.by_patient"))
    if view.is_new(item):
        yield Mark(view.say("mark.new"), "new")
