"""Lists and searches over a large vault read one narrow index, never all the wide rows.

Told by the engine's own plan, not by a clock: a plan that falls back to the table is a hundred-fold of bytes
to decrypt, and a clock would only show it on a large vault and a quiet machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pgo.store.opening import create_vault
from pgo.store.records import Records
from tests.support.applications import CHEAP
from tests.support.vaults import Home


class Explaining:
    """Hands every query to the real engine, and keeps its plan."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.plans: list[str] = []

    def row(self, sql: str, values: Sequence[Any] = ()) -> Any:
        self.rows(sql, values)
        return self.engine.row(sql, values)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Any:
        self.plans += [str(row[3]) for row in self.engine.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
        return self.engine.rows(sql, values)


@contextmanager
def explained(folder: Path) -> Iterator[tuple[Records, Explaining]]:
    home = Home(folder)
    store, _ = create_vault(home.folder / "v", "vier losse woorden", argon2=CHEAP, at=home.clock())
    engine: Any = Explaining(store.records._engine)
    yield Records(engine), engine
    store.close()


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"offset": 50_000},
        {"words": ["number", "976"]},
        {"kinds": ["condition"], "offset": 500},
        {"kinds": ["condition", "measurement"], "words": ["976"]},
    ],
)
def test_a_page_of_the_timeline_looks_at_an_index_only(tmp_path: Path, asked: dict[str, Any]) -> None:
    with explained(tmp_path) as (records, engine):
        records.page(**asked)
    looked_at = [plan for plan in engine.plans if plan.startswith(("SCAN", "SEARCH"))]
    assert looked_at
    by_number = [plan for plan in looked_at if "INTEGER PRIMARY KEY" in plan]
    assert len(by_number) == 1  # the rows of the page itself
    assert all("COVERING INDEX" in plan for plan in looked_at if plan not in by_number), looked_at
