"""The page of one patient: what is new, what is dangerous, what she takes; then everything else.

Promises: entered-in-error records stand in no section, only marked in the timeline; "current" is decided on
the day of looking; what is not shared is never guessed or hinted at: a part that is withheld and a part that
does not exist give the same page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from pgo.health.record.directive import Decision, read_directive
from pgo.health.record.kinds import RecordKind
from pgo.health.record.labels import DIRECTIVES
from pgo.health.record.safe import objs, text
from pgo.health.record.status import RecordStatus
from recipient.look import Item
from recipient.portal.files import attached
from recipient.portal.heads import head_of
from recipient.portal.lines import Line, Mark, line_of, newest_first, thing_line
from recipient.portal.measures import Family, lines_of, tiles_of
from recipient.portal.medicines import medicines
from recipient.portal.remarks import is_words, remarks_of
from recipient.portal.scores import score_tiles
from recipient.portal.text import day_text, health_word, instant_words, shown
from recipient.portal.things import things
from recipient.portal.timeline import KINDS, newest
from recipient.portal.view import View

_CURRENT: Final = (RecordStatus.CURRENT, RecordStatus.PLANNED, RecordStatus.UNKNOWN)
_NEW_SHOWN: Final = 6
# What a reader must not miss comes first among what is new.
_NEW_ORDER: Final = (
    RecordKind.ALLERGY,
    RecordKind.DIRECTIVE,
    RecordKind.MEDICATION,
    RecordKind.CONDITION,
    RecordKind.DOCUMENT,
)
_SHORT_TIMELINE: Final = 12


def overview_page(view: View) -> dict[str, Any]:
    """Gather the overview of one patient."""
    usable = view.usable()
    conditions = _of_kind(usable, RecordKind.CONDITION)
    problems = [item for item in conditions if item.resource.type != "Flag"]
    current, past = _split(view, problems)
    taken, taken_before = medicines(view)
    lines = lines_of(view)
    timeline, total = newest(view, length=_SHORT_TIMELINE)
    return {
        "head": head_of(view),
        "news": _news(view),
        "dangers": _allergies(view, usable) + _alerts(view, conditions),
        "medicines": taken,
        "past_medicines": taken_before,
        "conditions": [thing_line(view, group) for group in current],
        "past_conditions": [thing_line(view, group) for group in past],
        "wishes": _wishes(view, usable),
        "scores": score_tiles(view, lines[Family.SCORES]),
        "labs": tiles_of(view, lines[Family.LABS]),
        "vitals": tiles_of(view, lines[Family.VITALS]),
        "vaccinations": _lines(view, _of_kind(usable, RecordKind.VACCINATION)),
        "documents": [_document(view, item) for item in newest_first(_with_content(usable))],
        "remarks": remarks_of(view, usable),
        "timeline": [line_of(view, item, with_kind=True) for item in timeline],
        "timeline_total": total,
    }


def _of_kind(items: Iterable[Item], kind: RecordKind) -> list[Item]:
    return [item for item in items if item.index.kind is kind]


def _lines(view: View, items: Sequence[Item]) -> list[Line]:
    groups = things(view, items)
    groups.sort(key=lambda group: (group[0].index.start, group[0].id), reverse=True)
    return [thing_line(view, group) for group in groups]


def _split(view: View, items: Sequence[Item]) -> tuple[list[tuple[Item, ...]], list[tuple[Item, ...]]]:
    """Sort things into current and past, newest first."""
    groups = things(view, items)
    groups.sort(key=lambda group: (group[0].index.start, group[0].id), reverse=True)
    current = [group for group in groups if view.status(group[0].index) in _CURRENT]
    return current, [group for group in groups if view.status(group[0].index) not in _CURRENT]


def _allergies(view: View, usable: Sequence[Item]) -> list[Line]:
    """Allergies in force first, those that may kill before others; what is over is marked."""
    groups = things(view, _of_kind(usable, RecordKind.ALLERGY))
    groups.sort(key=lambda group: (group[0].index.start, group[0].id), reverse=True)
    groups.sort(key=lambda group: not _is_critical(group))
    groups.sort(key=lambda group: view.status(group[0].index) not in _CURRENT)
    return [_allergy(view, group) for group in groups]


def _allergy(view: View, group: tuple[Item, ...]) -> Line:
    line = thing_line(view, group, mark_past=True)
    marks = [Mark(view.say("mark.critical"), "warn")] if _is_critical(group) else []
    if _verification(group[0]) == "unconfirmed":
        marks.append(Mark(view.say("mark.unconfirmed")))
    elif _verification(group[0]) == "refuted":
        marks.append(Mark(view.say("mark.refuted")))
    return Line(line.id, line.title, line.detail, line.when, (*marks, *line.marks), line.sources)


def _is_critical(group: Iterable[Item]) -> bool:
    """Say whether any source gives a high criticality (FHIR R4 AllergyIntolerance.criticality)."""
    return any(text(item.resource.body, "criticality") == "high" for item in group)


def _verification(item: Item) -> str:
    return next((text(one, "code") for one in objs(item.resource.body, "verificationStatus", "coding")), "")


def _alerts(view: View, conditions: Sequence[Item]) -> list[Line]:
    """Safety alerts in force (zib Alert)."""
    current = [item for item in conditions if item.resource.type == "Flag"]
    return [line_of(view, item) for item in newest_first(current) if view.status(item.index) in _CURRENT]


def _wishes(view: View, usable: Sequence[Item]) -> list[dict[str, Any]]:
    """Advance and treatment directives; yes or no never gets lost."""
    items = newest_first(_of_kind(usable, RecordKind.DIRECTIVE))
    return [_wish(view, item) for item in items if view.status(item.index) in _CURRENT]


def _wish(view: View, item: Item) -> dict[str, Any]:
    found = read_directive(item.resource.body)
    decided = found.decision is not Decision.NONE
    return {
        "line": line_of(view, item),
        "decision": health_word(view.lang, DIRECTIVES[found.decision.value]) if decided else "",
        "tone": "warn" if found.decision in (Decision.NO, Decision.LIMITED) else "plain",
        "remarks": [shown(words) for words in found.remarks],
    }


def _with_content(usable: Sequence[Item]) -> list[Item]:
    """Letters, reports and pictures; of what is no document by kind only what carries a file."""
    return [
        item
        for item in usable
        if item.index.kind is RecordKind.DOCUMENT
        or (item.resource.type == "Binary" and attached(item.resource.body))
    ]


def _document(view: View, item: Item) -> dict[str, Any]:
    files = [one for one in attached(item.resource.body) if one.packed]
    return {"line": line_of(view, item), "kinds": [view.say(f"file.{one.kind}") for one in files]}


def _news(view: View) -> dict[str, Any]:
    """What came since one's last visit; at the first visit only when the newest of all came in."""
    fresh = [item for item in view.look.items if view.is_new(item) and _is_news(item)]
    fresh = newest_first(fresh)
    fresh.sort(key=lambda item: _rank(item.index.kind))
    since = view.look.since
    received = max((item.received_at for item in view.look.items), default=None)
    return {
        "first_time": since is None,
        "since": instant_words(view.lang, since) if since else "",
        "total": len(fresh),
        "lines": [_unmarked(line_of(view, item, with_kind=True)) for item in fresh[:_NEW_SHOWN]],
        "received": day_text(view.lang, received.astimezone().date().isoformat()) if received else "",
    }


def _is_news(item: Item) -> bool:
    return item.index.kind in KINDS or is_words(item.resource.body)


def _unmarked(line: Line) -> Line:
    """Among what is new, "new" says nothing."""
    return replace(line, marks=tuple(mark for mark in line.marks if mark.tone != "new"))


def _rank(kind: RecordKind) -> int:
    return _NEW_ORDER.index(kind) if kind in _NEW_ORDER else len(_NEW_ORDER)
