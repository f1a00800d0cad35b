"""kill -9 at random moments: what was acknowledged is there, what was in flight is there or not, never half.

The moments are truly random; all else repeats. One vault lives through all kills, so each opening is also
the recovery from the kill before, and is itself killed now and then (guide security 4; checks 2 and 21).
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from random import SystemRandom

import pytest

from pgo.store.journal import Event
from pgo.store.opening import open_with_code
from tests.support.fault_bases import Base, make_bases
from tests.support.fault_child import Order
from tests.support.fault_driver import Gone, child
from tests.support.fault_examine import examine
from tests.support.fault_figures import figures
from tests.support.fault_nth import rehearse
from tests.support.fault_scenarios import VAULT
from tests.support.scale import cases

RUNS = 100
IMPORT_RUNS = 40
chance = SystemRandom()


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Base]:
    return make_bases(tmp_path_factory.mktemp("bases"))


def write_and_kill(place: Path, base: Base, *, planted: str = "") -> int:
    """Let a child write until it is killed; return the number it acknowledged last, 0 for none."""
    wanted, acknowledged = chance.randint(0, 12), 0
    with child(Order("crashed", place, base.code, planted)) as actor:
        actor.tell(forever=True)
        for _ in range(wanted):
            acknowledged = actor.answer()["wrote"]
        threading.Event().wait(chance.uniform(0, 0.03))  # waits for nothing: the moment has to be any moment
        actor.kill()
        try:
            while True:  # acknowledged between our last look and the kill
                acknowledged = actor.answer()["wrote"]
        except Gone:
            return acknowledged


def written(place: Path, base: Base, scratch: Path) -> tuple[int, list[str]]:
    """How many changes a copy of the vault holds, and what does not fit together."""
    copy = scratch / "seen"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(place / VAULT, copy)
    vault = open_with_code(copy, base.code)
    try:
        vault.check()
        number = int(vault.settings.get("fault.number") or 0)
        draft = vault.drafts.about("form", f"s{number % 3}")
        saved = [line.details["record"] for line in vault.journal.lines() if line.event is Event.RECORD_SAVED]
        wrong = [] if draft is not None and draft.body["n"] == number else ["a draft of another change"]
        wrong += [] if saved == list(range(1, number + 1)) else ["the journal has other changes"]
    finally:
        vault.close()
    return number, wrong


@pytest.mark.timeout(7200)
def test_killed_while_writing_loses_nothing(bases: dict[str, Base], tmp_path: Path) -> None:
    base = bases["crashed"]
    place = base.copy(tmp_path / "case")
    known, wrong = written(place, base, tmp_path)[0], []
    before_any, writes = 0, known
    for run in range(cases(RUNS)):
        acknowledged = write_and_kill(place, base)
        before_any += acknowledged == 0
        least = max(known, acknowledged)
        number, problems = written(place, base, tmp_path)
        wrong += [f"run {run}: {problem}" for problem in problems]
        if not least <= number <= least + 1:
            wrong.append(f"run {run}: {least} acknowledged, {number} found")
        known = number
    assert not wrong, "\n".join(wrong)
    assert before_any, "no run was killed before its first write"
    figures["kill -9 while writing"] = (
        f"{cases(RUNS)} kills, {known - writes} acknowledged changes, 0 lost, 0 half"
        f" ({before_any} kills before the first write, some in the middle of opening)"
    )


def test_a_planted_early_acknowledgement_is_reported(bases: dict[str, Base], tmp_path: Path) -> None:
    """A change called saved before its commit must show up as lost."""
    lost = 0
    for _ in range(10):
        place = bases["crashed"].copy(tmp_path / "case")
        acknowledged = write_and_kill(place, bases["crashed"], planted="acknowledged before the commit")
        number, _ = written(place, bases["crashed"], tmp_path)
        lost += number < acknowledged
    assert lost, "changes acknowledged before their commit were not missed"
    figures["kill -9, planted early acknowledgement"] = f"10 kills, {lost} reported as lost"


@pytest.mark.timeout(7200)
def test_killed_while_importing_is_before_or_after(bases: dict[str, Base], tmp_path: Path) -> None:
    """At each report of progress, and at random moments; never a part of the file."""
    base = bases["long import"]
    before, after = rehearse("long import", base, tmp_path, ()).states
    with child(Order("long import", base.copy(tmp_path / "case"), base.code)) as actor:
        reports = int(actor.ask(step=0)["reports"])
    outcomes = [killed_import(base, tmp_path, at) for at in range(1, reports + 1)]
    outcomes += [killed_import(base, tmp_path, 0) for _ in range(cases(IMPORT_RUNS))]
    between = [outcome for outcome in outcomes if outcome not in (before, after)]
    assert not between, f"{len(between)} imports of {len(outcomes)} stopped in between"
    assert before in outcomes
    figures["kill -9 while importing"] = (
        f"{len(outcomes)} kills ({reports} at reports of progress): {outcomes.count(before)} before,"
        f" {outcomes.count(after)} after, {len(between)} between"
    )


def killed_import(base: Base, scratch: Path, at: int) -> object:
    """The state after an import that died at a report of progress, or (0) at a random moment."""
    place = base.copy(scratch / "case")
    with child(Order("long import", place, base.code, kill_at_progress=at)) as actor:
        actor.tell(step=0)
        if not at:
            threading.Event().wait(chance.uniform(0, 0.25))
            actor.kill()
        actor.process.join()
    found = examine(place / VAULT, code=base.code)
    return found.state if found.state is not None else found.refused
