"""Several people look at once: no look waits for another, and what is shown still stands when it is written.

A gate holds one look after it has read and decided, before it is written down. Both databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import pytest

from recipient import audit, treating
from recipient.accounts import Account
from recipient.audit_check import verify_all
from recipient.directory import Wish
from recipient.errors import Purged, ReasonNeeded
from recipient.holdings import holding_of
from recipient.identity import load_identity
from recipient.look import Item, Look
from recipient.reading import Reader
from recipient.store import Store
from tests.support import clinical
from tests.support.patient_side import PatientSide
from tests.support.recipient_direct import AT, a_patient_of, found, push, withdraw
from tests.support.recipient_stores import Place

PATIENCE = 60.0  # seconds; only a failing test waits that long
WRITERS, EACH = 8, 5


@dataclass
class Gate:
    """Takes all items of a look, the first time not before somebody opens it."""

    inside: Event = field(default_factory=Event)
    open: Event = field(default_factory=Event)
    items: tuple[Item, ...] = ()

    def choose(self, look: Look) -> Gate:
        self.items = look.items
        self.inside.set()
        assert self.open.wait(PATIENCE)
        return self


@dataclass
class World:
    """A recipient with one reader in memory, and two patients who share."""

    store: Store
    account: Account
    reader: Reader
    first: PatientSide
    second: PatientSide

    def handle(self, patient: PatientSide) -> str:
        holding = holding_of(self.store, patient.sub)
        assert holding is not None
        return holding.handle

    def log(self, patient: PatientSide) -> list[tuple[str, bool]]:
        """Action of each event, and whether it showed anything."""
        return [(one.action, bool(one.categories)) for one in audit.entries_after(self.store, patient.sub, 0)]

    @contextmanager
    def held(self, patient: PatientSide) -> Iterator[tuple[Gate, Future[Gate]]]:
        """A look that has been decided and is not written down yet; it goes on at the end of the block."""
        gate = Gate()
        with ThreadPoolExecutor(1) as pool:
            try:
                waiting = pool.submit(
                    self.reader.choose,
                    self.account,
                    self.handle(patient),
                    action=audit.API_ALL,
                    choose=gate.choose,
                    at=AT,
                )
                assert gate.inside.wait(PATIENCE)
                yield gate, waiting
            finally:
                gate.open.set()


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    store = place.create()
    account = found(store)
    patients = [a_patient_of(store, number) for number in (1, 2)]
    for patient in patients:
        push(store, patient, clinical.small_record())
    yield World(store, account, Reader(store, load_identity(store)), *patients)
    store.close()


def meanwhile(work: Callable[[], object]) -> None:
    """Do something in a thread of its own; fail when it does not end."""
    pool = ThreadPoolExecutor(1)
    try:
        pool.submit(work).result(PATIENCE / 2)
    finally:
        pool.shutdown(wait=False)


@pytest.mark.parametrize("whose", ["first", "second"])
def test_a_look_does_not_wait_for_another_one(world: World, whose: str) -> None:
    patient: PatientSide = getattr(world, whose)
    with world.held(world.first) as (_, waiting):
        meanwhile(lambda: world.reader.open_record(world.account, world.handle(patient), at=AT))
        meanwhile(lambda: world.reader.list_patients(world.account, Wish(), already_listed=set(), at=AT))
        assert not waiting.done()
        assert world.log(patient) == [("open", True), ("list", True)]
    assert waiting.result(PATIENCE).items
    assert world.log(world.first)[-1] == ("api_all", True)


def test_a_delivery_does_not_wait_for_a_look(world: World) -> None:
    with world.held(world.first) as (_, waiting):
        meanwhile(lambda: push(world.store, world.second, [clinical.lab("l9", "2026-01-09", "9.0")]))
        assert not waiting.done()


def test_what_is_withdrawn_before_a_look_is_written_down_is_not_shown(world: World) -> None:
    with world.held(world.first) as (gate, waiting):
        assert gate.items
        meanwhile(lambda: withdraw(world.store, world.first))
    with pytest.raises(Purged):
        waiting.result(PATIENCE)
    assert world.log(world.first) == [("api_all", False)]


def test_what_came_before_a_look_is_written_down_is_in_it(world: World) -> None:
    with world.held(world.first) as (gate, waiting):
        before = {item.reference for item in gate.items}
        meanwhile(lambda: push(world.store, world.first, [clinical.lab("l9", "2026-01-09", "9.0")]))
    after = {item.reference for item in waiting.result(PATIENCE).items}
    assert after - before == {"Observation/l9"}
    assert world.log(world.first) == [("api_all", True)]


def test_grounds_that_end_before_a_look_is_written_down_open_nothing(world: World) -> None:
    with world.held(world.first) as (_, waiting), world.store.transaction():
        treating.save_setting(world.store, world.account.id, patients=treating.OWN, team="")
    with pytest.raises(ReasonNeeded):
        waiting.result(PATIENCE)
    assert world.log(world.first) == []


def test_the_chain_of_one_patient_holds_with_many_writers(world: World) -> None:
    def look(number: int) -> None:
        patient = world.second if number % 4 == 0 else world.first
        world.reader.open_record(world.account, world.handle(patient), at=AT)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(look, range(WRITERS * EACH)))
    assert verify_all(world.store).faults == ()
    assert len(world.log(world.first)) == WRITERS * EACH * 3 // 4
    assert len(world.log(world.second)) == WRITERS * EACH // 4
