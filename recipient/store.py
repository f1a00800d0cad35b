"""The recipient's store: what the rest of the program asks of it, and the choice between two databases.

Promises, the same on both (tests/contract/test_recipient_store.py):
1. what happens in ``transaction()`` happens completely or not at all, and an acknowledged one survives power
   loss;
2. transactions of one process or several come one after the other; with ``about`` only those about the same
   sender do, where the database can;
3. a store fails closed: a missing, damaged, foreign or newer one is never replaced by a new one;
4. text comes back as text, bytes as the same bytes, and text sorts by its bytes.

An SQLCipher file is the default and serves a practice; PostgreSQL serves a hospital with several processes.
SQL is written once (``recipient.dialect``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeAlias

from recipient.config import DATABASE_NAME, KEY_NAME, STORE_NAME
from recipient.errors import Unusable
from recipient.key_files import StoreKey, make_key, read_key, read_private, write_private
from recipient.store_sqlcipher import create_sqlcipher, open_sqlcipher

Value: TypeAlias = "str | int | float | bytes | None"


class Store(Protocol):
    """One open store, shared by the threads of a process."""

    @property
    def secrets(self) -> StoreKey:
        """What seals the secrets of the installation."""

    def derived_key(self, label: str) -> bytes:
        """Return 32 secret bytes for one use, the same ones after every start and in every process."""

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows, in the order the statement asks for."""

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a statement, or None."""

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one changing statement; return how many rows it touched."""

    def run_many(self, sql: str, parameters: Iterable[Sequence[Value]]) -> int:
        """Run one changing statement for each set of values; return how many rows they touched together."""

    def transaction(self, about: str | None = None) -> AbstractContextManager[None]:
        """Let everything in the block happen together, or nothing of it.

        Args:
            about: the one sender (``sub``) the block is about; transactions about others may go on meanwhile.
                None: about everything.

        Raises:
            Busy: others hold the store too long, or the database does not answer; nothing happened.
        """

    def fold(self) -> None:
        """Leave nothing behind of what was erased, as far as this database can be told to."""

    def close(self) -> None:
        """Give everything back."""


def create_store(folder: Path, *, database: str | None = None) -> Store:
    """Make keys and an empty store where there is neither.

    Args:
        folder: for keys, card and, without ``database``, the store itself; made with mode 0700 when absent.
        database: address of an empty PostgreSQL database, or None for a file.

    Returns:
        The open store, tables in place.

    Raises:
        Unusable: ``already_initialised`` when a key or a store is there: nothing is ever overwritten; and see
            ``recipient.store_postgres``.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any((folder / name).exists() for name in (KEY_NAME, STORE_NAME, DATABASE_NAME)):
        raise Unusable("already_initialised")
    if database is None:
        return create_sqlcipher(folder / STORE_NAME, make_key(folder / KEY_NAME))
    postgres = _postgres()
    postgres.check_address(database)
    store = postgres.create_postgres(database, lambda: make_key(folder / KEY_NAME))
    write_private(folder / DATABASE_NAME, database.encode("utf-8"))
    return store


def open_store(folder: Path) -> Store:
    """Open an existing store.

    Args:
        folder: the folder given to ``create_store`` before.

    Returns:
        The open store; one of an older program has the present tables now.

    Raises:
        Unusable: ``not_initialised``, ``key_missing``, ``key_unsafe``, ``store_damaged``, ``store_newer``;
            and see ``recipient.store_postgres``.
    """
    store_path, key_path, database_path = folder / STORE_NAME, folder / KEY_NAME, folder / DATABASE_NAME
    if not store_path.exists() and not database_path.exists():
        raise Unusable("store_damaged" if key_path.exists() else "not_initialised")
    key = read_key(key_path)
    if store_path.exists():
        return open_sqlcipher(store_path, key)
    postgres = _postgres()
    database = read_private(database_path, missing="store_damaged").decode("utf-8").strip()
    postgres.check_address(database)
    return postgres.open_postgres(database, key)


def _postgres() -> ModuleType:
    """Load the other database only where it is asked for: a practice does not install its driver."""
    try:
        from recipient import store_postgres
    except ImportError as exc:
        raise Unusable("no_postgres") from exc
    return store_postgres
