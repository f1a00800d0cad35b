"""Make the files of a new vault beside its place, so that a crash leaves nothing that looks like a vault.

A folder that is being built is locked by who builds it. One that nobody holds is what a crash left; it never
held anything a person was told was saved, so the next making of a vault removes it.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from crypto.kdf import derive_erasable, erase
from crypto.passphrase import Argon2Parameters
from crypto.recovery import new_recovery_code
from pgo.errors import VaultBusy
from pgo.store.database import CIPHER_PROFILE, create_database
from pgo.store.files import make_private_folder, sha256_file
from pgo.store.header import Header, save_header
from pgo.store.journal import Event, Journal
from pgo.store.lockfile import VaultLock
from pgo.store.meta import SEED_BYTES, Meta
from pgo.store.migrations import migrate
from pgo.store.slots import passphrase_slot, recovery_slot

LOCK_NAME = "vault.lock"
_DB_LABEL = "pgo/1/db"
_FIRST_GENERATION = 1
_BUILDING = ".*.new"


def database_key(vault_key: bytes | bytearray) -> bytearray:
    """The key of the database file, derived from the vault key; the caller erases it."""
    return derive_erasable(vault_key, _DB_LABEL)


def build_vault(
    folder: Path, passphrase: str, *, argon2: Argon2Parameters, vault_key: bytearray, at: datetime
) -> str:
    """Build a vault beside ``folder`` and rename it there. Returns the text of its recovery code.

    Raises:
        OSError: the disk is full or may not be written; nothing stays.
    """
    building = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.new")
    make_private_folder(building)
    try:
        lock = VaultLock(building / LOCK_NAME)
        try:
            code_text = _fill(building, passphrase, argon2=argon2, vault_key=vault_key, at=at)
        finally:
            lock.release()
        if folder.exists():
            folder.rmdir()
        building.rename(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return code_text


def remove_half_made(parent: Path) -> int:
    """Remove what crashes left of vaults that were never finished. Returns how many."""
    removed = 0
    for building in parent.glob(_BUILDING):
        try:
            lock = VaultLock(building / LOCK_NAME)
        except (VaultBusy, OSError):  # being built right now, or no folder of ours
            continue
        lock.release()
        shutil.rmtree(building, ignore_errors=True)
        removed += 1
    return removed


def _fill(
    folder: Path, passphrase: str, *, argon2: Argon2Parameters, vault_key: bytearray, at: datetime
) -> str:
    code = new_recovery_code()
    header = Header(secrets.token_hex(16), _FIRST_GENERATION, CIPHER_PROFILE, ())
    header = _found_database(folder / header.db_file, header, vault_key=vault_key, at=at)
    header = header.with_slot(passphrase_slot(header, passphrase, argon2=argon2, vault_key=vault_key))
    header = header.with_slot(recovery_slot(header, code, vault_key=vault_key))
    save_header(folder, header, vault_key)
    return code.text


def _found_database(path: Path, header: Header, *, vault_key: bytes | bytearray, at: datetime) -> Header:
    key = database_key(vault_key)
    try:
        engine = create_database(path, key)
    finally:
        erase(key)
    try:
        meta, journal = Meta(engine), Journal(engine)
        with engine.transaction():
            migrate(engine)
            meta.found(header.vault_id, seed=secrets.token_bytes(SEED_BYTES), at=at)
            journal.add(Event.VAULT_CREATED, at=at)
            commits = meta.count_commit(at)
        journal_length, journal_head = journal.head()
        engine.checkpoint()
    finally:
        engine.close()
    return replace(
        header,
        commits=commits,
        journal_length=journal_length,
        journal_head=journal_head,
        db_sha256=sha256_file(path),
    )
