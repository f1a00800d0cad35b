"""The store as one encrypted file. The only owner of ``sqlcipher3`` on this side.

Promises:
1. the file is SQLCipher under the raw store key that lies beside it;
2. it fails closed: a missing, empty, plain-text or foreign file raises and is never replaced by a new one;
3. an acknowledged transaction survives power loss (WAL with ``synchronous=FULL``);
4. one writer at a time, whoever a transaction is about.

Sources: SQLCipher API https://www.zetetic.net/sqlcipher/sqlcipher-api/ ; SQLite https://www.sqlite.org/pragma.html
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2

from recipient.dialect import sqlite_tables
from recipient.errors import Busy, Unusable
from recipient.kek import KekFile, make_kek_file
from recipient.key_files import StoreKey, write_private
from recipient.migrations import FIRST_WITH_KEK, migrate
from recipient.schema import AppendOnly
from recipient.store_protocol import Keys, Value, WithKeys

_PLAIN_MAGIC = b"SQLite format 3\x00"
_BUSY_MS = 5000


class SqlcipherStore(WithKeys):
    """One open connection, shared by the worker threads of one process under one lock."""

    def __init__(self, connection: dbapi2.Connection, keys: Keys) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        super().__init__(keys)

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

    def run_many(self, sql: str, parameters: Iterable[Sequence[Value]]) -> int:
        """Run one changing statement for each set of values; return how many rows they touched together."""
        with self._lock:
            return max(0, int(self._connection.executemany(sql, parameters).rowcount))

    @contextmanager
    def transaction(self, about: str | Collection[str] | None = None) -> Iterator[None]:  # noqa: ARG002  one writer anyway
        """Take the write lock at once (no upgrade later, so no deadlock), commit at the end or roll back."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except dbapi2.OperationalError as exc:
                if "locked" in str(exc):  # another process kept it for the whole time we waited
                    raise Busy from exc
                raise
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

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

    def copy_without_data_keys(self, path: Path) -> tuple[tuple[str, str, str, bytes, str], ...]:
        """Copy the whole store to a new file under the same key, and take the data keys out of the copy.

        Returns:
            The rows of ``data_key`` that were taken out; the copy holds none.
        """
        key = self._keys.secrets.raw()
        own = Path(self.rows("PRAGMA database_list")[0][2])
        write_private(path, b"")
        copy, source = _connect(path, key), _connect(own, key)
        try:
            source.backup(copy)  # one moment of the store; readers and the writer go on meanwhile
            rows = copy.execute("SELECT sub, id, kek, wrapped, created_at FROM data_key").fetchall()
            copy.execute("DELETE FROM data_key")  # overwritten with zeros: secure_delete
            copy.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            source.close()
            copy.close()
        return tuple((row[0], row[1], row[2], row[3], row[4]) for row in rows)

    def faults(self) -> int:
        """Count what the database itself finds wrong with its pages and its structure."""
        with self._lock:
            self.fold()  # with frames pending, the check of pages calls healthy ones bad
            return _faults(self._connection)

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


def create_sqlcipher(path: Path, keys: Keys) -> SqlcipherStore:
    """Make an empty store in a file that is not there yet."""
    write_private(path, b"")
    store = SqlcipherStore(_connect(path, keys.secrets.raw()), keys)
    migrate(store, new=True)
    return store


def open_sqlcipher(path: Path, secrets: StoreKey, kek_path: Path) -> SqlcipherStore:
    """Open an existing store and bring it to the present tables.

    Raises:
        Unusable: ``store_damaged``, ``store_newer``, ``kek_missing``.
    """
    with path.open("rb") as file:
        head = file.read(len(_PLAIN_MAGIC))
    if len(head) < len(_PLAIN_MAGIC) or head == _PLAIN_MAGIC:
        raise Unusable("store_damaged")
    try:
        connection = _connect(path, secrets.raw())
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except dbapi2.DatabaseError as exc:
        raise Unusable("store_damaged") from exc
    try:
        needs_kek = version < FIRST_WITH_KEK and not kek_path.exists()  # from before there was one
        wrapping = make_kek_file(kek_path) if needs_kek else KekFile(kek_path)
        store = SqlcipherStore(connection, Keys(secrets, wrapping))
        migrate(store)
    except BaseException:
        connection.close()
        raise
    return store


def is_whole(path: Path, secrets: StoreKey) -> bool:
    """Open a file that nobody else has open, and tell whether the database finds nothing wrong with it."""
    try:
        connection = _connect(path, secrets.raw())
    except dbapi2.DatabaseError:
        return False
    try:
        return _faults(connection) == 0
    except dbapi2.DatabaseError:
        return False
    finally:
        connection.close()


def _faults(connection: dbapi2.Connection) -> int:
    pages = connection.execute("PRAGMA cipher_integrity_check").fetchall()
    structure = [row for row in connection.execute("PRAGMA integrity_check").fetchall() if row != ("ok",)]
    links = connection.execute("PRAGMA foreign_key_check").fetchall()
    return len(pages) + len(structure) + len(links)


def _connect(path: Path, key: bytes) -> dbapi2.Connection:
    connection = dbapi2.connect(
        str(path), isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000
    )
    # cipher_memory_security stays off: it wipes what SQLite frees, and took 40 % of the time of a push.
    # Records and secrets reach SQLite sealed (recipient.data_keys); Python's own copies are not wiped either.
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
