"""A recipient knows which numbers of a sender never came, and tells without saying who. Both stores."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from recipient import cli
from recipient.gaps import GapCount, count_gaps, gaps
from recipient.holdings import holding_of
from recipient.metrics import Metrics
from recipient.store import Store
from recipient.verify import verify
from sync.errors import RemoteRuleError
from tests.support import clinical
from tests.support.patient_side import PatientSide
from tests.support.recipient_direct import AT, a_patient_of, push, withdraw
from tests.support.recipient_stores import Place

LATER = AT + timedelta(hours=2)


@pytest.fixture
def patient(store: Store) -> PatientSide:
    return a_patient_of(store)


def send(store: Store, patient: PatientSide, *numbers: int) -> None:
    """Deliver one record under each number, an hour after the first contact."""
    for number in numbers:
        patient.counter = number - 1
        push(store, patient, [clinical.lab(f"l{number}", "2026-01-05", "5.0")], at=LATER)


def missing(store: Store) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in gaps(store)]


def test_numbers_in_order_leave_no_gap(store: Store, patient: PatientSide) -> None:
    send(store, patient, 1, 2, 3)
    assert gaps(store) == ()


def test_a_number_left_out_is_a_gap_from_when_it_was_noticed(store: Store, patient: PatientSide) -> None:
    push(store, patient, [clinical.patient()])
    send(store, patient, 4, 7)
    holding = holding_of(store, patient.sub)
    assert holding is not None
    assert [(one.handle, one.since_at) for one in gaps(store)] == [(holding.handle, LATER)] * 2
    assert missing(store) == [(2, 3), (5, 6)]


def test_a_first_message_that_is_not_the_first_says_so(store: Store, patient: PatientSide) -> None:
    send(store, patient, 3)
    assert missing(store) == [(1, 2)]


def test_a_repeated_message_changes_nothing(store: Store, patient: PatientSide) -> None:
    send(store, patient, 1, 3, 3)
    assert missing(store) == [(2, 2)]


@pytest.mark.parametrize(
    ("late", "left"), [(2, [(3, 5)]), (5, [(2, 4)]), (4, [(2, 3), (5, 5)]), (1, [(2, 5)])]
)
def test_a_statement_that_comes_late_closes_its_part(
    store: Store, patient: PatientSide, late: int, left: list[tuple[int, int]]
) -> None:
    send(store, patient, 1, 6)
    patient.counter = late - 1
    withdraw(store, patient, at=LATER)
    patient.counter = 6
    patient.grant(at=LATER, grant_id="G2")
    push(store, patient, [clinical.patient()], at=LATER)
    assert missing(store) == left


def test_a_late_push_is_refused_and_stays_a_gap(store: Store, patient: PatientSide) -> None:
    send(store, patient, 1, 3)
    with pytest.raises(RemoteRuleError, match="late"):
        send(store, patient, 2)
    assert missing(store) == [(2, 2)]


def test_nobody_counts_the_gaps_of_who_shares_no_more(store: Store, patient: PatientSide) -> None:
    send(store, patient, 1, 3)
    assert count_gaps(store) == GapCount(gaps=1, people=1)
    withdraw(store, patient, at=LATER)
    assert count_gaps(store) == GapCount(gaps=0, people=0)


def test_what_came_before_anybody_counted_is_no_gap(store: Store, patient: PatientSide) -> None:
    send(store, patient, 1, 2)
    store.run("UPDATE sender SET heard = -1")  # as the step leaves a store of an older program
    send(store, patient, 9)
    assert missing(store) == []
    send(store, patient, 11)
    assert missing(store) == [(10, 10)]


def test_verify_and_the_figures_count_them(store: Store, patient: PatientSide) -> None:
    send(store, patient, 1, 3, 5)
    report = verify(store)
    assert report.gaps == GapCount(gaps=2, people=1)
    assert report.in_order
    metrics = Metrics()
    metrics.watch_gaps(lambda: count_gaps(store).gaps)
    assert "pgo_recipient_message_gaps 2.0" in metrics.text()


def test_the_command_lists_them_without_saying_who(
    place: Place, store: Store, patient: PatientSide, capsys: pytest.CaptureFixture[str]
) -> None:
    send(store, patient, 1, 3)
    assert cli.main(["gaps", "--data", str(place.folder)]) == 0
    told = capsys.readouterr().out
    line, total = [json.loads(one) for one in told.splitlines()]
    assert line == {
        "handle": gaps(store)[0].handle,
        "first": 2,
        "last": 2,
        "since_at": "2026-03-02T11:00:00.000000Z",
    }
    assert total == {"gaps": 1, "patients": 1}
    assert patient.sub not in told
    assert cli.main(["verify", "--data", str(place.folder)]) == 0
    assert "1 gaps in the numbers of 1 people" in capsys.readouterr().out
