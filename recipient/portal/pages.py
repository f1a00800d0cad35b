"""From permitted resources to what a page shows: sorted, worded, nothing decided.

Promises: entered-in-error records stand in no section, only marked in the timeline; "current" is decided on
the day of looking; what is not shared is never guessed ("no allergies in what is shared").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from pgo.health.record.index import RecordIndex
from pgo.health.record.kinds import RecordKind
from pgo.health.record.printed import brief_number, printed_unit
from pgo.health.record.series import Point, Series
from pgo.health.record.status import RecordStatus, status_on
from pgo.health.record.words import folded
from recipient.portal.charts import Dot, line_chart, spark_line
from recipient.portal.grant import GrantHead, grant_head
from recipient.portal.people import age_on, born_text, initials
from recipient.portal.text import day_text, instant_words, number_text, shown, t
from recipient.reading import Item, Look, SharedPatient, opaque_key

_CURRENT = (RecordStatus.CURRENT, RecordStatus.PLANNED, RecordStatus.UNKNOWN)
# FHIR R4 quantity-comparator; the longer signs first
_COMPARATORS = {
    "<=": "compare.at_most",
    ">=": "compare.at_least",
    "<": "compare.less",
    ">": "compare.more",
}
_TIMELINE_KINDS = tuple(kind for kind in RecordKind if kind not in (RecordKind.PERSON, RecordKind.OTHER))
Page = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One line of the list of people who share."""

    handle: str
    name: str
    initials: str
    born: str
    until: str
    new_count: int
    never_seen: bool
    sort_key: tuple[str, str]
    search: str


@dataclass(frozen=True, slots=True)
class Line:
    """One record in a list."""

    id: int
    title: str
    detail: str
    when: str
    badge: str


@dataclass(frozen=True, slots=True)
class Tile:
    """The newest value of one measurement."""

    key: str
    title: str
    value: Markup
    unit: str
    when: str
    count: int
    spark: Markup | None


@dataclass(frozen=True, slots=True)
class Head:
    """Who the page is about, under which grant it is shown, and how many records that grant shows now."""

    name: str
    initials: str
    born: str
    gender: str
    grant: GrantHead
    records: str


def patient_row(patient: SharedPatient, *, lang: str, at: datetime) -> PatientRow:
    """Word one line of the list."""
    name = shown(patient.person.name) if patient.person and patient.person.name else ""
    birth_date = patient.person.birth_date if patient.person else ""
    return PatientRow(
        handle=patient.holding.handle,
        name=name or t(lang, "person.no_name"),
        initials=initials(name),
        born=born_text(birth_date, lang=lang, age=age_on(birth_date, at.date())),
        until=day_text(lang, patient.holding.statement.until_at.astimezone().date().isoformat()),
        new_count=patient.new_count,
        never_seen=patient.never_seen,
        sort_key=(folded(name) or "\uffff", patient.holding.handle),
        search=folded(f"{name} {birth_date} {day_text(lang, birth_date)}"),
    )


def fits(row: PatientRow, query: str) -> bool:
    """Tell whether every typed word occurs in a name or date of birth."""
    return all(word in row.search for word in folded(query).split())


def patient_page(look: Look, *, lang: str, at: datetime, timeline_length: int) -> Page:
    """Gather the overview of one patient."""
    usable = [item for item in look.items if item.index.status is not RecordStatus.ENTERED_IN_ERROR]
    conditions, past_conditions = _split(usable, RecordKind.CONDITION, at=at)
    medication, past_medication = _split(usable, RecordKind.MEDICATION, at=at)
    allergies = _newest_first(item for item in usable if item.index.kind is RecordKind.ALLERGY)
    asked = {item.id for item in usable if _is_questionnaire_score(item)}
    series = look.series()
    timeline = _timeline(look.items, kind="")
    return {
        "head": head_of(look, lang=lang, at=at),
        "allergies": [_line(item, lang=lang, at=at, mark_past=True) for item in allergies],
        "conditions": [_line(item, lang=lang, at=at) for item in conditions],
        "past_conditions": [_line(item, lang=lang, at=at) for item in past_conditions],
        "medication": [_line(item, lang=lang, at=at) for item in medication],
        "past_medication": [_line(item, lang=lang, at=at) for item in past_medication],
        "proms": _tiles((one for one in series if one.points[-1].record_id in asked), lang=lang),
        "measurements": _tiles((one for one in series if one.points[-1].record_id not in asked), lang=lang),
        "timeline": [_line(item, lang=lang, at=at, with_kind=True) for item in timeline[:timeline_length]],
        "timeline_total": len(timeline),
    }


