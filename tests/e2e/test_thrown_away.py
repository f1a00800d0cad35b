"""A record that is thrown away here goes at the recipient too, and stays away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgo.usecases import medicate, share
from pgo.usecases.deliver import deliver, send_now
from pgo.usecases.removals import gone_for
from sync.outbox import State
from sync.wire import Kind
from tests.support.direct_line import Pair, a_sharing_pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with a_sharing_pair(tmp_path) as made:
        yield made


def _any_record(pair: Pair) -> int:
    """Number of a medication the recipient holds."""
    return min(int(name.rpartition("/r")[2]) for name in pair.references() if name.startswith("Medication"))


def _named(pair: Pair, number: int) -> bool:
    return any(name.endswith(f"/r{number}") for name in pair.references())


def test_what_is_thrown_away_is_erased_there_and_the_receipt_says_so(pair: Pair) -> None:
    deliver(pair.session)
    number, before = _any_record(pair), pair.references()
    medicate.remove(pair.session, number)
    deliver(pair.session)
    assert len(before) - len(pair.references()) == 1
    assert not _named(pair, number)
    newest = pair.session.store.deliveries.receipts(pair.recipient_id)[0]
    assert (newest.kind, newest.state, newest.stored) == ("removal", "erased", 1)
    assert gone_for(pair.session.store, pair.recipient_id) == ()


def test_it_waits_while_the_recipient_is_away_and_goes_before_new_records(pair: Pair) -> None:
    deliver(pair.session)
    number = _any_record(pair)
    pair.line.down = True
    medicate.remove(pair.session, number)
    deliver(pair.session)
    assert _named(pair, number)
    assert [one.kind for one in pair.session.store.outbox.all_open()] == [Kind.REMOVAL]
    pair.line.down = False
    send_now(pair.session)
    assert not _named(pair, number)


def test_put_back_before_it_went_nothing_goes(pair: Pair) -> None:
    deliver(pair.session)
    number, sent = _any_record(pair), len(pair.line.bodies)
    medicate.remove(pair.session, number)
    medicate.restore(pair.session, number)
    deliver(pair.session)
    assert _named(pair, number)
    assert len(pair.line.bodies) == sent


def test_put_back_afterwards_it_is_sent_again_and_can_go_again(pair: Pair) -> None:
    deliver(pair.session)
    number = _any_record(pair)
    for _ in range(2):
        medicate.remove(pair.session, number)
        deliver(pair.session)
        assert not _named(pair, number)
        medicate.restore(pair.session, number)
        deliver(pair.session)
        assert _named(pair, number)


def test_an_answer_that_is_lost_changes_nothing_in_the_end(pair: Pair) -> None:
    deliver(pair.session)
    number = _any_record(pair)
    pair.line.deaf = True
    medicate.remove(pair.session, number)
    deliver(pair.session)
    medicate.restore(pair.session, number)  # the removal arrived, and nobody here knows that
    pair.line.deaf = False
    send_now(pair.session)
    assert _named(pair, number)
    assert pair.session.store.outbox.all_open() == ()


def test_a_push_that_was_held_up_on_the_way_brings_nothing_back(pair: Pair) -> None:
    pair.line.down = True
    deliver(pair.session)  # the app started it and got no answer
    (started,) = pair.session.store.outbox.open_for(pair.recipient_id)
    assert started.state is State.QUEUED
    pair.line.down = False
    send_now(pair.session)
    late = pair.line.bodies[0]
    number = _any_record(pair)
    medicate.remove(pair.session, number)
    deliver(pair.session)
    pair.store.run("DELETE FROM message", ())  # as if the copy that was taken in had been another one
    with pytest.raises(Exception, match="late"):
        pair.line.carry("/v1/inbox", late)
    assert not _named(pair, number)


def test_a_vault_put_back_catches_up_with_its_counter(pair: Pair) -> None:
    deliver(pair.session)
    store = pair.session.store
    pair.store.run("UPDATE sender SET taken = 12345", ())  # the lost device had got that far
    number = _any_record(pair)
    medicate.remove(pair.session, number)
    deliver(pair.session)
    assert not _named(pair, number)
    assert store.outbox.all_open() == ()


def test_a_recipient_that_never_answered_is_asked_when_it_does(pair: Pair) -> None:
    pair.line.deaf = True
    deliver(pair.session)  # everything arrives, no answer comes back
    number = _any_record(pair)
    medicate.remove(pair.session, number)
    assert gone_for(pair.session.store, pair.recipient_id) == ()
    pair.line.deaf = False
    send_now(pair.session)
    assert not _named(pair, number)


def test_after_a_withdrawal_nothing_is_left_to_ask_for(pair: Pair) -> None:
    deliver(pair.session)
    number = _any_record(pair)
    share.withdraw(pair.session, share.shares(pair.session)[0].grant_id)
    deliver(pair.session)
    sent = len(pair.line.bodies)
    medicate.remove(pair.session, number)
    deliver(pair.session)
    assert pair.references() == set()
    assert len(pair.line.bodies) == sent
