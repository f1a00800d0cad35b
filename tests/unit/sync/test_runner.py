"""The loop against a recipient that really opens, stores and signs, over a line that fails on demand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from crypto.keys import OpeningKey, SigningKey
from sync import outbox
from sync.access import NO_HEAD, AccessEntry, AccessHead, parse_access_request, sign_access_log
from sync.errors import LocalRuleError, RemoteRuleError, SyncError, Unreachable
from sync.outbox import OutboxEntry, State
from sync.runner import MAX_ACCESS_PIECES, RunReport, fetch_access, run_once
from sync.wire import Kind, new_message_id, sign_time
from tests.support.sync_world import (
    AT,
    CLINIC_ID,
    CLINIC_SIGNING,
    MemoryPort,
    RecipientSimulator,
    a_correspondent,
    an_entry,
    answer_lost,
    lost_on_the_way,
)

OTHER_CLINIC = "ura:00000999"


def _port(*entries: OutboxEntry, content: bytes | None = b"content") -> MemoryPort:
    port = MemoryPort(permitted={CLINIC_ID: content})
    for entry in entries:
        port.add(replace(entry, message_id=new_message_id()))
    return port


def _run(port: MemoryPort, line: RecipientSimulator, *, at: datetime = AT) -> RunReport:
    return run_once(port, line, at=at, jitter=lambda: 0.0)


def test_a_permitted_entry_is_delivered_with_a_verified_receipt() -> None:
    port, clinic = _port(an_entry()), RecipientSimulator()
    assert _run(port, clinic) == RunReport(delivered=(1,))
    assert port.entries[1].state is State.DELIVERED
    assert port.receipts[1].stored == 3
    [stored] = clinic.stored.values()
    assert stored.content == b"content"


def test_step_1_without_permit_nothing_leaves() -> None:
    port, clinic = _port(an_entry(), content=None), RecipientSimulator()
    assert _run(port, clinic) == RunReport(cancelled=(1,))
    assert clinic.bodies == []
    assert port.entries[1].state is State.CANCELLED


def test_step_1_the_entry_is_marked_sending_before_a_byte_leaves() -> None:
    clinic = RecipientSimulator()
    seen: list[tuple[State, int]] = []
    port = _port(an_entry())
    port.before_send = lambda entry: seen.append((port.entries[entry.id].state, len(clinic.bodies)))
    _run(port, clinic)
    assert seen == [(State.SENDING, 0)]


def test_step_2_a_repetition_has_a_fresh_envelope_and_the_same_message() -> None:
    port, clinic = _port(an_entry()), RecipientSimulator(faults=[answer_lost])
    assert _run(port, clinic) == RunReport(later=(1,))
    again = port.entries[1].next_at
    clinic.clock = lambda: again
    assert _run(port, clinic, at=again) == RunReport(delivered=(1,))
    assert clinic.bodies[0] != clinic.bodies[1]
    assert len(clinic.stored) == 1


def test_step_2_a_repetition_long_after_gets_the_stored_receipt() -> None:
    port, clinic = _port(an_entry()), RecipientSimulator(faults=[answer_lost])
    _run(port, clinic)
    late = AT + timedelta(days=30)
    clinic.clock = lambda: late
    assert _run(port, clinic, at=late) == RunReport(delivered=(1,))
    assert port.receipts[1].stored_at == AT


@pytest.mark.parametrize("fault", [lost_on_the_way, answer_lost])
def test_step_3_not_reached_means_later(fault: Any) -> None:
    port, clinic = _port(an_entry()), RecipientSimulator(faults=[fault])
    assert _run(port, clinic) == RunReport(later=(1,))
    entry = port.entries[1]
    assert (entry.state, entry.attempts, entry.last_error) == (State.QUEUED, 1, "unreachable")
    assert entry.next_at == AT + timedelta(seconds=2.5)


def test_step_3_the_recipient_may_ask_for_time() -> None:
    port = _port(an_entry())
    _run(port, RecipientSimulator(refuse_with=Unreachable("busy", retry_after_seconds=600)))
    assert port.entries[1].next_at == AT + timedelta(seconds=600)
    assert port.entries[1].last_error == "busy"


@pytest.mark.parametrize(
    "answer", [b"", b"<html>Welcome to our guest network</html>", b'{"status":"ok"}', bytes(4_144)], ids=repr
)
def test_step_4_a_page_of_a_proxy_is_not_delivered(answer: bytes) -> None:
    port, clinic = _port(an_entry()), RecipientSimulator(faults=[lambda _: answer])
    assert _run(port, clinic) == RunReport(later=(1,))
    assert port.entries[1].last_error == "no_proof"
    assert port.receipts == {}


def test_step_4_a_receipt_for_another_message_is_not_delivered() -> None:
    port, clinic = _port(an_entry(), an_entry()), RecipientSimulator()
    _run(port, clinic)
    token = next(iter(clinic.receipts.values()))
    third = port.add(an_entry(message_id=new_message_id()))

    class Confused(RecipientSimulator):
        def _effect(self, opened: Any, path: str) -> str:
            return token

    assert _run(port, Confused()) == RunReport(later=(third.id,))
    assert port.entries[third.id].last_error == "no_proof"


def test_step_4_an_answer_that_is_no_text_is_not_delivered() -> None:
    class Binary(RecipientSimulator):
        def _effect(self, opened: Any, path: str) -> str:
            return "é"

    port = _port(an_entry())
    assert _run(port, Binary()) == RunReport(later=(1,))


@pytest.mark.parametrize(
    "refusal",
    [
        RemoteRuleError("statement_refused", status=403),
        RemoteRuleError("conflict", status=409),
        LocalRuleError("bad_endpoint"),
    ],
)
def test_step_5_a_refusal_is_final_and_says_why(refusal: SyncError) -> None:
    port = _port(an_entry())
    assert _run(port, RecipientSimulator(refuse_with=refusal)) == RunReport(refused=(1,))
    assert (port.entries[1].state, port.entries[1].last_error) == (State.REFUSED, refusal.code)
    assert _run(port, RecipientSimulator()) == RunReport()


def test_content_that_is_too_large_is_refused_here() -> None:
    port, clinic = _port(an_entry(), content=bytes(6_000_000)), RecipientSimulator()
    assert _run(port, clinic) == RunReport(refused=(1,))
    assert clinic.bodies == []


def test_a_wrong_clock_here_is_corrected_by_the_recipients_signed_time() -> None:
    port, clinic = _port(an_entry()), RecipientSimulator(clock=lambda: AT + timedelta(days=3))
    assert _run(port, clinic) == RunReport(delivered=(1,))
    assert len(clinic.bodies) == 2


@pytest.mark.parametrize(
    "proof",
    [
        None,
        "",
        "a.b.c",
        sign_time(SigningKey.from_seed(b"n" * 32), message_id="AAECAwQFBgcICQoLDA0ODw", at=AT),
        sign_time(CLINIC_SIGNING, message_id="AAECAwQFBgcICQoLDA0ODw", at=AT),
    ],
)
def test_an_unproved_time_is_not_believed(proof: str | None) -> None:
    port = _port(an_entry())
    refusal = RemoteRuleError("clock", status=403, proof=proof)
    clinic = RecipientSimulator(refuse_with=refusal)
    assert _run(port, clinic) == RunReport(later=(1,))
    assert port.entries[1].last_error == "clock"
    assert len(clinic.bodies) == 1


def test_a_clock_that_is_refused_twice_waits() -> None:
    class Jumping(RecipientSimulator):
        def send(self, card: Any, path: str, body: bytes) -> bytes:
            tomorrow = self.clock() + timedelta(days=1)
            self.clock = lambda: tomorrow
            return super().send(card, path, body)

    port, clinic = _port(an_entry()), Jumping()
    assert _run(port, clinic) == RunReport(later=(1,))
    assert port.entries[1].last_error == "clock"


def test_another_refusal_after_the_clock_is_final() -> None:
    class Changing(RecipientSimulator):
        def send(self, card: Any, path: str, body: bytes) -> bytes:
            if self.bodies:
                raise RemoteRuleError("statement_refused", status=403)
            return super().send(card, path, body)

    port = _port(an_entry())
    assert _run(port, Changing(clock=lambda: AT + timedelta(days=1))) == RunReport(refused=(1,))


def test_after_a_failure_the_rest_for_that_recipient_waits_and_others_go_on() -> None:
    port = _port(an_entry(), an_entry(recipient_id=OTHER_CLINIC), an_entry())
    port.permitted[OTHER_CLINIC] = b"content"
    port.correspondents = {CLINIC_ID: a_correspondent(), OTHER_CLINIC: a_correspondent()}
    clinic = RecipientSimulator(faults=[lost_on_the_way])
    assert _run(port, clinic) == RunReport(later=(1,), delivered=(2,))
    assert port.entries[3].attempts == 0


def test_a_withdrawal_goes_before_older_records() -> None:
    port = _port(an_entry(), an_entry(kind=Kind.STATEMENT, created_at=AT + timedelta(seconds=1)))
    clinic = RecipientSimulator()
    assert _run(port, clinic).delivered == (2, 1)
    assert [message.kind for message in clinic.stored.values()] == [Kind.STATEMENT, Kind.PUSH]


def test_a_statement_that_a_newer_one_replaces_is_cancelled() -> None:
    port = _port(an_entry(kind=Kind.STATEMENT), an_entry(kind=Kind.STATEMENT))
    assert _run(port, RecipientSimulator()) == RunReport(delivered=(2,), cancelled=(1,))


def test_withdrawn_between_two_attempts_sends_nothing_more() -> None:
    port, clinic = _port(an_entry()), RecipientSimulator(faults=[lost_on_the_way])
    _run(port, clinic)
    port.permitted[CLINIC_ID] = None
    assert _run(port, clinic, at=AT + timedelta(hours=1)) == RunReport(cancelled=(1,))
    assert len(clinic.bodies) == 1


def test_a_changed_decision_makes_a_new_entry_instead_of_a_conflict() -> None:
    port, clinic = _port(an_entry()), RecipientSimulator(faults=[answer_lost])
    _run(port, clinic)
    port.permitted[CLINIC_ID] = b"less content"
    later = AT + timedelta(hours=1)
    clinic.clock = lambda: later
    assert _run(port, clinic, at=later) == RunReport(cancelled=(1,))
    assert _run(port, clinic, at=later) == RunReport(delivered=(2,))
    assert [message.content for message in clinic.stored.values()] == [b"content", b"less content"]


def test_withdrawn_while_the_answer_is_on_its_way_keeps_the_truth() -> None:
    port, clinic = _port(an_entry()), RecipientSimulator()

    def withdraw(answer: bytes) -> bytes:
        port.entries[1] = outbox.cancel(port.entries[1])
        return answer

    clinic.faults = [withdraw]
    assert _run(port, clinic) == RunReport(delivered=(1,))
    assert port.entries[1].state is State.DELIVERED


def test_an_interrupted_send_is_taken_up_again() -> None:
    port, clinic = _port(an_entry()), RecipientSimulator()
    port.entries[1] = outbox.start(port.entries[1], payload=b"content")  # and then the app was killed
    assert _run(port, clinic) == RunReport(delivered=(1,))
    assert port.entries[1].attempts == 2


def test_a_long_round_asks_the_clock_again() -> None:
    ticks = iter(AT + timedelta(minutes=number) for number in range(100))
    port, clinic = _port(an_entry(), an_entry(), an_entry()), RecipientSimulator()
    clinic.clock = lambda: AT + timedelta(minutes=4)
    report = run_once(port, clinic, at=AT, clock=lambda: next(ticks))
    assert report.delivered == (1, 2, 3)


def test_waiting_times_are_random_by_themselves() -> None:
    port = _port(*[an_entry() for _ in range(1)])
    run_once(port, RecipientSimulator(faults=[lost_on_the_way]), at=AT)
    wait = port.entries[1].next_at - AT
    assert timedelta(seconds=2.5) <= wait <= timedelta(seconds=5)


def test_who_looked_is_fetched_verified_and_continued() -> None:
    clinic = RecipientSimulator()
    assert fetch_access(clinic, a_correspondent(), known_head=NO_HEAD, at=AT).entries == ()
    clinic.look()
    clinic.look("dr. Ander")
    first = fetch_access(clinic, a_correspondent(), known_head=NO_HEAD, at=AT)
    assert [entry.user for entry in first.entries] == ["dr. Test", "dr. Ander"]
    clinic.look()
    second = fetch_access(clinic, a_correspondent(), known_head=first.head, at=AT)
    assert [entry.sequence for entry in second.entries] == [3]


class _InPieces(RecipientSimulator):
    """Gives a log in answers of two entries, or as `pieces` says."""

    def _effect(self, opened: Any, path: str) -> str:
        after = parse_access_request(opened.content).after
        return sign_access_log(
            self.piece(after),
            subject=opened.sender.text,
            total=self.promised(),
            key=CLINIC_SIGNING,
            at=self.clock(),
        )

    def piece(self, after: int) -> list[AccessEntry]:
        return self.log[after : after + 2]

    def promised(self) -> int:
        return len(self.log)


@pytest.mark.parametrize("known", [0, 1, 3])
def test_a_long_log_is_fetched_in_pieces(known: int) -> None:
    clinic = _InPieces()
    for _ in range(7):
        clinic.look()
    head = AccessHead(known, clinic.log[known - 1].hash) if known else NO_HEAD
    log = fetch_access(clinic, a_correspondent(), known_head=head, at=AT)
    assert list(log.entries) == clinic.log[known:]
    assert log.head == AccessHead(7, clinic.log[6].hash)


def test_the_whole_log_again_gives_the_new_entries_only() -> None:
    class Whole(_InPieces):
        def piece(self, after: int) -> list[AccessEntry]:
            return self.log

    clinic = Whole()
    clinic.look()
    known = fetch_access(clinic, a_correspondent(), known_head=NO_HEAD, at=AT).head
    clinic.look()
    log = fetch_access(clinic, a_correspondent(), known_head=known, at=AT)
    assert [entry.sequence for entry in log.entries] == [2]


def test_a_log_that_promises_more_and_gives_nothing_new_is_refused() -> None:
    class Stuck(_InPieces):
        def piece(self, after: int) -> list[AccessEntry]:
            return self.log[:2]

    clinic = Stuck()
    for _ in range(4):
        clinic.look()
    with pytest.raises(RemoteRuleError) as refusal:
        fetch_access(clinic, a_correspondent(), known_head=NO_HEAD, at=AT)
    assert refusal.value.code == "bad_access_log"
    assert len(clinic.bodies) == 2


def test_a_log_without_end_is_refused() -> None:
    class Endless(_InPieces):
        def piece(self, after: int) -> list[AccessEntry]:
            self.look()
            return self.log[after:]

        def promised(self) -> int:
            return len(self.log) + 1

    clinic = Endless()
    with pytest.raises(RemoteRuleError) as refusal:
        fetch_access(clinic, a_correspondent(), known_head=NO_HEAD, at=AT)
    assert refusal.value.code == "bad_access_log"
    assert len(clinic.bodies) == MAX_ACCESS_PIECES


def test_a_log_that_was_rewritten_is_refused() -> None:
    clinic = RecipientSimulator()
    clinic.look()
    clinic.look()
    known = fetch_access(clinic, a_correspondent(), known_head=NO_HEAD, at=AT).head
    clinic.log = []
    clinic.look("nobody")
    with pytest.raises(RemoteRuleError) as refusal:
        fetch_access(clinic, a_correspondent(), known_head=known, at=AT)
    assert refusal.value.code == "access_log_rolled_back"


def test_fetching_works_with_a_wrong_clock_and_not_with_a_wrong_key() -> None:
    clinic = RecipientSimulator(clock=lambda: AT + timedelta(days=2))
    assert fetch_access(clinic, a_correspondent(), known_head=NO_HEAD, at=AT).total == 0
    stranger = replace(a_correspondent(), reply=OpeningKey.generate())
    with pytest.raises(Unreachable):
        fetch_access(clinic, stranger, known_head=NO_HEAD, at=AT)
