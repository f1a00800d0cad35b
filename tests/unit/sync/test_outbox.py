from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import outbox
from sync.errors import LocalRuleError
from sync.outbox import (
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    TRANSITIONS,
    Event,
    State,
    backoff,
    diagram,
    is_due,
    needs_new_entry,
    next_state,
    table,
    when_again,
)
from sync.wire import Kind
from tests.support.sync_world import AT, an_entry

EXPECTED = {
    ("queued", "start"): "sending",
    ("queued", "cancel"): "cancelled",
    ("sending", "start"): "sending",
    ("sending", "acknowledge"): "delivered",
    ("sending", "read_back"): "stored",
    ("sending", "postpone"): "queued",
    ("sending", "refuse"): "refused",
    ("sending", "cancel"): "cancelled",
    ("cancelled", "acknowledge"): "delivered",
    ("cancelled", "read_back"): "stored",
    ("cancelled", "postpone"): "cancelled",
    ("cancelled", "refuse"): "cancelled",
    ("cancelled", "cancel"): "cancelled",
    ("delivered", "acknowledge"): "delivered",
    ("stored", "read_back"): "stored",
    ("refused", "retry"): "queued",
    ("refused", "cancel"): "cancelled",
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_state_and_event_is_listed_or_refused(state: State, event: Event) -> None:
    expected = EXPECTED.get((state.value, event.value))
    if expected is None:
        with pytest.raises(LocalRuleError) as refusal:
            next_state(state, event)
        assert refusal.value.code == "transition"
    else:
        assert next_state(state, event).value == expected


def test_delivered_is_never_left() -> None:
    assert {after for (state, _), after in TRANSITIONS.items() if state is State.DELIVERED} == {
        State.DELIVERED
    }


def test_stored_without_a_receipt_never_becomes_delivered() -> None:
    assert {after for (state, _), after in TRANSITIONS.items() if state is State.STORED} == {State.STORED}


def test_nothing_goes_out_of_cancelled_but_the_truth() -> None:
    found = {after for (state, _), after in TRANSITIONS.items() if state is State.CANCELLED}
    assert found == {State.CANCELLED, State.DELIVERED, State.STORED}
    assert (State.CANCELLED, Event.START) not in TRANSITIONS


def test_every_state_can_be_reached() -> None:
    reached, grown = {State.QUEUED}, True
    while grown:
        following = {after for (state, _), after in TRANSITIONS.items() if state in reached}
        grown = not following <= reached
        reached |= following
    assert reached == set(State)


def test_start_counts_and_keeps_the_content() -> None:
    started = outbox.start(an_entry(), payload=b"content", manifest=(("7", "sha256:x"),))
    assert (started.state, started.attempts, started.payload) == (State.SENDING, 1, b"content")
    assert started.manifest == (("7", "sha256:x"),)


def test_a_repetition_is_byte_identical_under_the_same_id() -> None:
    first = outbox.start(an_entry(), payload=b"content", manifest=(("7", "sha256:x"),))
    again = outbox.start(outbox.postpone(first, error="unreachable", next_at=AT), payload=b"content")
    assert (again.payload, again.message_id, again.attempts) == (first.payload, first.message_id, 2)
    assert again.manifest == first.manifest


def test_changed_content_needs_a_new_entry() -> None:
    first = outbox.postpone(outbox.start(an_entry(), payload=b"content"), error="unreachable", next_at=AT)
    assert needs_new_entry(first, b"other")
    assert not needs_new_entry(first, b"content")
    assert not needs_new_entry(an_entry(), b"anything")
    with pytest.raises(LocalRuleError) as refusal:
        outbox.start(first, payload=b"other")
    assert refusal.value.code == "payload_changed"


def test_a_delivered_entry_forgets_its_content_and_its_error() -> None:
    late = outbox.postpone(outbox.start(an_entry(), payload=b"c"), error="timeout", next_at=AT)
    done = outbox.acknowledge(outbox.start(late, payload=b"c"))
    assert (done.state, done.payload, done.last_error) == (State.DELIVERED, None, None)


def test_postpone_and_refuse_say_why() -> None:
    sending = outbox.start(an_entry(), payload=b"c")
    later = outbox.postpone(sending, error="busy", next_at=AT + timedelta(hours=1))
    assert (later.state, later.last_error, later.next_at) == (State.QUEUED, "busy", AT + timedelta(hours=1))
    refused = outbox.refuse(sending, error="unknown_sender")
    assert (refused.state, refused.last_error) == (State.REFUSED, "unknown_sender")


def test_cancel_forgets_the_content_at_once() -> None:
    cancelled = outbox.cancel(outbox.start(an_entry(), payload=b"c"))
    assert (cancelled.state, cancelled.payload) == (State.CANCELLED, None)


def test_a_receipt_after_cancelling_is_recorded_as_delivered() -> None:
    cancelled = outbox.cancel(outbox.start(an_entry(), payload=b"c"))
    assert outbox.acknowledge(cancelled).state is State.DELIVERED


def test_a_person_can_ask_for_another_try() -> None:
    refused = outbox.refuse(outbox.start(an_entry(), payload=b"c"), error="clock")
    again = outbox.retry(refused, at=AT + timedelta(days=1))
    assert (again.state, again.attempts, again.next_at) == (State.QUEUED, 0, AT + timedelta(days=1))


@pytest.mark.parametrize(
    ("state", "seconds", "due"),
    [
        (State.QUEUED, -1, True),
        (State.QUEUED, 0, True),
        (State.QUEUED, 1, False),
        (State.SENDING, 1_000, True),
        (State.DELIVERED, -1, False),
        (State.REFUSED, -1, False),
        (State.CANCELLED, -1, False),
    ],
)
def test_due_means_waiting_is_over_or_sending_was_interrupted(state: State, seconds: int, due: bool) -> None:
    assert is_due(an_entry(state=state, next_at=AT + timedelta(seconds=seconds)), AT) is due


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.integers(10, 86_400))
def test_backoff_stays_in_bounds(attempts: int, jitter: float, longest: int) -> None:
    wait = backoff(attempts, jitter, longest_seconds=longest).total_seconds()
    assert FIRST_WAIT_SECONDS / 2 <= wait <= longest
    if attempts < 20:
        assert wait <= FIRST_WAIT_SECONDS * 2 ** (attempts - 1)


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_backoff_never_shrinks_with_attempts(attempts: int, jitter: float) -> None:
    assert backoff(attempts + 1, jitter) >= backoff(attempts, jitter)


