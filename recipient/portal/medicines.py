"""The medication list: one line per medicine, from what was agreed, handed over and is taken.

Promises: what the patient says is shown as what the patient says; a difference is named only where it is
certain; nothing is judged. What joins records into one medicine and what a line says is decided in
``pgo.health`` (``sameness``, ``medication.lines``), the same as in the patient's own app.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgo.health.medication.lines import Held, MedicineLine, medicine_line
from pgo.health.medication.steps import Step, Stop, read_step
from pgo.health.record.kinds import RecordKind
from pgo.health.record.status import RecordStatus
from recipient.look import Item
from recipient.portal.lines import Mark
from recipient.portal.said import by_patient
from recipient.portal.text import day_text, number_text, shown
from recipient.portal.things import things
from recipient.portal.view import View

_OVER = (RecordStatus.PAST, RecordStatus.ENTERED_IN_ERROR)


@dataclass(frozen=True, slots=True)
class Said:
    """What one party says about a medicine: a label and the words."""

    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Medicine:
    """One medicine on the list.

    Attributes:
        id: the record that stands for it.
        title: its name.
        how: dosage in the words of whoever decides it.
        when: since when, or from when to when.
        rows: agreed, planned, handed over, taken; only what there is.
        differs: differences that are certain, as sentences.
        marks: planned, new, only the patient's word.
        records: ids of all records behind it, the foremost first.
    """

    id: int
    title: str
    how: str
    when: str
    rows: tuple[Said, ...]
    differs: tuple[str, ...]
    marks: tuple[Mark, ...]
    records: tuple[int, ...]


def medicines(view: View) -> tuple[list[Medicine], list[Medicine]]:
    """Give what is in use (planned and unknown included) and what is over; each newest first."""
    items = [item for item in view.usable() if item.index.kind is RecordKind.MEDICATION]
    made = [(_line_of(view, group), group) for group in things(view, items)]
    made.sort(key=lambda pair: (pair[0].start or pair[1][0].index.start, pair[1][0].id), reverse=True)
    current = [_medicine(view, line, group) for line, group in made if line.status not in _OVER]
    past = [_medicine(view, line, group) for line, group in made if line.status in _OVER]
    return current, past


def _line_of(view: View, group: tuple[Item, ...]) -> MedicineLine:
    steps = [read_step(item.id, item.resource, view.look.resolve) for item in group]
    return medicine_line([step for step in steps if step is not None], on=view.at.date())


def _medicine(view: View, line: MedicineLine, group: tuple[Item, ...]) -> Medicine:
    main = line.agreed or line.plan or line.schedule or line.takes
    how = main.step.how if main else ""
    return Medicine(
        id=group[0].id,
        title=shown(line.title or group[0].index.title),
        how=number_text(view.lang, shown(how)),
        when=_when(view, line),
        rows=tuple(_rows(view, line, main)),
        differs=tuple(view.say(f"medicine.differs.{one}") for one in line.differences),
        marks=tuple(_marks(view, line, group)),
        records=tuple(item.id for item in group),
    )


def _when(view: View, line: MedicineLine) -> str:
    start, end = day_text(view.lang, line.start), day_text(view.lang, line.end)
    if start and end:
        return f"{start} – {end}"
    if end:
        return view.say("medicine.until", day=end)
    return view.say("medicine.since", day=start) if start else ""


def _rows(view: View, line: MedicineLine, main: Held | None) -> Iterator[Said]:
    """Say who says what; the dosage that stands above already is not repeated."""
    for label, held in (
        ("agreed", line.agreed),
        ("next", line.next),
        ("plan", line.plan),
        ("schedule", line.schedule),
    ):
        if held is not None:
            yield Said(view.say(f"medicine.{label}"), _held_words(view, held, without_how=held is main))
    if line.given is not None:
        yield Said(view.say("medicine.given"), _given_words(view, line.given))
    if line.takes is not None:
        own = _is_own_word(view, line.takes)
        yield Said(view.say("medicine.takes" if own else "medicine.use"), _takes_words(view, line.takes))


def _held_words(view: View, held: Held, *, without_how: bool) -> str:
    step = held.step
    ended = ""
    if held.stop is not Stop.NONE:
        ended = view.say(f"medicine.ended.{held.stop}", day=day_text(view.lang, held.end))
    parts = ("" if without_how else step.how, step.who, day_text(view.lang, step.written_on), ended)
    return _joined(view, parts)


def _given_words(view: View, step: Step) -> str:
    return _joined(view, (step.amount, day_text(view.lang, step.start or step.written_on), step.who))


def _takes_words(view: View, held: Held) -> str:
    how = view.say("medicine.not_taken") if held.step.not_taken else held.step.how
    who = "" if _is_own_word(view, held) else held.step.who
    return _joined(view, (how, who, day_text(view.lang, held.step.written_on)))


def _is_own_word(view: View, held: Held) -> bool:
    return by_patient(view.look.item(held.step.record_id).resource.body)


def _joined(view: View, parts: tuple[str, ...]) -> str:
    words = " · ".join(shown(part) for part in parts if part)
    return number_text(view.lang, words) or "–"


def _marks(view: View, line: MedicineLine, group: tuple[Item, ...]) -> Iterator[Mark]:
    if line.status is RecordStatus.PLANNED:
        yield Mark(view.say("status.planned"))
    only_taken = not (line.agreed or line.plan or line.schedule or line.given)
    if only_taken and line.takes is not None and _is_own_word(view, line.takes):
        yield Mark(view.say("medicine.only_patient"))
    if any(view.is_new(item) for item in group):
        yield Mark(view.say("mark.new"), "new")
