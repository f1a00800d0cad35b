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
import secrets
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from crypto.chain import verify_links
from crypto.errors import BrokenChain
from crypto.kdf import derive
from crypto.passphrase import Argon2Parameters
from crypto.recovery import new_recovery_code
from pgo.errors import StoreDamaged, StoreFull
from pgo.store.access import AccessCopies
from pgo.store.database import EncryptedDatabase, create_database
from pgo.store.deliveries import Deliveries
from pgo.store.drafts import Drafts
from pgo.store.files import previous, sha256_file
from pgo.store.header import HEADER_NAME, Header, save_header
from pgo.store.instants import from_text, to_text
from pgo.store.journal import Journal
from pgo.store.ledger import LedgerTable
from pgo.store.lockfile import VaultLock
from pgo.store.measures import Measures
from pgo.store.migrations import STEPS, migrate, schema_version
from pgo.store.outbox import OutboxTable
from pgo.store.quarantine import Quarantine
from pgo.store.recipients import Recipients
from pgo.store.records import Records
from pgo.store.settings import SettingsTable
from pgo.store.slots import code_opens, passphrase_slot, recovery_slot
from pgo.store.statements import Statements

LOCK_NAME = "vault.lock"
_DB_LABEL = "pgo/1/db"
_SEED_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
        self.records = Records(engine)
        self.measures = Measures(engine)
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

    def __repr__(self) -> str:
        return "Vault(closed)" if self._closed else "Vault(open)"

    @contextlib.contextmanager
    def write(self, at: datetime) -> Iterator[None]:
        """One transaction; see ``VaultStore.write``.

        Raises:
            StoreFull: no room; everything was undone.
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
                    commits = self._count_commit(at)
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
        return int(str(self._meta("commits") or 0))

    def newest_at(self) -> datetime:
        """The newest instant this vault has recorded."""
        text = self._meta("newest_at")
        return from_text(str(text)) if text else _EPOCH

    def identity_seed(self) -> bytes:
        """The 32 bytes all signing keys of the patient derive from."""
        seed = self._meta("identity_seed")
        if not isinstance(seed, bytes) or len(seed) != _SEED_BYTES:
            raise StoreDamaged("schema")
        return seed

    def recovery_opens(self, code_text: str) -> bool:
        """Whether this recovery code opens the vault."""
        return code_opens(self._header, code_text)

    def recovery_confirmed(self) -> bool:
        """Whether the present recovery code was typed back."""
        return self._header.recovery_confirmed

    def confirm_recovery(self) -> None:
        """Remember that the recovery code was typed back."""
        self._save(replace(self._header, recovery_confirmed=True))

    def replace_recovery(self) -> str:
        """Make a new recovery code; the old one opens nothing any more."""
        code = new_recovery_code()
        slot = recovery_slot(self._header, code, vault_key=self._vault_key)
        self._save_slots(replace(self._header.with_slot(slot), recovery_confirmed=False))
        return code.text

    def replace_passphrase(self, passphrase: str, *, argon2: Argon2Parameters) -> None:
        """Make a new passphrase slot in the place of the old one."""
        slot = passphrase_slot(self._header, passphrase, argon2=argon2, vault_key=self._vault_key)
        self._save_slots(self._header.with_slot(slot))

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
            StoreDamaged: ``schema``, ``database_foreign``, ``database_behind`` or ``ledger``.
        """
        if not 1 <= schema_version(self._engine) <= len(STEPS):
            raise StoreDamaged("schema")
        if self._meta("vault_id") != self.vault_id:
            raise StoreDamaged("database_foreign")
        if self.changes() < self._header.commits:
            raise StoreDamaged("database_behind")
        if self.ledger.hash_at(self._header.ledger_length) != self._header.ledger_head:
            raise StoreDamaged("ledger")

    def migrate_if_old(self) -> None:
        """Bring an older database to the present form, in one transaction."""
        if schema_version(self._engine) < len(STEPS):
            with self.write(self.newest_at()):
                migrate(self._engine)

    def close(self) -> None:
        """Fold the log in, remember the hash of the file, close, forget the keys; safe to call twice."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            try:
                self._engine.checkpoint()
                self._engine.close()
                if not self._header.db_sha256:
                    digest = sha256_file(self._folder / self._header.db_file)
                    self._save(replace(self._header, db_sha256=digest))
            finally:
                self._engine.close()
                self._vault_key[:] = bytes(len(self._vault_key))
                self._lock.release()

    def _mark_in_use(self) -> None:
        if self._header.db_sha256:
            try:
                self._save(replace(self._header, db_sha256=""))
            except OSError as exc:
                raise StoreFull from exc

    def _count_commit(self, at: datetime) -> int:
        commits = self.changes() + 1
        newest = to_text(max(at, self.newest_at()))
        self._engine.run_many(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
            [("commits", commits), ("newest_at", newest)],
        )
        return commits

    def _remember(self, commits: int) -> None:
        length, head = self.ledger.head()
        try:
            self._save(replace(self._header, commits=commits, ledger_length=length, ledger_head=head))
        except OSError:
            # The change itself is committed. A header that is behind is allowed and caught up by the next
            # commit.
            _log.warning("header_not_saved")

    def _save_slots(self, header: Header) -> None:
        self._save(header)
        # The header before still holds the old slot; with it, an old passphrase would open the vault for
        # ever.
        previous(self._folder / HEADER_NAME).unlink(missing_ok=True)

    def _save(self, header: Header) -> None:
        with self._guard:
            save_header(self._folder, header, self._vault_key)
            self._header = header

    def _meta(self, key: str) -> object:
        row = self._engine.row("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None


def database_key(vault_key: bytes | bytearray) -> bytes:
    """The key of the database file, derived from the vault key."""
    return derive(bytes(vault_key), _DB_LABEL)


def found_database(path: Path, vault_id: str, *, vault_key: bytes | bytearray, at: datetime) -> str:
    """Make the first database of a new vault, close it again, and return its hash."""
    engine = create_database(path, database_key(vault_key))
    try:
        with engine.transaction():
            migrate(engine)
            engine.run_many(
                "INSERT INTO meta (key, value) VALUES (?, ?)",
                [
                    ("vault_id", vault_id),
                    ("commits", 0),
                    ("newest_at", to_text(at)),
                    ("identity_seed", secrets.token_bytes(_SEED_BYTES)),
                ],
            )
        engine.checkpoint()
    finally:
        engine.close()
    return sha256_file(path)
