"""Renew the vault key: everything copied into a new file under a new key, then the header is switched.

Why: an old header and an old passphrase together open the old key for ever, whatever was changed since.

Steps, each safe to be the last one before a crash:
1. the passphrase is checked against the present slot; 2. what an earlier try left is removed; 3. every page
is copied into the next generation's file under a key of its own; 4. the copy gets a line in its journal;
5. the copy is checked: every page, every table counted against the source, heads of ledger and journal;
6. it is closed and hashed; 7. a header for it is written with all slots wrapped anew. The rename of that
header is the switch: before it the old header and file are whole and current, after it the new ones.
8. The old file goes at the next good opening (``opening``), because until then nobody has proved the new.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from crypto.kdf import erase
from crypto.passphrase import Argon2Parameters
from crypto.recovery import RecoveryCode, new_recovery_code
from crypto.secret import Secret
from pgo.errors import StoreDamaged
from pgo.store.database import CIPHER_PROFILE, EncryptedDatabase, create_database
from pgo.store.files import sha256_file, shred, sync_folder
from pgo.store.founding import database_key
from pgo.store.header import Header
from pgo.store.journal import Event, Journal
from pgo.store.ledger import LedgerTable
from pgo.store.meta import Meta
from pgo.store.slots import keyring_slot, passphrase_slot, recovery_slot

_KEY_BYTES = 32
_COPYING, _CHECKED = 0.8, 0.95
"""How far the bar is when all pages are copied, and when they are checked; measured, roughly."""


@dataclass(frozen=True, slots=True, repr=False)
class Secrets(Secret):
    """What opens the renewed vault: the passphrase as typed, its price, the key ring's new secret if any."""

    passphrase: str
    argon2: Argon2Parameters
    keyring_secret: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Renewed(Secret):
    """A copy that is ready to take over: its header, its key, the recovery code to show once."""

    header: Header
    vault_key: bytearray
    code_text: str


def build_renewed(
    folder: Path,
    header: Header,
    *,
    source: EncryptedDatabase,
    opens: Secrets,
    at: datetime,
    on_progress: Callable[[float], None],
) -> Renewed:
    """Steps 2 to 7 without the switch; the present vault is only read.

    Raises:
        StoreDamaged: ``copy``, it is not equal to its source; ``database_unreadable``.
        OSError: no room, or the disk failed; the copy is removed.
    """
    path = folder / next_file(header)
    vault_key = bytearray(secrets.token_bytes(_KEY_BYTES))
    try:
        remove_database(path)  # 2
        renewed = _copied(path, header, source=source, vault_key=vault_key, at=at, on_progress=on_progress)
        code = new_recovery_code()
        renewed = _with_slots(renewed, opens, code, vault_key=vault_key)  # 7
    except BaseException:
        erase(vault_key)
        remove_database(path)
        raise
    on_progress(1.0)
    return Renewed(renewed, vault_key, code.text)


def next_file(header: Header) -> str:
    """Name of the database file that a renewal makes."""
    return replace(header, generation=header.generation + 1).db_file


def remove_database(path: Path) -> None:
    """Shred a database file with its log."""
    for name in (path.name + "-wal", path.name + "-shm", path.name):
        shred(path.with_name(name))


def _copied(
    path: Path,
    header: Header,
    *,
    source: EncryptedDatabase,
    vault_key: bytearray,
    at: datetime,
    on_progress: Callable[[float], None],
) -> Header:
    key = database_key(vault_key)
    try:
        copy = create_database(path, key)
    finally:
        erase(key)
    try:
        source.copy_into(copy, on_pages=lambda done, total: on_progress(_COPYING * done / max(total, 1)))  # 3
        _compare(source, copy)  # 5, the tables
        journal, ledger, meta = Journal(copy), LedgerTable(copy), Meta(copy)
        generation = header.generation + 1
        with copy.transaction():  # 4
            journal.add(Event.VAULT_KEY_RENEWED, at=max(at, meta.newest_at()), generation=generation)
            commits = meta.count_commit(at)
        copy.checkpoint()
        if not copy.check_pages():  # 5, the pages
            raise StoreDamaged("copy")
        heads = ledger.head(), journal.head()
    finally:
        copy.close()
    sync_folder(path.parent)  # its log is gone for good before a header says what the file hashes to
    on_progress(_CHECKED)
    (ledger_length, ledger_head), (journal_length, journal_head) = heads
    return replace(
        header,
        generation=generation,
        cipher=CIPHER_PROFILE,
        slots=(),
        commits=commits,
        ledger_length=ledger_length,
        ledger_head=ledger_head,
        journal_length=journal_length,
        journal_head=journal_head,
        db_sha256=sha256_file(path),  # 6
        recovery_confirmed=False,
    )


def _compare(source: EncryptedDatabase, copy: EncryptedDatabase) -> None:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    names = [str(row[0]) for row in source.rows(tables)]
    if names != [str(row[0]) for row in copy.rows(tables)]:
        raise StoreDamaged("copy")
    for name in names:
        count = f'SELECT count(*) FROM "{name}"'  # noqa: S608 - names of our own tables
        if source.row(count) != copy.row(count):
            raise StoreDamaged("copy")
    if (LedgerTable(source).head(), Journal(source).head()) != (
        LedgerTable(copy).head(),
        Journal(copy).head(),
    ):
        raise StoreDamaged("copy")


def _with_slots(header: Header, opens: Secrets, code: RecoveryCode, *, vault_key: bytearray) -> Header:
    made = header.with_slot(
        passphrase_slot(header, opens.passphrase, argon2=opens.argon2, vault_key=vault_key)
    ).with_slot(recovery_slot(header, code, vault_key=vault_key))
    if opens.keyring_secret is None:
        return made
    return made.with_slot(keyring_slot(header, opens.keyring_secret, vault_key=vault_key))
