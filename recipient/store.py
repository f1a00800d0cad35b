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

from pathlib import Path
from types import ModuleType

from recipient.config import DATABASE_NAME, KEK_NAME, KEY_NAME, STORE_NAME
from recipient.errors import Unusable
from recipient.kek import KekFile, make_kek_file
from recipient.key_files import make_key, read_key, read_private, write_private
from recipient.store_protocol import Keys, Store, Value
from recipient.store_sqlcipher import create_sqlcipher, open_sqlcipher

__all__ = ["Store", "Value", "create_store", "open_store"]


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
    if any((folder / name).exists() for name in (KEY_NAME, KEK_NAME, STORE_NAME, DATABASE_NAME)):
        raise Unusable("already_initialised")
    if database is None:
        return create_sqlcipher(folder / STORE_NAME, _make_keys(folder))
    postgres = _postgres()
    postgres.check_address(database)
    store: Store = postgres.create_postgres(database, lambda: _make_keys(folder))
    write_private(folder / DATABASE_NAME, database.encode("utf-8"))
    return store


def open_store(folder: Path) -> Store:
    """Open an existing store.

    Args:
        folder: the folder given to ``create_store`` before.

    Returns:
        The open store; one of an older program has the present tables now.

    Raises:
        Unusable: ``not_initialised``, ``key_missing``, ``kek_missing``, ``key_unsafe``, ``store_damaged``,
            ``store_newer``; and see ``recipient.store_postgres``.
    """
    store_path, key_path, database_path = folder / STORE_NAME, folder / KEY_NAME, folder / DATABASE_NAME
    if not store_path.exists() and not database_path.exists():
        raise Unusable("store_damaged" if key_path.exists() else "not_initialised")
    key = read_key(key_path)
    if store_path.exists():
        return open_sqlcipher(store_path, key, folder / KEK_NAME)
    postgres = _postgres()
    database = read_private(database_path, missing="store_damaged").decode("utf-8").strip()
    postgres.check_address(database)
    store: Store = postgres.open_postgres(database, Keys(key, KekFile(folder / KEK_NAME)))
    return store


def _make_keys(folder: Path) -> Keys:
    return Keys(make_key(folder / KEY_NAME), make_kek_file(folder / KEK_NAME))


def _postgres() -> ModuleType:
    """Load the other database only where it is asked for: a practice does not install its driver."""
    try:
        from recipient import store_postgres
    except ImportError as exc:
        raise Unusable("no_postgres") from exc
    return store_postgres
