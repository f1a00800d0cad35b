"""The store in PostgreSQL 15 or later. The only owner of ``psycopg``; install with the extra ``postgres``.

Promises:
1. off this machine only with ``sslmode=verify-full``; whatever else the address says is refused before
   anything is sent;
2. several processes may serve one database: a transaction holds a lock for the whole store, or for one sender
   beside others (advisory locks, released with the transaction), so that what one reads nobody changes;
3. nothing waits for ever: locks, statements, idle transactions and the pool have deadlines;
4. a server that goes away or restarts means ``Busy`` for what was running, which the other side repeats under
   the same message id; connections are checked before they are used and made anew.

What is erased leaves rows behind until VACUUM, in the write-ahead log and in replicas: on this database it is
the destroyed key that erases (``recipient.data_keys``).

Sources: https://www.postgresql.org/docs/15/libpq-ssl.html (table 34.1) and
https://www.postgresql.org/docs/15/explicit-locking.html section 13.3.5.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from recipient.config import is_loopback
from recipient.dialect import postgres_statement, postgres_tables
from recipient.errors import Busy, Refused, Unusable
from recipient.logs import event
from recipient.migrations import migrate
from recipient.schema import AppendOnly
from recipient.store_protocol import Keys, Value, WithKeys

_CONNECTIONS = 8
_WAIT_SECONDS = 5.0
_RECONNECT_SECONDS = 3.0
"""Trying anew waits twice as long each time. Given up this early, the next request starts from the beginning
and is served within its own wait, however long the server was away."""
_SETTINGS = "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
_EVERYTHING = 0x5047_4F31  # any number; the same in every process that shares a database
_ONE_SENDER = 0x5047
_MOST_SENDERS = 64  # by one transaction; max_locks_per_transaction is 64 as it comes


class PostgresStore(WithKeys):
    """A pool of connections; a transaction belongs to the thread that opened it."""

    def __init__(self, pool: ConnectionPool, keys: Keys) -> None:
        self._pool = pool
        super().__init__(keys)
        self._local = threading.local()

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows, in the order the statement asks for."""
        with self._connection() as connection:
            cursor = connection.execute(postgres_statement(sql), parameters, binary=True)
            return cursor.fetchall() if cursor.description else []

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a statement, or None."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one changing statement; return how many rows it touched."""
        with self._connection() as connection:
            return max(0, connection.execute(postgres_statement(sql), parameters).rowcount)

    def run_many(self, sql: str, parameters: Iterable[Sequence[Value]]) -> int:
        """Run one changing statement for each set of values; return how many rows they touched together."""
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.executemany(postgres_statement(sql), parameters)  # one round trip: the driver pipelines
            return max(0, cursor.rowcount)

    @contextmanager
    def transaction(self, about: str | Collection[str] | None = None) -> Iterator[None]:
        """Lock the store, or one sender beside others; commit at the end or roll back."""
        if self._current() is not None:
            raise RuntimeError("transactions do not nest")
        with _translated(), self._pool.connection() as connection, connection.transaction():
            _lock(connection, about)
            self._local.connection = connection
            try:
                yield
            finally:
                self._local.connection = None

    @contextmanager
    def migration(self) -> Iterator[int]:
        """Lock the store and give the number of migration steps done (``recipient.migrations``)."""
        with self.transaction():
            self.run("SET LOCAL statement_timeout = 0")
            row = self.row("SELECT to_regclass('store_version') IS NOT NULL")
            found = self.row("SELECT version FROM store_version") if row == (True,) else None
            yield int(found[0]) if found else 0

    def change_tables(self, statement: str | AppendOnly) -> None:
        """Run one statement of a migration step."""
        for sql in postgres_tables(statement):
            self.run(sql)

    def note_version(self, version: int) -> None:
        """Write down how many migration steps are done; part of the running transaction."""
        self.run(
            "CREATE TABLE IF NOT EXISTS store_version "
            '("only" BIGINT PRIMARY KEY CHECK ("only" = 1), version BIGINT NOT NULL)'
        )
        self.run(
            'INSERT INTO store_version VALUES (1, ?) ON CONFLICT ("only") DO UPDATE SET version = ?',
            (version, version),
        )

    def faults(self) -> int:
        """Nothing is checked here: PostgreSQL has data checksums and ``pg_amcheck`` for its own files."""
        return 0

    def fold(self) -> None:
        """Nothing to do: see the module for what erasing rests on here."""

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _current(self) -> psycopg.Connection | None:
        found: psycopg.Connection | None = getattr(self._local, "connection", None)
        return found

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        current = self._current()
        with _translated():
            if current is not None:
                yield current
            else:
                with self._pool.connection() as connection:
                    yield connection


