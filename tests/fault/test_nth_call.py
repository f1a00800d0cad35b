"""The N-th write, sync, rename or link fails or is the last thing the process does.

Every call of every scenario is a place where a disk can be full, a cable loose or the process killed. An
ordinary run draws a fixed sample, a night run takes them all (guide security 4; checks 1, 4 and 21).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.support.fault_bases import Base, make_bases
from tests.support.fault_driver import Fault
from tests.support.fault_figures import figures, require_strace
from tests.support.fault_nth import Rehearsal, Run, rehearse, run_with_fault
from tests.support.fault_scenarios import SCENARIOS
from tests.support.scale import is_night

CALLS = ("pwrite64", "write", "fsync", "rename", "link", "unlink", "ftruncate")
EFFECTS = ("KILL", "ENOSPC", "EIO")
PER_SCENARIO = 30
PLANTED_RUNS = 12
SEED = 20_261_122

counted: Counter[str] = Counter()


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Base]:
    require_strace()
    return make_bases(tmp_path_factory.mktemp("bases"))


def every_fault(plan: Rehearsal) -> list[Fault]:
    """Each call of the rehearsal, killed or failing, once or from there on."""
    faults = []
    for call in CALLS:
        for number in range(1, plan.calls[call] + 1):
            faults += [Fault(call, effect, number) for effect in EFFECTS]
            faults.append(Fault(call, "ENOSPC", number, lasting=True))
    return faults


def chosen_faults(plan: Rehearsal) -> list[Fault]:
    """All of them at night; else a fixed draw, the rare calls (sync, rename, link) as often as the writes."""
    faults = every_fault(plan)
    if is_night():
        return faults
    dice = Random(f"{SEED} {plan.scenario}")
    by_call = [[fault for fault in faults if fault.call == call] for call in CALLS]
    share = PER_SCENARIO // len(CALLS) + 1
    return [fault for group in by_call for fault in dice.sample(group, min(share, len(group)))]


def told(run: Run) -> str:
    return f"{run.what} (done {run.done} of {run.tried}, errors {run.errors}): {'; '.join(run.wrong)}"


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.timeout(7200)
def test_no_fault_loses_or_locks_out(scenario: str, bases: dict[str, Base], tmp_path: Path) -> None:
    plan = rehearse(scenario, bases[scenario], tmp_path, CALLS)
    runs = [run_with_fault(plan, fault, tmp_path) for fault in chosen_faults(plan)]
    for run in runs:
        counted["runs"] += 1
        counted["killed"] += run.killed
        counted["errors"] += len(run.errors)
        counted["wrong"] += bool(run.wrong)
    figures["Nth-call faults"] = (
        f"{counted['runs']} runs over {len(SCENARIOS)} scenarios, {counted['killed']} killed,"
        f" {counted['errors']} typed errors shown, {counted['wrong']} lost, locked out or half-done"
    )
    wrong = [told(run) for run in runs if run.wrong]
    assert not wrong, "\n".join(wrong)
    assert any(run.killed for run in runs)
    assert any(run.errors for run in runs)


def test_a_planted_plain_overwrite_is_reported(bases: dict[str, Base], tmp_path: Path) -> None:
    """The harness finds a header that is saved the plain way (guide security 3.2: 9 lock-outs)."""
    plan = rehearse("passphrase", bases["passphrase"], tmp_path, CALLS)
    faults = [Fault(call, effect, number) for call in ("write",) for effect in EFFECTS for number in (1, 2)]
    runs = [run_with_fault(plan, fault, tmp_path, planted="plain overwrite") for fault in faults]
    found = sum("locked out" in " ".join(run.wrong) for run in runs)
    assert found, "a vault that loses its header to a full disk was not noticed"
    figures["Nth-call faults, planted plain overwrite"] = f"{len(runs)} runs, {found} lock-outs reported"
