"""Sessions: limits to the microsecond, one truth for all processes, nothing in the store that opens one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recipient.accounts import Account, add_account, change_password, close_account, set_password
from recipient.portal.sessions import MAX_PER_ACCOUNT, Sessions
from recipient.store import Store, open_store

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
IDLE, ABSOLUTE = timedelta(minutes=15), timedelta(hours=10)
MOMENT = timedelta(microseconds=1)
PASSWORD = "vier losse woorden tafel"


@pytest.fixture
def sessions(store: Store) -> Sessions:
    return Sessions(store, idle=IDLE, absolute=ABSOLUTE)


def test_idle_limit_is_met_to_the_microsecond(sessions: Sessions, account: Account) -> None:
    first, second = (sessions.start(account.id, at=AT) for _ in range(2))
    assert sessions.find(first, at=AT + IDLE - MOMENT) is not None
    assert sessions.find(second, at=AT + IDLE) is None


def test_absolute_limit_is_met_to_the_microsecond_however_busy(sessions: Sessions, account: Account) -> None:
    key = sessions.start(account.id, at=AT)
    assert all(sessions.find(key, at=AT + timedelta(minutes=minute)) for minute in range(0, 600, 10))
    assert sessions.find(key, at=AT + ABSOLUTE - MOMENT) is not None
    assert sessions.find(key, at=AT + ABSOLUTE) is None
    assert sessions.find(key, at=AT) is None, "what ended does not come back with the clock"


def test_is_of_no_use_after_log_out(sessions: Sessions, account: Account) -> None:
    key = sessions.start(account.id, at=AT)
    sessions.end(key)
    assert sessions.find(key, at=AT) is None


def test_ids_are_long_and_differ_and_the_oldest_give_way(sessions: Sessions, account: Account) -> None:
    keys = [sessions.start(account.id, at=AT + timedelta(seconds=n)) for n in range(MAX_PER_ACCOUNT + 10)]
    assert len(set(keys)) == len(keys)
    assert min(map(len, keys)) >= 43  # 256 bits in base64url
    at = AT + timedelta(minutes=5)
    assert [sessions.find(key, at=at) is not None for key in keys] == [False] * 10 + [True] * MAX_PER_ACCOUNT


def test_clock_set_back_does_not_lengthen_a_session(sessions: Sessions, account: Account) -> None:
    key = sessions.start(account.id, at=AT)
    sessions.find(key, at=AT + timedelta(minutes=10))
    sessions.find(key, at=AT - timedelta(days=1))
    assert sessions.find(key, at=AT + timedelta(minutes=24)) is not None
    assert sessions.find(key, at=AT + timedelta(minutes=40)) is None


def test_another_process_knows_the_session_its_tokens_and_its_end(
    sessions: Sessions, account: Account, tmp_path: Path
) -> None:
    store = open_store(tmp_path / "clinic")
    other = Sessions(store, idle=IDLE, absolute=ABSOLUTE)
    key = sessions.start(account.id, at=AT)
    found = other.find(key, at=AT)
    assert found is not None
    assert other.is_form_token(key, sessions.form_token(key))
    other.shown_names(found).update(["a", "b"])
    assert sessions.shown_names(found) == {"a", "b"}
    other.end(key)
    assert sessions.find(key, at=AT) is None
    store.close()


def test_store_holds_nothing_that_opens_a_session(sessions: Sessions, store: Store, account: Account) -> None:
    key = sessions.start(account.id, at=AT)
    rows = str(store.rows("SELECT * FROM login_session"))
    assert key not in rows
    found = sessions.find(key, at=AT)
    assert found is not None
    assert sessions.find(found.key, at=AT) is None, "what lists show is not what opens"


def test_own_sessions_can_be_seen_and_ended_those_of_others_not(
    sessions: Sessions, store: Store, account: Account
) -> None:
    other = add_account(store, name="other", display="O. Ther", role="arts", password=None, at=AT)
    mine, theirs = sessions.start(account.id, at=AT), sessions.start(other.id, at=AT)
    assert [one.account_id for one in sessions.of_account(account.id, at=AT)] == [account.id]
    assert sessions.of_account(account.id, at=AT + IDLE) == ()
    found = sessions.find(theirs, at=AT)
    assert found is not None
    sessions.end_of_account(account.id, found.key)
    assert sessions.find(theirs, at=AT) is not None
    sessions.end_of_account(other.id, found.key)
    assert sessions.find(theirs, at=AT) is None
    assert sessions.find(mine, at=AT) is not None


def test_closing_and_new_passwords_end_sessions(sessions: Sessions, store: Store, account: Account) -> None:
    for ends in (
        lambda: set_password(store, name="dewit", password=PASSWORD),
        lambda: close_account(store, name="dewit"),
    ):
        key = sessions.start(account.id, at=AT)
        ends()
        assert sessions.find(key, at=AT) is None
    kept, ended = sessions.start(account.id, at=AT), sessions.start(account.id, at=AT)
    session = sessions.find(kept, at=AT)
    assert session is not None
    change_password(store, account, PASSWORD, keep=session.key)
    assert sessions.find(kept, at=AT) is not None
    assert sessions.find(ended, at=AT) is None


def test_what_ended_by_itself_is_removed(sessions: Sessions, store: Store, account: Account) -> None:
    key = sessions.start(account.id, at=AT)
    session = sessions.find(key, at=AT)
    assert session is not None
    sessions.shown_names(session).update(["a"])
    sessions.tidy(at=AT + IDLE - MOMENT)
    assert store.row("SELECT count(*) FROM login_listed") == (1,)
    sessions.tidy(at=AT + IDLE)
    assert store.row("SELECT count(*) FROM login_session") == (0,)
    assert store.row("SELECT count(*) FROM login_listed") == (0,)


def test_form_token_fits_its_own_cookie_only(sessions: Sessions) -> None:
    assert sessions.is_form_token("a", sessions.form_token("a"))
    assert not sessions.is_form_token("a", sessions.form_token("b"))
    assert not sessions.is_form_token(None, sessions.form_token(""))
    assert not sessions.is_form_token("", sessions.form_token(""))
    assert not sessions.is_form_token("a", "")
    assert not sessions.is_form_token("a", "é")
