"""What reading one person's records together asks of the record tables; nothing here changes a record.

Which records are about one thing is decided in ``pgo.health.record.merge``; the pairs the patient parted lie
in ``apart``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from pgo.store.apart import Apart
from pgo.store.instants import from_text
from pgo.store.protocols import Engine
from pgo.store.record_types import Identity, Source, StoredRow


class Reading:
    """Sources, names, equals and presence of records."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.apart = Apart(engine)

    def all_ids(self) -> list[int]:
        """Numbers of all records, the trash included, rising."""
        return [int(row[0]) for row in self._engine.rows("SELECT id FROM record ORDER BY id")]

    def identity(self, record_id: int) -> Identity | None:
        """What a record is known by, the trash included."""
        row = self._engine.row(
            "SELECT id, type, resource_id, origin, full_url FROM record WHERE id = ?", (record_id,)
        )
        return None if row is None else Identity(*row)

    def named(self, type_: str, name: str) -> list[Identity]:
        """Records outside the trash of this type whose id or full url this is the end of, by number."""
        rows = self._engine.rows(
            "SELECT id, type, resource_id, origin, full_url FROM record"
            " WHERE deleted_at IS NULL AND type = ? AND (resource_id = ? OR full_url = ?) ORDER BY id",
            (type_, name.rpartition("/")[2], name),
        )
        return [Identity(*row) for row in rows]

    def sources(self, record_ids: Iterable[int]) -> dict[int, Source]:
        """Number of a record to the source its present content came from."""
        rows = self._engine.rows(
            "SELECT r.id, s.id, s.name, s.kind, s.collected_at FROM record r"
            " JOIN source s ON s.id = r.source_id WHERE r.id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(set(record_ids))),),
        )
        return {row[0]: Source(row[1], row[2], row[3], from_text(row[4])) for row in rows}

    def like(self, row: StoredRow) -> list[int]:
        """Numbers of measurements outside the trash with the code, value and day of this one."""
        day = row.columns.start[:10]
        rows = self._engine.rows(
            "SELECT id FROM record WHERE deleted_at IS NULL AND kind = ? AND start_on >= ? AND start_on < ?"
            " AND code = ? AND value_text = ? ORDER BY id",
            (row.columns.kind, day, f"{day}~", row.columns.code, row.columns.value_text),
        )
        return [int(found[0]) for found in rows]

    def alike(self, kinds: Iterable[str]) -> list[int]:
        """Numbers of records outside the trash that have an equal in kind, type, day, state, value and code.

        Without a code the title counts in its place.
        """
        rows = self._engine.rows(
            "SELECT group_concat(id) FROM record WHERE deleted_at IS NULL"
            " AND kind IN (SELECT value FROM json_each(?))"
            " GROUP BY kind, type, substr(start_on, 1, 10), status, value_text, iif(code = '', title, code)"
            " HAVING count(*) > 1",
            (json.dumps(sorted(kinds)),),
        )
        return sorted(int(number) for row in rows for number in str(row[0]).split(","))

    def present_among(self, record_ids: Iterable[int]) -> set[int]:
        """Those of these numbers whose record is outside the trash."""
        rows = self._engine.rows(
            "SELECT id FROM record WHERE deleted_at IS NULL AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(record_ids)),),
        )
        return {int(row[0]) for row in rows}
