"""Creating, opening and locking a vault; the two ways in; recipients and choices that are refused."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from consent.codes import Action, Category
from crypto.keys import SigningKey
from pgo.errors import InputRefused, Locked, NotFound, WrongPassphrase
from pgo.usecases import keys, share, unlock
from pgo.usecases.read import overview
from pgo.usecases.session import Session
from tests.support.applications import PASSPHRASE
from tests.support.sharing import CLINIC_ID, a_card
from tests.support.vaults import START, Home

OTHER = "heel andere woorden dan net"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "vaults")


def test_a_new_vault_is_private_and_listed(home: Home) -> None:
    session = home.open_new("Mijn kluis")
    assert [place.name for place in unlock.vaults(home.app)] == ["Mijn kluis"]
    assert stat.S_IMODE(session.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in session.folder.iterdir()} == {0o600}
    session.lock()


@pytest.mark.parametrize("name", ["", "  ", ".verborgen", "a/b", "..", "CON", "x" * 41, "naam\n2"])
def test_names_no_file_system_takes_are_refused(home: Home, name: str) -> None:
    if name == "naam\n2":  # white space of any kind becomes one space
        assert unlock.new_vault_folder(home.app, name).name == "naam 2"
        return
    with pytest.raises(InputRefused, match="vault_name"):
        unlock.new_vault_folder(home.app, name)


def test_a_name_is_taken_once_whatever_its_case(home: Home) -> None:
    home.open_new("Thuis").lock()
    with pytest.raises(InputRefused, match="vault_exists"):
        unlock.new_vault_folder(home.app, "THUIS")


@pytest.mark.parametrize("weak", ["", "kort", "wachtwoord123", "aaaaaaaaaaaaaaaa", "x" * 2000])
def test_weak_passphrases_make_no_vault(home: Home, weak: str) -> None:
    with pytest.raises(InputRefused, match="weak_passphrase"):
        unlock.create_vault(home.app, home.folder / "v", weak)
    assert not (home.folder / "v").exists()


def test_recovery_code_is_typed_back_and_opens(home: Home) -> None:
    made = unlock.create_vault(home.app, home.folder / "v", PASSPHRASE)
    assert not keys.recovery_confirmed(made.session)
    assert not keys.confirm_recovery_code(made.session, "0000-0000-0000-0000-0000-0000-0000-0000")
    assert keys.confirm_recovery_code(made.session, made.recovery_code_text.lower().replace("-", " "))
    assert keys.recovery_confirmed(made.session)
    made.session.lock()
    session = unlock.unlock_with_code(home.app, home.folder / "v", made.recovery_code_text)
    keys.change_passphrase(session, OTHER)
    renewed = keys.renew_recovery_code(session)
    session.lock()
    with pytest.raises(WrongPassphrase):
        unlock.unlock(home.app, home.folder / "v", PASSPHRASE)
    with pytest.raises(WrongPassphrase):
        unlock.unlock_with_code(home.app, home.folder / "v", made.recovery_code_text)
    unlock.unlock(home.app, home.folder / "v", OTHER).lock()
    unlock.unlock_with_code(home.app, home.folder / "v", renewed).lock()


def test_after_a_change_no_file_opens_with_the_old_passphrase(home: Home) -> None:
    session = home.open_new()
    keys.change_passphrase(session, OTHER)
    before = session.folder / "vault.hdr.prev"
    present = session.folder / "vault.hdr"
    kept = before.read_bytes() if before.exists() else b""
    session.lock()
    if kept:
        present.write_bytes(kept)
        with pytest.raises(WrongPassphrase):
            unlock.unlock(home.app, session.folder, PASSPHRASE)


def test_a_mistyped_code_says_where(home: Home) -> None:
    made = unlock.create_vault(home.app, home.folder / "v", PASSPHRASE)
    made.session.lock()
    groups = made.recovery_code_text.split("-")
    groups[2] = ("1" if groups[2][0] != "1" else "2") + groups[2][1:]
    with pytest.raises(InputRefused) as caught:
        unlock.unlock_with_code(home.app, home.folder / "v", "-".join(groups))
    assert (caught.value.code, caught.value.detail) == ("recovery_code", "group 3")


def test_a_locked_session_answers_nothing_and_told_its_listeners(home: Home) -> None:
    session = home.open_new()
    told: list[str] = []
    session.on_lock(lambda: told.append("locked"))
    session.lock()
    session.lock()
    assert (session.closed, told) == (True, ["locked"])
    with pytest.raises(Locked):
        overview(session)


def test_a_clock_set_back_does_not_run_back(home: Home) -> None:
    session = home.open_new()
    home.clock.forward(days=10)
    keys.renew_recovery_code(session)
    home.clock.forward(days=-100)
    assert session.now() == START + timedelta(days=10)
    session.lock()


@pytest.fixture
def session(home: Home) -> Session:
    return home.open_new()


def a_choice(session: Session) -> share.ShareChoice:
    today = session.today()
    return share.ShareChoice(
        CLINIC_ID,
        frozenset({Category.MEDICATIONS}),
        frozenset(),
        "TREAT",
        (today, today + timedelta(days=30)),
    )


def test_a_card_is_checked_kept_and_never_taken_over_with_another_key(session: Session) -> None:
    key = SigningKey.generate()
    assert share.add_recipient(session, a_card(key, at=START)) == CLINIC_ID
    assert share.add_recipient(session, a_card(key, at=START, name="Nieuwe naam")) == CLINIC_ID
    assert [row.name for row in share.recipients(session)] == ["Nieuwe naam"]
    for card, code in (
        ("nonsense", "card_invalid"),
        (a_card(at=START), "card_key_changed"),
        (a_card(key, at=START - timedelta(days=900)), "card_expired"),
    ):
        with pytest.raises(InputRefused, match=code):
            share.inspect_card(session, card)
    share.remove_recipient(session, CLINIC_ID)
    assert share.recipients(session) == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"categories": frozenset()}, "categories"),
        ({"purpose": "NONSENSE"}, "purpose"),
        ({"purpose": "HRESCH", "actions": frozenset({Action.EXTRACT})}, "purpose"),
        ({"period": (date(2026, 4, 1), date(2026, 3, 20))}, "period"),
        ({"period": (date(2026, 1, 1), date(2026, 3, 1))}, "period"),
        ({"period": (date(2026, 3, 2), date(2036, 3, 2))}, "period"),
        ({"data_from": date(2027, 1, 1)}, "data_from"),
    ],
)
def test_a_choice_that_cannot_be_a_grant_names_its_field(
    session: Session, change: dict[str, object], field: str
) -> None:
    share.add_recipient(session, a_card(at=START))
    choice = replace(a_choice(session), **change)  # type: ignore[arg-type]  # the table above is typed by hand
    for ask in (share.preview, lambda s, c: share.sign_share(s, c, lang="nl", shown_text="x")):
        with pytest.raises(InputRefused) as caught:
            ask(session, choice)
        assert set(caught.value.fields) == {field}
    assert share.shares(session) == ()


def test_a_recipient_with_grants_is_not_forgotten(session: Session) -> None:
    with pytest.raises(NotFound):
        share.preview(session, a_choice(session))
    share.add_recipient(session, a_card(at=START))
    grant_id = share.sign_share(session, a_choice(session), lang="nl", shown_text="x")
    with pytest.raises(InputRefused, match="recipient_in_use"):
        share.remove_recipient(session, CLINIC_ID)
    share.withdraw(session, grant_id)
    assert share.share(session, grant_id).withdrawn_at == START
    with pytest.raises(NotFound):
        share.withdraw(session, "unknown")
    unlock.check_vault(session)
