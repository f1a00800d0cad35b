"""Numbers out of Observations, sorted into lines over time (see ``pgo.health.record.series``).

They are written with the record they come from (``pgo.store.records``); this module reads them. What lies
in the trash is in no line.
"""

from __future__ import annotations

from pgo.store.protocols import Engine
from pgo.store.record_types import MeasuredNumber


class Measures:
    """The table of numbers, for reading."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lines(self) -> list[tuple[int, MeasuredNumber]]:
        """The newest number of every line, with how many different numbers the line has, by title.

        The unit in UCUM is empty when not all numbers of the line have the same.
        """
        rows = self._engine.rows(
            # SQLite takes the bare columns from the row that holds the maximum (sqlite.org/lang_select.html
            # 2.5).
            "SELECT count(DISTINCT m.at || ' ' || m.shown), m.key, m.title, m.code, m.unit, max(m.at),"
            " m.value, m.shown, CASE count(DISTINCT m.ucum) WHEN 1 THEN m.ucum ELSE '' END FROM measure m"
            " JOIN record r ON r.id = m.record_id WHERE r.deleted_at IS NULL"
            " GROUP BY m.key ORDER BY m.title COLLATE NOCASE, m.key"
        )
        return [(int(row[0]), MeasuredNumber(*row[1:])) for row in rows]

    def line(self, key: str) -> list[tuple[int, MeasuredNumber]]:
        """All numbers of one line with their record numbers, oldest first."""
        rows = self._engine.rows(
            "SELECT m.record_id, m.key, m.title, m.code, m.unit, m.at, m.value, m.shown, m.ucum"
            " FROM measure m JOIN record r ON r.id = m.record_id"
            " WHERE r.deleted_at IS NULL AND m.key = ? ORDER BY m.at, m.record_id",
            (key,),
        )
        return [(int(row[0]), MeasuredNumber(*row[1:])) for row in rows]

    def line_keys(self, code: str) -> list[str]:
        """Keys of the lines of one code, the one with the newest number first."""
        rows = self._engine.rows(
            "SELECT m.key FROM measure m JOIN record r ON r.id = m.record_id"
            " WHERE r.deleted_at IS NULL AND m.code = ? GROUP BY m.key ORDER BY max(m.at) DESC",
            (code,),
        )
        return [str(row[0]) for row in rows]
