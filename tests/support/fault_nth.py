"""One run with one injected fault, and the judgement of what it left.

The child does its steps one by one. A step that answers "done" is acknowledged. A step that answers with an
error is tried again once the fault is gone, as a person would; when that fails the vault is closed, opened
and the step tried once more. Then the folder is examined in this process:

1. the vault opens, with the newest acknowledged secrets or, for a step in flight, with its new ones;
2. it holds exactly the state after k steps, k between what was acknowledged and what was tried;
3. every error had a type; after the fault was gone the step went through.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from pgo.store.files import previous
from pgo.store.header import HEADER_NAME
from pgo.store.opening import vault_present
from tests.support.fault_bases import Base
from tests.support.fault_child import Order
from tests.support.fault_driver import Child, Fault, Gone, child, count_calls
from tests.support.fault_examine import Found, State, examine, opening_secrets
from tests.support.fault_scenarios import PASSPHRASES, VAULT

_MAKE_CODES = {"setup": 1, "recovery": 2, "renewal": 1}
"""How many of a scenario's first steps make a recovery code."""


@dataclass(frozen=True)
class Rehearsal:
    """A scenario without faults: the state after each number of steps, and the calls that could fail."""

    scenario: str
    base: Base
    states: tuple[State | None, ...]
    calls: dict[str, int]


@dataclass
class Run:
    """What one run did and what is wrong with what it left; ``wrong`` is empty for a good run."""

    what: str
    done: int = 0
    tried: int = 0
    killed: bool = False
    errors: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def rehearse(scenario: str, base: Base, scratch: Path, calls: tuple[str, ...]) -> Rehearsal:
    """Run a scenario without faults: once to see the states, again to count the calls, if any are named."""
    place = base.copy(scratch / "rehearsal")
    codes = [base.code]
    states = [_state_now(place, codes, scratch)]
    with child(Order(scenario, place, base.code)) as actor:
        for step in range(actor.steps):
            learned = done_without_fault(actor, step)
            codes += [learned] if learned else []
            states.append(_state_now(place, codes, scratch))
    counted = _counted(scenario, base, scratch, calls) if calls else {}
    return Rehearsal(scenario, base, tuple(states), counted)


def done_without_fault(actor: Child, step: int) -> str:
    """Do a step that has to succeed; return what the person learned."""
    answer = actor.ask(step=step)
    if "error" in answer:
        raise RuntimeError(f"step {step} fails without any fault: {answer}")
    return str(answer["done"])


def _counted(scenario: str, base: Base, scratch: Path, calls: tuple[str, ...]) -> dict[str, int]:
    place = base.copy(scratch / "rehearsal")
    with child(Order(scenario, place, base.code)) as actor:
        return count_calls(actor, calls, scratch / "calls.txt")


def _state_now(place: Path, codes: list[str], scratch: Path) -> State | None:
    if not (place / VAULT).exists():
        return None
    copy = scratch / "state"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(place / VAULT, copy)
    found = examine(copy, code=codes[-1])
    if found.state is None:
        raise RuntimeError(f"a vault without any fault is refused: {found.refused}")
    return found.state


def run_with_fault(plan: Rehearsal, fault: Fault, scratch: Path, *, planted: str = "") -> Run:
    """Do the scenario with one fault and judge what is left."""
    place = plan.base.copy(scratch / "case")
    run = Run(f"{plan.scenario}: {fault}", codes=[plan.base.code])
    with child(Order(plan.scenario, place, plan.base.code, planted)) as actor:
        actor.attach(*fault.options(place))
        try:
            _do_steps(actor, run)
        except Gone:
            run.killed = True
    if run.killed and fault.effect != "KILL":
        run.wrong.append("the process died of an error it should have reported")
    judge(plan, run, place / VAULT)
    return run


