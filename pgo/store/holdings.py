"""Everything the vault holds of records, for taking it out whole; reading only.

Lists and screens see the newest content outside the trash. What is taken out has to be all of it: the
trash, older contents, originals before conversion, what was set aside, and where each came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto.canonical import canonical_bytes
from pgo.store.instants import from_text
from pgo.store.protocols import Engine, Row
from pgo.store.record_types import SourceKind

_CHUNK = 200


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """One content of a record, as it came.

    Attributes:
        number: from 1.
        raw: the bytes.
        original: what they were converted from, None when they are the original.
        original_format: form the record came in.
        source_id: where it came from.
        stored_at: when.
    """

    number: int
    raw: bytes
    original: bytes | None
    original_format: str
    source_id: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """One record with all its contents, the newest last; ``trashed_at`` None outside the trash."""

    id: int
    type: str
    resource_id: str
    origin: str
    full_url: str
    self_authored: bool
    trashed_at: datetime | None
    versions: tuple[HeldVersion, ...]


@dataclass(frozen=True, slots=True)
class HeldSource:
    """Where records came from, as kept when they came."""

    id: int
    name: str
    sha256: str
    kind: SourceKind
    size_bytes: int
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class HeldAside:
    """One entry that was set aside, with the name of its file."""

    source_id: int
    entry: str
    type: str | None
    resource_id: str | None
    code: str
    detail: str
    raw: bytes | None
    full_url: str
    reader: int


Named = tuple[str, str, str]
"""What a record is known by: type, id, origin."""


class Holdings:
    """The record tables as a whole."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self) -> int:
        """How many records there are, the trash included."""
        row = self._engine.row("SELECT count(*) FROM record")
        return int(row[0]) if row else 0

    def records(self) -> Iterator[HeldRecord]:
        """All records by rising number, the trash included, each with all its contents."""
        numbers = [int(row[0]) for row in self._engine.rows("SELECT id FROM record ORDER BY id")]
        for start in range(0, len(numbers), _CHUNK):
            yield from self._part(numbers[start : start + _CHUNK])

    def sources(self) -> tuple[HeldSource, ...]:
        """Where everything came from, in order."""
        rows = self._engine.rows(
            "SELECT id, name, sha256, kind, size_bytes, collected_at FROM source ORDER BY id"
        )
        return tuple(HeldSource(row[0], row[1], row[2], row[3], row[4], from_text(row[5])) for row in rows)

    def source_names(self) -> dict[int, str]:
        """Record number to the name of what its newest content came from; '' for what the patient typed."""
        rows = self._engine.rows(
            "SELECT r.id, CASE s.kind WHEN 'self' THEN '' ELSE s.name END FROM record r"
            " JOIN source s ON s.id = r.source_id"
        )
        return {int(row[0]): str(row[1]) for row in rows}

    def set_aside(self) -> tuple[HeldAside, ...]:
        """Everything that was set aside, in order."""
        rows = self._engine.rows(
            "SELECT source_id, entry, type, resource_id, code, detail, raw, full_url, reader FROM quarantine"
            " ORDER BY id"
        )
        return tuple(
            HeldAside(
                source_id=row[0],
                entry=row[1],
                type=row[2],
                resource_id=row[3],
                code=row[4],
                detail=row[5],
                raw=None if row[6] is None else bytes(row[6]),
                full_url=row[7],
                reader=int(row[8]),
            )
            for row in rows
        )

    def apart(self) -> tuple[tuple[Named, Named], ...]:
        """Pairs of records of which the patient said that they are not the same, in a fixed order."""
        rows = self._engine.rows(
            "SELECT a.type, a.resource_id, a.origin, b.type, b.resource_id, b.origin FROM apart p"
            " JOIN record a ON a.id = p.one JOIN record b ON b.id = p.other"
        )
        pairs = [sorted(((row[0], row[1], row[2]), (row[3], row[4], row[5]))) for row in rows]
        return tuple(sorted((one, other) for one, other in pairs))

    def digest(self) -> str:
        """A hash over the content of every record: equal for two vaults that hold the same.

        It covers what a record is known by, the hash of its content by meaning, the exact bytes of each
        version and original, whether the person wrote it, whether it lies in the trash, and which records
        the person keeps apart. It does not cover numbers, moments and names of files, which differ from
        vault to vault.
        """
        found = hashlib.sha256(b"pgo/1/holdings\n")
        contents = self._version_hashes()
        rows = self._engine.rows(
            "SELECT type, resource_id, origin, canonical, self_authored, deleted_at IS NOT NULL, id"
            " FROM record ORDER BY type, resource_id, origin"
        )
        for row in rows:
            line = [*row[:4], bool(row[4]), bool(row[5]), contents.get(int(row[6]), [])]
            found.update(canonical_bytes(line) + b"\n")
        for pair in self.apart():
            found.update(canonical_bytes([list(named) for named in pair]) + b"\n")
        return f"sha256:{found.hexdigest()}"

    def _version_hashes(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for record_id, raw_sha256, original in self._engine.rows(
            "SELECT record_id, raw_sha256, original FROM version ORDER BY record_id, number"
        ):
            before = "" if original is None else hashlib.sha256(original).hexdigest()
            found.setdefault(int(record_id), []).extend((str(raw_sha256), before))
        return found

    def _part(self, numbers: Sequence[int]) -> Iterator[HeldRecord]:
        marks = ",".join("?" * len(numbers))
        contents: dict[int, list[HeldVersion]] = {}
        for row in self._engine.rows(
            "SELECT record_id, number, raw, original, original_format, source_id, stored_at FROM version"  # noqa: S608
            f" WHERE record_id IN ({marks}) ORDER BY record_id, number",
            numbers,
        ):
            contents.setdefault(int(row[0]), []).append(_version(row))
        for row in self._engine.rows(
            "SELECT id, type, resource_id, origin, full_url, self_authored, deleted_at FROM record"  # noqa: S608
            f" WHERE id IN ({marks}) ORDER BY id",
            numbers,
        ):
            trashed_at = None if row[6] is None else from_text(row[6])
            versions = tuple(contents.get(int(row[0]), ()))
            yield HeldRecord(int(row[0]), row[1], row[2], row[3], row[4], bool(row[5]), trashed_at, versions)


def _version(row: Row) -> HeldVersion:
    original = None if row[3] is None else bytes(row[3])
    return HeldVersion(int(row[1]), bytes(row[2]), original, str(row[4]), int(row[5]), from_text(row[6]))
