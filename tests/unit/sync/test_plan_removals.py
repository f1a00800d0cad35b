"""Removals in the order of work: after statements, before records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync.outbox import OutboxEntry, start
from sync.plan import plan
from sync.wire import Kind
from tests.support.sync_world import AT, an_entry


def _entry(number: int, kind: Kind, *, to: str = "ura:1") -> OutboxEntry:
    return an_entry(id=number, recipient_id=to, kind=kind, created_at=AT - timedelta(minutes=60 - number))


def test_a_removal_goes_after_statements_and_before_every_push() -> None:
    entries = [
        _entry(1, Kind.PUSH),
        _entry(2, Kind.REMOVAL),
        _entry(3, Kind.PUSH, to="ura:2"),
        _entry(4, Kind.STATEMENT, to="ura:2"),
    ]
    assert [one.id for one in plan(entries, at=AT).send] == [4, 2, 1, 3]


def test_a_push_waits_for_a_removal_that_is_not_due_yet() -> None:
    waiting = replace(_entry(1, Kind.REMOVAL), next_at=AT + timedelta(minutes=5))
    work = plan([waiting, _entry(2, Kind.PUSH), _entry(3, Kind.PUSH, to="ura:2")], at=AT)
    assert [one.id for one in work.send] == [3]


def test_a_message_gets_its_number_at_the_first_start_and_keeps_it() -> None:
    first = start(an_entry(), payload=b"x", sequence=7)
    assert first.sequence == 7
    assert start(first, payload=b"x", sequence=8).sequence == 7
