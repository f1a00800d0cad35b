"""A vault of every version opens today with everything in it; one of a later version is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pgo.errors import VaultTooNew
from pgo.store import migrations
from pgo.store import vault as vault_module
from pgo.store.migrations import STEPS, schema_version
from pgo.store.vault import Vault
from pgo.usecases.collect import collect
from pgo.usecases.read import counts_by_type
from pgo.usecases.session import Session
from pgo.usecases.settings import settings
from pgo.usecases.unlock import check_vault, unlock
from tests.conftest import PROJECT
from tests.support.applications import PASSPHRASE
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

VAULTS = PROJECT / "tests" / "vectors" / "vaults"
VERSIONS = range(1, len(STEPS) + 1)


def copy_of(version: int, tmp_path: Path) -> Path:
    return Path(shutil.copytree(VAULTS / f"v{version}", tmp_path / "vaults" / "Oud"))


def opened(folder: Path) -> tuple[Session, Vault]:
    session = unlock(Home(folder.parent).app, folder, PASSPHRASE)
    store = session.store
    assert isinstance(store, Vault)
    return session, store


def test_there_is_a_vault_of_every_version() -> None:
    missing = [number for number in VERSIONS if not (VAULTS / f"v{number}").is_dir()]
    assert missing == [], "a new step needs its vault: run tools/make_old_vaults.py"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_vault_opens_with_everything_in_it(version: int, tmp_path: Path) -> None:
    folder = copy_of(version, tmp_path)
    expected = json.loads((folder / "expected.json").read_text(encoding="ascii"))
    session, store = opened(folder)
    assert schema_version(store._engine) == len(STEPS)
    assert counts_by_type(session) == expected["records"]
    assert store.journal.head()[0] >= expected["journal"]
    assert len(store.ledger.grants()) == expected["grants"]
    assert len(store.ledger.withdrawals()) == expected["withdrawals"]
    assert settings(session).language == "en"
    check_vault(session)
    collect(session, a_bundle(a_patient(), a_condition("new")), name="new.json")
    session.lock()
    session, _ = opened(folder)
    assert counts_by_type(session)["Condition"] == expected["records"]["Condition"] + 1
    session.lock()


def test_a_later_vault_is_refused_politely_and_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of(len(STEPS), tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for module in (migrations, vault_module):
        monkeypatch.setattr(module, "STEPS", STEPS[:-1])  # the program of yesterday
    with pytest.raises(VaultTooNew):
        unlock(Home(folder.parent).app, folder, PASSPHRASE)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("later", [b"2", b"10", b"9999"])
def test_a_later_form_of_the_header_is_told_apart_from_damage(tmp_path: Path, later: bytes) -> None:
    folder = copy_of(len(STEPS), tmp_path)
    header = folder / "vault.hdr"
    header.write_bytes(header.read_bytes().replace(b"PGO-VAULT 1", b"PGO-VAULT " + later, 1))
    with pytest.raises(VaultTooNew):
        unlock(Home(folder.parent).app, folder, PASSPHRASE)


def test_a_step_that_fails_leaves_the_steps_before_it_done_and_nothing_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of(1, tmp_path)
    good = ("CREATE TABLE later (id INTEGER PRIMARY KEY)",)
    half = ("CREATE TABLE latest (id INTEGER PRIMARY KEY)", "INSERT INTO nowhere VALUES (1)")
    with monkeypatch.context() as patch:
        for module in (migrations, vault_module):
            patch.setattr(module, "STEPS", (*STEPS, good, half))
        with pytest.raises(Exception, match="nowhere"):
            unlock(Home(folder.parent).app, folder, PASSPHRASE)
        for module in (migrations, vault_module):
            patch.setattr(module, "STEPS", (*STEPS, good))
        session, store = opened(folder)
        names = {str(row[0]) for row in store._engine.rows("SELECT name FROM sqlite_master")}
        assert "later" in names
        assert "latest" not in names
        assert schema_version(store._engine) == len(STEPS) + 1
        session.lock()
