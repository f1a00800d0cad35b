"""Accounts: Argon2id hashes, and equal answers to whatever is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from crypto.passphrase import verify_password
from recipient.accounts import (
    Doorkeeper,
    accounts,
    active_account,
    add_account,
    close_account,
    set_password,
)
from recipient.errors import Refused, Throttled, Unusable
from recipient.store import Store, create_store

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "vier losse woorden tafel"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = create_store(tmp_path_factory.mktemp("accounts") / "clinic")
    add_account(store, name="dewit", display="S. de Wit", role="internist", password=PASSWORD, at=AT)
    yield store
    store.close()


def code_of(store: Store, **changes: str) -> str:
    fields = {"name": "other", "display": "O. Ther", "role": "nurse", "password": PASSWORD, **changes}
    with pytest.raises(Unusable) as caught:
        add_account(
            store,
            name=fields["name"],
            display=fields["display"],
            role=fields["role"],
            password=fields["password"],
            at=AT,
        )
    return caught.value.code


def test_password_is_kept_as_argon2id_only(store: Store) -> None:
    row = store.row("SELECT phc FROM account WHERE name = 'dewit'")
    assert row is not None
    assert row[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "De Wit", "bad_user_name"),
        ("name", "x" * 40, "bad_user_name"),
        ("display", "two\nlines", "bad_display"),
        ("display", "  ", "bad_display"),
        ("password", "short", "password_too_short"),
        ("password", "passwordpassword", "password_weak"),
        ("password", "x" * 300, "password_too_long"),
        ("name", "dewit", "user_exists"),
    ],
)
def test_unfit_account_is_refused_with_its_reason(store: Store, field: str, value: str, code: str) -> None:
    assert code_of(store, **{field: value}) == code


def test_right_password_opens(store: Store) -> None:
    account = Doorkeeper(store, tries=5).log_in("dewit", PASSWORD, address="a", at=AT)
    assert (account.display, account.role) == ("S. de Wit", "internist")


def test_wrong_and_unknown_and_closed_get_the_same_answer(store: Store) -> None:
    add_account(store, name="gone", display="G. One", role="nurse", password=PASSWORD, at=AT)
    close_account(store, name="gone")
    door = Doorkeeper(store, tries=50)
    answers = []
    for name, password in (("dewit", "not the password"), ("nobody", PASSWORD), ("gone", PASSWORD)):
        with pytest.raises(Refused) as caught:
            door.log_in(name, password, address="a", at=AT)
        answers.append((type(caught.value), caught.value.code, caught.value.status))
    assert answers == [(Refused, "login_failed", 401)] * 3


def test_unknown_user_costs_a_hash_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def counting(phc: str, password: str) -> None:
        looked_at.append(phc)
        verify_password(phc, password)

    monkeypatch.setattr("recipient.accounts.verify_password", counting)
    with pytest.raises(Refused):
        Doorkeeper(store, tries=5).log_in("nobody", PASSWORD, address="a", at=AT)
    assert len(looked_at) == 1
    assert looked_at[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_closed_account_is_not_active_and_password_reopens_it(store: Store) -> None:
    account = add_account(store, name="back", display="B. Ack", role="nurse", password=PASSWORD, at=AT)
    close_account(store, name="back")
    assert active_account(store, account.id) is None
    set_password(store, name="back", password="een heel ander woordenboek")
    assert active_account(store, account.id) == account
    assert dict(accounts(store))[account] is True


def test_nobody_there_to_change(store: Store) -> None:
    with pytest.raises(Unusable, match="no_such_user"):
        close_account(store, name="nobody")
    with pytest.raises(Unusable, match="no_such_user"):
        set_password(store, name="nobody", password=PASSWORD)


def test_sixth_try_in_a_minute_waits_without_looking_at_the_password(store: Store) -> None:
    door, at = (
        Doorkeeper(store, tries=2),
        AT + timedelta(hours=3),
    )  # what other tests tried is forgiven by then
    for second in range(2):
        with pytest.raises(Refused, match="login_failed"):
            door.log_in("dewit", "wrong wrong wrong", address="a", at=at + timedelta(seconds=second))
    with pytest.raises(Throttled) as caught:
        door.log_in("dewit", PASSWORD, address="b", at=at + timedelta(seconds=3))
    assert 50 < caught.value.retry_after_seconds <= 60
    assert door.log_in("dewit", PASSWORD, address="b", at=at + timedelta(seconds=62)).name == "dewit"


def test_account_without_a_password_opens_to_none(store: Store) -> None:
    add_account(store, name="elders", display="E. Lders", role="nurse", password=None, at=AT)
    door = Doorkeeper(store, tries=50)
    for typed in ("", PASSWORD, "$argon2id$"):
        with pytest.raises(Refused, match="login_failed"):
            door.log_in("elders", typed, address="c", at=AT + timedelta(hours=6))
