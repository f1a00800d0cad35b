"""A recipient that is killed before any of its statements has done a message whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from recipient import holdings
from recipient.data_keys import key_of
from recipient.store import Store
from sync.wire import Kind, new_message_id
from tests.support import clinical, fault_figures
from tests.support.patient_side import PatientSide
from tests.support.recipient_direct import AT, a_patient_of, found
from tests.support.recipient_stores import Place

ROOT = Path(__file__).resolve().parents[2]
RECORD = [clinical.patient(), *(clinical.lab(f"l{n}", "2026-01-05", 5.0 + n) for n in range(6))]
MANY = 200


@dataclass
class Receiver:
    """A program that takes messages in, in a process that may be killed."""

    process: subprocess.Popen[str]
    folder: Path
    killed: int = field(default=0)

    def take_in(self, body: bytes, *, at: datetime, kill_before: int = 0) -> bool:
        """Return whether it lived."""
        order = {"folder": str(self.folder), "at": at.isoformat(), "kill_before": kill_before}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**order, "body": b64encode(body).decode()}) + "\n")
        self.process.stdin.flush()
        word = self.process.stdout.readline().strip()
        assert word in ("killed", "done")
        self.killed += word == "killed"
        return word == "done"


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """The same store, seen by a process that lives."""
    store = place.create()
    found(store)
    yield store
    store.close()


@pytest.fixture
def receiver(place: Place, store: Store) -> Iterator[Receiver]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.recipient_kill_child"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Receiver(process, place.folder)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=60)


@dataclass(frozen=True)
class State:
    """What can be seen of one patient."""

    known: bool
    answered: bool
    readable: int
    rows: int
    has_key: bool
    state: str


def state_of(store: Store, patient: PatientSide, message_id: str) -> State:
    sub = patient.sub
    holding = holdings.holding_of(store, sub)
    row = store.row("SELECT count(*) FROM resource WHERE sub = ?", (sub,))
    return State(
        known=holding is not None,
        answered=holdings.answered(store, sub, message_id) is not None,
        readable=len(holdings.held(store, sub)),
        rows=int(row[0]) if row else -1,
        has_key=key_of(store, sub) is not None,
        state=holding.state if holding else "",
    )


def test_before_or_after_and_never_between(place: Place, store: Store, receiver: Receiver) -> None:
    """Killed just before each statement of a push, and of the withdrawal after it; then tried again."""
    pushes = withdrawals = 0
    for number in range(1, MANY):
        patient, body, message_id = _a_push(store, number)
        lived = receiver.take_in(body, at=AT, kill_before=number)
        seen = state_of(store, patient, message_id)
        assert seen in (State(False, False, 0, 0, False, ""), State(True, True, 7, 7, True, "active"))
        assert seen.answered or not lived
        assert receiver.take_in(body, at=AT)  # the app repeats it: one effect, whatever happened before
        assert state_of(store, patient, message_id) == State(True, True, 7, 7, True, "active")
        pushes += not lived

        later = AT + timedelta(hours=1)
        body, message_id = _a_withdrawal(patient, later)
        ended = receiver.take_in(body, at=later, kill_before=number)
        seen = state_of(store, patient, message_id)
        assert seen in (State(True, False, 7, 7, True, "active"), State(True, True, 0, 0, False, "erased"))
        assert seen.answered or not ended
        assert receiver.take_in(body, at=later)
        assert state_of(store, patient, message_id) == State(True, True, 0, 0, False, "erased")
        withdrawals += not ended
        if lived and ended:
            break
    assert pushes >= 8
    assert withdrawals >= 8
    fault_figures.figures[f"kills of a recipient on {place.kind}"] = (
        f"{pushes} before the statements of a push, {withdrawals} of a withdrawal; 0 between, 0 lost"
    )


def _a_push(store: Store, number: int) -> tuple[PatientSide, bytes, str]:
    patient = a_patient_of(store, number)
    message_id = new_message_id()
    content = patient.push_content(RECORD)
    return patient, patient.envelope(Kind.PUSH, content, at=AT, message_id=message_id), message_id


def _a_withdrawal(patient: PatientSide, at: datetime) -> tuple[bytes, str]:
    patient.withdraw(at=at)
    message_id = new_message_id()
    content = patient.statement_content()
    return patient.envelope(Kind.STATEMENT, content, at=at, message_id=message_id), message_id
