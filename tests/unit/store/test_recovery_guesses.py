"""Check 9: the recovery code opens; a typo, a used code and ten thousand guesses do not."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from crypto.recovery import ALPHABET, SECRET_BITS, RecoveryCode
from pgo.errors import InputRefused, WrongPassphrase
from pgo.store.header import load_header
from pgo.store.slots import open_recovery_slot
from pgo.usecases.keys import change_passphrase, renew_recovery_code
from pgo.usecases.unlock import NewVault, create_vault, unlock_with_code
from tests.support.applications import PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.vaults import Home

GUESSES = 10_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("guessed"))


@pytest.fixture(scope="module")
def made(home: Home) -> NewVault:
    new = create_vault(home.app, home.folder / "Thuis", PASSPHRASE)
    new.session.lock()
    return new


def test_every_single_typo_is_refused_and_its_group_named(home: Home, made: NewVault) -> None:
    code = made.recovery_code_text
    for place, letter in enumerate(code):
        if letter == "-":
            continue
        wrong = ALPHABET[(ALPHABET.index(letter) + 7) % len(ALPHABET)]
        typed = code[:place] + wrong + code[place + 1 :]
        with pytest.raises(InputRefused) as caught:
            unlock_with_code(home.app, made.session.folder, typed)
        assert caught.value.detail == f"group {place // 5 + 1}"


def test_no_guess_opens(made: NewVault) -> None:
    header = load_header(made.session.folder).header
    numbers = random.Random(20261122)
    accepted = 0
    for _ in range(GUESSES):
        guess = RecoveryCode(numbers.getrandbits(SECRET_BITS).to_bytes(18, "big"))
        try:
            open_recovery_slot(header, guess)
        except WrongPassphrase:
            continue
        accepted += 1
    figures["guessed recovery codes"] = f"{GUESSES:,} tried, {accepted} accepted"
    assert accepted == 0


def test_the_right_code_opens_and_is_worth_nothing_once_it_was_used_and_replaced(tmp_path: Path) -> None:
    home = Home(tmp_path)
    new = create_vault(home.app, tmp_path / "Thuis", PASSPHRASE)
    new.session.lock()
    session = unlock_with_code(home.app, new.session.folder, new.recovery_code_text)
    change_passphrase(session, "heel andere woorden dan net")
    fresh = renew_recovery_code(session)
    session.lock()
    with pytest.raises(WrongPassphrase):
        unlock_with_code(home.app, session.folder, new.recovery_code_text)
    unlock_with_code(home.app, session.folder, fresh).lock()
