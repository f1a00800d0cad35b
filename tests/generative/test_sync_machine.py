"""A patient, a device, a clinic and a line, at random: nothing leaves without a permit of that moment.

The person gives, narrows, takes back, gives again, edits and throws away; the line fails in eight ways; both
ends start again; backups are put back; the clock jumps. The tap in the line opens every message and asks an
independent, slow judge. Laws (security guide section 4, checks 26 and 29):

P2. What the app calls delivered the clinic holds, with the same receipt.
P4. Nothing leaves without a permit at that moment.
P6. Every receipt belongs to one effect.
P8. A backup put back revives nothing that the clinic knows to be taken back, and it is asked first.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from consent.codes import Category, Sensitivity
from consent.decision import GrantState
from pgo.usecases import deliver, share
from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.choices import ShareChoice
from pgo.usecases.collect import collect
from pgo.usecases.delivering import VaultPort
from pgo.usecases.medicate import remove
from pgo.usecases.objections import ObjectionChoice, object_to
from pgo.usecases.session import Session
from pgo.usecases.unlock import create_vault, unlock_with_code
from tests.support.applications import PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.scale import is_night
from tests.support.sharing import CLINIC_ID, a_record
from tests.support.sync_tap import Clinic, Tap
from tests.support.vaults import START, FixedClock, Home, a_weight

PARTS, RUNS, NIGHT_RUNS, STEPS = 4, 500, 2_000, 25
"""A life costs a fifth of a second of computing. In parts, each with figures of its own: 2,000 lives in an
ordinary run, always the same ones; 8,000 new ones at night."""
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Lives are many and their disk is not what is tested here."""
KINDS = (
    *(Category.DEMOGRAPHICS, Category.MEDICATIONS, Category.ALLERGIES),
    *(Category.PROBLEMS, Category.LABS, Category.VITALS),
)
FAULTS = ("", "lost", "late", "spoilt", "twice", "old", "unanswered", "fake")
JUMPS = (timedelta(), timedelta(seconds=301), timedelta(days=1), timedelta(days=-1), timedelta(days=-7_305))
counted: Counter[str] = Counter()


