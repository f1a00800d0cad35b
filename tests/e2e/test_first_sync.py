"""A large first share: in parcels, resumed where it stopped, nothing twice; and what never waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pgo.health.medication.entry import MedicationForm
from pgo.usecases import delivering, medicate, share
from pgo.usecases.collect import collect
from pgo.usecases.deliver import deliver, next_try_at, send_now
from pgo.usecases.unlock import unlock
from sync.wire import Kind
from tests.support.applications import PASSPHRASE
from tests.support.direct_line import Pair, a_pair

MANY = 60
PARCEL = 9


def _many() -> bytes:
    """One synthetic person with many measurements."""
    about = {"reference": "Patient/p1"}
    person = {"resourceType": "Patient", "id": "p1", "name": [{"text": "Test Persoon"}]}
    entries = [{"resource": person}] + [
        {
            "resource": {
                "resourceType": "Observation",
                "id": f"o{number}",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}], "text": "Hemoglobine"},
                "category": [
                    {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                                "code": "laboratory",
                            }
                        ]
                    }
                ],
                "subject": about,
                "effectiveDateTime": f"2026-0{1 + number % 5}-1{number % 9}",
                "valueQuantity": {"value": 8, "unit": "mmol/L"},
            }
        }
        for number in range(MANY - 1)
    ]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr(delivering, "MAX_RECORDS_PER_PUSH", PARCEL)
    made = a_pair(tmp_path)
    result = collect(made.session, _many(), name="many.json")
    assert result.imported == MANY, result
    made.give()
    yield made
    made.close()


class _Killed(BaseException):
    """The process ends here: no handler may run."""


def _killed_after(pair: Pair, messages: int) -> None:
    """Deliver until that many messages arrived, then lose the process before the answer is recorded."""
    real, left = pair.line.send, messages

    def send(*said: object, **named: object) -> bytes:
        nonlocal left
        answer = real(*said, **named)  # type: ignore[arg-type]
        left -= 1
        if left == 0:
            raise _Killed
        return answer

    pair.line.send = send  # type: ignore[method-assign]
    with pytest.raises(_Killed):
        deliver(pair.session)
    pair.line.send = real  # type: ignore[method-assign]
    folder = pair.session.folder
    pair.session.lock()
    pair.session = unlock(pair.session.app, folder, PASSPHRASE)


def _effects(pair: Pair) -> int:
    row = pair.store.row("SELECT count(*) FROM message WHERE kind = 'push'", ())
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("parcels", [1, 2, 4, 6])
def test_killed_between_parcels_it_goes_on_and_nothing_has_a_second_effect(pair: Pair, parcels: int) -> None:
    _killed_after(pair, parcels)
    (sent_before, total), resent = (len(pair.references()), MANY), pair.line.bodies[-1]
    deliver(pair.session)
    assert len(pair.references()) == total
    assert _effects(pair) == -(-MANY // PARCEL)
    assert sent_before == parcels * PARCEL
    assert resent != pair.line.bodies[-1]
    stored = [one.stored for one in pair.session.store.deliveries.receipts(pair.recipient_id)]
    assert sum(stored) == MANY  # every record in exactly one receipt


def test_the_count_on_the_way_is_right(pair: Pair) -> None:
    _killed_after(pair, 3)
    (row,) = share.shares(pair.session)
    assert (row.delivery.delivered_count, row.delivery.to_send) == (2 * PARCEL, MANY)


def test_what_is_typed_meanwhile_goes_before_the_tail(pair: Pair) -> None:
    _killed_after(pair, 3)
    form = MedicationForm(name="Paracetamol", start="2026-01-01")
    number = medicate.save_medication(pair.session, form)
    pair.line.bodies.clear()
    real = pair.line.send

    def send(*said: object, **named: object) -> bytes:
        answer = real(*said, **named)  # type: ignore[arg-type]
        if any(name.endswith(f"/r{number}") for name in pair.references()):
            raise _Killed
        return answer

    pair.line.send = send  # type: ignore[method-assign]
    with pytest.raises(_Killed):
        deliver(pair.session)
    assert len(pair.references()) < MANY
    assert len(pair.line.bodies) <= 2  # the interrupted one as it was, then the one with what was typed


def test_several_edits_before_sending_are_one_entry_and_one_record(pair: Pair) -> None:
    deliver(pair.session)
    form = MedicationForm(name="Paracetamol", start="2026-01-01")
    number = medicate.save_medication(pair.session, form)
    for dose in ("1", "2", "3"):
        medicate.save_medication(pair.session, replace(form, dosage=dose), record_id=number)
    waiting = pair.session.store.outbox.open_for(pair.recipient_id)
    assert [one.kind for one in waiting] == [Kind.PUSH]
    before = len(pair.line.bodies)
    deliver(pair.session)
    assert len(pair.line.bodies) == before + 1
    assert pair.session.store.deliveries.receipts(pair.recipient_id)[0].stored == 1


def test_a_costly_connection_holds_records_back_and_never_a_withdrawal(pair: Pair) -> None:
    folder, app = pair.session.folder, replace(pair.session.app, metered=lambda: True)
    pair.session.lock()
    pair.session = unlock(app, folder, PASSPHRASE)
    deliver(pair.session)
    assert pair.line.bodies == []
    assert next_try_at(pair.session) is None
    send_now(pair.session)  # "send anyway"
    assert len(pair.references()) == MANY
    share.withdraw(pair.session, share.shares(pair.session)[0].grant_id)
    deliver(pair.session)
    assert pair.references() == set()


def test_a_statement_is_renewed_although_records_wait_for_another_connection(pair: Pair) -> None:
    deliver(pair.session)
    folder, app = pair.session.folder, replace(pair.session.app, metered=lambda: True)
    pair.session.lock()
    pair.session = unlock(app, folder, PASSPHRASE)
    medicate.save_medication(pair.session, MedicationForm(name="Paracetamol", start="2026-01-01"))
    pair.pass_time(days=20)  # past half the time after which a clinic stops showing anything
    before = len(pair.line.bodies)
    deliver(pair.session)
    assert len(pair.line.bodies) == before + 1  # the statement alone
    assert len(pair.references()) == MANY
    assert [one.kind for one in pair.session.store.outbox.all_open()] == [Kind.PUSH]


def test_a_withdrawal_between_two_parcels_stops_the_rest(pair: Pair) -> None:
    _killed_after(pair, 2)
    share.withdraw(pair.session, share.shares(pair.session)[0].grant_id)
    pushes = _effects(pair)
    deliver(pair.session)
    assert (_effects(pair), pair.references()) == (pushes, set())
