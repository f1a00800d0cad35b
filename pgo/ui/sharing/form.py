"""The form of a new share: what the patient has chosen so far, as a value.

Rules:

1. It starts at a safe point: the recipient's usual preset, nothing sensitive, the shortest length.
2. Choosing a preset replaces kinds, subjects and purpose; touching a switch makes it an own choice.
3. A switch changes itself only; nothing sensitive comes along unless it is switched on by name.
4. Today is a parameter; a share never starts before it and lasts at most ``MAX_YEARS``.

It knows no screen and no vault, so every rule is tested as a plain function.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from consent.codes import Action
from consent.research import OPT_INS, ResearchUse
from pgo.usecases.choices import ACTION, MAX_SINGLE
from pgo.usecases.share import Preset, ShareChoice

if TYPE_CHECKING:
    from consent.codes import Category, Sensitivity

OWN: Final = "own"
MAX_YEARS: Final = 5  # guide consent 2.8: a yearly look is the default; nobody oversees more than a few years
LONG_FROM_DAYS: Final = 200  # a preset that lasts longer than this starts at one year instead of three months


VIEW_ONLY: Final = frozenset({ACTION})


class Span(StrEnum):
    """How long a share lasts."""

    MONTHS3 = "months3"
    YEAR1 = "year1"
    OWN = "own"


class Since(StrEnum):
    """From which day on data goes along."""

    ALL = "all"
    YEARS2 = "years2"
    OWN = "own"


class Single(StrEnum):
    """What single records that were pointed out mean."""

    ALL = "all"
    EXCEPT = "except"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class ShareForm:
    """What is chosen so far.

    Attributes:
        preset: key of the preset, ``own`` after the patient changed something.
        categories: kinds of data that go along.
        sensitivity: sensitive subjects that go along.
        purpose: v3-ActReason code.
        span: which of the lengths is chosen; `first` and `last` always hold the days themselves.
        first: first day, included.
        last: last day, included.
        since: which start of the data is chosen.
        data_from: first day of the data, None for all.
        data_until: last day of the data, None for all.
        single: whether all records go, all but those pointed out, or only those.
        pointed: the records pointed out, as rules name them.
        without_authors: references of authors whose writing stays.
        actions: what the recipient may do.
        codes: conditions or treatments the data must be about; empty for all.
        research: about what and which uses, for research only.
    """

    preset: str
    categories: frozenset[Category]
    sensitivity: frozenset[Sensitivity]
    purpose: str
    span: Span
    first: date
    last: date
    since: Since = Since.ALL
    data_from: date | None = None
    data_until: date | None = None
    single: Single = Single.ALL
    pointed: frozenset[str] = frozenset()
    without_authors: frozenset[str] = frozenset()
    actions: frozenset[Action] = VIEW_ONLY
    codes: frozenset[str] = frozenset()
    research: ResearchUse | None = None


def add_months(day: date, months: int) -> date:
    """Return the same day some months later (or earlier), or the last day of a month that has no such day.

    >>> add_months(date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))


def last_day(span: Span, first: date) -> date:
    """Return the last day of a standard length."""
    return add_months(first, 12 if span is Span.YEAR1 else 3)


def start_form(presets: tuple[Preset, ...], *, today: date) -> ShareForm:
    """Return the form as it first appears.

    Args:
        presets: starting points of this kind of recipient, the default first; at least one.
        today: first day of the share.

    Raises:
        ValueError: no preset (a programming error: every kind of recipient has one).
    """
    if not presets:
        raise ValueError("a recipient kind without presets")
    blank = ShareForm(
        preset="",
        categories=frozenset(),
        sensitivity=frozenset(),
        purpose=presets[0].purpose,
        span=Span.MONTHS3,
        first=today,
        last=last_day(Span.MONTHS3, today),
    )
    return with_preset(blank, presets[0])


def with_preset(form: ShareForm, preset: Preset) -> ShareForm:
    """Take over a preset: kinds, subjects, purpose, and its length unless the patient picked dates."""
    chosen = replace(
        form,
        preset=preset.key,
        categories=preset.categories,
        sensitivity=preset.sensitivity,
        purpose=preset.purpose,
        actions=VIEW_ONLY,
        codes=frozenset(),
        research=None,
    )
    if form.span is Span.OWN:
        return chosen
    return with_span(chosen, Span.YEAR1 if preset.days >= LONG_FROM_DAYS else Span.MONTHS3)


def with_span(form: ShareForm, span: Span) -> ShareForm:
    """Take over a length; own dates start from the days that stand there."""
    return replace(form, span=span, last=form.last if span is Span.OWN else last_day(span, form.first))


def with_days(form: ShareForm, *, first: date, last: date) -> ShareForm:
    """Take over own days."""
    return replace(form, span=Span.OWN, first=first, last=last)


