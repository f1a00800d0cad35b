"""A line that loses, repeats, spoils and lies, both ends killed on the way: all arrives, once, as sent.

Patients with real vaults share measurement after measurement with a real recipient through `fault_proxy`.
Then the books of both ends are laid side by side (`sync_books`), and what was recorded on the line is played
again: at once, after the recipient was started again, and a day later. Security guide checks 23 and 24,
properties P1 to P3 and P6. `make test-night` shares ten times as much.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.fault_figures import figures
from tests.support.fault_proxy import Fault
from tests.support.scale import is_night
from tests.support.sync_replay import play_again, print_of, recorded, signer_of
from tests.support.sync_run import Run, Size

CI = Size(patients=20, each=50, share=0.35, kills=20)
NIGHT = Size(patients=50, each=200, share=0.35, kills=200, seed=2)
REPLAYED = 1_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run that both tests look at."""
    done = Run(tmp_path_factory.mktemp("line"), NIGHT if is_night() else CI)
    done.go()
    return done


def test_everything_arrives_once_and_as_it_was_sent(run: Run) -> None:
    books, size = run.books, run.size
    met = sum(count for fault, count in run.faults.items() if fault is not Fault.NONE)
    figures["delivery over a bad line"] = (
        f"{books.delivered} messages in {len(run.requests)} requests, {met} faults of {len(run.faults) - 1} "
        f"kinds, {sum(run.killed.values())} kills of both sides; {len(books.lost)} lost, "
        f"{len(books.twice)} twice, {len(books.false)} called delivered and not stored, "
        f"{len(books.other)} other bytes; {books.receipts} receipts, {books.effects} effects"
    )
    assert books.wrong == []
    assert books.delivered >= size.patients * size.each
    assert min(run.killed.values()) >= size.kills // 4, "both sides were killed"
    assert set(run.faults) == set(Fault), "every kind of fault happened"


@pytest.mark.parametrize(("here", "there"), [("200 is believed", ""), ("", "every message is new")])
def test_a_planted_fault_is_found(tmp_path: Path, here: str, there: str) -> None:
    size = Size(patients=1, each=40, share=0.5, kills=0, seed=3)
    assert Run(tmp_path, size, planted_here=here, planted_there=there).go().wrong


def test_what_was_recorded_has_no_second_effect(run: Run) -> None:
    messages = recorded(run.requests, run.said)[:REPLAYED]
    before, signer, played = print_of(run.recipient.data), signer_of(run.recipient.data), 0
    assert len({one.message_id for one in messages}) < len(messages) == REPLAYED
    for wait in (timedelta(), timedelta(), timedelta(days=1)):  # at once, after a restart, a day later
        run.recipient.ahead = wait
        run.recipient.start()
        try:
            assert play_again(messages, run.recipient.port, signer) == []
        finally:
            run.recipient.stop()
        played += len(messages)
        assert print_of(run.recipient.data) == before
    figures["messages played again"] = (
        f"{played:,} (at once, after a restart, a day later): 0 second effects, each its stored receipt"
    )
