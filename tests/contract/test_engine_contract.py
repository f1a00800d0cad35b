"""One suite for every database engine and outbox: SQLCipher, the standard library's SQLite, and plain memory.

The second engine shows that the tables need nothing of the first: a phone without SQLCipher brings its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest

from pgo.errors import Locked, NotFound, StoreDamaged, VaultTooNew
from pgo.store.database import EncryptedDatabase, create_database, open_database
from pgo.store.journal import Event, Journal, JournalFilter
from pgo.store.migrations import STEPS, migrate, schema_version
from pgo.store.outbox import OutboxTable
from pgo.store.protocols import Engine, Row, Value
from pgo.store.recipients import Recipients
from sync.outbox import Outbox, OutboxEntry, State, acknowledge, cancel, is_due, postpone, start
from sync.wire import Kind, new_message_id
from tests.support.vaults import START

KEY = bytes(range(32))


class PlainDatabase:
    """The standard library's SQLite as an engine; for tests only, it encrypts nothing."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._lock = threading.RLock()
        self._depth = 0

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        with self._lock:
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def insert(self, sql: str, values: Sequence[Value] = ()) -> int:
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        with self._lock:
            self._connection.executemany(sql, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._connection.execute("BEGIN IMMEDIATE")
                yield
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            except BaseException:
                if self._depth == 1:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def close(self) -> None:
        self._connection.close()


class MemoryOutbox:
    """An outbox as simple as can be: what the other ones must agree with."""

    def __init__(self) -> None:
        self._entries: dict[int, OutboxEntry] = {}

    def add(self, entry: OutboxEntry) -> int:
        number = len(self._entries) + 1
        self._entries[number] = replace(entry, id=number)
        return number

    def get(self, entry_id: int) -> OutboxEntry:
        if entry_id not in self._entries:
            raise NotFound("outbox_entry")
        return self._entries[entry_id]

    def save(self, entry: OutboxEntry) -> None:
        self._entries[entry.id] = entry

    def _sorted(self) -> list[OutboxEntry]:
        return sorted(self._entries.values(), key=lambda entry: (entry.created_at, entry.id))

    def due(self, at: object) -> tuple[OutboxEntry, ...]:
        return tuple(entry for entry in self._sorted() if is_due(entry, at))  # type: ignore[arg-type]  # as given

    def open_for(self, recipient_id: str) -> tuple[OutboxEntry, ...]:
        waiting = (State.QUEUED, State.SENDING)
        return tuple(e for e in self._sorted() if e.recipient_id == recipient_id and e.state in waiting)


MakeEngine: TypeAlias = Callable[[Path], Engine]


def _sqlcipher(folder: Path) -> Engine:
    return create_database(folder / "engine.db", KEY)


@pytest.fixture(params=[_sqlcipher, lambda _: PlainDatabase()], ids=["sqlcipher", "sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    made: Engine = request.param(tmp_path)
    with made.transaction():
        migrate(made)
    yield made
    made.close()


def test_migrations_end_at_the_present_form_and_refuse_a_newer_one(engine: Engine) -> None:
    assert schema_version(engine) == len(STEPS)
    engine.run(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(VaultTooNew):
        migrate(engine)


def test_a_failed_transaction_undoes_everything_also_of_the_inner_ones(engine: Engine) -> None:
    def fail() -> None:
        with engine.transaction():
            engine.run("INSERT INTO setting VALUES ('a', '1')")
            with engine.transaction():
                engine.run("INSERT INTO setting VALUES ('b', '2')")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert engine.rows("SELECT * FROM setting") == []
    with engine.transaction():
        engine.run("INSERT INTO setting VALUES ('c', '3')")
    assert engine.row("SELECT value FROM setting WHERE key = 'c'") == ("3",)


def test_threads_do_not_interleave(engine: Engine) -> None:
    engine.run("INSERT INTO setting VALUES ('n', '0')")

    def count_up() -> None:
        for _ in range(25):
            with engine.transaction():
                row = engine.row("SELECT value FROM setting WHERE key = 'n'")
                assert row is not None
                engine.run("UPDATE setting SET value = ? WHERE key = 'n'", (str(int(row[0]) + 1),))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.row("SELECT value FROM setting WHERE key = 'n'") == ("100",)


def test_the_journal_chains_on_every_engine(engine: Engine) -> None:
    journal = Journal(engine)
    for number in range(3):
        journal.add(Event.RECORD_SAVED, at=START, record=number)
    assert [line.details["record"] for line in journal.lines()] == [0, 1, 2]
    assert len({link for _, link in journal.pairs()}) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = CAST('{}' AS BLOB) WHERE position = 1",
        "UPDATE journal SET position = 7 WHERE position = 2",
        "DELETE FROM journal WHERE position = 2",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal (position, link, body) VALUES (1, 'x', CAST('{}' AS BLOB))",
        "INSERT INTO journal (position, link, body) VALUES (9, 'x', CAST('{}' AS BLOB))",
        "INSERT INTO journal (position, link, body) VALUES (-1, 'x', CAST('{}' AS BLOB))",
    ],
)
def test_the_database_itself_refuses_anything_but_the_next_line(engine: Engine, statement: str) -> None:
    journal = Journal(engine)
    for number in range(3):
        journal.add(Event.RECORD_SAVED, at=START, record=number)
    before = list(journal.rows())
    with pytest.raises(Exception, match=r"append-only|store_damaged"), engine.transaction():
        engine.run(statement)
    assert list(journal.rows()) == before
    journal.add(Event.RECORD_SAVED, at=START, record=3)
    assert journal.head()[0] == 4


def test_the_journal_can_be_asked_by_event_and_time(engine: Engine) -> None:
    journal = Journal(engine)
    for day in range(6):
        event = Event.RECORD_SAVED if day % 2 else Event.UNLOCKED
        journal.add(event, at=START + timedelta(days=day), record=day)
    saved = JournalFilter(events={Event.RECORD_SAVED})
    assert [line.position for line in journal.newest(saved)] == [5, 3, 1]
    assert [line.position for line in journal.newest(JournalFilter(), offset=1, limit=2)] == [4, 3]
    period = JournalFilter(from_at=START + timedelta(days=1), until_at=START + timedelta(days=4))
    assert [line.position for line in journal.newest(period)] == [3, 2, 1]
    assert journal.count(period) == 3
    assert journal.count(JournalFilter(events=())) == 0
    assert journal.link_at(journal.head()[0]) == journal.head()[1]
    assert journal.link_at(7) == ""


@pytest.fixture(params=["memory", "sqlcipher", "sqlite"])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outbox]:
    if request.param == "memory":
        yield MemoryOutbox()
        return
    made = _sqlcipher(tmp_path) if request.param == "sqlcipher" else PlainDatabase()
    with made.transaction():
        migrate(made)
        for recipient_id in ("ura:1", "ura:2"):
            Recipients(made).keep(recipient_id, name="x", card="x", at=START)
    yield OutboxTable(made)
    made.close()


def an_entry(recipient_id: str = "ura:1", kind: Kind = Kind.PUSH, *, minutes: int = 0) -> OutboxEntry:
    at = START + timedelta(minutes=minutes)
    return OutboxEntry(0, recipient_id, kind, State.QUEUED, new_message_id(), 0, at, at, sequence=7)


def test_an_entry_comes_back_as_it_was_put_in(outbox: Outbox) -> None:
    entry = an_entry()
    number = outbox.add(entry)
    sent = start(outbox.get(number), payload=b"\x00bytes", manifest=(("Condition/r1", "sha256:0"),))
    outbox.save(sent)
    assert outbox.get(number) == sent == replace(sent, id=number)
    with pytest.raises(NotFound):
        outbox.get(number + 1)


def test_due_is_oldest_first_and_leaves_out_what_waits_or_is_over(outbox: Outbox) -> None:
    late, early, done, gone, held = (outbox.add(an_entry(minutes=minutes)) for minutes in (5, 1, 2, 3, 4))
    outbox.save(acknowledge(start(outbox.get(done), payload=b"x")))
    outbox.save(cancel(outbox.get(gone)))
    begun = start(outbox.get(held), payload=b"x")
    outbox.save(postpone(begun, error="unreachable", next_at=START + timedelta(hours=1)))
    now = START + timedelta(minutes=10)
    assert [entry.id for entry in outbox.due(now)] == [early, late]
    assert [entry.id for entry in outbox.due(START + timedelta(hours=2))] == [early, held, late]
    assert outbox.due(START) == ()


def test_an_interrupted_entry_is_due_at_once(outbox: Outbox) -> None:
    number = outbox.add(an_entry(minutes=60))
    outbox.save(start(outbox.get(number), payload=b"x"))
    assert [entry.id for entry in outbox.due(START)] == [number]


def test_open_entries_are_those_of_one_recipient(outbox: Outbox) -> None:
    mine, done = outbox.add(an_entry()), outbox.add(an_entry())
    outbox.add(an_entry("ura:2"))
    outbox.save(cancel(outbox.get(done)))
    assert [entry.id for entry in outbox.open_for("ura:1")] == [mine]


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[EncryptedDatabase]:
    database = create_database(tmp_path / "e.db", KEY)
    database.run("CREATE TABLE t (a)")
    yield database
    database.close()


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE ':memory:' AS other",
        "PRAGMA key = 'x'",
        "PRAGMA rekey = 'x'",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA synchronous = OFF",
        "PRAGMA temp_store = 1",
        "VACUUM INTO '/dev/null'",
        "SELECT load_extension('x')",
        "SELECT sqlcipher_export('main')",
    ],
)
def test_what_could_undo_the_protection_is_refused(encrypted: EncryptedDatabase, sql: str) -> None:
    with pytest.raises(Exception, match=r"(?i)not authorized|prohibited|denied"):
        encrypted.rows(sql)


def test_nothing_readable_is_in_any_file(tmp_path: Path, encrypted: EncryptedDatabase) -> None:
    encrypted.run("INSERT INTO t VALUES (?)", ("KANARIEVOGEL" * 400,))
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(files) >= 2, "the log is there too"
    assert not any(
        b"KANARIE" in data or b"SQLite format" in data or b"CREATE TABLE" in data for data in files
    )


def test_another_key_a_short_key_and_a_closed_database(tmp_path: Path) -> None:
    path = tmp_path / "k.db"
    database = create_database(path, KEY)
    database.run("CREATE TABLE t (a)")
    database.close()
    with pytest.raises(Locked):
        database.rows("SELECT * FROM t")
    with pytest.raises(StoreDamaged):
        open_database(path, bytes(32))
    with pytest.raises(ValueError, match="32 bytes"):
        open_database(path, KEY[:31])
    with pytest.raises(FileExistsError):
        create_database(path, KEY)
