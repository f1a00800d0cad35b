"""Look at the record: overview, profile, medication, measurements, timeline, one record.

Nothing here changes the store. Rows come from the index columns; only ``record`` opens the kept bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pgo.errors import NotFound
from pgo.health.record.directive import Directive, read_directive
from pgo.health.record.kinds import RecordKind
from pgo.health.record.remarks import CODES
from pgo.health.record.resource import Resource
from pgo.health.record.series import Measured, Series, build_series, join_units, same_line
from pgo.health.record.status import RecordStatus, status_on
from pgo.health.record.views import Detail, PersonView, details, person_view, range_words
from pgo.health.record.words import folded
from pgo.store.record_types import MeasuredNumber, StoredRow
from pgo.usecases.content import names_of, stored_resource, vault_resolver
from pgo.usecases.echoes import echoes
from pgo.usecases.merge import foremost, things
from pgo.usecases.saving import vault_patient
from pgo.usecases.session import Session

MAX_PAGE = 500
_NEWEST = 5
_OVER = (RecordStatus.PAST, RecordStatus.ENTERED_IN_ERROR)
_MAX_RELATED = 50
_LISTED = tuple(kind.value for kind in RecordKind if kind not in (RecordKind.OTHER, RecordKind.PERSON))


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One line of a list.

    Attributes:
        id: number of the record in this vault.
        kind: which part of the record it belongs to.
        type: FHIR resource type.
        title: what it is, in the words of the source.
        detail: second line, may be empty.
        start: ISO date or instant, '' when unknown.
        end: as ``start``.
        status: current, past, planned, unknown or entered in error.
        value_text: value with unit as the source wrote it, '' when it has none.
        self_authored: typed or answered by the patient in this app.
        code: ``system|code`` of what it is about, '' when the source gave none.
        others: further records about the same thing, where a list shows it once.
        disagree: those records do not say the same about whether it still holds.
    """

    id: int
    kind: RecordKind
    type: str
    title: str
    detail: str
    start: str
    end: str
    status: RecordStatus
    value_text: str
    self_authored: bool
    code: str = ""
    others: tuple[int, ...] = ()
    disagree: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """The first screen.

    Attributes:
        total: records, without the trash.
        counts: records per kind, kinds without records left out.
        person: whom the vault is about, None while unknown.
        newest: up to five records, newest first.
        next_questionnaire_due: day the next check-in is due, None when there is no questionnaire.
        shares_in_force: grants that work now.
        deliveries_waiting: sends and withdrawals that have not reached their recipient.
    """

    total: int
    counts: Mapping[RecordKind, int]
    person: PersonView | None
    newest: tuple[RecordRow, ...]
    next_questionnaire_due: date | None
    shares_in_force: int
    deliveries_waiting: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Who the patient is, and what a caregiver asks first; each thing once, lists newest first."""

    person: PersonView | None
    conditions: tuple[RecordRow, ...]
    allergies: tuple[RecordRow, ...]
    vaccinations: tuple[RecordRow, ...]
    directives: tuple[DirectiveRow, ...]


@dataclass(frozen=True, slots=True)
class DirectiveRow:
    """A wish or agreement about care, with its yes or no."""

    row: RecordRow
    directive: Directive


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """One measured thing: key for ``series``, and its newest value; ``code`` as in ``RecordRow``."""

    key: str
    code: str
    title: str
    unit: str
    count: int
    last_text: str
    last_at: str


@dataclass(frozen=True, slots=True)
class Page:
    """A window on a longer list: ``total`` of the whole, ``offset`` of the first row."""

    total: int
    offset: int
    rows: tuple[RecordRow, ...]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Where a record came from: a picked file or the patient."""

    name: str
    collected_at: datetime
    kind: Literal["file", "self"]


@dataclass(frozen=True, slots=True)
class RecordDetail:
    """One record in full.

    Attributes:
        row: its line.
        details: readable rows, label key and value.
        source: where it came from.
        raw_text: the resource as indented JSON, for reading only.
        original_format: ``json`` or ``xml``, the form it came in.
        versions: number of versions kept.
        related: records it refers to or that refer to it.
        in_trash: whether it was thrown away.
        deviations: where it is not what FHIR R4 says, in element names; empty for nearly all.
    """

    row: RecordRow
    details: tuple[Detail, ...]
    source: SourceInfo
    raw_text: str
    original_format: str
    versions: int
    related: tuple[RecordRow, ...]
    in_trash: bool
    deviations: tuple[str, ...] = ()


