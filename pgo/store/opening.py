"""Make a vault and open it, step by step, failing closed.

Steps of opening, in this order:
1. there is a header or a database (``NotFound``);
2. nobody else has it open (``VaultBusy``);
3. the header reads (``KeyLost``, ``StoreDamaged``, ``VaultTooNew``);
4. the database file can be one of ours (``StoreDamaged``);
5. the key slot opens (``WrongPassphrase``);
6. the header's MAC fits and its engine is ours;
7. after a clean lock the file is byte for byte as we left it;
8. the database opens with its key;
9. after a crash every page still carries its authentication code;
10. database and header belong together and the database is not behind; opened with the header before a torn
    one, the torn one is replaced;
11. an older form is brought up to date;
12. what the header before needed is removed: that header, and the file of an earlier vault key.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from crypto.kdf import erase
from crypto.passphrase import Argon2Parameters
from crypto.recovery import parse_recovery_code
from pgo.errors import AppError, InputRefused, NotFound, StoreDamaged, VaultTooNew
from pgo.store.database import CIPHER_PROFILE, open_database, refuse_impossible_file
from pgo.store.files import disk_errors, make_private_folder, previous, sha256_file, sync_folder
from pgo.store.founding import LOCK_NAME, build_vault, database_key, remove_half_made
from pgo.store.header import HEADER_NAME, Header, LoadedHeader, load_header
from pgo.store.lockfile import VaultLock
from pgo.store.renewal import remove_database
from pgo.store.slots import open_keyring_slot, open_passphrase_slot, open_recovery_slot
from pgo.store.vault import Vault

_KEY_BYTES = 32


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
        StoreFull, DiskFailed: the disk is full, or may not be written; nothing stays.
    """
    with disk_errors():
        return _create(folder, passphrase, argon2=argon2, at=at)


def _create(folder: Path, passphrase: str, *, argon2: Argon2Parameters, at: datetime) -> tuple[Vault, str]:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputRefused("vault_exists")
    if not folder.parent.exists():
        make_private_folder(folder.parent)
    remove_half_made(folder.parent)
    vault_key = bytearray(secrets.token_bytes(_KEY_BYTES))
    code_text = build_vault(folder, passphrase, argon2=argon2, vault_key=vault_key, at=at)
    try:
        sync_folder(folder.parent)
        return _open(folder, lambda _: vault_key), code_text
    except BaseException:  # nobody saw its code, and a second try must not meet it
        shutil.rmtree(folder, ignore_errors=True)
        raise


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


def open_with_keyring(folder: Path, secret_of: Callable[[str], bytes]) -> Vault:
    """Open a vault with the secret that the key ring keeps for it.

    Args:
        folder: of the vault.
        secret_of: gives the secret for a vault id; raises when there is none.
    """
    return _open(folder, lambda header: open_keyring_slot(header, secret_of(header.vault_id)))


def open_with(folder: Path, unwrap: Callable[[Header], bytearray]) -> Vault:
    """Open a vault with whatever gives the key behind its header; raises as the steps of the module say."""
    return _open(folder, unwrap)


def has_keyring_slot(folder: Path) -> bool:
    """Whether the key ring may open this vault; asked before unlocking, so the answer is only a hint."""
    try:
        return load_header(folder).header.slot("keyring") is not None
    except AppError:
        return False


def _open(folder: Path, unwrap: Callable[[Header], bytearray]) -> Vault:
    if not vault_present(folder):  # 1
        raise NotFound("vault")
    with disk_errors():
        lock = VaultLock(folder / LOCK_NAME)  # 2
        try:
            loaded = load_header(folder)  # 3
            refuse_impossible_file(folder / loaded.header.db_file)  # 4
            vault_key = unwrap(loaded.header)  # 5
            vault = _open_database(folder, loaded, vault_key=vault_key, lock=lock)
        except BaseException:
            lock.release()
            raise
    if not loaded.from_previous:
        _remove_superseded(folder, loaded.header)  # 12
    return vault


def _open_database(folder: Path, loaded: LoadedHeader, *, vault_key: bytearray, lock: VaultLock) -> Vault:
    try:
        header = loaded.verify(vault_key)  # 6
        if header.cipher != CIPHER_PROFILE:
            raise VaultTooNew
        if loaded.from_previous:  # older than the file: its hash says nothing any more
            header = replace(header, db_sha256="")
        path = folder / header.db_file
        if header.db_sha256:
            _refuse_changed_file(path, header.db_sha256)  # 7
        key = database_key(vault_key)
        engine = open_database(path, key)  # 8
        erase(key)
    except BaseException:
        erase(vault_key)
        raise
    vault = Vault(folder, header, engine=engine, vault_key=vault_key, lock=lock)
    try:
        if not header.db_sha256:
            engine.checkpoint()
            if not engine.check_pages():  # 9
                raise StoreDamaged("database_unreadable")
        vault.check_identity()  # 10
        if loaded.from_previous:
            vault.replace_torn_header()
        vault.migrate_if_old()  # 11
    except BaseException:
        engine.close()
        erase(vault_key)
        raise
    return vault


def _remove_superseded(folder: Path, header: Header) -> None:
    """The present header has just proved good: what came before it is not needed any more.

    Failing here must not keep anybody out; the next opening tries again.
    """
    with contextlib.suppress(OSError):
        previous(folder / HEADER_NAME).unlink(missing_ok=True)
        for path in folder.glob("store-*.db"):
            generation = re.fullmatch(r"store-([0-9]{1,6})(?:-r[0-9]{1,6})?\.db", path.name)
            if generation is None or path.name == header.db_file:
                continue
            # Of the key before, or of a renewal that was not finished; what a restore set aside stays.
            if replace(header, generation=int(generation.group(1))).db_file == path.name:
                remove_database(path)


def _refuse_changed_file(path: Path, digest: str) -> None:
    log = path.with_name(path.name + "-wal")
    # A clean lock leaves no log; one that appeared since would be replayed over the checked file.
    if (log.exists() and log.stat().st_size) or sha256_file(path) != digest:
        raise StoreDamaged("database_changed")
