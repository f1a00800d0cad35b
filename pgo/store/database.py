"""The encrypted database, and the only owner of ``sqlcipher3``.

Promises that what it opens is encrypted with the given key, durable at every commit, and never a fresh
empty file in the place of one that was lost.

Rules:
1. The key goes in through ``set_key`` as 64 hex digits; ``PRAGMA key`` would leave copies and show it to
   trace callbacks, and a key of another length would silently be taken as a passphrase (guide security fact
   10).
2. WAL with ``synchronous=FULL``: a commit that returned is on disk (fact 11). ``temp_store=2``: nothing of
   the patient in temp files (fact 9). ``secure_delete``: deleted rows are overwritten.
3. Pages of 8 KiB: import and scans 15-20% faster than 4 KiB for a little slower small commits (guide
   performance 2).
4. ``cipher_memory_security`` stays off: it is a switch of the whole process that cannot be put back and
   makes import and sorts three to four times slower; both figures are in ``docs/adr/0011``.
5. After the settings an authoriser refuses everything that could undo them or carry rows out: ATTACH, key
   changes, extensions, export, VACUUM INTO.
6. One connection, shared by threads behind one lock; threads wait for each other, nothing interleaves.

Errors of the engine become ``StoreDamaged`` (it cannot read its own pages), ``StoreFull`` or ``DiskFailed``;
no SQL text and no value ever gets into a message.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher

from crypto.kdf import erase
from pgo.errors import DiskFailed, Locked, StoreDamaged, StoreFull
from pgo.store.files import FILE_MODE
from pgo.store.protocols import Row, Value

KEY_BYTES = 32
PAGE_BYTES = 8192
CIPHER_PROFILE = "sqlcipher-4/aes-256-cbc/hmac-sha512/8192"
"""Goes into the header, so that a later engine knows what it would read (SQLCipher 5 breaks the format)."""

_PLAINTEXT_MAGIC = b"SQLite format 3\x00"
_CACHE_KIB = 32_000
_BUSY_SECONDS = 5.0
_HEX = b"0123456789abcdef"
_PAGES_AT_ONCE = 256  # 2 MiB: how much of a copy is made before somebody is told, and may stop it

_SETTINGS = (
    "PRAGMA cipher_log_level = NONE",  # by default the engine writes its errors to stderr
    f"PRAGMA cipher_page_size = {PAGE_BYTES}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = 2",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
)
_FROZEN_PRAGMAS = frozenset(
    {
        "key",
        "rekey",
        "hexkey",
        "hexrekey",
        "temp_store",
        "temp_store_directory",
        "journal_mode",
        "synchronous",
        "secure_delete",
        "trusted_schema",
        "writable_schema",
        "cipher_plaintext_header_size",
    }
)
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "sqlcipher_export", "writefile", "edit"})


class EncryptedDatabase:
    """A SQLCipher file as a ``pgo.store.protocols.Engine``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self._depth = 0
        self._closed = False

    def __repr__(self) -> str:
        return "EncryptedDatabase()"

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Run a query and return all rows."""
        with self._ready():
            return list(self._connection.execute(sql, values).fetchall())

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        """Run a query and return its first row."""
        with self._ready():
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def each(self, sql: str) -> Iterator[Row]:
        """Run a query and give its rows one by one: for tables larger than memory. Nobody else works then."""
        with self._ready():
            yield from self._connection.execute(sql)

    def insert(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Run one INSERT and return the number of the new row."""
        with self._ready():
            return int(self._connection.execute(sql, values).lastrowid)

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        with self._ready():
            return int(self._connection.execute(sql, values).rowcount)

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement for each row of values."""
        with self._ready():
            self._connection.executemany(sql, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside a transaction joins it. Other threads wait."""
        with self._lock:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            with self._ready():
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                with _translated():
                    self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._depth = 0

    def checkpoint(self) -> None:
        """Move everything from the write-ahead log into the database file."""
        self.row("PRAGMA wal_checkpoint(TRUNCATE)")

    def check_pages(self) -> bool:
        """Whether every page still carries its own authentication code; only after ``checkpoint``."""
        return not self.rows("PRAGMA cipher_integrity_check")

    def copy_into(self, target: EncryptedDatabase, *, on_pages: Callable[[int, int], None]) -> None:
        """Copy what this connection sees now into an empty database; see ``copy_database``."""

        def told(_status: int, remaining: int, total: int) -> None:
            on_pages(total - remaining, total)

        with self.transaction_for_reading():
            _copy(self._connection, target._connection, told)

    @contextlib.contextmanager
    def transaction_for_reading(self) -> Iterator[None]:
        """See one state of the database until the end, whatever other connections write."""
        with self._ready():
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the snapshot
            try:
                yield
            finally:
                self._roll_back()

    def close(self) -> None:
        """Close the file; its log is folded in and removed by the engine."""
        with self._lock, _translated():
            self._closed = True
            self._connection.close()

    @contextlib.contextmanager
    def _ready(self) -> Iterator[None]:
        with self._lock, _translated():
            if self._closed:  # a thread that was at work while the vault was locked
                raise Locked
            yield

    def _roll_back(self) -> None:
        # A failed COMMIT (disk full) may already have rolled back; asking twice is an error we do not need.
        if self._connection.in_transaction:
            with contextlib.suppress(sqlcipher.Error):
                self._connection.execute("ROLLBACK")


