"""A medicine in words: what was agreed, what the pharmacy gave, what the patient takes, and what differs.

The dosage is always in the words of its source; only the words around it are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgo.health.record.status import RecordStatus
from pgo.ui.records.say import say_period, say_value
from pgo.ui.text import fmt_date, t

if TYPE_CHECKING:
    from pgo.health.medication.lines import Held, MedicineLine
    from pgo.health.medication.steps import Step
    from pgo.usecases.medicines import Medicine


def rows_of(lang: str, line: MedicineLine) -> list[tuple[str, str]]:
    """Return (what it is, what it says) for each part of a line that is there, in a fixed order."""
    rows = [
        (t(lang, _agreed_key(line)), _said(lang, line.agreed)),
        (t(lang, "medicine.next"), _with_day(lang, line.next)),
        (t(lang, "medicine.schedule"), _said(lang, line.schedule)),
        (t(lang, "medicine.pharmacy"), _pharmacy(lang, line)),
        (t(lang, "medicine.takes"), _taken(lang, line.takes)),
    ]
    return [row for row in rows if row[1]]


def differences_of(lang: str, line: MedicineLine) -> list[str]:
    """Return one sentence per certain difference."""
    return [t(lang, f"medicine.differs.{difference}") for difference in line.differences]


def period_of(lang: str, line: MedicineLine) -> str:
    """Return since when, or from when to when, a medicine is used; '' when no day is known."""
    start, end = fmt_date(lang, line.start), fmt_date(lang, line.end)
    if end:
        return say_period(lang, line.start, line.end)
    return t(lang, "medicine.since", date=start) if start else ""


def sources_of(lang: str, one: Medicine) -> str:
    """Return how many records stand behind a line, '' for a single one."""
    count = len(one.line.record_ids)
    return t(lang, "medicine.records", n=count) if count > 1 else ""


def step_line(lang: str, step: Step) -> str:
    """Return one record of a medicine in one line: what it is, when, by whom."""
    when = fmt_date(lang, step.written_on or step.start)
    stop = t(lang, f"medicine.stop.{step.stop}") if step.stop else ""
    return " · ".join(filter(None, (t(lang, f"medicine.role.{step.role}"), stop, when, step.who)))


def step_detail(lang: str, step: Step) -> str:
    """Return what one record of a medicine says about use."""
    since = fmt_date(lang, step.start)
    period = t(lang, "medicine.since", date=since) if since and not step.end else ""
    parts = [step.how, say_value(lang, step.amount), period or say_period(lang, step.start, step.end)]
    return " · ".join(filter(None, parts))


def _agreed_key(line: MedicineLine) -> str:
    over = line.agreed is not None and line.agreed.status is RecordStatus.PAST
    return "medicine.agreed.past" if over else "medicine.agreed"


def _said(lang: str, held: Held | None) -> str:
    """Return the dosage with the way it ended, when it did."""
    if held is None:
        return ""
    how, end = say_value(lang, held.step.how), fmt_date(lang, held.end)
    if not (held.stop and end):
        return how
    ended = t(lang, f"medicine.ended.{held.stop}", date=end)
    return f"{how} ({ended})" if how else ended


def _with_day(lang: str, held: Held | None) -> str:
    if held is None:
        return ""
    day = fmt_date(lang, held.step.start)
    return t(lang, "medicine.from_day", date=day, how=_said(lang, held)) if day else _said(lang, held)


def _pharmacy(lang: str, line: MedicineLine) -> str:
    """Return product and amount of the last handing over, with the pharmacy's dosage when it differs."""
    parts: list[str] = []
    if line.given is not None:
        name = line.given.medicine if line.given.medicine != line.title else ""
        given = ", ".join(filter(None, (name, say_value(lang, line.given.amount))))
        day = fmt_date(lang, line.given.start)
        parts.append(t(lang, "medicine.given_on", what=given, date=day) if given and day else given or day)
    if line.plan is not None:
        product = line.plan.step.medicine
        if line.given is None and product != line.title:
            parts.append(product)
        if line.agreed is None or not _same_words(line.plan.step.how, line.agreed.step.how):
            parts.append(_said(lang, line.plan))
    return "; ".join(filter(None, parts))


def _taken(lang: str, takes: Held | None) -> str:
    if takes is None:
        return ""
    if takes.step.not_taken:
        return t(lang, "medicine.not_taken")
    period = say_period(lang, takes.step.start, takes.end) if takes.end else ""
    how = say_value(lang, takes.step.how) or t(lang, "records.yes")
    return f"{how} ({period})" if period else how


def _same_words(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split()
