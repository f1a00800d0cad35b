"""Records: the exact bytes as they came, every version, and index columns beside them.

Rules:
1. Bytes are written once and never changed; a new content is a new version, the older ones stay.
2. A record is known by (type, id, origin). Lists and searches read index columns only, never the bytes.
3. The trash is a mark with a time; what is in it is in no list but the trash's own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pgo.store.consent_keys import ConsentKeys
from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine, Row, Value
from pgo.store.reading import Reading
from pgo.store.record_types import (
    Identity,
    Known,
    MeasuredNumber,
    NewVersion,
    RecordColumns,
    Source,
    SourceKind,
    StoredBytes,
    StoredRow,
)

_CHUNK = 500

_ROW = (
    "id, type, resource_id, kind, title, detail, start_on, end_on, status, code, unit, value, value_text,"
    " self_authored, deleted_at"
)
_COLUMNS = "kind, title, detail, start_on, end_on, status, code, unit, value, value_text, search"


class Records:
    """The record tables; every method that changes something runs inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.consent = ConsentKeys(engine)
        self.reading = Reading(engine)

    def add_source(self, name: str, *, sha256: str, kind: SourceKind, size_bytes: int, at: datetime) -> int:
        """Keep where the records that follow come from."""
        return self._engine.insert(
            "INSERT INTO source (name, sha256, kind, size_bytes, collected_at) VALUES (?, ?, ?, ?, ?)",
            (name, sha256, kind, size_bytes, to_text(at)),
        )

    def source_names(self) -> dict[int, str]:
        """Number to name of every source."""
        return {int(row[0]): str(row[1]) for row in self._engine.rows("SELECT id, name FROM source")}

    def known(self, type_: str, resource_id: str, origin: str) -> Known | None:
        """Look a record up by what identifies it, the trash included."""
        row = self._engine.row(
            "SELECT id, canonical, raw_sha256, deleted_at FROM record"
            " WHERE type = ? AND resource_id = ? AND origin = ?",
            (type_, resource_id, origin),
        )
        return None if row is None else Known(row[0], row[1], row[2], row[3] is not None)

    def had(self, record_id: int, raw_sha256: str) -> bool:
        """Whether a record has, or had in an older version, exactly these bytes."""
        row = self._engine.row(
            "SELECT 1 FROM version WHERE record_id = ? AND raw_sha256 = ? LIMIT 1", (record_id, raw_sha256)
        )
        return row is not None

    def insert(self, new: NewVersion, *, source_id: int, at: datetime) -> int:
        """Store a record that was not there. Returns its number."""
        # Numbers go on after those that a vault before a restore may have given out (`pgo.store.backups`).
        record_id = self._engine.insert(
            f"INSERT INTO record (id, type, resource_id, origin, full_url, {_COLUMNS},"  # noqa: S608 - constant
            " self_authored, version_id, versions, raw_sha256, canonical, facts, source_id, stored_at)"
            " VALUES (max(ifnull((SELECT max(id) FROM record), 0),"
            " ifnull((SELECT max(first_record) FROM restore), 0)) + 1,"
            " ?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?, ?, 0, 1, ?,?,?,?,?)",
            (
                new.type,
                new.resource_id,
                new.origin,
                new.full_url,
                *_column_values(new.columns),
                int(new.self_authored),
                new.raw_sha256,
                new.canonical,
                new.facts,
                source_id,
                to_text(at),
            ),
        )
        self._add_version(record_id, new, number=1, source_id=source_id, at=at)
        return record_id

    def replace(self, record_id: int, new: NewVersion, *, source_id: int, at: datetime) -> None:
        """Store a new content of a known record; the older versions stay."""
        row = self._engine.row("SELECT versions FROM record WHERE id = ?", (record_id,))
        number = (int(row[0]) if row else 0) + 1
        self._engine.run(
            "UPDATE record SET (full_url, kind, title, detail, start_on, end_on, status, code, unit, value,"
            " value_text, search, versions, raw_sha256, canonical, facts, source_id, stored_at) = (?,"
            " ?,?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?)"
            " WHERE id = ?",
            (
                new.full_url,
                *_column_values(new.columns),
                number,
                new.raw_sha256,
                new.canonical,
                new.facts,
                source_id,
                to_text(at),
                record_id,
            ),
        )
        self._engine.run("DELETE FROM link WHERE record_id = ?", (record_id,))
        self._engine.run("DELETE FROM measure WHERE record_id = ?", (record_id,))
        self._add_version(record_id, new, number=number, source_id=source_id, at=at)

    def reindex(self, record_id: int, columns: RecordColumns, measured: Sequence[MeasuredNumber]) -> None:
        """Put index columns and numbers made anew in the place of the old ones; the bytes stay."""
        self._engine.run(
            f"UPDATE record SET ({_COLUMNS}) = (?,?,?,?,?,?,?,?,?,?,?) WHERE id = ?",  # noqa: S608 - constant
            (*_column_values(columns), record_id),
        )
        self._engine.run("DELETE FROM measure WHERE record_id = ?", (record_id,))
        self._add_measures(record_id, measured)

    def move_to_trash(self, record_id: int, *, at: datetime) -> bool:
        """Mark a record as thrown away. Returns False when there is none to mark."""
        changed = self._engine.run(
            "UPDATE record SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", (to_text(at), record_id)
        )
        return changed == 1

    def restore(self, record_id: int) -> bool:
        """Take the mark away. Returns False when the record is not in the trash."""
        changed = self._engine.run(
            "UPDATE record SET deleted_at = NULL WHERE id = ? AND deleted_at IS NOT NULL", (record_id,)
        )
        return changed == 1

    def row(self, record_id: int) -> StoredRow | None:
        """One record, the trash included."""
        row = self._engine.row(f"SELECT {_ROW} FROM record WHERE id = ?", (record_id,))  # noqa: S608 - constant
        return None if row is None else _stored(row)

    def rows(self, record_ids: Iterable[int]) -> dict[int, StoredRow]:
        """Several records by number; unknown numbers are left out."""
        found: dict[int, StoredRow] = {}
        for part in _parts(sorted(set(record_ids))):
            marks = ",".join("?" * len(part))
            for row in self._engine.rows(f"SELECT {_ROW} FROM record WHERE id IN ({marks})", part):  # noqa: S608
                found[row[0]] = _stored(row)
        return found

    def page(
        self,
        *,
        words: Sequence[str] = (),
        kinds: Sequence[str] = (),
        without: Collection[int] = (),
        offset: int = 0,
        limit: int = 80,
    ) -> tuple[int, list[StoredRow]]:
        """A window on the records outside the trash, newest first, undated last.

        Args:
            words: folded words that must all occur.
            kinds: only these kinds; empty for all.
            without: not these numbers.
            offset: rows to skip.
            limit: rows at most.

        Returns:
            How many there are in all, and the rows of the window.
        """
        where = ["deleted_at IS NULL"]
        values: list[Value] = []
        if kinds:
            # With words, the plus keeps the engine on the index that holds them.
            where.append(f"{'+' if words else ''}kind IN ({','.join('?' * len(kinds))})")
            values += kinds
        for word in words:
            where.append("instr(search, ?) > 0")
            values.append(word)
        if without:
            where.append("id NOT IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(sorted(without)))
        clause = " AND ".join(where)
        total = self._engine.row(f"SELECT count(*) FROM record WHERE {clause}", values)  # noqa: S608
        rows = self._engine.rows(
            f"SELECT {_ROW} FROM record WHERE id IN (SELECT id FROM record WHERE {clause}"  # noqa: S608
            " ORDER BY start_on DESC, id DESC LIMIT ? OFFSET ?) ORDER BY start_on DESC, id DESC",
            (*values, limit, offset),
        )
        return (int(total[0]) if total else 0), [_stored(row) for row in rows]

    def of_kinds(self, kinds: Sequence[str]) -> list[StoredRow]:
        """All records of these kinds outside the trash, newest first."""
        marks = ",".join("?" * len(kinds))
        rows = self._engine.rows(
            f"SELECT {_ROW} FROM record WHERE deleted_at IS NULL AND kind IN ({marks})"  # noqa: S608
            " ORDER BY start_on DESC, id DESC",
            kinds,
        )
        return [_stored(row) for row in rows]

    def trash(self) -> list[StoredRow]:
        """Records in the trash, last removed first."""
        sql = f"SELECT {_ROW} FROM record WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC"  # noqa: S608
        return [_stored(row) for row in self._engine.rows(sql)]

    def counts(self) -> dict[str, int]:
        """Records per kind, without the trash."""
        rows = self._engine.rows("SELECT kind, count(*) FROM record WHERE deleted_at IS NULL GROUP BY kind")
        return {str(kind): int(count) for kind, count in rows}

    def counts_by_type(self) -> dict[str, int]:
        """Records per FHIR type, without the trash, by name."""
        rows = self._engine.rows(
            "SELECT type, count(*) FROM record WHERE deleted_at IS NULL GROUP BY type ORDER BY type"
        )
        return {str(type_): int(count) for type_, count in rows}

    def content(self, record_id: int) -> StoredBytes | None:
        """The present bytes of a record."""
        row = self._engine.row(
            "SELECT v.raw, v.raw_sha256, r.full_url, v.original, v.original_format, s.id, s.name, s.kind,"
            " s.collected_at, r.versions, v.stored_at"
            " FROM record r JOIN version v ON v.id = r.version_id JOIN source s ON s.id = v.source_id"
            " WHERE r.id = ?",
            (record_id,),
        )
        if row is None:
            return None
        source = Source(row[5], row[6], row[7], from_text(row[8]))
        return StoredBytes(row[0], row[1], row[2], row[3], row[4], source, row[9], from_text(row[10]))

    def raws(self, record_ids: Iterable[int]) -> Iterator[tuple[int, str, bytes]]:
        """(number, full url, bytes) of records, by rising number."""
        for part in _parts(sorted(set(record_ids))):
            marks = ",".join("?" * len(part))
            yield from (
                (row[0], row[1], row[2])
                for row in self._engine.rows(
                    "SELECT r.id, r.full_url, v.raw FROM record r JOIN version v ON v.id = r.version_id"  # noqa: S608
                    f" WHERE r.id IN ({marks}) ORDER BY r.id",
                    part,
                )
            )

    def everything(self) -> Iterator[tuple[Identity, bytes]]:
        """Identity and bytes of all records outside the trash, by rising number."""
        for part in _parts(self.present_ids()):
            marks = ",".join("?" * len(part))
            rows = self._engine.rows(
                "SELECT r.id, r.type, r.resource_id, r.origin, r.full_url, v.raw FROM record r"  # noqa: S608
                f" JOIN version v ON v.id = r.version_id WHERE r.id IN ({marks}) ORDER BY r.id",
                part,
            )
            yield from ((Identity(*row[:5]), row[5]) for row in rows)

    def present_ids(self, type_: str | None = None) -> list[int]:
        """Numbers of all records outside the trash, rising; of one FHIR type when given."""
        sql = "SELECT id FROM record WHERE deleted_at IS NULL AND (? IS NULL OR type = ?) ORDER BY id"
        return [int(row[0]) for row in self._engine.rows(sql, (type_, type_))]

    def facts(self) -> list[tuple[int, str]]:
        """(number, consent facts as JSON) of all records outside the trash, newest record first."""
        rows = self._engine.rows(
            "SELECT id, facts FROM record WHERE deleted_at IS NULL ORDER BY start_on DESC, id DESC"
        )
        return [(int(row[0]), str(row[1])) for row in rows]

    def stamp(self) -> tuple[int, int, str]:
        """Changes whenever a content is stored or a record goes to the trash or comes back."""
        row = self._engine.row(
            "SELECT (SELECT ifnull(max(id), 0) FROM version), count(*), ifnull(max(deleted_at), '') FROM"
            " record"
            " WHERE deleted_at IS NOT NULL"
        )
        return (int(row[0]), int(row[1]), str(row[2])) if row else (0, 0, "")

    def set_facts(self, facts: Mapping[int, str]) -> None:
        """Replace the consent facts of records (a neighbour or the table of codes changed)."""
        self._engine.run_many(
            "UPDATE record SET facts = ? WHERE id = ?",
            [(text, record_id) for record_id, text in facts.items()],
        )
        self.consent.put(facts)

    def ids_by_reference(self, references: Iterable[str]) -> dict[str, int]:
        """``Type/id`` (or full url) to the number of the newest record outside the trash of that name."""
        found: dict[str, int] = {}
        for reference in set(references):
            type_, _, resource_id = reference.rpartition("/")
            row = self._engine.row(
                "SELECT max(id) FROM record WHERE deleted_at IS NULL"
                " AND ((type = ? AND resource_id = ?) OR (full_url = ? AND full_url <> ''))",
                (type_, resource_id, reference),
            )
            if row is not None and row[0] is not None:
                found[reference] = int(row[0])
        return found

    def linking_to(self, references: Iterable[str]) -> list[int]:
        """Numbers of records outside the trash that refer to any of these, rising."""
        found: set[int] = set()
        for part in _parts(sorted(set(references))):
            marks = ",".join("?" * len(part))
            rows = self._engine.rows(
                "SELECT l.record_id FROM link l JOIN record r ON r.id = l.record_id"  # noqa: S608
                f" WHERE r.deleted_at IS NULL AND l.target IN ({marks})",
                part,
            )
            found.update(int(row[0]) for row in rows)
        return sorted(found)

    def links(self, record_id: int) -> list[str]:
        """References a record makes."""
        rows = self._engine.rows("SELECT target FROM link WHERE record_id = ? ORDER BY target", (record_id,))
        return [str(row[0]) for row in rows]

    def _add_version(
        self, record_id: int, new: NewVersion, *, number: int, source_id: int, at: datetime
    ) -> None:
        version_id = self._engine.insert(
            "INSERT INTO version (record_id, number, raw, raw_sha256, original, original_format,"
            " source_id, stored_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record_id,
                number,
                new.raw,
                new.raw_sha256,
                new.original,
                new.original_format,
                source_id,
                to_text(at),
            ),
        )
        self._engine.run("UPDATE record SET version_id = ? WHERE id = ?", (version_id, record_id))
        self.consent.put({record_id: new.facts})
        self._engine.run_many(
            "INSERT OR IGNORE INTO link (record_id, target) VALUES (?, ?)",
            [(record_id, target) for target in sorted(new.links)],
        )
        self._add_measures(record_id, new.measured)

    def _add_measures(self, record_id: int, measured: Sequence[MeasuredNumber]) -> None:
        self._engine.run_many(
            "INSERT INTO measure (record_id, key, title, code, unit, at, value, shown, ucum) VALUES"
            " (?,?,?,?,?,?,?,?,?)",
            [(record_id, m.key, m.title, m.code, m.unit, m.at, m.value, m.shown, m.ucum) for m in measured],
        )


def _column_values(columns: RecordColumns) -> tuple[str, ...]:
    return (
        columns.kind,
        columns.title,
        columns.detail,
        columns.start,
        columns.end,
        columns.status,
        columns.code,
        columns.unit,
        columns.value,
        columns.value_text,
        columns.search,
    )


def _stored(row: Row) -> StoredRow:
    columns = RecordColumns(
        kind=row[3],
        title=row[4],
        detail=row[5],
        start=row[6],
        end=row[7],
        status=row[8],
        code=row[9],
        unit=row[10],
        value=row[11],
        value_text=row[12],
        search="",
    )
    return StoredRow(row[0], row[1], row[2], columns, bool(row[13]), row[14] is not None)


def _parts(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
