"""What a record says by itself is found once, kept beside it, and never believed beside other bytes."""

from __future__ import annotations

from typing import Any

import pytest

from consent import facts as consent_facts
from consent.classify import classify
from recipient.accounts import Account
from recipient.holdings import Held, held
from recipient.identity import load_identity
from recipient.inbox import Inbox
from recipient.parsed import decode_held, parse_held
from recipient.store import Store
from sync.removal import build_removal
from sync.wire import Kind
from tests.support import clinical
from tests.support.patient_side import PatientSide
from tests.support.recipient_direct import a_patient_of, deliver, found, look, push

RECORD: list[dict[str, Any] | bytes] = [
    clinical.patient(),
    clinical.condition("c1", "Diabetes"),
    clinical.lab("l1", "2026-01-05", "5.0"),
]


@pytest.fixture
def account(store: Store) -> Account:
    return found(store)


@pytest.fixture
def patient(store: Store, account: Account) -> PatientSide:
    sharing = a_patient_of(store)
    push(store, sharing, RECORD)
    return sharing


def kept(store: Store, patient: PatientSide) -> dict[str, Held]:
    return {row.reference: row for row in held(store, patient.sub)}


def test_facts_are_kept_as_they_were_found(store: Store, patient: PatientSide) -> None:
    rows = kept(store, patient)
    assert len(rows) == len(RECORD)
    for row in rows.values():
        assert row.own == classify(decode_held(row).body)


def test_nothing_of_them_is_readable_in_the_database(store: Store, patient: PatientSide) -> None:
    (facts,) = {row[0] for row in store.rows("SELECT facts FROM resource WHERE reference = 'Condition/c1'")}
    assert b"44054006" not in facts
    assert b"problems" not in facts


def test_a_record_that_changed_has_new_ones(store: Store, patient: PatientSide) -> None:
    push(store, patient, [clinical.condition("c1", "Hypertensie", code="38341003")])
    row = kept(store, patient)["Condition/c1"]
    assert row.own == classify(decode_held(row).body)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE resource SET facts = (SELECT other.facts FROM resource AS other WHERE other.reference = "
        "'Observation/l1') WHERE reference = 'Condition/c1'",
        "UPDATE resource SET facts = NULL WHERE reference = 'Condition/c1'",
        "UPDATE resource SET facts = X'00' WHERE reference = 'Condition/c1'",
    ],
)
def test_what_does_not_belong_to_these_bytes_is_found_anew(
    store: Store, account: Account, patient: PatientSide, damage: str
) -> None:
    before = [one.facts for one in parse_held(held(store, patient.sub))]
    store.run(damage)
    assert kept(store, patient)["Condition/c1"].own is None
    assert [one.facts for one in parse_held(held(store, patient.sub))] == before
    assert "Condition/c1" in look(store, account, patient)


def test_facts_of_the_version_before_are_not_believed(store: Store, patient: PatientSide) -> None:
    (old,) = store.rows("SELECT facts FROM resource WHERE reference = 'Condition/c1'")
    push(store, patient, [clinical.condition("c1", "Hypertensie", code="38341003")])
    store.run("UPDATE resource SET facts = ? WHERE reference = 'Condition/c1'", old)
    assert kept(store, patient)["Condition/c1"].own is None


def test_those_of_another_table_are_found_anew(
    store: Store, patient: PatientSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_facts, "TABLE_VERSION", "another")
    assert {row.own for row in held(store, patient.sub)} == {None}


def test_they_stay_with_what_is_left_after_a_removal(store: Store, patient: PatientSide) -> None:
    deliver(Inbox(store, load_identity(store)), patient, build_removal(["Observation/l1"]), kind=Kind.REMOVAL)
    rows = kept(store, patient)
    assert set(rows) == {"Patient/p1", "Condition/c1"}
    assert all(row.own is not None for row in rows.values())