def test_backoff_doubles() -> None:
    assert [backoff(number, 0).total_seconds() * 2 for number in range(1, 7)] == [5, 10, 20, 40, 80, 160]


@pytest.mark.parametrize(("attempts", "jitter"), [(0, 0.5), (-1, 0.5), (1, 1.0), (1, -0.1)])
def test_backoff_refuses_nonsense(attempts: int, jitter: float) -> None:
    with pytest.raises(ValueError, match="attempts"):
        backoff(attempts, jitter)


@pytest.mark.parametrize("kind", Kind)
def test_waiting_is_bounded_per_kind(kind: Kind) -> None:
    entry = an_entry(kind=kind, attempts=50)
    assert when_again(entry, at=AT, jitter=0.999) <= AT + timedelta(seconds=LONGEST_WAIT_SECONDS[kind])


def test_a_withdrawal_is_never_kept_waiting_more_than_five_minutes_by_ourselves() -> None:
    assert LONGEST_WAIT_SECONDS[Kind.STATEMENT] == 300


@pytest.mark.parametrize(("asked", "seconds"), [(None, 2.5), (-5, 2.5), (0, 2.5), (60, 60), (10**9, 86_400)])
def test_the_wish_of_the_recipient_is_heard_within_a_day(asked: int | None, seconds: float) -> None:
    found = when_again(an_entry(attempts=1), at=AT, jitter=0, retry_after_seconds=asked)
    assert found == AT + timedelta(seconds=seconds)


def test_diagram_draws_every_transition_once() -> None:
    arrows = [line.strip() for line in diagram().splitlines() if "-->" in line]
    assert arrows[0] == "[*] --> queued"
    assert sorted(arrows[1:]) == sorted(
        f"{state} --> {after}: {event}" for (state, event), after in EXPECTED.items()
    )


def test_table_has_a_cell_for_every_pair() -> None:
    lines = table().splitlines()
    assert len(lines) == 2 + len(State)
    assert all(line.count("|") == len(Event) + 2 for line in lines)
    assert lines[2] == "| queued | sending | - | - | - | - | cancelled | - |"
