from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sync.outbox import OutboxEntry, State, is_due
from sync.plan import hold, plan
from sync.wire import Kind
from tests.support.sync_world import AT, an_entry

OLD, OLDER = AT - timedelta(hours=1), AT - timedelta(hours=2)


def _push(number: int, *, to: str = "ura:1", created_at: datetime = OLD, **changes: object) -> OutboxEntry:
    return an_entry(id=number, recipient_id=to, created_at=created_at, **changes)


def _statement(number: int, **changes: object) -> OutboxEntry:
    return _push(number, kind=Kind.STATEMENT, **changes)  # type: ignore[arg-type]


def _ids(entries: tuple[OutboxEntry, ...]) -> list[int]:
    return [entry.id for entry in entries]


def test_rule_1_statements_go_before_pushes_of_everybody() -> None:
    work = plan([_push(1, created_at=OLDER), _push(2, to="ura:2"), _statement(3)], at=AT)
    assert _ids(work.send) == [3, 1, 2]


def test_rule_2_oldest_first() -> None:
    assert _ids(plan([_push(1), _push(2, created_at=OLDER), _push(3)], at=AT).send) == [2, 1, 3]


def test_rule_2_a_push_waits_for_a_statement_that_is_not_due_yet() -> None:
    waiting = _statement(1, next_at=AT + timedelta(minutes=5))
    work = plan([waiting, _push(2), _push(3, to="ura:2")], at=AT)
    assert _ids(work.send) == [3]


def test_entries_that_are_not_due_are_left_alone() -> None:
    later = AT + timedelta(seconds=1)
    assert _ids(plan([_push(1, next_at=later), _push(2, state=State.DELIVERED)], at=AT).send) == []


def test_an_interrupted_entry_starts_again() -> None:
    assert _ids(plan([_push(1, state=State.SENDING, next_at=AT + timedelta(hours=1))], at=AT).send) == [1]


def test_rule_3_only_the_newest_unsent_statement_is_sent() -> None:
    work = plan([_statement(1, created_at=OLDER), _statement(2), _statement(3, to="ura:2")], at=AT)
    assert _ids(work.superseded) == [1]
    assert _ids(work.send) == [2, 3]


def test_rule_3_a_statement_that_may_have_arrived_goes_first_as_it_was() -> None:
    started = _statement(1, created_at=OLDER, payload=b"sent before", attempts=1)
    work = plan([_statement(2), started], at=AT)
    assert _ids(work.superseded) == []
    assert _ids(work.send) == [1, 2]


def test_rule_4_an_unreachable_recipient_is_left_for_later() -> None:
    send = plan([_push(1), _push(2, to="ura:2"), _push(3)], at=AT).send
    assert _ids(hold(send, "ura:1")) == [2]


def test_nothing_to_do() -> None:
    work = plan([], at=AT)
    assert (work.send, work.superseded) == ((), ())


ENTRIES = st.lists(
    st.builds(
        lambda kind, to, state, minutes, born, payload: an_entry(
            kind=kind,
            recipient_id=to,
            state=state,
            next_at=AT + timedelta(minutes=minutes),
            created_at=AT - timedelta(minutes=born),
            payload=payload,
        ),
        st.sampled_from([Kind.PUSH, Kind.STATEMENT]),
        st.sampled_from(["ura:1", "ura:2"]),
        st.sampled_from([State.QUEUED, State.SENDING]),
        st.integers(-5, 5),
        st.integers(0, 9),
        st.sampled_from([None, b"x"]),
    ),
    max_size=8,
).map(lambda entries: [an_entry(**{**_fields(entry), "id": number}) for number, entry in enumerate(entries)])


def _fields(entry: OutboxEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in OutboxEntry.__slots__}


@given(ENTRIES, st.randoms(use_true_random=False))
def test_laws_of_the_plan(entries: list[OutboxEntry], random: object) -> None:
    work = plan(entries, at=AT)
    assert len(set(_ids(work.send))) == len(work.send)
    assert not set(_ids(work.send)) & set(_ids(work.superseded))
    assert all(is_due(entry, AT) for entry in work.send)
    kinds = [entry.kind for entry in work.send]
    assert kinds == sorted(kinds, key=lambda kind: kind is Kind.PUSH)
    open_statements = [e for e in entries if e.kind is Kind.STATEMENT and e not in work.superseded]
    for entry in work.send:
        if entry.kind is Kind.PUSH:
            held = [s for s in open_statements if s.recipient_id == entry.recipient_id and s not in work.send]
            assert held == []
    for recipient in {e.recipient_id for e in entries if e.kind is Kind.STATEMENT}:
        newest = max(
            (e for e in entries if e.kind is Kind.STATEMENT and e.recipient_id == recipient),
            key=lambda e: (e.created_at, e.id),
        )
        assert newest not in work.superseded
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan(shuffled, at=AT) == work
