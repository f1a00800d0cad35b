"""One suite for both stores of a recipient: an SQLCipher file and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext

import psycopg
import pytest
from sqlcipher3 import dbapi2

from recipient.config import KEY_NAME
from recipient.errors import Refused, Unusable
from recipient.migrations import STEPS, VERSION, Migrating, Step, migrate
from recipient.schema import AppendOnly
from recipient.store import Store
from recipient.store_postgres import PostgresStore
from tests.support import clinical
from tests.support.recipient_direct import a_patient_of, found, look, push
from tests.support.recipient_stores import Place

ONLY_ADDED_TO = [part.table for step in STEPS for part in step.statements if isinstance(part, AppendOnly)]
DatabaseErrors = (dbapi2.DatabaseError, psycopg.DatabaseError)
IntegrityErrors = (dbapi2.IntegrityError, psycopg.IntegrityError)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    store = place.create()
    yield store
    store.close()


def add_key(store: Store, seed: bytes, at: str = "t") -> None:
    store.run("INSERT INTO opening_key (seed, created_at) VALUES (?, ?)", (seed, at))


def code_of(place: Place) -> str:
    with pytest.raises(Unusable) as caught:
        place.open()
    return caught.value.code


class TestValues:
    def test_bytes_and_text_come_back_as_they_went_in(self, store: Store) -> None:
        every, text = bytes(range(256)) * 3, "naïve 字 'quoted' \"twice\" %s ? \\ \n"
        add_key(store, every, text)
        assert store.row("SELECT seed, created_at FROM opening_key") == (every, text)

    def test_whole_numbers_have_64_bits_and_nothing_is_nothing(self, store: Store) -> None:
        found(store)
        store.run("UPDATE identity SET port = ?, url = ?", (2**62, None))
        assert store.row("SELECT port, url FROM identity") == (2**62, None)

    def test_text_sorts_by_its_bytes(self, store: Store) -> None:
        words = [
            "Z",
            "a",
            "_",
            "é",
            "2026-03-02T09:00:00.000000Z",
            "2026-03-02T10",
            "B",
            "2026-03-02T09:00:00.1",
        ]
        store.run_many("INSERT INTO opening_key (seed, created_at) VALUES (?, ?)", [(b"x", w) for w in words])
        rows = store.rows("SELECT created_at FROM opening_key ORDER BY created_at")
        assert [row[0] for row in rows] == sorted(words, key=lambda word: word.encode())

    def test_marks_inside_quotes_are_text(self, store: Store) -> None:
        add_key(store, b"x", "50% of ?")
        assert store.row("SELECT id FROM opening_key WHERE created_at = '50% of ?' AND seed = ?", (b"x",))

    def test_many_at_once_are_counted(self, store: Store) -> None:
        sql = "INSERT INTO opening_key (seed, created_at) VALUES (?, ?)"
        assert store.run_many(sql, ((bytes([n]), "t") for n in range(200))) == 200
        assert store.run("UPDATE opening_key SET created_at = ? WHERE seed < ?", ("u", b"\x64")) == 100
        assert store.run_many(sql, []) == 0

    def test_text_that_cannot_be_kept_is_refused_or_not_found_but_never_breaks(self, store: Store) -> None:
        refused = pytest.raises(Refused, match="bad_text")
        with refused if isinstance(store, PostgresStore) else nullcontext():
            assert store.rows("SELECT id FROM account WHERE name = ?", ("a\x00b",)) == []
        assert store.row("SELECT count(*) FROM account") == (0,)


class TestTransactions:
    @pytest.mark.parametrize("about", [None, "somebody"])
    def test_whole_or_not_at_all(self, store: Store, about: str | None) -> None:
        def half_done() -> None:
            with store.transaction(about):
                add_key(store, b"one")
                raise ValueError("stop")

        with pytest.raises(ValueError, match="stop"):
            half_done()
        assert store.row("SELECT count(*) FROM opening_key") == (0,)
        with store.transaction(about):
            add_key(store, b"two")
        assert store.rows("SELECT seed FROM opening_key") == [(b"two",)]

    def test_a_refused_statement_undoes_the_whole_block_and_the_store_goes_on(self, store: Store) -> None:
        def refused() -> None:
            with store.transaction():
                add_key(store, b"one")
                store.run("INSERT INTO opening_key (seed, created_at) VALUES (?, ?)", (None, "t"))

        with pytest.raises(DatabaseErrors):
            refused()
        assert store.row("SELECT count(*) FROM opening_key") == (0,)
        with store.transaction():
            add_key(store, b"two")
        assert store.row("SELECT count(*) FROM opening_key") == (1,)

    @pytest.mark.parametrize("about", [None, "somebody"])
    def test_what_was_read_stays_true_until_the_end(self, store: Store, about: str | None) -> None:
        """Eight threads count and add one, ten times each: no number is given twice."""

        def work() -> None:
            for _ in range(10):
                with store.transaction(about):
                    row = store.row("SELECT count(*) FROM opening_key")
                    assert row is not None
                    add_key(store, b"x", str(row[0]))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        numbers = sorted(int(row[0]) for row in store.rows("SELECT created_at FROM opening_key"))
        assert numbers == list(range(80))


class TestAppendOnly:
    @pytest.mark.parametrize("change", ["DELETE FROM access_event", 'UPDATE access_event SET "user" = ?'])
    def test_the_database_itself_refuses_to_change_who_looked(self, store: Store, change: str) -> None:
        account, patient = found(store), a_patient_of(store)
        push(store, patient, [clinical.patient()])
        look(store, account, patient)
        before = store.rows("SELECT * FROM access_event")
        with pytest.raises(IntegrityErrors):
            store.run(change, ("nobody",) if "?" in change else ())
        assert store.rows("SELECT * FROM access_event") == before != []

    @pytest.mark.parametrize("table", ONLY_ADDED_TO)
    def test_every_table_that_is_only_added_to_is_guarded(self, store: Store, table: str) -> None:
        assert triggers_of(store, table) >= {f"{table}_same", f"{table}_stays"}


class TestOpening:
    def test_again_with_everything_in_it(self, place: Place) -> None:
        store = place.create()
        add_key(store, b"kept")
        derived = store.derived_key("paging")
        sealed = store.secrets.seal("what it is", b"secret")
        store.close()
        store = place.open()
        assert store.row("SELECT seed FROM opening_key") == (b"kept",)
        assert (store.derived_key("paging"), len(derived)) == (derived, 32)
        assert store.derived_key("other") != derived
        assert store.secrets.open("what it is", sealed) == b"secret"
        with pytest.raises(Unusable, match="key_wrong"):
            store.secrets.open("something else", sealed)
        store.close()

    def test_nothing_is_made_over_what_is_there(self, place: Place) -> None:
        place.create().close()
        key = (place.folder / KEY_NAME).read_bytes()
        with pytest.raises(Unusable, match="already_initialised"):
            place.create()
        assert (place.folder / KEY_NAME).read_bytes() == key

    def test_a_missing_key_is_named(self, place: Place) -> None:
        place.create().close()
        (place.folder / KEY_NAME).unlink()
        assert code_of(place) == "key_missing"

    def test_an_empty_folder_says_so(self, place: Place) -> None:
        assert code_of(place) == "not_initialised"

    def test_a_newer_store_is_refused_and_left_as_it_was(self, place: Place) -> None:
        store = place.create()
        note_version(store, VERSION + 1)
        store.close()
        assert code_of(place) == "store_newer"
        assert code_of(place) == "store_newer"

    def test_a_store_in_which_no_step_was_done_is_damage(self, place: Place) -> None:
        store = place.create()
        note_version(store, 0)
        store.close()
        assert code_of(place) == "store_damaged"

    def test_a_step_is_done_whole_or_not_at_all_and_once(self, store: Store) -> None:
        half = Step("half", ("CREATE TABLE one (x TEXT) STRICT", "CREATE TABLE sender (x TEXT) STRICT"))
        with pytest.raises(DatabaseErrors):
            migrate(as_migrating(store), [*STEPS, half])
        with pytest.raises(DatabaseErrors):
            store.rows("SELECT * FROM one")
        whole = Step("whole", ("CREATE TABLE one (x TEXT) STRICT",))
        assert migrate(as_migrating(store), [*STEPS, whole]) == 1
        assert migrate(as_migrating(store), [*STEPS, whole]) == 0
        assert store.rows("SELECT * FROM one") == []


def as_migrating(store: Store) -> Migrating:
    assert hasattr(store, "migration")
    return store  # type: ignore[return-value]  # both kinds are; the protocol of users does not show it


def note_version(store: Store, version: int) -> None:
    with store.transaction():
        as_migrating(store).note_version(version)


def triggers_of(store: Store, table: str) -> set[str]:
    try:
        rows = store.rows("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,))
    except psycopg.Error:
        rows = store.rows("SELECT tgname FROM pg_trigger WHERE tgrelid = CAST(? AS regclass)", (table,))
    return {str(row[0]) for row in rows}