def create_database(path: Path, key: bytes | bytearray) -> EncryptedDatabase:
    """Make a new encrypted database file.

    Raises:
        FileExistsError: there is one already; nothing is overwritten.
    """
    path.touch(mode=FILE_MODE, exist_ok=False)
    return _connect(path, key)


def open_database(path: Path, key: bytes | bytearray) -> EncryptedDatabase:
    """Open an existing encrypted database; missing, empty, plain or foreign is refused, never replaced.

    Raises:
        StoreDamaged: ``database_missing``, ``database_empty``, ``database_plaintext``,
        ``database_unreadable``.
    """
    refuse_impossible_file(path)
    return _connect(path, key)


def copy_database(
    path: Path, key: bytes | bytearray, target: Path, *, on_pages: Callable[[int, int], None]
) -> None:
    """Copy a database while it is in use into a new file under the same key: one state, whatever is written.

    Source: SQLite Online Backup API, https://www.sqlite.org/backup.html. The read transaction pins the state:
    without it every write of another connection would start the copy again.

    Args:
        path: a database that is open elsewhere in this process.
        key: its key, also that of the copy.
        target: must not exist.
        on_pages: called with (pages done, pages in all) every few MiB; what it raises ends the copy.

    Raises:
        FileExistsError: the target is there.
        StoreFull, StoreDamaged: the disk is full or the source unreadable.
    """
    source = open_database(path, key)
    try:
        copy = create_database(target, key)
        try:
            source.copy_into(copy, on_pages=on_pages)
        finally:
            copy.close()
    finally:
        source.close()


def refuse_impossible_file(path: Path) -> None:
    """Refuse what cannot be our database, before any key is derived.

    Raises:
        StoreDamaged: ``database_missing``, ``database_empty``, ``database_plaintext``.
    """
    # A length that is no whole number of pages is possible: a crash while the log was being folded in. The
    # log then still holds the page, and step 9 of opening checks every page after folding it in.
    if not path.is_file():
        raise StoreDamaged("database_missing")
    if path.stat().st_size == 0:
        raise StoreDamaged("database_empty")
    with path.open("rb") as stream:
        if stream.read(len(_PLAINTEXT_MAGIC)) == _PLAINTEXT_MAGIC:
            raise StoreDamaged("database_plaintext")


def _connect(path: Path, key: bytes | bytearray) -> EncryptedDatabase:
    if len(key) != KEY_BYTES:
        raise ValueError("the database key has 32 bytes")
    with _translated():
        connection = sqlcipher.connect(
            path, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS, cached_statements=256
        )
    try:
        _prepare(connection, key)
    except BaseException:
        connection.close()
        raise
    return EncryptedDatabase(connection)


def _prepare(connection: Any, key: bytes | bytearray) -> None:
    text = _key_text(key)
    try:
        connection.set_key(text)
    finally:
        erase(text)
    with _translated():
        for setting in _SETTINGS:
            connection.execute(setting).fetchall()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read proves the key
        version = connection.execute("PRAGMA cipher_version").fetchone()
    if not version or not version[0]:
        raise StoreDamaged("engine_without_encryption")
    connection.set_authorizer(_authorise)


def _key_text(key: bytes | bytearray) -> bytearray:
    """The key as the engine wants it, digit by digit: ``hex()`` would leave copies that cannot be erased."""
    text = bytearray(b"x'" + b"0" * (2 * KEY_BYTES) + b"'")
    for place, byte in enumerate(key):
        text[2 + 2 * place] = _HEX[byte >> 4]
        text[3 + 2 * place] = _HEX[byte & 15]
    return text


def _authorise(
    action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None
) -> int:
    refused = (
        action == sqlcipher.SQLITE_ATTACH
        or (
            action == sqlcipher.SQLITE_PRAGMA
            and second is not None
            and (first or "").lower() in _FROZEN_PRAGMAS
        )
        or (action == sqlcipher.SQLITE_FUNCTION and (second or "").lower() in _FORBIDDEN_FUNCTIONS)
    )
    return int(sqlcipher.SQLITE_DENY if refused else sqlcipher.SQLITE_OK)


def _copy(source: Any, target: Any, told: Callable[[int, int, int], None]) -> None:
    with _translated():
        try:
            source.backup(target, pages=_PAGES_AT_ONCE, progress=told)
        except sqlcipher.OperationalError as exc:
            # This call gives no code with its errors, only the words of sqlite3_errstr().
            raise (StoreFull if str(exc) == _FULL_WORDS else DiskFailed) from None


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlcipher.IntegrityError:
        raise  # a broken constraint is our own mistake, not the disk's
    except sqlcipher.DatabaseError as exc:
        number = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        # Chained errors are dropped on purpose: their text may quote values.
        if number == sqlcipher.SQLITE_FULL:
            raise StoreFull from None
        if number in _REFUSED:
            raise DiskFailed from None
        if number in _UNREADABLE:
            raise StoreDamaged("database_unreadable") from None
        raise


_FULL_WORDS = "database or disk is full"
# A page that does not decrypt is "not a database" (the first) or "corrupt" (any other), never an I/O error.
_UNREADABLE = frozenset({sqlcipher.SQLITE_NOTADB, sqlcipher.SQLITE_CORRUPT})
_REFUSED = frozenset({sqlcipher.SQLITE_IOERR, sqlcipher.SQLITE_CANTOPEN, sqlcipher.SQLITE_READONLY})
