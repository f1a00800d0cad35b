"""Damage to the access log is found and named; an incident's list is made of the same log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from recipient.accounts import Account
from recipient.affected import affected
from recipient.audit_check import Fault, verify_all
from recipient.errors import NotShared
from recipient.holdings import holding_of
from recipient.identity import load_identity
from recipient.reading import Reader
from recipient.store import Store
from tests.support import clinical
from tests.support.patient_side import PatientSide
from tests.support.recipient_direct import AT, a_patient_of, found, look, push


@pytest.fixture
def account(store: Store) -> Account:
    return replace(found(store), place="192.0.2.7")


@pytest.fixture
def patient(store: Store, account: Account) -> PatientSide:
    """Looked at five times."""
    sharing = a_patient_of(store, 1)
    push(store, sharing, clinical.small_record())
    for minute in range(5):
        look(store, account, sharing, at=AT + timedelta(minutes=minute))
    return sharing


def handle_of(store: Store, patient: PatientSide) -> str:
    holding = holding_of(store, patient.sub)
    assert holding is not None
    return holding.handle


def damage(store: Store, sql: str) -> None:
    """Change what the database refuses to change, as somebody with the key file could."""
    for table in ("access_event", "access_line"):
        for trigger in ("stays", "same"):
            store.run(f"DROP TRIGGER {table}_{trigger}")
    store.run(sql)


def test_a_log_that_holds(store: Store, patient: PatientSide) -> None:
    assert (verify_all(store).events, verify_all(store).faults) == (5, ())


def test_events_of_before_the_full_form_hold_too(store: Store, patient: PatientSide) -> None:
    """Without lines: what a store looks like on the day of the upgrade."""
    damage(store, "DELETE FROM access_line")
    assert verify_all(store).faults == ()


@pytest.mark.parametrize(
    ("sql", "steps"),
    [
        ("DELETE FROM access_event WHERE sequence = 3", {(3, 1), (4, 2), (3, 3), (4, 4)}),
        ("UPDATE access_event SET role = 'x' WHERE sequence = 2", {(2, 2), (2, 3)}),
        ("UPDATE access_event SET hash = previous WHERE sequence = 5", {(5, 2), (5, 3)}),
        ("DELETE FROM access_line WHERE sequence = 4", {(4, 3), (5, 4)}),
        ("UPDATE access_line SET line = 'x' WHERE sequence = 2", {(2, 3), (2, 4), (2, 5)}),
        ("UPDATE access_line SET seal = 'x' WHERE sequence = 5", {(5, 4)}),
        ("UPDATE access_line SET place = '192.0.2.8' WHERE sequence = 1", {(1, 5)}),
    ],
)
def test_each_damage_is_named(
    store: Store, patient: PatientSide, sql: str, steps: set[tuple[int, int]]
) -> None:
    damage(store, sql)
    handle = handle_of(store, patient)
    assert set(verify_all(store).faults) == {Fault(handle, sequence, step) for sequence, step in steps}


def test_who_was_affected(store: Store, account: Account, patient: PatientSide) -> None:
    handle = handle_of(store, patient)
    with pytest.raises(NotShared):
        Reader(store, load_identity(store)).open_item(account, handle, 999_999, at=AT + timedelta(minutes=9))
    (one,) = affected(store, since=AT + timedelta(minutes=2))
    assert (one.handle, one.accounts, one.looks, one.refused) == (handle, ("dewit",), 3, 1)
    assert "allergies" in one.categories
    (early,) = affected(store, since=AT, until=AT + timedelta(minutes=2), account="dewit")
    assert (early.looks, early.refused) == (2, 0)
    assert affected(store, since=AT, account="nobody") == ()
    assert affected(store, since=AT + timedelta(hours=1)) == ()
