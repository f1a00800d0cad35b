"""The reading process: it gives what reading here gives, and a hostile file costs it and nobody else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgo.health.record.reader import Refused, read_records
from pgo.usecases.intake import ReaderHere
from pgo.usecases.intake_process import ReaderProcess
from tests.support.vaults import a_bundle, a_condition, a_patient, a_weight

ROOT = Path(__file__).resolve().parents[3]
LIMITED = pytest.mark.skipif(sys.platform == "win32", reason="the platform limits no process")


@pytest.fixture
def reader() -> Iterator[ReaderProcess]:
    """A reader that is closed again."""
    made = ReaderProcess()
    yield made
    made.close()


def refused(reader: ReaderProcess, data: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        reader.read(data, name="x")
    return refusal.value.code


def test_a_file_gives_the_same_in_the_process_as_here(reader: ReaderProcess) -> None:
    stu3 = {"resourceType": "Condition", "id": "s", "subject": {"display": "x"}, "assertedDate": "2017"}
    for data in (a_bundle(a_patient(), a_condition("c1"), stu3, {"resourceType": "Wish"}), b"%PDF-1.7 x"):
        assert reader.read(data, name="brief.pdf") == read_records(data, name="brief.pdf")


def test_progress_comes_over_as_it_is_made(reader: ReaderProcess) -> None:
    seen: list[tuple[int, int]] = []
    reader.read(
        a_bundle(*[a_condition(f"c{n}") for n in range(130)]),
        name="x",
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(64, 130), (128, 130), (130, 130)]


def test_a_refusal_comes_over_with_its_reason(reader: ReaderProcess) -> None:
    assert refused(reader, b"{ no json") == "not_json"
    assert refused(reader, b"") == "empty"


def test_one_process_per_file_and_the_next_one_waits(reader: ReaderProcess) -> None:
    reader.warm()
    for number in range(3):
        intake = reader.read(a_weight(f"w{number}").encode(), name="x")
        assert intake.resources[0].id == f"w{number}"


def test_stopping_kills_the_process_and_says_so(reader: ReaderProcess) -> None:
    with pytest.raises(Refused) as refusal:
        reader.read(b"[" + b"{}," * 9_000_000 + b"{}]", name="x", cancelled=lambda: True)
    assert refusal.value.code == "cancelled"
    assert reader.read(a_weight("w").encode(), name="x").resources[0].id == "w"


def test_stopping_works_where_no_process_can_be_started_too() -> None:
    data = a_bundle(*[a_condition(f"c{n}") for n in range(130)])
    with pytest.raises(Refused) as refusal:
        ReaderHere().read(data, name="x", cancelled=lambda: True)
    assert refusal.value.code == "cancelled"


@pytest.mark.parametrize(
    "program",
    [
        "pass",
        "import os; os.abort()",
        "print('x' * 5000)",
        "import sys; sys.stdin.buffer.read(4); sys.stdout.buffer.write(bytes([0, 0, 0, 3, 1, 2, 3]))",
        "import sys; sys.stdin.buffer.read(4); sys.stdout.buffer.write(bytes([255] * 8))",
    ],
)
def test_a_process_that_dies_or_talks_nonsense_is_named_and_leaves_nothing(program: str) -> None:
    reader = ReaderProcess(command=("-c", program))
    try:
        assert refused(reader, a_weight("w").encode() * 100) == "reader_stopped"
    finally:
        reader.close()


def test_a_process_that_hangs_is_ended_by_the_clock_of_the_app() -> None:
    reader = ReaderProcess(command=("-c", "import time; time.sleep(600)"), least_wall_seconds=0.3)
    try:
        assert refused(reader, b"{}") == "reader_stopped"
    finally:
        reader.close()


@LIMITED
def test_a_file_that_needs_too_much_memory_is_refused(reader: ReaderProcess) -> None:
    assert refused(reader, b'{"resourceType":"Patient","x":[' + b"{}," * 14_000_000 + b"{}]}") == "too_large"


@LIMITED
@pytest.mark.parametrize(
    "attempt",
    [
        "open('written', 'w')",
        "import socket; socket.socket().connect(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.remove('x')",
    ],
)
def test_the_process_writes_nothing_and_reaches_nobody(attempt: str, tmp_path: Path) -> None:
    program = f"from pgo.usecases.child_limits import refuse_power\nrefuse_power()\n{attempt}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PermissionError" in done.stderr
    assert list(tmp_path.iterdir()) == []
