"""Make a vault and open it, step by step, failing closed.

Steps of opening, in this order:
1. there is a header or a database (``NotFound``); 2. nobody else has it open (``VaultBusy``); 3. the header
   reads
(``KeyLost``, ``StoreDamaged``); 4. the database file can be one of ours (``StoreDamaged``); 5. the key slot
opens (``WrongPassphrase``); 6. the header's MAC fits; 7. after a clean lock the file is byte for byte as we
left it;
8. the database opens with its key; 9. after a crash every page still carries its authentication code; 10.
   database and
header belong together and the database is not behind; 11. an older form is brought up to date.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from crypto.passphrase import Argon2Parameters
from crypto.recovery import new_recovery_code, parse_recovery_code
from pgo.errors import InputRefused, NotFound, StoreDamaged
from pgo.store.database import CIPHER_PROFILE, open_database, refuse_impossible_file
from pgo.store.files import make_private_folder, previous, sha256_file, sync_folder
from pgo.store.header import HEADER_NAME, Header, LoadedHeader, load_header, save_header
from pgo.store.lockfile import VaultLock
from pgo.store.slots import open_passphrase_slot, open_recovery_slot, passphrase_slot, recovery_slot
from pgo.store.vault import LOCK_NAME, Vault, database_key, found_database

_KEY_BYTES = 32
_FIRST_GENERATION = 1


def vault_present(folder: Path) -> bool:
    """Whether the folder holds a vault, or what is left of one."""
    header = folder / HEADER_NAME
    return header.exists() or previous(header).exists() or any(folder.glob("store-*.db"))


def create_vault(
    folder: Path, passphrase: str, *, argon2: Argon2Parameters, at: datetime
) -> tuple[Vault, str]:
    """Make a new, empty vault and open it. Returns it with the text of its recovery code.

    The vault is built beside its place and renamed into it: a crash half-way leaves nothing that looks like
    a vault.

    Raises:
        InputRefused: ``vault_exists``, the folder is not empty.
        OSError: the disk is full or may not be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputRefused("vault_exists")
    if not folder.parent.exists():
        make_private_folder(folder.parent)
    vault_key = bytearray(secrets.token_bytes(_KEY_BYTES))
    building = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.new")
    make_private_folder(building)
    try:
        code_text = _build_vault(building, passphrase, argon2=argon2, vault_key=vault_key, at=at)
        if folder.exists():
            folder.rmdir()
        building.rename(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    sync_folder(folder.parent)
    return _open(folder, lambda _: vault_key), code_text


def _build_vault(
    folder: Path, passphrase: str, *, argon2: Argon2Parameters, vault_key: bytearray, at: datetime
) -> str:
    code = new_recovery_code()
    header = Header(secrets.token_hex(16), _FIRST_GENERATION, CIPHER_PROFILE, ())
    digest = found_database(folder / header.db_file, header.vault_id, vault_key=vault_key, at=at)
    slots = (
        passphrase_slot(header, passphrase, argon2=argon2, vault_key=vault_key),
        recovery_slot(header, code, vault_key=vault_key),
    )
    header = Header(header.vault_id, header.generation, header.cipher, slots, db_sha256=digest)
    save_header(folder, header, vault_key)
    return code.text


def open_with_passphrase(folder: Path, passphrase: str) -> Vault:
    """Open a vault with its passphrase; raises as the steps of the module say."""
    return _open(folder, lambda header: open_passphrase_slot(header, passphrase))


def open_with_code(folder: Path, code_text: str) -> Vault:
    """Open a vault with its recovery code.

    Raises:
        crypto.errors.Malformed: the code was mistyped; ``group`` says where, when known.
        AppError: as the steps of the module say.
    """
    code = parse_recovery_code(code_text)
    return _open(folder, lambda header: open_recovery_slot(header, code))


def _open(folder: Path, unwrap: Callable[[Header], bytearray]) -> Vault:
    if not vault_present(folder):  # 1
        raise NotFound("vault")
    lock = VaultLock(folder / LOCK_NAME)  # 2
    try:
        loaded = load_header(folder)  # 3
        refuse_impossible_file(folder / loaded.header.db_file)  # 4
        vault_key = unwrap(loaded.header)  # 5
        vault = _open_database(folder, loaded, vault_key=vault_key, lock=lock)
    except BaseException:
        lock.release()
        raise
    if (
        not loaded.from_previous
    ):  # the current header has just proved good; the one before is not needed any more
        previous(folder / HEADER_NAME).unlink(missing_ok=True)
    return vault


def _open_database(folder: Path, loaded: LoadedHeader, *, vault_key: bytearray, lock: VaultLock) -> Vault:
    header = loaded.verify(vault_key)  # 6
    if loaded.from_previous:  # older than the file: its hash says nothing any more
        header = replace(header, db_sha256="")
    path = folder / header.db_file
    clean = bool(header.db_sha256)
    if clean:
        _refuse_changed_file(path, header.db_sha256)  # 7
    engine = open_database(path, database_key(vault_key))  # 8
    vault = Vault(folder, header, engine=engine, vault_key=vault_key, lock=lock)
    try:
        if not clean:
            engine.checkpoint()
            if not engine.check_pages():  # 9
                raise StoreDamaged("database_unreadable")
        vault.check_identity()  # 10
        vault.migrate_if_old()  # 11
    except BaseException:
        engine.close()
        raise
    return vault


def _refuse_changed_file(path: Path, digest: str) -> None:
    log = path.with_name(path.name + "-wal")
    # A clean lock leaves no log; one that appeared since would be replayed over the checked file.
    if (log.exists() and log.stat().st_size) or sha256_file(path) != digest:
        raise StoreDamaged("database_changed")
