"""A vault against a model that cannot fail: whatever is done, crashed, restored and reopened, both agree.

The machine writes, imports, throws away, crashes with the log as it lies, loses the shared memory file,
breaks off transactions, locks, changes its secrets, backs up, restores and renews the vault key. After every
step the vault holds exactly what the model says was acknowledged (guide security 4, "State machine").
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pgo.store.opening import open_with_code
from pgo.store.vault import Vault
from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.collect import collect
from pgo.usecases.keys import renew_recovery_code, renew_vault_key
from pgo.usecases.medicate import keep_form, kept_form, remove
from pgo.usecases.medicate import restore as put_back
from pgo.usecases.session import Session
from pgo.usecases.unlock import create_vault, unlock, unlock_with_code
from tests.support.applications import PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.fault_scenarios import small_change
from tests.support.scale import cases
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

EXAMPLES, STEPS = 50, 25
done: Counter[str] = Counter()


class PowerCut(Exception):
    """Breaks a transaction off."""


@dataclass
class Model:
    """What the person was told is kept."""

    number: int = 0
    records: dict[str, bool] = field(default_factory=dict)
    form: str = ""


class VaultMachine(RuleBasedStateMachine):
    """One vault; ``session`` is None while it is locked."""

    @initialize()
    def make(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="vault-machine-"))
        self.home = Home(self.root / "vaults")
        made = create_vault(self.home.app, self.home.folder / "Thuis", PASSPHRASE)
        self.folder, self.code = made.session.folder, made.recovery_code_text
        self.session: Session | None = made.session
        self.model = Model()
        self.backups: list[tuple[Path, str, Model]] = []
        self.crashes, self.renewed = 0, False

    def teardown(self) -> None:
        if hasattr(self, "root"):
            if self.session is not None:
                self.session.lock()
            shutil.rmtree(self.root)

    @property
    def open(self) -> Session:
        assert self.session is not None
        return self.session

    @precondition(lambda self: self.session is not None)
    @rule()
    def change(self) -> None:
        self.model.number += 1
        small_change(self.open, self.model.number)

    @precondition(lambda self: self.session is not None)
    @rule(words=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
    def type_into_a_form(self, words: str) -> None:
        keep_form(self.open, "medication", {"name": words})
        self.model.form = words

    @precondition(lambda self: self.session is not None)
    @rule(names=st.sets(st.sampled_from("abcdefgh"), min_size=1, max_size=4))
    def take_in_a_file(self, names: set[str]) -> None:
        fresh = [a_condition(name, text=f"Klacht {name}") for name in sorted(names)]
        collect(self.open, a_bundle(a_patient(), *fresh), name="file.json")
        for name in names:
            self.model.records.setdefault(name, True)

    @precondition(lambda self: self.session is not None and self.model.records)
    @rule(data=st.data())
    def throw_away_or_put_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.records)))
        number, _ = self.held()[name]
        if self.model.records[name]:
            remove(self.open, number)
        else:
            put_back(self.open, number)
        self.model.records[name] = not self.model.records[name]

    @precondition(lambda self: self.session is not None)
    @rule()
    def break_a_transaction_off(self) -> None:
        with pytest.raises(PowerCut):
            self.half_a_change()

    @precondition(lambda self: self.session is not None)
    @rule(keep_shared_memory=st.booleans())
    def crash(self, keep_shared_memory: bool) -> None:
        """Go on with the files as they lie at this moment; the old process never gets to lock."""
        self.crashes += 1
        done["crashes"] += 1
        crashed = self.root / f"crash{self.crashes}" / self.folder.name
        shutil.copytree(self.folder, crashed)
        self.open.lock()
        shutil.rmtree(self.folder)
        crashed.rename(self.folder)
        if not keep_shared_memory:
            for path in self.folder.glob("*-shm"):
                path.unlink()
        self.session = None

    @precondition(lambda self: self.session is not None)
    @rule()
    def lock(self) -> None:
        self.open.lock()
        self.session = None

    @precondition(lambda self: self.session is None)
    @rule()
    def unlock(self) -> None:
        self.session = unlock_with_code(self.home.app, self.folder, self.code)

    @precondition(lambda self: self.session is None)
    @rule()
    def unlock_with_the_passphrase(self) -> None:
        self.session = unlock(self.home.app, self.folder, PASSPHRASE)

    @precondition(lambda self: self.session is not None)
    @rule()
    def renew_the_code(self) -> None:
        self.code = renew_recovery_code(self.open)

    @precondition(lambda self: self.session is not None and not self.renewed)  # once: it takes its time
    @rule()
    def renew_the_key(self) -> None:
        self.renewed = True
        done["renewals"] += 1
        renewal = renew_vault_key(self.open, PASSPHRASE, on_progress=lambda _share: None)
        self.session, self.code = renewal.session, renewal.recovery_code_text

    @precondition(lambda self: self.session is not None)
    @rule()
    def back_up(self) -> None:
        self.home.clock.forward(minutes=1)
        code = self.code
        made = make_backup(self.open, self.root / "backups")
        self.backups.append((made.path, code, deepcopy(self.model)))

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def put_a_backup_back(self, data: st.DataObject) -> None:
        done["restores"] += 1
        self.be_locked()
        path, code, model = data.draw(st.sampled_from(self.backups))
        restore(self.home.app, path, self.folder, Secret(code, is_code=True), accept_older=True)
        self.code, self.model = code, deepcopy(model)

    @invariant()
    def vault_and_model_agree(self) -> None:
        if getattr(self, "session", None) is None:
            return
        done["comparisons"] += 1
        store = self.open.store
        assert int(store.settings.get("fault.number") or 0) == self.model.number
        kept = kept_form(self.open, "medication")
        assert ("" if kept is None else kept["name"]) == self.model.form
        assert {name: kept for name, (_, kept) in self.held().items()} == self.model.records

    def be_locked(self) -> None:
        if self.session is not None:
            self.session.lock()
            self.session = None

    def half_a_change(self) -> None:
        with self.open.store.write(self.open.now()):
            self.open.store.settings.put("fault.number", -1)
            raise PowerCut

    def held(self) -> dict[str, tuple[int, bool]]:
        """Number of each condition, and whether it is outside the trash."""
        store = self.open.store
        assert isinstance(store, Vault)
        rows = store._engine.rows(
            "SELECT resource_id, id, deleted_at IS NULL FROM record WHERE type = 'Condition'"
        )
        return {str(name): (number, bool(kept)) for name, number, kept in rows}


@pytest.mark.timeout(7200)
def test_a_vault_loses_nothing_whatever_happens() -> None:
    run_state_machine_as_test(
        VaultMachine,
        settings=settings(
            max_examples=cases(EXAMPLES),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[*HealthCheck],
        ),
    )
    figures["state machine of a vault"] = (
        f"{done['comparisons']} comparisons with the model, {done['crashes']} crashes,"
        f" {done['restores']} restores, {done['renewals']} renewals of the key, 0 differences"
    )
    assert done["crashes"]
    assert done["restores"]


def test_a_planted_loss_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault that forgets its log at opening disagrees with the model at once."""
    real = open_with_code

    def forgets(folder: Path, code: str) -> object:
        for path in folder.glob("*-wal"):
            path.unlink()
        return real(folder, code)

    monkeypatch.setattr("pgo.usecases.unlock.open_with_code", forgets)
    monkeypatch.setattr("pgo.store.vault.Vault.check_identity", lambda self: None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            VaultMachine,
            settings=settings(
                max_examples=60,
                report_multiple_bugs=False,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=True,
                database=None,
                print_blob=False,
                phases=[Phase.generate],
                suppress_health_check=[*HealthCheck],
            ),
        )
