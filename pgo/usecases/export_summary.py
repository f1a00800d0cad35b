"""The summary on paper: the patient chooses the parts, sees what stays off, and gets a PDF/A.

Rules:

1. Every line is what the screens show: the same joining of sources, the same words of the source.
2. Records about sensitive subjects stay off unless their subject is ticked. The paper never says how many;
   it says that the patient chose what is on it. The screen does say how many.
3. The trash and what was entered in error are never on paper.
4. An empty part says that nothing is known here, which is not the same as that there is nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from consent.codes import Sensitivity
from pgo.health.summary.model import Section, Summary
from pgo.health.summary.words import Words
from pgo.store.journal import Event
from pgo.usecases.export_summary_lines import BSN, Line, Part, SummaryWords, lines_of, subjects_of
from pgo.usecases.facts import all_facts
from pgo.usecases.read import profile
from pgo.usecases.session import Session

OFF_AT_FIRST = frozenset({Part.NUMBER, Part.PAST_MEDICATION})
"""The citizen service number opens doors elsewhere; past medication is long and rarely asked for."""


@dataclass(frozen=True, slots=True)
class SummaryChoice:
    """What goes on paper: the parts, and the sensitive subjects that may be on it."""

    parts: frozenset[Part] = frozenset(Part) - OFF_AT_FIRST
    sensitive: frozenset[Sensitivity] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class SummaryOffer:
    """What there is to choose from.

    Attributes:
        counts: lines per part, with everything ticked.
        sensitive: sensitive subject to how many lines hold it; only subjects that occur.
    """

    counts: Mapping[Part, int]
    sensitive: Mapping[Sensitivity, int]


def summary_offer(session: Session, words: SummaryWords) -> SummaryOffer:
    """Count what could be on the paper."""
    found = lines_of(session, words, sensitive=frozenset(Sensitivity))
    facts = dict(all_facts(session))
    sensitive: Counter[Sensitivity] = Counter()
    for lines in found.values():
        for line in lines:
            sensitive.update(subjects_of(facts, line.record_ids))
    return SummaryOffer({part: len(lines) for part, lines in found.items()}, sensitive)


def build_summary(session: Session, choice: SummaryChoice, words: SummaryWords) -> Summary:
    """The paper as values; writes nothing."""
    person = profile(session).person
    name = person.name if person is not None and Part.PERSON in choice.parts else ""
    found = lines_of(session, words, sensitive=choice.sensitive)
    sections = tuple(
        _section(part, found[part], words)
        for part in Part
        if part in choice.parts and part not in (Part.PERSON, Part.NUMBER)
    )
    return Summary(
        lang=words.lang,
        title=words.t("paper.title"),
        name=name,
        facts=_facts(session, choice, words),
        intro=words.t("paper.intro"),
        sections=sections,
        closing=(words.t("paper.closing.chosen"), words.t("paper.closing.source")),
        footer=words.t("paper.footer", when=words.moment(session.now())),
        page=words.t("paper.page", page="{page}", pages="{pages}"),
    )


def export_summary(session: Session, choice: SummaryChoice, words: SummaryWords) -> bytes:
    """The paper as PDF/A; the journal says that it was made."""
    store, at = session.store, session.now()
    summary = build_summary(session, choice, words)
    pdf = _set(summary, words, at=at)
    lines = sum(len(section.rows) for section in summary.sections)
    with store.write(at):
        store.journal.add(Event.EXPORTED, at=at, form="summary", records=lines)
    session.changed()
    return pdf


def make_pdf(session: Session, choice: SummaryChoice, words: SummaryWords) -> bytes:
    """The paper as PDF/A for something larger that has a journal line of its own; writes nothing."""
    return _set(build_summary(session, choice, words), words, at=session.now())


def _set(summary: Summary, words: Words, *, at: datetime) -> bytes:
    from pgo.health.summary.paper import build_pdf, has_replaced

    if has_replaced(summary):
        summary = replace(summary, closing=(*summary.closing, words.t("paper.closing.replaced")))
    return build_pdf(summary, at=at)


def _facts(session: Session, choice: SummaryChoice, words: Words) -> tuple[tuple[str, str], ...]:
    person = profile(session).person
    if person is None:
        return ()
    facts: list[tuple[str, str]] = []
    if Part.PERSON in choice.parts:
        gender = words.t(f"paper.gender.{person.gender}") if person.gender in _GENDERS else ""
        facts += [
            (words.t("paper.born"), words.day(person.birth_date)),
            (words.t("paper.gender"), gender),
            (words.t("paper.address"), person.address),
            (words.t("paper.phone"), person.phone),
        ]
    if Part.NUMBER in choice.parts:
        facts += [(words.t("paper.bsn"), value) for system, value in person.identifiers if system == BSN]
    return tuple(pair for pair in facts if pair[1])


_GENDERS = ("male", "female", "other")


def _section(part: Part, lines: list[Line], words: Words) -> Section:
    columns, widths = _COLUMNS[part]
    used = [place for place in range(len(columns)) if place == 0 or any(line.cells[place] for line in lines)]
    return Section(
        title=words.t(f"paper.part.{part}"),
        columns=tuple(words.t(f"paper.column.{columns[place]}") for place in used),
        rows=tuple(tuple(line.cells[place] for place in used) for line in lines),
        widths=tuple(widths[place] for place in used),
        empty=words.t("paper.nothing"),
    )


_COLUMNS: Mapping[Part, tuple[tuple[str, ...], tuple[int, ...]]] = {
    Part.ALLERGIES: (("what", "reaction", "since", "status"), (4, 5, 3, 2)),
    Part.MEDICATION: (("medicine", "use", "since"), (4, 7, 3)),
    Part.PAST_MEDICATION: (("medicine", "use", "period"), (4, 6, 4)),
    Part.CONDITIONS: (("what", "detail", "since", "status"), (5, 4, 3, 2)),
    Part.VACCINATIONS: (("vaccine", "when"), (8, 4)),
    Part.DIRECTIVES: (("wish", "decision", "when"), (6, 5, 3)),
    Part.SCORES: (("questionnaire", "newest", "when", "earlier"), (4, 2, 3, 5)),
    Part.MEASUREMENTS: (("measurement", "newest", "when", "earlier"), (5, 3, 3, 5)),
}
