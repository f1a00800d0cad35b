"""One open vault on disk: its header, its database, its lock, and the rule that ties them together.

Rules:
1. Nothing is created except by ``create_vault``; what is missing, cut short, replaced or rolled back is
   refused (``StoreDamaged``) and left as found.
2. The header is marked "in use" before the first write of a session and carries the file's hash after a
   clean lock. After each commit it learns the new commit count and ledger head. The database may be ahead
   of the header (a crash between the two), never behind: a lost or damaged log cannot go unnoticed (guide
   security 3.2, facts 7 and 8).
3. A wrong passphrase is found out by the key slot alone, after the full price of the derivation, before any
   file of the vault is touched.
4. The vault key lives in one ``bytearray`` that is zeroed at ``close``. Python may hold copies: not promised.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from crypto.chain import verify_links
from crypto.errors import BrokenChain
from crypto.kdf import erase
from pgo.errors import AppError, Locked, StoreDamaged, VaultTooNew
from pgo.store.access import AccessCopies
from pgo.store.backup_digest import TableDigest, table_digest
from pgo.store.backup_gate import BackupGate
from pgo.store.backup_open import OnProgress, OpenedBackup, no_progress
from pgo.store.backup_write import MadeBackup, Source, prove, work_folder, write_backup
from pgo.store.backups import Backups
from pgo.store.database import EncryptedDatabase
from pgo.store.deliveries import Deliveries
from pgo.store.drafts import Drafts
from pgo.store.fhir_servers import FhirServers
from pgo.store.files import disk_errors, previous, sha256_file, sync_folder
from pgo.store.header import HEADER_NAME, Header, load_header, save_header
from pgo.store.holdings import Holdings
from pgo.store.journal import Journal
from pgo.store.keys import VaultKeys
from pgo.store.ledger import LedgerTable
from pgo.store.lockfile import VaultLock
from pgo.store.measures import Measures
from pgo.store.meta import Meta
from pgo.store.migrations import STEPS, migrate, schema_version
from pgo.store.outbox import OutboxTable
from pgo.store.quarantine import Quarantine
from pgo.store.recipients import Recipients
from pgo.store.records import Records
from pgo.store.renewal import Renewed, Secrets, build_renewed, remove_database
from pgo.store.settings import SettingsTable
from pgo.store.statements import Statements

_log = logging.getLogger("pgo.store")


class Vault:
    """An open vault; see ``pgo.store.protocols.VaultStore`` for what the use cases may rely on."""

    def __init__(
        self,
        folder: Path,
        header: Header,
        *,
        engine: EncryptedDatabase,
        vault_key: bytearray,
        lock: VaultLock,
    ) -> None:
        self.vault_id = header.vault_id
        self._folder = folder
        self._header = header
        self._engine = engine
        self._vault_key = vault_key
        self._lock = lock
        self._guard = threading.RLock()
        self._depth = 0
        self._closed = False
        self._meta = Meta(engine)
        self.keys = VaultKeys(vault_key, header=lambda: self._header, change=self._change_slots)
        self.records = Records(engine)
        self.measures = Measures(engine)
        self.holdings = Holdings(engine)
        self.quarantine = Quarantine(engine)
        self.ledger = LedgerTable(engine)
        self.outbox = OutboxTable(engine)
        self.journal = Journal(engine)
        self.drafts = Drafts(engine)
        self.settings = SettingsTable(engine)
        self.recipients = Recipients(engine)
        self.statements = Statements(engine)
        self.deliveries = Deliveries(engine)
        self.access = AccessCopies(engine)
        self.fhir = FhirServers(engine)
        self.backups = Backups(engine)
        self._backup_gate = BackupGate()

    def __repr__(self) -> str:
        return "Vault(closed)" if self._closed else "Vault(open)"

    @contextlib.contextmanager
    def write(self, at: datetime) -> Iterator[None]:
        """One transaction; see ``VaultStore.write``.

        Raises:
            StoreFull, DiskFailed: no room, or the disk failed; everything was undone.
            StoreDamaged: the database cannot be read.
        """
        with self._guard:
            if self._depth:
                yield
                return
            self._mark_in_use()
            self._depth = 1
            try:
                with self._engine.transaction():
                    yield
                    commits = self._meta.count_commit(at)
            finally:
                self._depth = 0
            self._remember(commits)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other writers out between looking and writing; reading goes on for everybody."""
        with self._guard:
            yield

    @contextlib.contextmanager
    def read(self) -> Iterator[None]:
        """Several queries that see one state."""
        with self._guard, self._engine.transaction():
            yield

    def changes(self) -> int:
        """How many changes this vault has seen."""
        return self._meta.commits()

    def newest_at(self) -> datetime:
        """The newest instant this vault has recorded."""
        return self._meta.newest_at()

    def identity_seed(self) -> bytes:
        """The 32 bytes all signing keys of the patient derive from."""
        return self._meta.identity_seed()

    def renew(self, opens: Secrets, *, at: datetime, on_progress: Callable[[float], None]) -> str:
        """Copy everything under a new vault key and close; see ``pgo.store.renewal``.

        Returns:
            The new recovery code; the old one opens nothing any more.

        Raises:
            WrongPassphrase: the passphrase is not the present one; nothing changed, the vault stays open.
            StoreFull, DiskFailed, StoreDamaged: nothing changed, the vault stays open.
        """
        self.keys.check_passphrase(opens.passphrase)  # 1
        with self._guard, disk_errors():
            renewed = build_renewed(
                self._folder,
                self._header,
                source=self._engine,
                opens=opens,
                at=at,
                on_progress=on_progress,
            )
            self._switch(renewed)
            with contextlib.suppress(AppError):  # the old file is done with, however it closes
                self.close()
        return renewed.code_text

    def _switch(self, renewed: Renewed) -> None:
        try:
            save_header(self._folder, renewed.header, renewed.vault_key)
        except AppError:
            # Did the rename happen before the disk failed? Then the new file is the one the header names.
            if load_header(self._folder).header.generation != renewed.header.generation:
                remove_database(self._folder / renewed.header.db_file)
                raise
        finally:
            erase(renewed.vault_key)
        self._header = renewed.header  # its hash is set, so closing writes nothing under the old key

    def write_backup(
        self, target: Path, *, at: datetime, on_progress: OnProgress = no_progress
    ) -> MadeBackup:
        """Make a backup and prove it, while others go on working; see ``pgo.store.backup_write``."""
        with self._backup_source() as source, self._backup_gate.turn(on_progress) as told:
            return write_backup(source, target, at=at, on_progress=told)

    def prove_backup(self, path: Path, *, on_progress: OnProgress = no_progress) -> OpenedBackup:
        """Read a backup of this vault again, every step; see ``pgo.store.backup_open``."""
        with (
            self._backup_source() as source,
            self._backup_gate.turn(on_progress) as told,
            work_folder(self._folder) as work,
        ):
            return prove(path, work / "proof.db", source.vault_key, on_progress=told)

    def fingerprint(self, table: str, *, first: int = -1) -> TableDigest:
        """The content of a table, or of its first rows, as one hash; see ``pgo.store.backup_digest``."""
        return table_digest(self._engine, table, first=first)

    @contextlib.contextmanager
    def _backup_source(self) -> Iterator[Source]:
        with self._guard:
            if self._closed:
                raise Locked
            source = Source(self._folder, self._header, bytearray(self._vault_key))
        try:
            yield source
        finally:
            erase(source.vault_key)

    def check(self) -> None:
        """Verify every page, the counters, the ledger's head and the journal's chain.

        Raises:
            StoreDamaged: ``database_unreadable``, ``database_behind``, ``database_foreign``, ``ledger``,
            ``journal``.
        """
        with self._guard:
            self._engine.checkpoint()
            if not self._engine.check_pages():
                raise StoreDamaged("database_unreadable")
            self.check_identity()
            try:
                verify_links(self.journal.pairs())
            except BrokenChain as exc:
                raise StoreDamaged("journal") from exc

    def check_identity(self) -> None:
        """Check that database and header belong together and the database is not behind.

        Raises:
            StoreDamaged: ``schema``, ``database_foreign``, ``database_behind``, ``ledger`` or ``journal``.
            VaultTooNew: a later program brought it to a form we do not know.
        """
        version = schema_version(self._engine)
        if version > len(STEPS):
            raise VaultTooNew
        if version < 1:
            raise StoreDamaged("schema")
        if self._meta.vault_id() != self.vault_id:
            raise StoreDamaged("database_foreign")
        if self.changes() < self._header.commits:
            raise StoreDamaged("database_behind")
        if self.ledger.hash_at(self._header.ledger_length) != self._header.ledger_head:
            raise StoreDamaged("ledger")
        if self.journal.link_at(self._header.journal_length) != self._header.journal_head:
            raise StoreDamaged("journal")

    def migrate_if_old(self) -> None:
        """Bring an older database to the present form, one transaction for each step."""
        for version in range(schema_version(self._engine), len(STEPS)):
            with self.write(self.newest_at()):
                migrate(self._engine, to=version + 1)

    def close(self) -> None:
        """Fold the log in, remember the hash of the file, close, forget the keys; safe to call twice.

        Raises:
            StoreFull, DiskFailed: closed and forgotten all the same; the log stays, and is folded in at the
                next opening.
        """
        self._backup_gate.close()
        with self._guard:
            if self._closed:
                return
            self._closed = True
            with contextlib.ExitStack() as always, disk_errors():
                always.callback(self._lock.release)
                always.callback(erase, self._vault_key)
                always.callback(self._engine.close)
                self._engine.checkpoint()
                self._engine.close()
                if not self._header.db_sha256:
                    sync_folder(self._folder)  # a log that a power loss brings back would not fit the hash
                    digest = sha256_file(self._folder / self._header.db_file)
                    self._save(replace(self._header, db_sha256=digest))

    def _mark_in_use(self) -> None:
        if self._header.db_sha256:
            self._save(replace(self._header, db_sha256=""))

    def _remember(self, commits: int) -> None:
        ledger_length, ledger_head = self.ledger.head()
        journal_length, journal_head = self.journal.head()
        try:
            self._save(
                replace(
                    self._header,
                    commits=commits,
                    ledger_length=ledger_length,
                    ledger_head=ledger_head,
                    journal_length=journal_length,
                    journal_head=journal_head,
                )
            )
        except AppError:
            # The change itself is committed. A header that is behind is allowed and caught up by the next
            # commit.
            _log.warning("header_not_saved")

    def _change_slots(self, change: Callable[[Header], Header]) -> None:
        with self._guard:
            if self._closed:
                raise Locked
            self._save(change(self._header))
            # The header before still holds the old slot; with it, an old passphrase would open the vault for
            # ever.
            with disk_errors():
                previous(self._folder / HEADER_NAME).unlink(missing_ok=True)
                sync_folder(self._folder)

    def replace_torn_header(self) -> None:
        """Write the header over one that cannot be read; the vault was opened with the one before it."""
        with self._guard:
            save_header(self._folder, self._header, self._vault_key, over_torn=True)

    def _save(self, header: Header) -> None:
        with self._guard:
            save_header(self._folder, header, self._vault_key)
            self._header = header