def _do_steps(actor: Child, run: Run) -> None:
    for step in range(actor.steps):
        run.tried = step + 1
        answer = actor.ask(step=step)
        if "error" in answer:
            run.errors.append(f"{answer['error']} {answer['reason']}".strip())
            answer = _try_again(actor, step, run)
        if answer.get("done"):
            run.codes.append(answer["done"])
        run.done = step + 1
    actor.detach()
    answer = actor.ask(end=True)
    if "error" in answer:
        run.wrong.append(f"locking fails after the fault is gone: {answer}")


def _try_again(actor: Child, step: int, run: Run) -> dict[str, str]:
    actor.detach()  # the disk has room again, the cable is back
    answer = actor.ask(step=step)
    if "error" in answer:
        run.errors.append(f"again {answer['error']} {answer['reason']}".strip())
        actor.ask(reopen=True)
        answer = actor.ask(step=step)
    if "error" in answer:
        run.wrong.append(f"the step does not go through after the fault is gone: {answer}")
        raise Gone
    return answer


def judge(plan: Rehearsal, run: Run, folder: Path) -> None:
    """Examine the folder by the three rules of this module."""
    run.wrong += [f"an error without a type: {error}" for error in run.errors if "untyped" in error]
    if not vault_present(folder):
        if run.done or plan.states[0] is not None:
            run.wrong.append("the vault is gone")
        return
    found = _examine_with_secrets(plan, run, folder)
    allowed = plan.states[run.done : run.tried + 1]
    if found.state is None:
        run.wrong.append(f"locked out: {found.refused}")
    elif found.state not in allowed:
        later = found.state in plan.states[: run.done]
        run.wrong.append("an acknowledged change is lost" if later else "a state between two steps")


def _examine_with_secrets(plan: Rehearsal, run: Run, folder: Path) -> Found:
    try:
        opening = opening_secrets(folder, _passphrases(plan), tuple(code for code in run.codes if code))
    except Exception as exc:  # any failure to read the header is a lock-out, whatever its name
        return Found(None, f"header: {type(exc).__name__}")
    run.wrong += wrong_secrets(plan.scenario, run, opening)
    code = next((code for code in run.codes if code in opening), "")
    passphrase = next((one for one in PASSPHRASES if one in opening), "")
    if run.done == run.tried and run.done:
        run.wrong += _old_secrets_in_previous(run, folder, opening)
    return examine(folder, code=code, passphrase=passphrase)


def _passphrases(plan: Rehearsal) -> tuple[str, ...]:
    """Those that may open; each one that is tried on a new slot costs its full price."""
    return PASSPHRASES if plan.scenario == "passphrase" else PASSPHRASES[:1]


def wrong_secrets(scenario: str, run: Run, opening: frozenset[str]) -> list[str]:
    """Compare what opens with what must: the newest acknowledged secret, or the one in flight instead."""
    passphrases = [one for one in PASSPHRASES if one in opening]
    changed = range(run.done, run.tried + 1) if scenario == "passphrase" else range(1)
    wrong = [] if passphrases in [[PASSPHRASES[one]] for one in changed] else ["the wrong passphrases open"]
    codes = [code for code in run.codes if code and code in opening]
    if codes not in _right_codes(scenario, run):
        wrong.append("the wrong recovery codes open")
    return wrong


def _right_codes(scenario: str, run: Run) -> list[list[str]]:
    done, tried = (min(count, _MAKE_CODES.get(scenario, 0)) for count in (run.done, run.tried))
    possible = [[code] for code in run.codes[done : tried + 1] if code]
    unknown = len(run.codes) <= tried or not run.codes[done]  # made, and lost with the process that made it
    return [*possible, []] if unknown else possible


def _old_secrets_in_previous(run: Run, folder: Path, opening: frozenset[str]) -> list[str]:
    """After an acknowledged change no file is left that an old secret opens."""
    before = previous(folder / HEADER_NAME)
    if not before.exists():
        return []
    lone = folder.with_name("previous")
    shutil.rmtree(lone, ignore_errors=True)
    lone.mkdir()
    shutil.copy(before, lone / HEADER_NAME)
    old = opening_secrets(lone, PASSPHRASES, tuple(code for code in run.codes if code)) - opening
    return ["an old secret opens the header before"] if old else []
