"""The encrypted file of a recipient: opening and transactions. The only owner of ``sqlcipher3`` here.

Promises:
1. the file is SQLCipher under a raw 32-byte key that lies beside it in a file of mode 0600;
2. it fails closed: a missing, empty, plain-text or foreign file raises and is never replaced by a new one;
3. an acknowledged transaction survives power loss (WAL with ``synchronous=FULL``);
4. one writer at a time; what happens in ``transaction()`` happens completely or not at all.

It leaves the meaning of the tables to the modules named beside them in ``recipient.schema``.

Sources: SQLCipher API https://www.zetetic.net/sqlcipher/sqlcipher-api/ ; SQLite https://www.sqlite.org/pragma.html
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2

from recipient.config import KEY_NAME, STORE_NAME
from recipient.dialect import sqlite_tables
from recipient.errors import Unusable
from recipient.migrations import migrate
from recipient.schema import AppendOnly

KEY_BYTES = 32
_PLAIN_MAGIC = b"SQLite format 3\x00"
_BUSY_MS = 5000

Value = str | int | float | bytes | None


class Store:
    """One open connection, shared by the worker threads of one process under one lock."""

    def __init__(self, connection: dbapi2.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows, in the order the statement asks for."""
        with self._lock:
            return list(self._connection.execute(sql, parameters).fetchall())

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a statement, or None."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one changing statement; return how many rows it touched."""
        with self._lock:
            return int(self._connection.execute(sql, parameters).rowcount)

    @contextmanager
    def migration(self) -> Iterator[int]:
        """Take the write lock and give the number of migration steps done (``recipient.migrations``)."""
        with self.transaction():
            yield int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def change_tables(self, statement: str | AppendOnly) -> None:
        """Run one statement of a migration step."""
        for sql in sqlite_tables(statement):
            self._connection.execute(sql)

    def note_version(self, version: int) -> None:
        """Write down how many migration steps are done; part of the running transaction."""
        self._connection.execute(f"PRAGMA user_version={int(version)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Take the write lock at once (no upgrade later, so no deadlock), commit at the end or roll back."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def fold(self) -> None:
        """Fold the WAL back into the file and empty it, so that what was erased is in neither of them.

        Best effort while another process reads: then the next fold does it.
        """
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Fold and close."""
        with self._lock:
            self.fold()
            self._connection.close()


def create_store(folder: Path) -> Store:
    """Make key and empty store in a folder that holds neither.

    Args:
        folder: is made with mode 0700 when absent.

    Returns:
        The open store, schema in place.

    Raises:
        Unusable: ``already_initialised`` when a key or a store is there: nothing is ever overwritten.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store_path, key_path = folder / STORE_NAME, folder / KEY_NAME
    if store_path.exists() or key_path.exists():
        raise Unusable("already_initialised")
    key = secrets.token_bytes(KEY_BYTES)
    _write_private(key_path, key)
    _write_private(store_path, b"")
    store = Store(_connect(store_path, key))
    migrate(store, new=True)
    return store


def open_store(folder: Path) -> Store:
    """Open an existing store.

    Args:
        folder: the folder given to ``create_store`` before.

    Returns:
        The open store; one of an older program has the present tables now.

    Raises:
        Unusable: ``not_initialised``, ``key_missing``, ``key_unsafe``, ``store_damaged``, ``store_newer``.
    """
    store_path, key_path = folder / STORE_NAME, folder / KEY_NAME
    if not store_path.exists():
        raise Unusable("store_damaged" if key_path.exists() else "not_initialised")
    key = _read_key(key_path)
    with store_path.open("rb") as file:
        head = file.read(len(_PLAIN_MAGIC))
    if len(head) < len(_PLAIN_MAGIC) or head == _PLAIN_MAGIC:
        raise Unusable("store_damaged")
    try:
        store = Store(_connect(store_path, key))
        store.row("PRAGMA user_version")
    except dbapi2.DatabaseError as exc:
        raise Unusable("store_damaged") from exc
    try:
        migrate(store)
    except Unusable:
        store.close()
        raise
    return store


def _connect(path: Path, key: bytes) -> dbapi2.Connection:
    if len(key) != KEY_BYTES:  # SQLCipher silently takes any other length for a passphrase
        raise Unusable("key_unsafe")
    connection = dbapi2.connect(
        str(path), isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000
    )
    connection.execute("PRAGMA cipher_memory_security=ON")
    connection.set_key(bytearray(b"x'" + key.hex().encode("ascii") + b"'"))
    for pragma in (
        "cipher_log_level=NONE",  # the default writes to standard error
        "journal_mode=WAL",
        "synchronous=FULL",
        "temp_store=2",  # memory: a temporary file would be plain text
        "secure_delete=ON",
        "trusted_schema=OFF",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    if not connection.execute("PRAGMA cipher_version").fetchone():
        raise Unusable("no_encryption")
    connection.set_authorizer(_authorize)
    return connection


_FORBIDDEN_PRAGMAS = frozenset({"key", "rekey", "temp_store", "journal_mode", "synchronous"})
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "sqlcipher_export"})


def _authorize(
    action: int, first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    """Deny what could carry plain text out of the file or weaken its durability, whatever SQL gets here."""
    denied = (
        action == dbapi2.SQLITE_ATTACH
        or (action == dbapi2.SQLITE_PRAGMA and second is not None and first in _FORBIDDEN_PRAGMAS)
        or (action == dbapi2.SQLITE_FUNCTION and second in _FORBIDDEN_FUNCTIONS)
    )
    return int(dbapi2.SQLITE_DENY if denied else dbapi2.SQLITE_OK)


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError as exc:
        raise Unusable("key_missing") from exc
    if os.name == "posix" and mode & 0o077:
        raise Unusable("key_unsafe")
    if len(key) != KEY_BYTES:
        raise Unusable("key_unsafe")
    return key
