"""What do you know of me? Asked of a running recipient over loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consent.statement import statement_hash
from sync.envelope import open_reply
from sync.errors import RemoteRuleError
from sync.head import Head, build_head_request
from sync.runner import Correspondent, fetch_head
from sync.transport import InboxTransport
from sync.wire import Kind, new_message_id
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support import clinical
from tests.support.patient_side import PatientSide, post


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with running_clinic(tmp_path_factory.mktemp("head") / "clinic") as running:
        yield running


def ask(running: Clinic, patient: PatientSide, *, acknowledged: int = 0) -> Head:
    to = Correspondent(patient.card, patient.pairwise.signing, patient.pairwise.opening)
    return fetch_head(InboxTransport(), to, acknowledged=acknowledged, at=running.clock())


def test_nobody_known_is_said_under_signature_and_makes_nobody_known(running: Clinic) -> None:
    patient = PatientSide.of(running.url, at=running.clock(), seed=b"1" * 32)
    assert ask(running, patient).sequence == 0
    assert running.store.rows("SELECT 1 FROM sender WHERE sub = ?", (patient.sub,)) == []


def test_the_newest_statement_comes_back_also_when_it_withdraws(running: Clinic) -> None:
    patient = PatientSide.of(running.url, at=running.clock(), seed=b"2" * 32)
    patient.grant(at=running.clock())
    patient.push([clinical.condition("c1", "Hoofdpijn")], at=running.clock())
    given = ask(running, patient)
    assert given.statement is not None
    assert given.statement.scope
    patient.withdraw(at=running.clock())
    patient.send_statement(at=running.clock())
    head = ask(running, patient, acknowledged=2)
    assert (head.sequence, head.hash) == (2, statement_hash(patient.statement))
    assert head.statement is not None
    assert head.statement.scope == ()


def test_a_recipient_that_lost_what_it_confirmed_is_noticed(running: Clinic) -> None:
    patient = PatientSide.of(running.url, at=running.clock(), seed=b"3" * 32)
    with pytest.raises(RemoteRuleError, match="head_rolled_back"):
        ask(running, patient, acknowledged=1)


def test_nobody_gets_the_statement_of_somebody_else(running: Clinic) -> None:
    known = PatientSide.of(running.url, at=running.clock(), seed=b"4" * 32)
    known.grant(at=running.clock())
    known.send_statement(at=running.clock())
    stranger = PatientSide.of(running.url, at=running.clock(), seed=b"5" * 32)
    assert ask(running, stranger).sequence == 0
    message_id = new_message_id()
    content = build_head_request(stranger.pairwise.opening.public)
    body = known.envelope(
        Kind.HEAD, content, at=running.clock(), message_id=message_id, sender=stranger.pairwise.signing
    )
    answer = post(known.card, Kind.HEAD, body)
    with pytest.raises(RemoteRuleError):
        open_reply(
            answer.content,
            key=known.pairwise.opening,
            signer=known.card.verify_key,
            message_id=message_id,
        )


def test_a_push_is_not_taken_at_the_door_for_questions(running: Clinic) -> None:
    patient = PatientSide.of(running.url, at=running.clock(), seed=b"6" * 32)
    patient.grant(at=running.clock())
    body = patient.envelope(
        Kind.PUSH, patient.push_content([]), at=running.clock(), message_id=new_message_id()
    )
    answer = post(patient.card, Kind.HEAD, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
