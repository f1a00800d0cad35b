"""An independent FHIR server receives a real push: Medplum's router with its memory repository (npm).

What it cannot is found by our own check, not assumed: the router says nothing about itself, so nothing goes
until it is given a capability statement. Two honest ones are tried: ids chosen by us, ids given out there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.codes import Sensitivity
from pgo.errors import InputRefused
from pgo.usecases.deliver import send_now
from pgo.usecases.fhir_servers import ServerForm, add_server, ask_server
from pgo.usecases.share import DeliveryState, share, withdraw
from sync.errors import Unreachable
from sync.fhir_server.parcel import parcel_bytes
from tests.e2e.test_fhir_server import a_vault, give
from tests.support.fhir_memory import Habits, MemoryFhir
from tests.support.fhir_parcels import a_destination, a_parcel, a_transport, an_observation
from tests.support.medplum import Medplum, running_medplum

RECORDS = 30
NOTE_CHARACTERS = 20_000
PIECES = (8, 14, 20, 26, 32, 38)
"""Asked so often whether it may go on; the last is shortly before the end of the records."""

TYPES = ("AllergyIntolerance", "Condition", "MedicationStatement", "Observation")


@pytest.fixture(params=["our_ids", "own_ids"])
def medplum(request: pytest.FixtureRequest, node_modules: Path, tmp_path: Path) -> Iterator[Medplum]:
    """The router, saying of itself what the fixture's name says."""
    statement = MemoryFhir(Habits(own_ids=request.param == "own_ids")).capability()
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(statement), encoding="utf-8")
    with running_medplum(file) as running:
        yield running


def _count(medplum: Medplum) -> dict[str, int]:
    return {name: len(medplum.search(f"{name}?_count=100")) for name in TYPES}


def test_a_router_that_says_nothing_about_itself_gets_nothing(node_modules: Path, tmp_path: Path) -> None:
    with running_medplum() as medplum, a_vault(tmp_path) as session:
        with pytest.raises(InputRefused) as refusal:
            add_server(session, ServerForm(medplum.url, "Medplum"))
        assert refusal.value.code == "fhir_no_statement"
        assert _count(medplum) == dict.fromkeys(TYPES, 0)


def test_a_bundle_that_is_broken_off_has_no_effect(medplum: Medplum) -> None:
    records = [an_observation(number, note=[{"text": "x" * NOTE_CHARACTERS}]) for number in range(RECORDS)]
    content, to = parcel_bytes(a_parcel(records)), a_destination(medplum.url)
    for pieces in PIECES:
        left = [pieces]

        def going(left: list[int] = left) -> bool:
            left[0] -= 1
            return left[0] >= 0

        with pytest.raises(Unreachable) as cut:
            a_transport().deliver(to, content, going=going)
        assert cut.value.code == "taken_back"
        assert medplum.search("Observation?_count=100") == [], f"after {pieces} pieces"
    assert len(a_transport().deliver(to, content).stored) == RECORDS + 2
    assert len(medplum.search("Observation?_count=100")) == RECORDS


def test_push_repeat_update_withdraw_and_read_back(medplum: Medplum, tmp_path: Path) -> None:
    with a_vault(tmp_path / "v") as session:
        form = ServerForm(medplum.url, "Medplum")
        lacks = [(lack.value, types) for lack, types in ask_server(session, form).check.lacks]
        server = add_server(session, form)
        grant = give(session, server)
        first = send_now(session)
        there = _count(medplum)
        assert there == {"AllergyIntolerance": 1, "Condition": 1, "MedicationStatement": 2, "Observation": 2}
        state = share(session, grant).delivery
        assert (state.state, state.refused_count) == (DeliveryState.STORED_THERE, 0)

        with session.store.write(session.now()):  # as if no answer had ever come back
            session.store.fhir.lies(server, dict.fromkeys(session.store.fhir.items(server), ""))
            session.store.deliveries.forget(server, session.store.deliveries.held(server))
        other = give(session, server, sensitivity=frozenset({Sensitivity.HIV}))
        again = send_now(session)
        assert _count(medplum) == {**there, "Condition": 2}, "everything went once more, nothing is double"

        withdraw(session, other)
        send_now(session)
        assert _count(medplum) == there
        withdraw(session, grant)
        send_now(session)
        left = _count(medplum)
        assert left == dict.fromkeys(TYPES, 0)
        assert {one["status"] for one in medplum.search("Consent")} == {"inactive"}
        assert share(session, grant).delivery.state is DeliveryState.WITHDRAWN_GONE_THERE
        sent = sum(there.values())
        print(f"\nMedplum router: {sent} records sent, {len(first.stored) + len(again.stored)} messages,")
        print(f"  0 double after a repeat, {sum(left.values())} left after the withdrawal; lacks {lacks}")
