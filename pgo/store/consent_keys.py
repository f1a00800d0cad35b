"""Consent keys: beside every record its kind and its days, so that a plan is answered by one join.

Rules:
1. The key is made from the stored facts and changes with them; a record without one is found by `missing`.
2. Kinds are kept once and numbered; a few hundred exist, however many records there are.
3. The join goes through one index that holds exactly the three columns, and never leads to the trash.

Source: guide performance.md section 5; ``consent.plan_cells`` says what a cell promises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pgo.store.protocols import Engine

if TYPE_CHECKING:
    from consent.facts import ResourceFacts
    from consent.plan_cells import Cell, RecordKey

_CHUNK = 500

_JOIN = (
    "SELECT r.id, r.first_day, r.last_day, c.key FROM json_each(?) c"
    # CROSS JOIN keeps the order written: few cells outside, the index of the records inside.
    " CROSS JOIN record r INDEXED BY record_consent ON r.consent_kind = c.value ->> 0"
    " AND r.first_day BETWEEN c.value ->> 1 AND c.value ->> 2 WHERE r.deleted_at IS NULL"
)


class ConsentKeys:
    """Columns of the record table that say what consent looks at."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, facts: Mapping[int, str]) -> None:
        """Make the keys of records anew from their facts (as JSON); runs inside a transaction.

        Facts that another table of codes made give no key, so such a record is among the `missing`.
        """
        self._engine.run_many(
            "UPDATE record SET (consent_kind, first_day, last_day) = (?, ?, ?) WHERE id = ?",
            [(*self._columns(text), number) for number, text in facts.items()],
        )

    def missing(self) -> dict[int, str]:
        """Facts of the records outside the trash that have no key yet."""
        rows = self._engine.rows(
            "SELECT id, facts FROM record WHERE deleted_at IS NULL AND consent_kind IS NULL"
        )
        return {int(row[0]): str(row[1]) for row in rows}

    def kinds(self) -> list[tuple[int, str]]:
        """Number and facts of every kind that a record outside the trash has."""
        rows = self._engine.rows(
            "SELECT k.id, k.facts FROM consent_kind k WHERE EXISTS (SELECT 1 FROM record r"
            " WHERE r.consent_kind = k.id AND r.deleted_at IS NULL)"
        )
        return [(int(row[0]), str(row[1])) for row in rows]

    def join(self, cells: Sequence[Cell]) -> list[tuple[int, str, str, int]]:
        """(record, its first day, its last day, place of its cell) of all records that lie in a cell."""
        table = json.dumps([[cell.kind, cell.first, cell.last] for cell in cells])
        return [(int(row[0]), row[1], row[2], int(row[3])) for row in self._engine.rows(_JOIN, (table,))]

    def named(self, references: Iterable[str]) -> set[int]:
        """Numbers of the records outside the trash with these names (``Type/id``), whatever their origin."""
        found: set[int] = set()
        for reference in references:
            type_, _, resource_id = reference.rpartition("/")
            rows = self._engine.rows(
                "SELECT id FROM record WHERE deleted_at IS NULL AND type = ? AND resource_id = ?",
                (type_, resource_id),
            )
            found.update(int(row[0]) for row in rows)
        return found

    def facts_of(self, record_ids: Iterable[int]) -> dict[int, ResourceFacts]:
        """Facts of records by number; unknown numbers are left out."""
        from consent.facts import ResourceFacts  # not at the top: the lock screen does without consent

        wanted = sorted(set(record_ids))
        found: dict[int, ResourceFacts] = {}
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(part))
            rows = self._engine.rows(f"SELECT id, facts FROM record WHERE id IN ({marks})", part)  # noqa: S608
            found.update((int(row[0]), ResourceFacts.from_json(row[1])) for row in rows)
        return found

    def _columns(self, facts: str) -> tuple[int | None, str, str]:
        from consent.errors import InvalidDocument
        from consent.facts import ResourceFacts
        from consent.plan_cells import key_of

        try:
            key = key_of(ResourceFacts.from_json(facts))
        except InvalidDocument:
            return None, "", ""
        return self._number(key), key.first, key.last

    def _number(self, key: RecordKey) -> int:
        # Asked each time: a number remembered from a transaction that was undone may mean another kind later.
        row = self._engine.row("SELECT id FROM consent_kind WHERE facts = ?", (key.kind,))
        if row is not None:
            return int(row[0])
        return self._engine.insert("INSERT INTO consent_kind (facts) VALUES (?)", (key.kind,))
