"""A fault at any system call of making or putting back a backup: the vault opens, no half backup passes.

The harness is that of ``test_nth_call``; what has to hold is said here. An ordinary run draws a fixed
sample, a night run takes every call (guide security 4, rows "backup, restore").
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from pgo.errors import AppError, BackupRefused
from pgo.store.backup_format import SUFFIX
from pgo.store.backup_open import open_into, with_code
from pgo.store.opening import open_with_code
from pgo.usecases.backup import make_backup
from pgo.usecases.collect import collect
from pgo.usecases.unlock import create_vault
from tests.support.applications import PASSPHRASE
from tests.support.backups import more
from tests.support.fault_bases import Base
from tests.support.fault_child import Order
from tests.support.fault_driver import Child, Fault, Gone, child, count_calls
from tests.support.fault_figures import figures, require_strace
from tests.support.fault_scenarios import BACKUPS, VAULT, VAULTS
from tests.support.scale import is_night
from tests.support.vaults import Home, a_bundle, a_condition

CALLS = ("pwrite64", "write", "fsync", "rename", "link", "unlink", "ftruncate")
EFFECTS = ("KILL", "ENOSPC", "EIO")
PER_SCENARIO = 28
SEED = 20_261_123
BEFORE, NOW = 9, 14  # records in the backup, and in the vault

counted: Counter[str] = Counter()


@dataclass
class Run:
    """What one run did, and what is wrong with what it left."""

    what: str
    done: int = 0
    errors: list[str] = field(default_factory=list)
    killed: bool = False
    wrong: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A vault that went on after its backup was made; locked."""
    require_strace()
    place = tmp_path_factory.mktemp("backup-faults")
    made = create_vault(Home(place / VAULTS).app, place / VAULT, PASSPHRASE)
    session = made.session
    more(session, range(BEFORE - 1))
    make_backup(session, place / BACKUPS)
    collect(session, a_bundle(*(a_condition(f"n{number}") for number in range(NOW - BEFORE))), name="n")
    session.lock()
    return Base(place, made.recovery_code_text)


def chosen(scenario: str, calls: dict[str, int]) -> list[Fault]:
    """All faults at night; else a fixed draw with every kind of call and effect in it."""
    places = [(call, number) for call in CALLS for number in range(1, calls[call] + 1)]
    every = [Fault(call, effect, number) for call, number in places for effect in EFFECTS]
    every += [Fault(call, "ENOSPC", number, lasting=True) for call, number in places]
    if is_night():
        return every
    dice = Random(f"{SEED} {scenario}")
    groups = [[fault for fault in every if fault.call == call] for call in CALLS]
    share = PER_SCENARIO // sum(bool(group) for group in groups) + 1
    return [fault for group in groups for fault in dice.sample(group, min(share, len(group)))]


def do(actor: Child, run: Run) -> None:
    """Do the steps; one that fails with a type is tried again without the fault, as a person would."""
    for step in range(actor.steps):
        answer = actor.ask(step=step)
        if "error" in answer:
            run.errors.append(f"{answer['error']} {answer['reason']}".strip())
            actor.detach()
            answer = actor.ask(step=step)
            if "error" in answer:
                actor.ask(reopen=True)
                answer = actor.ask(step=step)
        if "error" in answer:
            run.wrong.append(f"step {step} does not go through after the fault is gone: {answer}")
            return
        run.done = step + 1
    actor.detach()
    actor.ask(end=True)


def run_with(scenario: str, base: Base, fault: Fault, scratch: Path) -> Run:
    place, run = base.copy(scratch / "case"), Run(f"{scenario}: {fault}")
    with child(Order(scenario, place, base.code)) as actor:
        actor.attach(*fault.options(place))
        try:
            do(actor, run)
        except Gone:
            run.killed = True
    if run.killed and fault.effect != "KILL":
        run.wrong.append("the process died of an error it should have reported")
    run.wrong += [f"an error without a type: {error}" for error in run.errors if error.startswith("untyped")]
    run.wrong += left_wrong(scenario, place, base.code, run)
    return run


def left_wrong(scenario: str, place: Path, code: str, run: Run) -> list[str]:
    """What has to hold of what is left, whatever happened."""
    wrong = _half_backups(place, code)
    try:
        vault = open_with_code(place / VAULT, code)
    except AppError as exc:
        return [*wrong, f"locked out: {exc}"]
    try:
        vault.check()
        records, restored = len(vault.records.present_ids()), vault.backups.last_restore() is not None
    finally:
        vault.close()
    if records != (BEFORE if restored else NOW):
        wrong.append(f"{records} records in a vault that is {'' if restored else 'not '}restored")
    if scenario == "backup" and restored:
        wrong.append("a backup changed which vault it is")
    if scenario == "restore" and run.done and not restored:
        wrong.append("said to be put back, and is not")
    return wrong


def _half_backups(place: Path, code: str) -> list[str]:
    """Whatever looks like a finished backup is one."""
    wrong = []
    for path in (place / BACKUPS).glob(f"*{SUFFIX}"):
        proof = place / "proof.db"
        try:
            open_into(path, proof, with_code(code))
            proof.unlink()
        except BackupRefused as exc:
            wrong.append(f"a half backup under a finished name: {exc}")
    return wrong


@pytest.mark.parametrize("scenario", ["backup", "restore"])
@pytest.mark.timeout(1800)
def test_no_fault_harms_the_vault_or_passes_a_half_backup(scenario: str, base: Base, tmp_path: Path) -> None:
    with child(Order(scenario, base.copy(tmp_path / "rehearsal"), base.code)) as actor:
        calls = count_calls(actor, CALLS, tmp_path / "calls.txt")
    runs = [run_with(scenario, base, fault, tmp_path) for fault in chosen(scenario, calls)]
    for run in runs:
        counted["runs"] += 1
        counted["killed"] += run.killed
        counted["errors"] += len(run.errors)
        counted["wrong"] += bool(run.wrong)
    figures["faults during backup and restore"] = (
        f"{counted['runs']} runs, {counted['killed']} killed, {counted['errors']} typed errors shown,"
        f" {counted['wrong']} locked out, mixed up or half-done"
    )
    wrong = [f"{run.what} (errors {run.errors}): {'; '.join(run.wrong)}" for run in runs if run.wrong]
    assert not wrong, "\n".join(wrong)
    assert any(run.killed for run in runs)
    assert any(run.errors for run in runs)


def test_a_damaged_finished_file_would_be_found(base: Base, tmp_path: Path) -> None:
    """The check that no half backup passes finds a planted one."""
    place = base.copy(tmp_path / "case")
    (file,) = (place / BACKUPS).iterdir()
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert _half_backups(place, base.code)
