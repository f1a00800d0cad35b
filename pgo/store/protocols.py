"""The borders of the store: what the tables need from an engine, and what the use cases see of a vault.

Phones have no ``sqlcipher3`` today (guide security fact 12), so nothing above the engine may know which one
it is: tables speak SQL to an ``Engine``; use cases speak to a ``VaultStore``. ``tests/contract`` runs one
suite on every implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from pgo.store.access import AccessCopies
    from pgo.store.backup_open import OnProgress, OpenedBackup
    from pgo.store.backup_write import MadeBackup
    from pgo.store.backups import Backups
    from pgo.store.deliveries import Deliveries
    from pgo.store.drafts import Drafts
    from pgo.store.fhir_servers import FhirServers
    from pgo.store.holdings import Holdings
    from pgo.store.journal import Journal
    from pgo.store.keys import VaultKeys
    from pgo.store.ledger import LedgerTable
    from pgo.store.measures import Measures
    from pgo.store.outbox import OutboxTable
    from pgo.store.quarantine import Quarantine
    from pgo.store.recipients import Recipients
    from pgo.store.records import Records
    from pgo.store.renewal import Secrets
    from pgo.store.settings import SettingsTable
    from pgo.store.statements import Statements

Value: TypeAlias = "str | int | float | bytes | None"
Row: TypeAlias = "tuple[Any, ...]"


class Engine(Protocol):
    """An SQL database (SQLite dialect), safe to use from several threads."""

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Run a query and return all rows."""
        ...

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        """Run a query and return its first row."""
        ...

    def insert(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Run one INSERT and return the number of the new row."""
        ...

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        ...

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement for each row of values."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; nested transactions join the outer one."""
        ...

    def close(self) -> None:
        """Close the database."""
        ...


class VaultStore(Protocol):
    """One open vault: its tables, one transaction per use case, and its end."""

    vault_id: str
    keys: VaultKeys
    records: Records
    measures: Measures
    holdings: Holdings
    quarantine: Quarantine
    ledger: LedgerTable
    outbox: OutboxTable
    journal: Journal
    drafts: Drafts
    settings: SettingsTable
    recipients: Recipients
    statements: Statements
    deliveries: Deliveries
    access: AccessCopies
    fhir: FhirServers
    backups: Backups

    def write(self, at: datetime) -> AbstractContextManager[None]:
        """One transaction; everything inside commits together or not at all. Nested calls join."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Keep other writers out between looking and writing; reading goes on for everybody."""
        ...

    def read(self) -> AbstractContextManager[None]:
        """Several queries that see one state."""
        ...

    def changes(self) -> int:
        """How many changes this vault has seen; two equal numbers mean nothing changed in between."""
        ...

    def newest_at(self) -> datetime:
        """The newest instant this vault has recorded; time is never earlier."""
        ...

    def identity_seed(self) -> bytes:
        """The 32 bytes all signing keys of the patient derive from."""
        ...

    def renew(self, opens: Secrets, *, at: datetime, on_progress: Callable[[float], None]) -> str:
        """Copy everything under a new vault key and close; returns the new recovery code."""
        ...

    def write_backup(self, target: Path, *, at: datetime, on_progress: OnProgress = ...) -> MadeBackup:
        """Make a backup in a file that does not exist yet, and prove it; others go on working meanwhile."""
        ...

    def prove_backup(self, path: Path, *, on_progress: OnProgress = ...) -> OpenedBackup:
        """Read a backup made under the present vault key and check everything in it."""
        ...

    def check(self) -> None:
        """Verify pages, tables and journal.

        Raises:
            StoreDamaged: with the part that does not hold.
        """
        ...

    def close(self) -> None:
        """Fold the log in, remember the hash of the file, close, forget the keys; safe to call twice."""
        ...