def with_since(form: ShareForm, since: Since, *, today: date, own: date | None = None) -> ShareForm:
    """Take over from which day on data goes along."""
    two_years, own_dates = add_months(today, -24), since is Since.OWN
    start = {Since.ALL: None, Since.YEARS2: two_years, Since.OWN: own or form.data_from or two_years}[since]
    return replace(form, since=since, data_from=start, data_until=form.data_until if own_dates else None)


def with_until(form: ShareForm, until: date | None) -> ShareForm:
    """Take over the last day of the data."""
    return replace(form, data_until=until)


def with_single(form: ShareForm, single: Single) -> ShareForm:
    """Take over what pointing out means; what was pointed out stays for a change of mind."""
    return replace(form, single=single)


def with_pointed(form: ShareForm, reference: str, *, on: bool) -> ShareForm:
    """Point one record out, or no longer."""
    return replace(form, pointed=form.pointed | {reference} if on else form.pointed - {reference})


def with_author(form: ShareForm, references: frozenset[str], *, out: bool) -> ShareForm:
    """Leave out what an author wrote, or no longer."""
    left = form.without_authors | references if out else form.without_authors - references
    return replace(form, without_authors=left)


def with_category(form: ShareForm, category: Category, *, on: bool) -> ShareForm:
    """Switch one kind of data."""
    chosen = form.categories | {category} if on else form.categories - {category}
    return replace(form, preset=OWN, categories=chosen)


def with_sensitivity(form: ShareForm, cluster: Sensitivity, *, on: bool) -> ShareForm:
    """Switch one sensitive subject."""
    chosen = form.sensitivity | {cluster} if on else form.sensitivity - {cluster}
    return replace(form, preset=OWN, sensitivity=chosen)


def with_choice(form: ShareForm, choice: ShareChoice) -> ShareForm:
    """Take over what somebody asked for; its length stays the safe one until the patient changes it."""
    return replace(
        form,
        preset=OWN,
        categories=choice.categories,
        sensitivity=choice.sensitivity,
        purpose=choice.purpose,
        since=Since.OWN if choice.data_from or choice.data_until else Since.ALL,
        data_from=choice.data_from,
        data_until=choice.data_until,
        actions=choice.actions,
        codes=choice.codes,
        research=choice.research,
    )


def with_action(form: ShareForm, action: Action, *, on: bool) -> ShareForm:
    """Let the recipient do something more, or no longer."""
    return replace(form, actions=form.actions | {action} if on else form.actions - {action})


def with_code(form: ShareForm, code: str, *, on: bool) -> ShareForm:
    """Let data about a condition or treatment go along, or no longer."""
    return replace(form, codes=form.codes | {code} if on else form.codes - {code})


def with_topic(form: ShareForm, topic: str, *, on: bool) -> ShareForm:
    """Let research be about a topic, or no longer."""
    use = form.research or ResearchUse()
    return replace(form, research=replace(use, topics=use.topics | {topic} if on else use.topics - {topic}))


def with_use(form: ShareForm, name: str, *, on: bool) -> ShareForm:
    """Allow one use of research that is opted in by itself, or no longer."""
    if name == Action.RECONTACT:
        return with_action(form, Action.RECONTACT, on=on)
    use = form.research or ResearchUse()
    said = {one: getattr(use, one) for one in OPT_INS} | {name: on}
    changed = replace(
        use,
        methods=said["methods"],
        commercial=said["commercial"],
        poa=said["poa"],
        train_models=said["train_models"],
    )
    return replace(form, research=changed)


def problems(form: ShareForm, *, today: date) -> Mapping[str, str]:
    """Return what keeps this form from being signed: field name to the last part of its text key."""
    found: dict[str, str] = {}
    if not form.categories:
        found["categories"] = "nothing"
    if form.last < today:
        found["period"] = "past"
    elif form.last < form.first:
        found["period"] = "dates"
    elif form.last > add_months(today, 12 * MAX_YEARS):
        found["period"] = "long"
    if form.data_from is not None and form.data_from > today:
        found["data_from"] = "data_from"
    elif form.data_from and form.data_until and form.data_until < form.data_from:
        found["data_until"] = "data_dates"
    if form.research is not None and not (form.research.topics or form.codes):
        found["research"] = "no_topic"
    if form.single is not Single.ALL and len(form.pointed) > MAX_SINGLE:
        found["records"] = "too_many"
    elif form.single is Single.ONLY and not form.pointed:
        found["records"] = "pick_first"
    return found


def choice_of(form: ShareForm, *, recipient_id: str) -> ShareChoice:
    """Return what the use cases preview and sign; the form must have no problems."""
    return ShareChoice(
        recipient_id=recipient_id,
        categories=form.categories,
        sensitivity=form.sensitivity,
        purpose=form.purpose,
        period=(form.first, form.last),
        data_from=form.data_from,
        data_until=form.data_until,
        only=form.pointed if form.single is Single.ONLY else frozenset(),
        left_out=form.pointed if form.single is Single.EXCEPT else frozenset(),
        without_authors=form.without_authors,
        actions=form.actions,
        codes=form.codes,
        research=form.research,
    )
