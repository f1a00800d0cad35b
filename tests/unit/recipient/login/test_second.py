"""The second step of an account: sealed, once only, recoverable, resettable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recipient.accounts import Account, add_account
from recipient.errors import Unusable
from recipient.login import second
from recipient.store import Store, open_store

AT = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)


def enrolled(store: Store, account: Account) -> tuple[second.OneTimeSecret, tuple[str, ...]]:
    secret = second.new_secret()
    codes = second.enrol(store, account.id, secret, secret.code(AT), at=AT)
    assert len(codes) == second.RECOVERY_CODES
    return secret, codes


def test_a_wrong_first_code_sets_nothing_up(store: Store, account: Account) -> None:
    secret = second.parse_secret(b"12345678901234567890".hex())
    for wrong in (secret.code(AT + timedelta(hours=1)), "", "abcdef"):
        assert second.enrol(store, account.id, secret, wrong, at=AT) == ()
    assert not second.is_enrolled(store, account.id)


def test_a_code_passes_once_whichever_process_asks(store: Store, account: Account, tmp_path: Path) -> None:
    secret, _ = enrolled(store, account)
    later = AT + timedelta(minutes=1)
    other = open_store(tmp_path / "clinic")
    assert not second.passes(store, account.id, secret.code(AT), at=AT), "used when it was set up"
    answers = [second.passes(one, account.id, secret.code(later), at=later) for one in (store, other, store)]
    other.close()
    assert answers == [True, False, False]


def test_spaces_in_a_code_do_not_matter(store: Store, account: Account) -> None:
    secret, _ = enrolled(store, account)
    later = AT + timedelta(minutes=1)
    code = secret.code(later)
    assert second.passes(store, account.id, f" {code[:3]} {code[3:]} ", at=later)


def test_recovery_codes_work_once_each_however_they_are_typed(store: Store, account: Account) -> None:
    _, codes = enrolled(store, account)
    assert len(set(codes)) == second.RECOVERY_CODES
    assert second.passes(store, account.id, codes[0].lower().replace("-", " "), at=AT)
    assert not second.passes(store, account.id, codes[0], at=AT)
    assert second.passes(store, account.id, codes[1].replace("0", "O").replace("1", "l"), at=AT)
    assert second.recovery_codes_left(store, account.id) == second.RECOVERY_CODES - 2
    assert not second.passes(store, account.id, "0000-0000-0000-0000", at=AT)


def test_another_account_is_not_opened_by_it(store: Store, account: Account) -> None:
    secret, codes = enrolled(store, account)
    other = add_account(store, name="other", display="O. Ther", role="arts", password=None, at=AT)
    later = AT + timedelta(minutes=1)
    assert not second.passes(store, other.id, secret.code(later), at=later)
    assert not second.passes(store, other.id, codes[0], at=later)


def test_store_holds_neither_secret_nor_code(store: Store, account: Account) -> None:
    secret, codes = enrolled(store, account)
    rows = str(store.rows("SELECT * FROM login_totp") + store.rows("SELECT * FROM login_recovery"))
    for shown in (
        secret.raw.hex(),
        secret.text.replace(" ", ""),
        *codes,
        *(c.replace("-", "") for c in codes),
    ):
        assert shown not in rows


def test_a_secret_moved_to_another_account_does_not_open(store: Store, account: Account) -> None:
    secret, _ = enrolled(store, account)
    other = add_account(store, name="other", display="O. Ther", role="arts", password=None, at=AT)
    store.run("UPDATE login_totp SET account = ? WHERE account = ?", (other.id, account.id))
    with pytest.raises(Unusable, match="store_damaged"):
        second.passes(store, other.id, secret.code(AT + timedelta(minutes=1)), at=AT + timedelta(minutes=1))


def test_setting_up_anew_and_resetting_end_the_old_ones(store: Store, account: Account) -> None:
    secret, codes = enrolled(store, account)
    enrolled(store, account)
    later = AT + timedelta(minutes=1)
    assert not second.passes(store, account.id, secret.code(later), at=later)
    assert not second.passes(store, account.id, codes[0], at=later)
    second.reset_second_step(store, name="dewit")
    assert not second.is_enrolled(store, account.id)
    assert second.recovery_codes_left(store, account.id) == 0
    with pytest.raises(Unusable, match="no_such_user"):
        second.reset_second_step(store, name="nobody")
