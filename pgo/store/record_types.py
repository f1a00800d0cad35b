"""What the store keeps of a record, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

SourceKind = Literal["file", "self"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where records came from: a file, or the patient."""

    id: int
    name: str
    kind: SourceKind
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class RecordColumns:
    """What is kept beside the bytes; see ``pgo.health.record.index.RecordIndex`` for the meaning."""

    kind: str
    title: str
    detail: str
    start: str
    end: str
    status: str
    code: str
    unit: str
    value: str
    value_text: str
    search: str


@dataclass(frozen=True, slots=True)
class MeasuredNumber:
    """One number of one record; see ``pgo.health.record.series.Measured``. ``value`` is decimal text."""

    key: str
    title: str
    code: str
    unit: str
    at: str
    value: str
    shown: str
    ucum: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """One content of one record, ready to be stored.

    Attributes:
        type: FHIR resource type.
        resource_id: its id, or a name made from its content when it has none.
        origin: namespace of the id, so that equal ids of two hospitals stay two records.
        full_url: Bundle.entry.fullUrl, '' for none.
        raw: the exact bytes.
        raw_sha256: ``sha256:<hex>`` of them.
        canonical: hash of the content without regard to order of members and white space.
        original: what it was converted from (XML), None when ``raw`` is the original.
        original_format: ``json`` or ``xml``.
        columns: index columns.
        facts: consent facts as JSON.
        links: references to other records, as ``Type/id`` where they are one.
        measured: numbers for the charts.
        self_authored: made by the patient in this app.
    """

    type: str
    resource_id: str
    origin: str
    full_url: str
    raw: bytes
    raw_sha256: str
    canonical: str
    original: bytes | None
    original_format: str
    columns: RecordColumns
    facts: str
    links: frozenset[str]
    measured: tuple[MeasuredNumber, ...]
    self_authored: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows about a record before taking a new content."""

    id: int
    canonical: str
    raw_sha256: str
    in_trash: bool


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One record without its bytes."""

    id: int
    type: str
    resource_id: str
    columns: RecordColumns
    self_authored: bool
    in_trash: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """What a record is known by, and the full url it came with ('' for none)."""

    id: int
    type: str
    resource_id: str
    origin: str
    full_url: str


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """The present bytes of a record and where they came from."""

    raw: bytes
    raw_sha256: str
    full_url: str
    original: bytes | None
    original_format: str
    source: Source
    versions: int
    stored_at: datetime