def check_address(address: str) -> None:
    """Refuse an address over which patient data or a password could be read on the way.

    Args:
        address: ``postgresql://...`` or ``service=NAME``, as libpq reads it; environment and service file may
            add to it, but must not be what decides about TLS off this machine.

    Raises:
        Unusable: ``bad_database``, ``database_tls``.
    """
    try:
        said = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        raise Unusable("bad_database") from None  # its text quotes the address
    if not address.strip() or (said.get("service") is None and not address.startswith("postgres")):
        raise Unusable("bad_database")
    named = (said.get("hostaddr"), os.environ.get("PGHOSTADDR"), said.get("host"), os.environ.get("PGHOST"))
    hosts = [host for value in named if value for host in str(value).split(",")]
    here = all(host.startswith("/") or is_loopback(host) for host in hosts)
    if (not here or said.get("service") is not None) and said.get("sslmode") != "verify-full":
        raise Unusable("database_tls")


def create_postgres(address: str, make_keys: Callable[[], Keys]) -> PostgresStore:
    """Make an empty store in a database that holds none.

    Args:
        address: checked.
        make_keys: is asked for the keys once the database turned out to be there and free.

    Raises:
        Unusable: ``database_unreachable``, ``already_initialised``.
    """
    pool = _open_pool(address)
    try:
        with _translated(), pool.connection() as connection:
            found = connection.execute("SELECT to_regclass('store_version') IS NOT NULL").fetchone()
        if found == (True,):
            raise Unusable("already_initialised")
        store = PostgresStore(pool, make_keys())
        migrate(store, new=True)
    except BaseException:
        pool.close()
        raise
    return store


def open_postgres(address: str, keys: Keys) -> PostgresStore:
    """Open an existing store and bring it to the present tables.

    Raises:
        Unusable: ``database_unreachable``, ``store_damaged``, ``store_newer``.
    """
    store = PostgresStore(_open_pool(address), keys)
    try:
        migrate(store)
    except BaseException:
        store.close()
        raise
    return store


def _open_pool(address: str) -> ConnectionPool:
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # it names host and user; we log the kind
    pool = ConnectionPool(
        address,
        kwargs={"autocommit": True, "options": _SETTINGS, "application_name": "recipient"},
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_WAIT_SECONDS,
        reconnect_timeout=_RECONNECT_SECONDS,
        check=ConnectionPool.check_connection,
        open=False,
    )
    pool.open()
    try:
        pool.wait(timeout=2 * _WAIT_SECONDS)
    except psycopg.OperationalError:
        pool.close()
        raise Unusable("database_unreachable") from None  # its text may name the account
    return pool


def _lock(connection: psycopg.Connection, about: str | Collection[str] | None) -> None:
    """Take the lock of the whole store, or share that one and take those of senders.

    Always in this order, and those of senders in the order of their numbers, so that no two wait for each
    other. Many senders are everybody: the server has room for a limited number of locks.
    """
    senders = {about} if isinstance(about, str) else about
    if senders is None or len(senders) > _MOST_SENDERS:
        connection.execute("SELECT pg_advisory_xact_lock(%s::bigint)", (_EVERYTHING,))
        return
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s::bigint)", (_EVERYTHING,))
    numbers = sorted({_number(one) for one in senders})
    connection.execute(  # rows of an array come, and are locked, in its order
        "SELECT pg_advisory_xact_lock(%s::integer, number) FROM unnest(%s::integer[]) AS number",
        (_ONE_SENDER, numbers),
    )


def _number(sender: str) -> int:
    """Return the number of a sender's lock; two with the same number wait for each other, no more."""
    return int.from_bytes(hashlib.sha256(sender.encode("utf-8")).digest()[:4], "big", signed=True)


@contextmanager
def _translated() -> Iterator[None]:
    """Word the driver's errors as ours: its texts quote statements and values."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as exc:
        # gone, restarting, too slow, locked too long, no connection free: later it will do
        event("database_away", logging.WARNING, kind=type(exc).__name__, code=exc.sqlstate or "none")
        raise Busy from exc
    except psycopg.DataError as exc:
        raise Refused("bad_text") from exc  # NUL in a text, which PostgreSQL cannot hold
