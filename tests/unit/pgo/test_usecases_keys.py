"""The ways into a vault and how they are changed: key ring, renewal of the vault key, price of a guess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crypto.passphrase import Argon2Parameters, Price
from pgo.errors import KeyLost, KeyringRefused, StoreDamaged, WrongPassphrase
from pgo.store.journal import Event
from pgo.usecases import keys, unlock
from pgo.usecases.collect import collect
from pgo.usecases.read import overview
from pgo.usecases.session import Application, Session
from tests.support.applications import CHEAP, PASSPHRASE
from tests.support.keyrings import InMemory, Refusing, keeper
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

OTHER = "heel andere woorden dan net"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "vaults")


@pytest.fixture
def ring() -> InMemory:
    return InMemory()


@pytest.fixture
def app(home: Home, ring: InMemory) -> Application:
    return replace(home.app, keyring=keeper(ring))


def made(app: Application) -> unlock.NewVault:
    return unlock.create_vault(app, app.vaults / "Thuis", PASSPHRASE)


def ignore(_share: float) -> None:
    pass


def reopened(session: Session) -> Session:
    session.lock()
    return unlock.unlock(session.app, session.folder, PASSPHRASE)


# ---------------------------------------------------------------- key ring
def test_the_key_ring_is_off_until_it_is_switched_on(app: Application, ring: InMemory) -> None:
    session = made(app).session
    assert not keys.key_facts(session).in_keyring
    session.lock()
    assert not unlock.vaults(app)[0].keyring
    with pytest.raises(KeyringRefused):
        unlock.unlock_with_keyring(app, session.folder)


def test_the_key_ring_opens_once_on_and_not_once_off(app: Application, ring: InMemory) -> None:
    session = made(app).session
    keys.keyring_on(session)
    session.lock()
    assert unlock.vaults(app)[0].keyring
    session = unlock.unlock_with_keyring(app, session.folder)
    keys.keyring_off(session)
    assert ring.kept == {}
    session.lock()
    with pytest.raises(KeyringRefused, match="keyring_empty"):
        unlock.unlock_with_keyring(app, session.folder)
    unlock.unlock(app, session.folder, PASSPHRASE).lock()


def test_a_secret_that_was_copied_opens_nothing_after_switching_off(app: Application, ring: InMemory) -> None:
    session = made(app).session
    keys.keyring_on(session)
    copied = dict(ring.kept)
    keys.keyring_off(session)
    session.lock()
    ring.kept.update(copied)
    with pytest.raises(KeyLost):
        unlock.unlock_with_keyring(app, session.folder)


def test_a_new_passphrase_drops_the_key_ring(app: Application, ring: InMemory) -> None:
    session = made(app).session
    keys.keyring_on(session)
    keys.change_passphrase(session, OTHER)
    assert not keys.key_facts(session).in_keyring
    assert ring.kept == {}
    session.lock()
    unlock.unlock(app, session.folder, OTHER).lock()


def test_a_key_ring_that_refuses_changes_nothing(app: Application) -> None:
    session = made(replace(app, keyring=keeper(Refusing()))).session
    with pytest.raises(KeyringRefused):
        keys.keyring_on(session)
    assert not keys.key_facts(session).in_keyring
    assert Event.KEYRING_ON not in {line.event for line in session.store.journal.lines()}
    session.lock()


def test_without_a_key_ring_the_app_says_so(home: Home) -> None:
    session = made(home.app).session
    with pytest.raises(KeyringRefused, match="keyring_absent"):
        keys.keyring_on(session)
    session.lock()


# ---------------------------------------------------------------- the vault key
def test_a_renewed_vault_holds_the_same_and_the_old_file_is_gone(app: Application) -> None:
    new = made(app)
    collect(new.session, a_bundle(a_patient(), a_condition("c1")), name="a.json")
    before = overview(new.session)
    seen: list[float] = []
    renewal = keys.renew_vault_key(new.session, PASSPHRASE, on_progress=seen.append)
    session = renewal.session
    assert new.session.closed
    assert overview(session) == before
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert keys.key_facts(session).generation == 2
    assert not keys.recovery_confirmed(session), "the new code has to be typed back"
    assert [path.name for path in session.folder.glob("store-*.db")] == ["store-2.db"]
    session.lock()
    with pytest.raises(WrongPassphrase):
        unlock.unlock_with_code(app, session.folder, new.recovery_code_text)
    session = unlock.unlock_with_code(app, session.folder, renewal.recovery_code_text)
    unlock.check_vault(session)
    session.lock()


def test_an_old_header_with_the_old_passphrase_opens_nothing_after_renewal(app: Application) -> None:
    session = made(app).session
    session.lock()
    old_header = (session.folder / "vault.hdr").read_bytes()
    session = keys.renew_vault_key(
        unlock.unlock(app, session.folder, PASSPHRASE), PASSPHRASE, on_progress=ignore
    ).session
    session.lock()
    (session.folder / "vault.hdr").write_bytes(old_header)
    with pytest.raises(StoreDamaged, match="database_missing"):
        unlock.unlock(app, session.folder, PASSPHRASE)


def test_renewal_needs_the_present_passphrase(app: Application) -> None:
    session = made(app).session
    with pytest.raises(WrongPassphrase):
        keys.renew_vault_key(session, OTHER, on_progress=ignore)
    assert not session.closed
    assert keys.key_facts(session).generation == 1
    session.lock()


def test_renewal_wraps_the_key_ring_anew(app: Application) -> None:
    session = made(app).session
    keys.keyring_on(session)
    session = keys.renew_vault_key(session, PASSPHRASE, on_progress=ignore).session
    session.lock()
    unlock.unlock_with_keyring(app, session.folder).lock()


def test_renewal_goes_on_without_a_key_ring_that_refuses(app: Application) -> None:
    session = made(app).session
    keys.keyring_on(session)
    session.lock()
    refusing = replace(app, keyring=keeper(Refusing()))
    session = unlock.unlock(refusing, session.folder, PASSPHRASE)
    session = keys.renew_vault_key(session, PASSPHRASE, on_progress=ignore).session
    assert not keys.key_facts(session).in_keyring
    session.lock()


def test_stopping_a_renewal_leaves_the_vault_open_and_whole(app: Application) -> None:
    session = made(app).session

    def stop(_share: float) -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        keys.renew_vault_key(session, PASSPHRASE, on_progress=stop)
    assert [path.name for path in session.folder.glob("store-*.db")] == ["store-1.db"]
    unlock.check_vault(session)
    unlock.check_vault(reopened(session))


# ---------------------------------------------------------------- the price of a guess
def test_a_new_passphrase_costs_what_was_measured_and_that_is_shown(home: Home) -> None:
    dear = Price(Argon2Parameters(memory_kib=128 * 1024, iterations=1, lanes=4), 0.731)
    session = made(replace(home.app, calibrate=lambda: dear)).session
    facts = keys.key_facts(session)
    assert (facts.memory_mib, facts.seconds) == (128, 0.73)
    session.lock()


def test_what_was_not_measured_is_not_shown(home: Home) -> None:
    session = made(home.app).session
    facts = keys.key_facts(session)
    assert (facts.memory_mib, facts.seconds) == (CHEAP.memory_kib // 1024, None)
    session.lock()