def timeline_page(look: Look, *, lang: str, at: datetime, kind: str, first: int, length: int) -> Page:
    """Gather one page of the timeline; an unknown kind means all."""
    present = {item.index.kind for item in look.items}
    kinds = [(str(one), t(lang, f"kind.{one}")) for one in _TIMELINE_KINDS if one in present]
    chosen = kind if kind in dict(kinds) else ""
    items = _timeline(look.items, kind=chosen)
    return {
        "head": head_of(look, lang=lang, at=at),
        "kinds": kinds,
        "kind": chosen,
        "total": len(items),
        "rows": [
            _line(item, lang=lang, at=at, with_kind=not chosen) for item in items[first : first + length]
        ],
        "newer": max(0, first - length) if first > 0 else None,
        "older": first + length if first + length < len(items) else None,
    }


def trend_page(look: Look, series: Series, *, lang: str, at: datetime) -> Page:
    """Gather one measurement as chart, sentence and table, newest row first."""
    title = shown(series.title)
    dots = _dots(series.points)
    low, high = min(series.points, key=_value), max(series.points, key=_value)
    words = {"n": len(series.points), "first": day_text(lang, series.points[0].at)}
    if len(series.points) == 1:
        subtitle = t(lang, "trend.subtitle_one", **words)
    else:
        words |= {
            "last": day_text(lang, series.points[-1].at),
            "low": _with_unit(low, series, lang=lang),
            "high": _with_unit(high, series, lang=lang),
        }
        subtitle = t(lang, "trend.subtitle", **words)
    return {
        "head": head_of(look, lang=lang, at=at),
        "trend": {
            "title": title,
            "subtitle": subtitle,
            "chart": line_chart(dots, lang=lang, title=title, description=subtitle) if dots else "",
            "rows": [
                {
                    "id": point.record_id,
                    "when": day_text(lang, point.at),
                    "value": _spoken(point, series, lang=lang),
                    "unit": printed_unit(shown(series.unit)),
                }
                for point in reversed(series.points)
            ],
        },
    }


def head_of(look: Look, *, lang: str, at: datetime) -> Head:
    """Word who it is about and what the grant says."""
    person = look.person
    name = shown(person.name) if person and person.name else ""
    birth_date = person.birth_date if person else ""
    gender = person.gender if person else ""
    return Head(
        name=name or t(lang, "person.no_name"),
        initials=initials(name),
        born=born_text(birth_date, lang=lang, age=age_on(birth_date, at.date())),
        gender=t(lang, f"gender.{gender}") if gender in ("male", "female", "other", "unknown") else "",
        grant=grant_head(look.holding, lang=lang, at=at),
        records=number_text(lang, str(len(look.items))),
    )


def _split(items: Sequence[Item], kind: RecordKind, *, at: datetime) -> tuple[list[Item], list[Item]]:
    """Sort the records of one kind into current and past, newest first."""
    of_kind = _newest_first(item for item in items if item.index.kind is kind)
    current = [item for item in of_kind if _status(item.index, at) in _CURRENT]
    past = [item for item in of_kind if _status(item.index, at) not in _CURRENT]
    return current, past


def _status(index: RecordIndex, at: datetime) -> RecordStatus:
    return status_on(index.status, index.start, index.end, on=at.date())


def _newest_first(items: Iterable[Item]) -> list[Item]:
    # Two passes, both stable: undated last, equal dates in alphabetical order.
    by_title = sorted(items, key=lambda item: (folded(item.index.title), item.id))
    return sorted(by_title, key=lambda item: item.index.start, reverse=True)


