"""What only PostgreSQL makes possible or difficult: several processes, restarts, work side by side."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from recipient import holdings
from recipient.accounts import active_account
from recipient.errors import Busy, Unusable
from recipient.store import create_store, open_store
from sync.wire import Kind, new_message_id
from tests.e2e.recipient_server import running_clinic
from tests.support import clinical
from tests.support.patient_side import PatientSide, post
from tests.support.postgres import Cluster
from tests.support.recipient_direct import a_patient_of, found, push

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(folder: Path, number: int) -> Iterator[str]:
    """Run ``recipient serve`` on a port of its own; give its address."""
    code = (
        "import sys; from recipient.service import serve; from recipient.config import Listening; "
        "from pathlib import Path; serve(Path(sys.argv[1]), Listening(), ready_file=Path(sys.argv[2]))"
    )
    ready = folder.parent / f"ready{number}"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(ready)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "the service did not start"
        yield httpx.Response(200, text=line).json()["url"]
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def folder(tmp_path: Path, postgres: Cluster) -> Path:
    store = create_store(tmp_path / "recipient", database=postgres.database())
    found(store, at=datetime.now(UTC))
    store.run("UPDATE identity SET url = NULL")
    store.close()
    return tmp_path / "recipient"


def test_the_same_message_at_once_to_two_processes_has_one_effect(folder: Path) -> None:
    """Ten messages, each given to both processes by four hands at the same moment."""
    with ExitStack() as stack:
        addresses = [stack.enter_context(serving(folder, number)) for number in range(2)]
        pool = stack.enter_context(ThreadPoolExecutor(8))
        now = datetime.now(UTC)
        patient = PatientSide.of(addresses[0], at=now)
        patient.grant(at=now)
        cards = [replace(patient.card, endpoint=address) for address in addresses]
        for number in range(10):
            content = patient.push_content(
                [clinical.patient(), clinical.lab(f"l{number}", "2026-01-05", 5.1)]
            )
            message_id = new_message_id()
            patient.counter += 1
            number_once = patient.counter
            bodies = [
                patient.envelope(Kind.PUSH, content, at=now, message_id=message_id, sequence=number_once)
                for _ in range(8)
            ]
            answers = list(pool.map(post, cards * 4, [Kind.PUSH] * 8, bodies))
            assert {answer.status_code for answer in answers} == {200}
            assert len({patient.open(answer, message_id) for answer in answers}) == 1
    store = open_store(folder)
    rows = store.rows("SELECT mid, count(*) FROM message WHERE sub = ? GROUP BY mid", (patient.sub,))
    held = [row.reference for row in holdings.held(store, patient.sub)]
    store.close()
    assert [row[1] for row in rows] == [1] * 10
    assert len(held) == len(set(held)) == 11


def test_while_the_database_is_away_the_answer_is_busy_and_nothing_is_lost(
    tmp_path: Path, postgres: Cluster
) -> None:
    with running_clinic(tmp_path / "clinic", database=postgres.database()) as running:
        patient = PatientSide.of(running.url, at=running.clock())
        patient.grant(at=running.clock())
        patient.push([clinical.patient()], at=running.clock())
        content, message_id = patient.push_content([clinical.lab("l1", "2026-01-05", 5.1)]), new_message_id()
        member = running.member()
        postgres.stop()
        try:
            away = patient.send(Kind.PUSH, content, at=running.clock(), message_id=message_id).response
            page = member.get("/portal")
        finally:
            postgres.start()
        assert (away.status_code, away.json()) == (503, {"code": "busy"})
        assert int(away.headers["retry-after"]) > 0
        assert (page.status_code, "even niet te bereiken" in page.text) == (503, True)
        assert int(page.headers["retry-after"]) > 0
        back = (member.get("/portal").status_code for _ in range(10))  # a try waits for seconds by itself
        assert next((code for code in back if code != 503), 503) == 200  # and still logged in
        answer = patient.send(Kind.PUSH, content, at=running.clock(), message_id=message_id)
        assert answer.receipt is not None
        assert answer.receipt.stored == 1
        assert [row.reference for row in holdings.held(running.store, patient.sub)] == [
            "Patient/p1",
            "Observation/l1",
        ]


def test_transactions_about_different_people_go_on_beside_each_other(folder: Path) -> None:
    store = open_store(folder)
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        with store.transaction(about="one"):
            inside.set()
            assert done.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(60)
    with store.transaction(about="two"):  # would wait for ever if the first one held everything
        assert active_account(store, 1) is not None
    done.set()
    thread.join()
    store.close()


@pytest.mark.parametrize("about", [None, "one"])
def test_who_waits_too_long_for_another_is_told_to_come_back(
    folder: Path, about: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipient.store_postgres._SETTINGS", "-c lock_timeout=50ms")
    store = open_store(folder)
    with store.transaction(about="one"), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: store.transaction(about).__enter__())
        with pytest.raises(Busy):
            waiting.result(timeout=60)
    with store.transaction(about):
        pass
    store.close()


def test_transactions_do_not_nest(folder: Path) -> None:
    store = open_store(folder)
    with store.transaction(), pytest.raises(RuntimeError):
        store.transaction("one").__enter__()
    store.close()


def test_a_database_that_holds_a_recipient_gets_no_second_one(folder: Path, tmp_path: Path) -> None:
    address = (folder / "recipient.database").read_text("utf-8")
    with pytest.raises(Unusable, match="already_initialised"):
        create_store(tmp_path / "second", database=address)
    assert list((tmp_path / "second").iterdir()) == []


def test_a_server_that_is_not_there_is_said_without_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipient.store_postgres._WAIT_SECONDS", 0.2)
    with pytest.raises(Unusable) as caught:
        create_store(tmp_path / "new", database=f"postgresql://secretive@/x?host={tmp_path}")
    assert (caught.value.code, caught.value.__cause__) == ("database_unreachable", None)


def test_the_tables_hold_no_record_and_no_secret_in_plain_text(folder: Path, postgres: Cluster) -> None:
    store = open_store(folder)
    patient = a_patient_of(store)
    push(store, patient, [clinical.patient("Kanarie")], at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    seeds = [
        store.secrets.open("signing_seed", row[0]) for row in store.rows("SELECT signing_seed FROM identity")
    ]
    store.close()
    address = (folder / "recipient.database").read_text("utf-8")
    with psycopg.connect(address) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        whole = _everything(connection, [str(name) for (name,) in tables])
    assert len(tables) > 8
    assert b"Kanarie" not in whole
    assert not any(seed in whole for seed in seeds)


def _everything(connection: psycopg.Connection, tables: list[str]) -> bytes:
    parts: list[bytes] = []
    for table in tables:
        with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as copy:
            parts.extend(bytes(chunk) for chunk in copy)
    return b"".join(parts)