def overview(session: Session) -> Overview:
    """Counts, person and newest records."""
    from pgo.usecases.answer import next_due  # its questionnaires are needed on two screens only
    from pgo.usecases.consenting import count_in_force

    store, now = session.store, session.now()
    counts = {RecordKind(kind): count for kind, count in store.records.counts().items()}
    _, newest = store.records.page(kinds=_LISTED, limit=_NEWEST)
    return Overview(
        total=sum(counts.values()),
        counts=counts,
        person=_person(session),
        newest=_rows(newest, today=session.today()),
        next_questionnaire_due=next_due(session),
        shares_in_force=count_in_force(store, at=now) if store.ledger.head()[0] else 0,
        deliveries_waiting=store.outbox.count_open(),
    )


def profile(session: Session) -> Profile:
    """Person, conditions, allergies, vaccinations."""
    return Profile(
        person=_person(session),
        conditions=_things(session, RecordKind.CONDITION),
        allergies=_things(session, RecordKind.ALLERGY),
        vaccinations=_things(session, RecordKind.VACCINATION),
        directives=_directives(session),
    )


def series_list(session: Session) -> tuple[SeriesSummary, ...]:
    """All measured things with at least one number, by title; units that go into each other are one thing."""
    lines: dict[tuple[str, str], list[tuple[int, MeasuredNumber]]] = {}
    for count, last in session.store.measures.lines():
        lines.setdefault(same_line(last.key, last.code, last.ucum), []).append((count, last))
    newest = [
        (max((last for _, last in own), key=lambda last: (last.at, last.key)), sum(n for n, _ in own))
        for own in lines.values()
    ]
    return tuple(
        SeriesSummary(last.key, last.code, last.title, last.unit, count, last.shown, last.at)
        for last, count in sorted(newest, key=lambda pair: (folded(pair[0].title), pair[0].key))
    )


def series(session: Session, key: str) -> Series:
    """All points of one measured thing, oldest first, in the unit of the newest where units can be converted.

    Raises:
        NotFound: nothing was measured under that key.
    """
    measures = session.store.measures
    rows = measures.line(key)
    if not rows:
        raise NotFound("series")
    code = rows[0][1].code
    alike = [other for other in measures.line_keys(code) if other != key] if code else []
    numbers = [*rows, *(pair for other in alike for pair in measures.line(other))]
    lines = join_units(build_series((record_id, _measured(number)) for record_id, number in numbers))
    return next(line for line in lines if key in line.keys)


def normal_range(session: Session, record_id: int) -> str:
    """The normal values that a result names itself, as its source wrote them; '' when it names none."""
    content = session.store.records.content(record_id)
    return "" if content is None else range_words(stored_resource(content.raw, content.full_url))


def timeline(
    session: Session, *, query: str = "", kind: RecordKind | None = None, offset: int = 0, limit: int = 80
) -> Page:
    """Records, newest first, undated last; an event that several wrote down is one line (``echoes``).

    Without a query, what is in no list of its own (claims, organisations) and the person stay out; a query
    searches everything and folds nothing, and ``kind`` shows any kind.

    Args:
        session: the open vault.
        query: words that must all occur (case and accents ignored), '' for all.
        kind: only this kind.
        offset: rows to skip.
        limit: rows at most, 1..500.
    """
    words = folded(query).split()
    kinds = (kind.value,) if kind is not None else () if words else _LISTED
    same: Mapping[int, tuple[int, ...]] = {} if words else echoes(session)
    total, rows = session.store.records.page(
        words=words,
        kinds=kinds,
        without=frozenset(number for rest in same.values() for number in rest),
        offset=max(offset, 0),
        limit=min(max(limit, 1), MAX_PAGE),
    )
    shown = (replace(row, others=same.get(row.id, ())) for row in _rows(rows, today=session.today()))
    return Page(total, max(offset, 0), tuple(shown))


