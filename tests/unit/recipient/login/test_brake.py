"""The brake on guessing: one count for all processes, growing waits, nobody locked out for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recipient.errors import Throttled
from recipient.login.brake import Brake, forget_old_tries
from recipient.store import Store, open_store

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def failures(brake: Brake, keys: tuple[str, ...], start: datetime, count: int) -> int:
    let_through = 0
    for index in range(count):
        try:
            brake.take(keys, at=start + timedelta(seconds=index / 100))
        except Throttled:
            continue
        let_through += 1
    return let_through


def test_five_of_a_thousand_tries_pass(store: Store) -> None:
    assert failures(Brake(store, tries=5), ("account:x",), AT, 1000) == 5


def test_two_processes_count_together(store: Store, tmp_path: Path) -> None:
    other = open_store(tmp_path / "clinic")
    brakes = (Brake(store, tries=5), Brake(other, tries=5))
    passed = sum(failures(brakes[number % 2], ("account:x",), AT, 1) for number in range(20))
    other.close()
    assert passed == 5


def test_many_addresses_cannot_guess_one_account(store: Store) -> None:
    brake = Brake(store, tries=5)
    assert sum(failures(brake, ("account:x", f"address:{n}"), AT, 1) for n in range(100)) == 5


def test_one_address_cannot_try_many_accounts(store: Store) -> None:
    brake = Brake(store, tries=5)
    assert sum(failures(brake, (f"account:{n}", "address:a"), AT, 1) for n in range(100)) == 5


def test_waiting_doubles_up_to_a_quarter_of_an_hour(store: Store) -> None:
    brake, at, waits = Brake(store, tries=5), AT, []
    for _ in range(7):
        failures(brake, ("account:x",), at, 5)
        with pytest.raises(Throttled) as caught:
            brake.take(("account:x",), at=at + timedelta(seconds=1))
        waits.append(caught.value.retry_after_seconds)
        at += timedelta(seconds=waits[-1] + 1)
    assert [round(wait / 60) for wait in waits] == [1, 2, 4, 8, 15, 15, 15]


def test_an_hour_without_a_try_forgives(store: Store) -> None:
    brake = Brake(store, tries=5)
    for _ in range(3):
        failures(brake, ("account:x",), AT, 5)
    later = AT + timedelta(minutes=61)
    failures(brake, ("account:x",), later, 5)
    with pytest.raises(Throttled) as caught:
        brake.take(("account:x",), at=later + timedelta(seconds=1))
    assert caught.value.retry_after_seconds <= 61


def test_a_right_secret_takes_its_own_try_back_only(store: Store) -> None:
    brake = Brake(store, tries=5)
    for _ in range(4):
        brake.take(("account:x",), at=AT)
    for _ in range(20):
        brake.take(("account:x",), at=AT)
        brake.give_back(("account:x",), at=AT)
    brake.take(("account:x",), at=AT)
    with pytest.raises(Throttled):
        brake.take(("account:x",), at=AT)


def test_a_refused_try_counts_under_no_key(store: Store) -> None:
    brake = Brake(store, tries=5)
    failures(brake, ("account:x",), AT, 5)
    for _ in range(50):
        failures(brake, ("account:x", "address:of a colleague"), AT, 1)
    assert failures(brake, ("address:of a colleague",), AT, 9) == 5


def test_rows_hold_no_name_and_go_when_they_count_no_more(store: Store) -> None:
    failures(Brake(store, tries=5), ("account:dewit", "address:192.0.2.7"), AT, 2)
    rows = store.rows("SELECT * FROM login_try")
    assert len(rows) == 2
    assert "dewit" not in str(rows)
    assert "192.0.2.7" not in str(rows)
    forget_old_tries(store, at=AT + timedelta(minutes=70))
    assert store.row("SELECT count(*) FROM login_try") == (2,)
    forget_old_tries(store, at=AT + timedelta(minutes=76))
    assert store.row("SELECT count(*) FROM login_try") == (0,)