@contextlib.contextmanager
def _bases() -> Iterator[tuple[Path, str]]:
    """A vault that knows the clinic and holds eight records, and the clinic; copied for each life."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Clinic.base(folder / "clinic")
        made = create_vault(Home(folder / "v").app, folder / "v" / "vault", PASSPHRASE)
        collect(made.session, a_record(), name="dossier.json")
        share.add_recipient(made.session, (folder / "clinic" / "card.txt").read_bytes())
        made.session.lock()
        yield folder, made.recovery_code_text


class SyncMachine(RuleBasedStateMachine):
    """One life; ``base`` and ``code`` are set by the test."""

    base: Path
    code: str

    @initialize()
    def begin(self) -> None:
        counted["lives"] += 1
        self.place = Path(tempfile.mkdtemp(dir=MEMORY))
        shutil.copytree(self.base / "v", self.place / "v")
        self.true, self.device = FixedClock(START), FixedClock(START)
        self.skew, self.value, self.lives = timedelta(), 0, 0
        self.clinic = Clinic.copy(self.base / "clinic", self.place / "clinic")
        self.tap = Tap(self.clinic, self.true)
        self.vault = self.place / "v" / "vault"
        self.backup: Path | None = None
        self._open()
        self.give(set(KINDS), hiv=False, days=20)

    def _open(self) -> None:
        home = Home(self.place / "v", clock=self.device, transport=self.tap)
        self.session: Session = unlock_with_code(home.app, self.vault, self.code)
        self.tap.session = self.session

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.session.lock()
            self.clinic.store.close()
            counted["judged"] += self.tap.judged
            shutil.rmtree(self.place)

    @rule(kinds=st.sets(st.sampled_from(KINDS), min_size=1), hiv=st.booleans(), days=st.integers(0, 40))
    def give(self, kinds: set[Category], hiv: bool, days: int) -> None:
        today = self.session.today()
        choice = ShareChoice(
            recipient_id=CLINIC_ID,
            categories=frozenset(kinds),
            sensitivity=frozenset({Sensitivity.HIV} if hiv else ()),
            purpose="TREAT",
            period=(today, today + timedelta(days=days)),
        )
        share.sign_share(self.session, choice, lang="nl", shown_text="test")

    @rule(which=st.integers(0, 99))
    def take_back(self, which: int) -> None:
        held = [one for one in share.shares(self.session) if one.state is GrantState.IN_FORCE]
        if held:
            share.withdraw(self.session, held[which % len(held)].grant_id)

    @rule(kind=st.sampled_from(KINDS))
    def narrow(self, kind: Category) -> None:
        choice = ObjectionChoice(categories=frozenset({kind}))
        object_to(self.session, choice, lang="nl", shown_text="test")

    @rule()
    def edit(self) -> None:
        self.value += 1
        weight = a_weight("o2", kilos=f"70.{self.value:03d}", at="2026-10-01")
        collect(self.session, _bundle(weight), name="gewicht.json")

    @rule(which=st.integers(0, 99))
    def throw_away(self, which: int) -> None:
        numbers = sorted(self.session.store.records.present_ids())
        if len(numbers) > 3:
            remove(self.session, numbers[which % len(numbers)])

    @rule(faults=st.lists(st.sampled_from(FAULTS), max_size=4))
    def send(self, faults: list[str]) -> None:
        self._pass(minutes=1)
        self.tap.faults = list(faults)
        deliver.send_now(self.session)
        self.tap.faults = []
        self._learn()

    @rule()
    def send_over_a_good_line(self) -> None:
        self.send([])

    @rule(kind=st.sampled_from(KINDS), which=st.integers(0, 99))
    def change_and_send(self, kind: Category, which: int) -> None:
        """What a person does in one sitting: give less than before, and let it go out."""
        self.give({kind}, hiv=False, days=10)
        self.take_back(which)
        self.edit()
        self.send([])

    @rule(jump=st.sampled_from(JUMPS), hours=st.integers(1, 200))
    def time_passes(self, jump: timedelta, hours: int) -> None:
        self.skew = jump
        self._pass(hours=hours)

    def _pass(self, **time: float) -> None:
        self.true.forward(**time)
        self.device.now = self.true.now + self.skew

    @rule(device=st.booleans())
    def start_again(self, device: bool) -> None:
        if device:
            self.session.lock()
            self._open()
        else:
            self.clinic.restart()

    @rule()
    def back_up(self) -> None:
        self.backup = make_backup(self.session, self.place / "backups").path

    @rule()
    def put_back(self) -> None:
        if self.backup is None:
            return
        counted["put back"] += 1
        self._learn()
        self.session.lock()
        self.lives += 1
        home = Home(self.place / "v", clock=self.device, transport=self.tap)
        self.vault = self.place / "v" / f"again{self.lives}"
        restore(home.app, self.backup, self.vault, Secret(self.code, is_code=True))
        self.tap.must_ask = True
        self._open()

    @rule()
    def the_line_works_again(self) -> None:
        self.skew = timedelta()
        for _ in range(30):  # a day, for what was given by a clock that was a day ahead
            self._pass(hours=1)
            deliver.send_now(self.session)
            if not self.session.store.outbox.count_open():
                break
        self._learn()
        assert not self.session.store.outbox.count_open(), "everything arrives or is cancelled"
        states = {one.state for one in share.shares(self.session)}
        if states == {GrantState.WITHDRAWN}:
            assert self.clinic.held() == 0, "what was taken back is erased"
            counted["erased"] += 1

    def _learn(self) -> None:
        """Grants that were taken back and of which the clinic was told are never to be revived."""
        if not self.session.store.outbox.count_open():
            gone = [one for one in share.shares(self.session) if one.state is GrantState.WITHDRAWN]
            self.tap.withdrawn_there |= {one.grant_id for one in gone}

    @invariant()
    def nothing_left_without_a_permit(self) -> None:
        if hasattr(self, "tap"):
            assert self.tap.violations == []

    @invariant()
    def every_receipt_is_of_one_effect(self) -> None:
        if hasattr(self, "tap"):
            there = self.clinic.receipts()
            for one in self.session.store.deliveries.receipts(CLINIC_ID):
                assert there.get(one.message_id) == one.token


def _bundle(resource: str) -> bytes:
    entry = f'{{"resource":{resource}}}'
    return f'{{"resourceType":"Bundle","type":"collection","entry":[{entry}]}}'.encode()


def _run(runs: int, steps: int, part: int = 0) -> None:
    with _bases() as (base, code):
        machine = type("Life", (SyncMachine,), {"base": base, "code": code})
        run_state_machine_as_test(
            machine if is_night() else seed(part)(machine),
            settings=settings(
                max_examples=runs,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.timeout(20_000)
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_leaves_without_a_permit_of_that_moment(part: int) -> None:
    counted.clear()
    _run(NIGHT_RUNS if is_night() else RUNS, STEPS, part)
    figures[f"sync state machine, part {part + 1} of {PARTS}"] = (
        f"{counted['lives']} lives of at most {STEPS} steps, {counted['judged']:,} resources judged on the "
        f"line, 0 without a permit; {counted['put back']} backups put back, 0 grants revived; "
        f"{counted['erased']} times everything was taken back and erased"
    )
    assert counted["judged"] > counted["lives"]


@pytest.mark.timeout(900)
def test_a_decision_made_when_it_was_written_is_found() -> None:
    first: dict[str, Any] = {}
    real = VaultPort._permitted

    def as_written(port: VaultPort, card: Any, ledger: Any, *, at: Any) -> Any:
        return first.setdefault(str(port._store.vault_id), real(port, card, ledger, at=at))

    found = pytest.raises(AssertionError, match="permit")
    with mock.patch.object(VaultPort, "_permitted", as_written), found:
        _run(100, STEPS)
