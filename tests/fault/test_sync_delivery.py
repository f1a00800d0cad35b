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
from tests.support.postgres import running_cluster
from tests.support.scale import is_night
from tests.support.sync_replay import play_again, print_of, recorded, signer_of
from tests.support.sync_run import Run, Size

pytestmark = pytest.mark.timeout(20_000)  # at night ten thousand messages; no verdict by stopwatch

CI = Size(patients=20, each=50, share=0.35, kills=20)
NIGHT = Size(patients=50, each=200, share=0.35, kills=200, seed=2)
POSTGRES = Size(patients=2, each=25, share=0.35, kills=4, seed=5)
POSTGRES_NIGHT = Size(patients=20, each=100, share=0.35, kills=40, seed=6)
REPLAYED = 1_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run that two tests look at."""
    done = Run(tmp_path_factory.mktemp("line"), NIGHT if is_night() else CI)
    done.go()
    return done


def look_at_the_books(run: Run, name: str) -> None:
    """What holds after every run, and its line of figures."""
    books, size = run.books, run.size
    met = sum(count for fault, count in run.faults.items() if fault is not Fault.NONE)
    figures[f"delivery over a bad line{name}"] = (
        f"{books.delivered:,} messages in {len(run.requests):,} requests, {met} faults of "
        f"{len(run.faults) - 1} kinds, {sum(run.killed.values())} kills; {len(books.lost)} lost, "
        f"{len(books.twice)} twice, {len(books.false)} called delivered and not stored, "
        f"{len(books.other)} other bytes; {books.receipts:,} receipts, {books.effects:,} effects"
    )
    assert books.wrong == []
    assert books.delivered >= size.patients * size.each
    assert min(run.killed.values()) >= size.kills // 4, "both sides were killed"


def replay(run: Run, name: str, *, count: int) -> None:
    """Play the recorded messages again: at once, after a restart, a day later."""
    messages = recorded(run.requests, run.said)[:count]
    before, signer, played = print_of(run.recipient.data), signer_of(run.recipient.data), 0
    assert len({one.message_id for one in messages}) < len(messages) == count
    for wait in (timedelta(), timedelta(), timedelta(days=1)):
        run.recipient.ahead = wait
        run.recipient.start()
        try:
            assert play_again(messages, run.recipient.port, signer) == []
        finally:
            run.recipient.stop()
        played += len(messages)
        assert print_of(run.recipient.data) == before
    figures[f"messages played again{name}"] = (
        f"{played:,} (at once, after a restart, a day later): 0 second effects, each its stored receipt"
    )


def test_everything_arrives_once_and_as_it_was_sent(run: Run) -> None:
    look_at_the_books(run, "")
    assert set(run.faults) == set(Fault), "every kind of fault happened"


def test_what_was_recorded_has_no_second_effect(run: Run) -> None:
    replay(run, "", count=REPLAYED)


def test_the_same_with_a_recipient_on_postgresql(tmp_path: Path) -> None:
    with running_cluster(durable=True) as cluster:
        run = Run(tmp_path, POSTGRES_NIGHT if is_night() else POSTGRES, database=cluster.database())
        run.go()
        look_at_the_books(run, ", PostgreSQL")
        replay(run, ", PostgreSQL", count=REPLAYED if is_night() else 60)


@pytest.mark.parametrize(("here", "there"), [("200 is believed", ""), ("", "every message is new")])
def test_a_planted_fault_is_found(tmp_path: Path, here: str, there: str) -> None:
    size = Size(patients=1, each=40, share=0.5, kills=0, seed=3)
    assert Run(tmp_path, size, planted_here=here, planted_there=there).go().wrong
