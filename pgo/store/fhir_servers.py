"""Plain FHIR servers: how we log in there, what each said it can, and what may lie there under which name.

A name is written down *before* it is sent: what a cut line leaves unsure still counts as lying there, so that
a withdrawal asks for it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pgo.errors import NotFound
from pgo.store.instants import from_text, to_text
from pgo.store.protocols import Engine

UNKNOWN_RECORD = 0
"""Record number of something found there that this vault, put back from a backup, does not remember."""


@dataclass(frozen=True, slots=True)
class FhirItem:
    """One resource that may lie at a server.

    Attributes:
        name: `Type/uuid`, ours.
        there: `Type/id` as the server has it, '' while unknown.
        record_id: number of the record, None for what goes beside the records (Patient, Consent ...).
        kept: why it is still there though it should not be, '' when nothing is wrong.
    """

    name: str
    there: str
    record_id: int | None
    kept: str = ""


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """How we log in, as text, and what the server last said it can."""

    login: str = field(repr=False)
    said: str
    said_at: datetime


class FhirServers:
    """The tables of FHIR servers; changes run inside ``VaultStore.write``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, recipient_id: str, stored: StoredLogin) -> None:
        """Keep how we log in and what was said; replaces both."""
        self._engine.run(
            "INSERT OR REPLACE INTO fhir_server (recipient_id, login, said, said_at) VALUES (?, ?, ?, ?)",
            (recipient_id, stored.login, stored.said, to_text(stored.said_at)),
        )

    def get(self, recipient_id: str) -> StoredLogin:
        """One server.

        Raises:
            NotFound: no such server.
        """
        row = self._engine.row(
            "SELECT login, said, said_at FROM fhir_server WHERE recipient_id = ?", (recipient_id,)
        )
        if row is None:
            raise NotFound("recipient")
        return StoredLogin(row[0], row[1], from_text(row[2]))

    def any(self) -> bool:
        """Whether there is one."""
        return self._engine.row("SELECT 1 FROM fhir_server LIMIT 1") is not None

    def remove(self, recipient_id: str) -> None:
        """Forget a server that never got anything, its login with it."""
        self._engine.run("DELETE FROM fhir_item WHERE recipient_id = ?", (recipient_id,))
        self._engine.run("DELETE FROM fhir_server WHERE recipient_id = ?", (recipient_id,))

    def items(self, recipient_id: str) -> dict[str, FhirItem]:
        """What may lie there, by name, in the order in which it was first sent."""
        rows = self._engine.rows(
            "SELECT name, there, record_id, kept FROM fhir_item WHERE recipient_id = ? ORDER BY id",
            (recipient_id,),
        )
        return {str(row[0]): FhirItem(row[0], row[1], row[2], row[3]) for row in rows}

    def sending(self, recipient_id: str, names: Mapping[str, int | None]) -> None:
        """Write down what is about to be sent, by name its record number; what is known stays as it is."""
        self._engine.run_many(
            "INSERT OR IGNORE INTO fhir_item (recipient_id, name, there, record_id, kept)"
            " VALUES (?, ?, '', ?, '')",
            [(recipient_id, name, number) for name, number in names.items()],
        )

    def lies(self, recipient_id: str, places: Mapping[str, str]) -> None:
        """Write down where things lie, by name."""
        self._engine.run_many(
            "UPDATE fhir_item SET there = ?, kept = '' WHERE recipient_id = ? AND name = ?",
            [(there, recipient_id, name) for name, there in places.items()],
        )

    def stays(self, recipient_id: str, reasons: Mapping[str, str]) -> None:
        """Write down what should have gone and did not."""
        self._engine.run_many(
            "UPDATE fhir_item SET kept = ? WHERE recipient_id = ? AND name = ?",
            [(reason, recipient_id, name) for name, reason in reasons.items()],
        )

    def gone(self, recipient_id: str, names: Iterable[str]) -> None:
        """Forget what is not there any more."""
        self._engine.run_many(
            "DELETE FROM fhir_item WHERE recipient_id = ? AND name = ?",
            [(recipient_id, name) for name in names],
        )
