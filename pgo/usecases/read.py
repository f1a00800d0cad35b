"""Look at the record: overview, profile, medication, measurements, timeline, one record.

Nothing here changes the store. Rows come from the index columns; only ``record`` opens the kept bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pgo.usecases.session import Session

if TYPE_CHECKING:
    from pgo.health.record.index import RecordKind, RecordStatus
    from pgo.health.record.series import Series
    from pgo.health.record.views import Detail, PersonView


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
    """Who the patient is, and what a caregiver asks first; lists newest first."""

    person: PersonView | None
    conditions: tuple[RecordRow, ...]
    allergies: tuple[RecordRow, ...]
    vaccinations: tuple[RecordRow, ...]


@dataclass(frozen=True, slots=True)
class Medications:
    """Medication in use (planned and unknown included) and medication stopped, each newest first."""

    current: tuple[RecordRow, ...]
    past: tuple[RecordRow, ...]


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """One measured thing: key for ``series``, and its newest value."""

    key: str
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
    """

    row: RecordRow
    details: tuple[Detail, ...]
    source: SourceInfo
    raw_text: str
    original_format: str
    versions: int
    related: tuple[RecordRow, ...]
    in_trash: bool


def overview(session: Session) -> Overview:
    """Counts, person and newest records."""
    raise NotImplementedError


def profile(session: Session) -> Profile:
    """Person, conditions, allergies, vaccinations."""
    raise NotImplementedError


def medications(session: Session) -> Medications:
    """Medication, in use and past."""
    raise NotImplementedError


def series_list(session: Session) -> tuple[SeriesSummary, ...]:
    """All measured things with at least one number, by title."""
    raise NotImplementedError


def series(session: Session, key: str) -> Series:
    """All points of one measured thing (same code and same unit), oldest first.

    Raises:
        NotFound: nothing was measured under that key.
    """
    raise NotImplementedError


def timeline(
    session: Session, *, query: str = "", kind: RecordKind | None = None, offset: int = 0, limit: int = 80
) -> Page:
    """All records, newest first, undated last.

    Args:
        session: the open vault.
        query: words that must all occur (case and accents ignored), '' for all.
        kind: only this kind.
        offset: rows to skip.
        limit: rows at most, 1..500.
    """
    raise NotImplementedError


def record(session: Session, record_id: int) -> RecordDetail:
    """One record in full.

    Raises:
        NotFound: no such record.
    """
    raise NotImplementedError