def record(session: Session, record_id: int) -> RecordDetail:
    """One record in full.

    Raises:
        NotFound: no such record.
    """
    from pgo.health.fhir_r4 import validate  # not needed to unlock and list

    store, today = session.store, session.today()
    row, content = store.records.row(record_id), store.records.content(record_id)
    if row is None or content is None:
        raise NotFound("record")
    resource = stored_resource(content.raw, content.full_url)
    return RecordDetail(
        row=record_row(row, today=today),
        details=details(resource, vault_resolver(store)),
        source=SourceInfo(content.source.name, content.source.collected_at, content.source.kind),
        raw_text=_indented(resource.body),
        original_format=content.original_format,
        versions=content.versions,
        related=_related(session, record_id, resource, today=today),
        in_trash=row.in_trash,
        deviations=tuple(str(issue) for issue in validate(resource.body)),
    )


def counts_by_type(session: Session) -> Mapping[str, int]:
    """Records per FHIR resource type, by name."""
    return session.store.records.counts_by_type()


def records_of_type(session: Session, type_: str) -> tuple[RecordRow, ...]:
    """All records of one FHIR resource type, in the order they came."""
    rows = session.store.records.rows(session.store.records.present_ids(type_))
    return _rows([rows[record_id] for record_id in sorted(rows)], today=session.today())


def record_row(row: StoredRow, *, today: date) -> RecordRow:
    """One line of a list as it stands today (a course of medicine may have run out since it was stored)."""
    columns = row.columns
    return RecordRow(
        id=row.id,
        kind=RecordKind(columns.kind),
        type=row.type,
        title=columns.title,
        detail=columns.detail,
        start=columns.start,
        end=columns.end,
        status=status_on(RecordStatus(columns.status), columns.start, columns.end, on=today),
        value_text=columns.value_text,
        self_authored=row.self_authored,
        code=columns.code,
    )


def _rows(rows: Iterable[StoredRow], *, today: date) -> tuple[RecordRow, ...]:
    return tuple(record_row(row, today=today) for row in rows)


def _things(session: Session, kind: RecordKind) -> tuple[RecordRow, ...]:
    """Every thing of a kind once, newest first: the record that stands for it, with the others behind it."""
    rows = {
        row.id: row for row in _rows(session.store.records.of_kinds((kind.value,)), today=session.today())
    }
    found = []
    for thing in things(session, kind):
        own = [rows[number] for number in thing.record_ids]
        first = foremost(own, lambda row: row.status, lambda row: row.start)
        others = tuple(row.id for row in own if row is not first)
        said = {row.status for row in own} - {RecordStatus.UNKNOWN}
        found.append(replace(first, others=others, disagree=len(said) > 1))
    return tuple(sorted(found, key=lambda row: (row.start, row.id), reverse=True))


def _directives(session: Session) -> tuple[DirectiveRow, ...]:
    """Wishes and agreements about care that are not over, newest first."""
    shown = [row for row in _things(session, RecordKind.DIRECTIVE) if row.status not in _OVER]
    bodies = {
        number: stored_resource(raw, full_url).body
        for number, full_url, raw in session.store.records.raws(row.id for row in shown)
    }
    return tuple(DirectiveRow(row, read_directive(bodies[row.id])) for row in shown)


def _person(session: Session) -> PersonView | None:
    patient = vault_patient(session.store)
    return None if patient is None else person_view(patient)


def _related(session: Session, record_id: int, resource: Resource, *, today: date) -> tuple[RecordRow, ...]:
    records = session.store.records
    ids = {
        *records.ids_by_reference(records.links(record_id)).values(),
        *records.linking_to(names_of(resource)),
    }
    found = records.rows(sorted(ids - {record_id})[:_MAX_RELATED])
    # Everything refers to the patient; that says nothing here. Remarks stand in a place of their own.
    return tuple(
        record_row(row, today=today)
        for row in found.values()
        if row.type != "Patient" and row.columns.code not in CODES
    )


def _measured(number: MeasuredNumber) -> Measured:
    return Measured(
        key=number.key,
        title=number.title,
        code=number.code,
        unit=number.unit,
        at=number.at,
        value=Decimal(number.value),
        text=number.shown,
        ucum=number.ucum,
    )


def _indented(body: Mapping[str, Any]) -> str:
    """For reading only: a number with a fraction keeps its digits, as text without quotes is not possible."""
    marks: list[str] = []

    def keep(value: object) -> str:
        if not isinstance(value, Decimal):
            raise TypeError("only JSON values can be shown")
        marks.append(str(value))
        return f"\x00{len(marks) - 1}\x00"

    text = json.dumps(body, indent=2, ensure_ascii=False, default=keep)
    for place, digits in enumerate(marks):
        text = text.replace(f'"\\u0000{place}\\u0000"', digits, 1)
    return text
