"""The store fails closed, is encrypted, and keeps what it acknowledged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from recipient.config import KEY_NAME, STORE_NAME
from recipient.errors import Unusable
from recipient.store import Store, create_store, open_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_store(tmp_path / "clinic").close()
    return tmp_path / "clinic"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    store = open_store(folder)
    yield store
    store.close()


def code_of(folder: Path) -> str:
    with pytest.raises(Unusable) as caught:
        open_store(folder)
    return caught.value.code


def test_key_and_store_are_for_the_owner_only(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in (KEY_NAME, STORE_NAME):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_file_holds_no_plain_text(folder: Path) -> None:
    store = open_store(folder)
    store.run(
        "INSERT INTO account (name, display, role, phc, created_at) VALUES ('canary-name','d','r','p','t')"
    )
    files = [path.read_bytes() for path in folder.iterdir()]
    store.close()
    assert (folder / STORE_NAME).read_bytes()[:6] != b"SQLite"
    assert not any(b"canary-name" in data for data in [*files, (folder / STORE_NAME).read_bytes()])


def test_second_init_changes_nothing(folder: Path) -> None:
    before = (folder / KEY_NAME).read_bytes()
    with pytest.raises(Unusable, match="already_initialised"):
        create_store(folder)
    assert (folder / KEY_NAME).read_bytes() == before


def test_missing_store_beside_a_key_is_damage_not_a_fresh_start(folder: Path) -> None:
    (folder / STORE_NAME).unlink()
    assert code_of(folder) == "store_damaged"
    assert not (folder / STORE_NAME).exists()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00" + bytes(4080), os.urandom(4096), b"short"])
def test_foreign_store_is_refused_and_left_alone(folder: Path, content: bytes) -> None:
    (folder / STORE_NAME).write_bytes(content)
    assert code_of(folder) == "store_damaged"
    assert (folder / STORE_NAME).read_bytes() == content


def test_plain_sqlite_database_is_refused(folder: Path) -> None:
    (folder / STORE_NAME).unlink()
    plain = sqlite3.connect(folder / STORE_NAME)
    plain.execute("CREATE TABLE identity (x)")
    plain.close()
    assert code_of(folder) == "store_damaged"


def test_empty_folder_says_not_initialised(tmp_path: Path) -> None:
    assert code_of(tmp_path) == "not_initialised"


def test_missing_key_is_named(folder: Path) -> None:
    (folder / KEY_NAME).unlink()
    assert code_of(folder) == "key_missing"


def test_other_key_does_not_open(folder: Path) -> None:
    (folder / KEY_NAME).write_bytes(os.urandom(32))
    assert code_of(folder) == "store_damaged"


def test_short_key_is_refused_before_it_becomes_a_passphrase(folder: Path) -> None:
    (folder / KEY_NAME).write_bytes(os.urandom(31))
    assert code_of(folder) == "key_unsafe"


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_key_readable_by_others_is_refused(folder: Path) -> None:
    (folder / KEY_NAME).chmod(0o640)
    assert code_of(folder) == "key_unsafe"


def test_a_store_in_which_no_step_was_done_is_damage_not_a_fresh_start(folder: Path) -> None:
    store = open_store(folder)
    store.run("PRAGMA user_version=0")
    store.close()
    assert code_of(folder) == "store_damaged"


def test_fold_empties_the_write_ahead_log(folder: Path, store: Store) -> None:
    log = folder / f"{STORE_NAME}-wal"
    store.run("INSERT INTO opening_key (seed, created_at) VALUES (x'00', 't')")
    assert log.stat().st_size > 0
    store.fold()
    assert log.stat().st_size == 0


def test_transaction_rolls_back_as_a_whole(store: Store) -> None:
    def half_done() -> None:
        with store.transaction():
            store.run("INSERT INTO opening_key (seed, created_at) VALUES (x'00', 't')")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        half_done()
    assert store.row("SELECT count(*) FROM opening_key") == (0,)


def test_settings_that_keep_acknowledged_writes(store: Store) -> None:
    assert store.row("PRAGMA journal_mode") == ("wal",)
    assert store.row("PRAGMA synchronous") == (2,)
    assert store.row("PRAGMA temp_store") == (2,)
    assert store.row("PRAGMA secure_delete") == (1,)
    assert store.row("PRAGMA foreign_keys") == (1,)


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE '/tmp/x.db' AS x",
        "VACUUM INTO '/tmp/x.db'",
        "PRAGMA temp_store=1",
        "PRAGMA synchronous=OFF",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA rekey='x'",
        "SELECT load_extension('x')",
        "SELECT sqlcipher_export('main')",
    ],
)
def test_ways_out_of_the_encrypted_file_are_denied(store: Store, sql: str) -> None:
    with pytest.raises(dbapi2.DatabaseError):
        store.rows(sql)