def _timeline(items: Iterable[Item], *, kind: str) -> list[Item]:
    wanted = {RecordKind(kind)} if kind else set(_TIMELINE_KINDS)
    return _newest_first(item for item in items if item.index.kind in wanted)


def _line(item: Item, *, lang: str, at: datetime, with_kind: bool = False, mark_past: bool = False) -> Line:
    index = item.index
    status = _status(index, at)
    badge = ""
    if status is RecordStatus.ENTERED_IN_ERROR or (mark_past and status is RecordStatus.PAST):
        badge = t(lang, f"status.{status}")
    elif status is RecordStatus.PLANNED:
        badge = t(lang, "status.planned")
    # Only what was measured: in the words of a prescription nothing is rounded or rewritten.
    said = shown(index.detail)
    detail = number_text(lang, _brief(said) if index.kind is RecordKind.MEASUREMENT else said)
    if with_kind:
        detail = " · ".join(filter(None, (t(lang, f"kind.{index.kind}"), detail)))
    return Line(
        id=item.id,
        title=shown(index.title),
        detail=detail,
        when=day_text(lang, index.start),
        badge=badge,
    )


def _tiles(series: Iterable[Series], *, lang: str) -> list[Tile]:
    newest_first = sorted(series, key=lambda one: one.points[-1].at, reverse=True)
    return [
        Tile(
            key=opaque_key(one.key),
            title=shown(one.title),
            value=_spoken(one.points[-1], one, lang=lang, brief=True),
            unit=printed_unit(shown(one.unit)),
            when=day_text(lang, one.points[-1].at),
            count=len(one.points),
            spark=spark_line(dots) if len(dots := _dots(one.points)) > 1 else None,
        )
        for one in newest_first
    ]


def _dots(points: Iterable[Point]) -> list[Dot]:
    return [Dot(moment, point.value) for point in points if (moment := _moment(point.at)) is not None]


def _moment(text: str) -> datetime | None:
    """Read a FHIR date as an instant: a month is its first day, a day starts at midnight UTC."""
    whole = text if len(text) > 7 else f"{text}{'-01' if len(text) == 7 else '-01-01'}"
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _value(point: Point) -> Decimal:
    return point.value


def _bare(point: Point, series: Series) -> str:
    """Return the value as recorded, comparator included, without the unit that stands beside it."""
    return shown(point.text.removesuffix(series.unit).strip() if series.unit else point.text)


def _brief(text: str) -> str:
    """Return a value for a tile or a line; the trend table and the record show every digit."""
    return printed_unit(brief_number(text))


def _spoken(point: Point, series: Series, *, lang: str, brief: bool = False) -> Markup:
    """Return the value for a page; a comparator is also said in words, because screen readers skip ``<``."""
    bare = _bare(point, series)
    written = number_text(lang, _brief(bare) if brief else bare)
    for sign, key in _COMPARATORS.items():
        if written.startswith(sign):
            return Markup('<span aria-hidden="true">{}</span><span class="sr">{} </span>{}').format(
                sign, t(lang, key), written.removeprefix(sign).strip()
            )
    return Markup("{}").format(written)


def _with_unit(point: Point, series: Series, *, lang: str) -> str:
    value, unit = _brief(_bare(point, series)), printed_unit(shown(series.unit))
    return " ".join(filter(None, (number_text(lang, value), unit)))


def _is_questionnaire_score(item: Item) -> bool:
    """Tell whether an Observation is a score of answers (category ``survey``, or derived from a response).

    Source: http://terminology.hl7.org/CodeSystem/observation-category, code survey.
    """
    body = item.resource.body
    codings = [
        coding for category in _objects(body.get("category")) for coding in _objects(category.get("coding"))
    ]
    derived = [str(reference.get("reference", "")) for reference in _objects(body.get("derivedFrom"))]
    return any(coding.get("code") == "survey" for coding in codings) or any(
        "QuestionnaireResponse/" in reference for reference in derived
    )


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def received_text(item: Item, *, lang: str) -> str:
    """Word when a record arrived here."""
    return instant_words(lang, item.received_at)
