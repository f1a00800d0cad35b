"""Stores of every version of the tables open today with everything in them; later ones are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from recipient import audit, holdings
from recipient.accounts import accounts
from recipient.config import KEY_NAME
from recipient.errors import Unusable
from recipient.identity import load_identity
from recipient.migrations import STEPS, VERSION, Step, migrate
from recipient.store import create_store, open_store
from tests.support.clinical import small_record
from tests.support.recipient_direct import a_patient_of, look, push

STORES = Path(__file__).resolve().parents[2] / "vectors" / "recipient_stores"
KEPT = sorted(STORES.iterdir())


def copy_of(kept: Path, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path / "recipient"
    shutil.copytree(kept, folder)
    for path in folder.iterdir():
        path.chmod(0o600)
    return folder, json.loads((folder / "expected.json").read_text("ascii"))


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)
def test_an_old_store_opens_with_everything_in_it(kept: Path, tmp_path: Path) -> None:
    folder, expected = copy_of(kept, tmp_path)
    store = open_store(folder)
    try:
        assert store.row("PRAGMA user_version") == (VERSION,)
        staying, leaving = expected["staying"], expected["leaving"]
        rows = holdings.held(store, staying)
        assert sorted(row.reference for row in rows) == expected["shown"]
        assert all(json.loads(row.raw)["resourceType"] in row.reference for row in rows)
        assert holdings.held(store, leaving) == ()
        gone = holdings.holding_of(store, leaving)
        assert gone is not None
        assert (gone.state, gone.sequence) == (holdings.ERASED, 2)
        assert audit.head(store, staying).sequence == expected["looks"]
        assert load_identity(store).recipient_id == "ura:00000123"
        ((account, is_open),) = accounts(store)
        fresh = a_patient_of(store, 3)
        push(store, fresh, small_record())
        assert is_open
        assert len(look(store, account, fresh)) == len(small_record())
    finally:
        store.close()
    open_store(folder).close()  # and again: nothing is missing now


def test_a_later_store_is_refused_politely_and_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_store(tmp_path).close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr("recipient.store_sqlcipher.migrate", lambda store: migrate(store, STEPS[:-1]))
    with pytest.raises(Unusable, match="store_newer"):
        open_store(tmp_path)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name: after[name] for name in before} == before


def test_a_step_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    store = create_store(tmp_path)
    half = Step("half", ("CREATE TABLE one (x TEXT) STRICT", "CREATE TABLE sender (x TEXT) STRICT"))
    with pytest.raises(Exception, match="already exists"):
        migrate(store, [*STEPS, half])
    assert store.row("PRAGMA user_version") == (VERSION,)
    assert store.row("SELECT count(*) FROM sqlite_master WHERE name = 'one'") == (0,)
    whole = Step("whole", ("CREATE TABLE one (x TEXT) STRICT",))
    assert migrate(store, [*STEPS, whole]) == 1
    assert migrate(store, [*STEPS, whole]) == 0
    store.close()


def test_steps_have_names_of_their_own() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS)


def test_vectors_hold_nothing_but_store_key_and_what_to_expect() -> None:
    for kept in KEPT:
        assert {KEY_NAME, "recipient.db", "expected.json"} <= {path.name for path in kept.iterdir()}
