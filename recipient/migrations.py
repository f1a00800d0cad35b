"""The numbered steps from an empty store to the present tables, for SQLCipher and for PostgreSQL.

Rules:
1. a step is never edited after release; a change is a new step at the end of ``STEPS``;
2. the store keeps the number of steps done; each step runs in one transaction together with that number, so
   that after a crash it is done or not;
3. a store of a newer program is refused (``store_newer``), never guessed at;
4. a store in which no step was ever done is no store: ``store_damaged``.

A step is written once, as SQLite writes tables, out of these words: ``INTEGER``, ``TEXT``, ``BLOB``,
``INTEGER PRIMARY KEY AUTOINCREMENT``, ``STRICT``, ``WITHOUT ROWID``; ``recipient.dialect`` words them for
PostgreSQL. A table that is only ever added to is named by ``AppendOnly``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from recipient import data_keys
from recipient.audit_schema import AUDIT
from recipient.errors import Unusable
from recipient.fact_tables import FACTS
from recipient.fhir_api.tables import TABLES as PROGRAMS
from recipient.gap_tables import GAPS
from recipient.login.tables import LOGIN
from recipient.look_tables import LOOKS
from recipient.removal_tables import ORDER
from recipient.rotation_tables import ROTATION
from recipient.schema import FIRST, AppendOnly
from recipient.store_protocol import Store


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the tables, with a name that says what for."""

    name: str
    statements: tuple[str | AppendOnly, ...]
    then: Callable[[Store], None] | None = None
    """What SQL cannot say; runs in the same transaction."""


DATA_KEYS = "a key per holding"
STEPS: tuple[Step, ...] = (
    Step("first", FIRST),
    Step("programs that read", PROGRAMS),
    Step("logging in", LOGIN),
    Step("who looked in full, who treats whom", AUDIT),
    Step("what is new for whom", LOOKS),
    Step("messages in their order", ORDER),
    Step(DATA_KEYS, data_keys.TABLES, then=data_keys.seal_what_lies_open),
    Step("former keys and other numbers", ROTATION),
    Step("messages that never came", GAPS),
    Step("what a record says by itself", FACTS),
)
VERSION = len(STEPS)
FIRST_WITH_KEK = 1 + next(index for index, step in enumerate(STEPS) if step.name == DATA_KEYS)
"""Stores from before this version have nothing wrapped by a KEK, and no KEK."""


class Migrating(Store, Protocol):
    """A store that can change its own tables."""

    def migration(self) -> AbstractContextManager[int]:
        """Keep every other process out, give the number of steps done; commit at the end or roll back."""

    def change_tables(self, statement: str | AppendOnly) -> None:
        """Run one statement of a step, worded for this database."""

    def note_version(self, version: int) -> None:
        """Write down how many steps are done now, in the same transaction."""


def migrate(database: Migrating, steps: Sequence[Step] = STEPS, *, new: bool = False) -> int:
    """Bring a store to the present tables.

    Args:
        database: open, not in use by anything else of this process.
        steps: all of them, in order.
        new: whether an empty database is meant to become a store.

    Returns:
        How many steps were missing.

    Raises:
        Unusable: ``store_newer``, ``store_damaged``.
    """
    done = 0
    while _take_step(database, steps, new=new or done > 0):
        done += 1
    return done


def _take_step(database: Migrating, steps: Sequence[Step], *, new: bool) -> bool:
    """Do the next missing step in a transaction of its own; False when none is missing."""
    with database.migration() as version:
        if version > len(steps):
            raise Unusable("store_newer")
        if version == 0 and not new:
            raise Unusable("store_damaged")
        if version == len(steps):
            return False
        for statement in steps[version].statements:
            database.change_tables(statement)
        if (then := steps[version].then) is not None:
            then(database)
        database.note_version(version + 1)
        return True
