"""Delivery to a FHIR server over real HTTP, a good one and one with each bad habit."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import RemoteRuleError, Unreachable
from sync.fhir_server.deliver import Outcome
from sync.fhir_server.parcel import Parcel, parcel_bytes
from tests.support.fhir_memory import Habits, MemoryFhir, outcome, serving_fhir
from tests.support.fhir_parcels import (
    a_destination,
    a_parcel,
    a_transport,
    an_observation,
    name,
    observations,
    uid,
)

FIVE = observations(5)
NAMES = tuple(map(name, FIVE))


def _deliver(fhir: MemoryFhir, *parcels: Parcel) -> list[Outcome]:
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        return [transport.deliver(to, parcel_bytes(parcel)) for parcel in parcels]


@pytest.mark.parametrize(
    ("own_ids", "bundles"),
    [
        (False, ("transaction", "batch")),
        (False, ("transaction",)),
        (False, ("batch",)),
        (True, ("transaction", "batch")),
        (True, ("transaction",)),
    ],
)
def test_a_good_server_shows_what_was_sent_and_a_repeat_adds_nothing(
    own_ids: bool, bundles: tuple[str, ...]
) -> None:
    fhir = MemoryFhir(Habits(own_ids=own_ids, bundles=bundles))
    first, again = _deliver(fhir, a_parcel(FIVE), a_parcel(FIVE))
    assert set(first.stored) == set(again.stored) >= set(NAMES)
    assert first.refused == again.refused == {}
    assert len(fhir.of_type("Observation")) == 5
    [patient] = fhir.of_type("Patient")
    assert {one["subject"]["reference"] for one in fhir.of_type("Observation")} == {
        f"Patient/{patient['id']}"
    }


@pytest.mark.parametrize("own_ids", [False, True])
def test_a_change_takes_the_place_of_what_was_there(own_ids: bool) -> None:
    fhir = MemoryFhir(Habits(own_ids=own_ids))
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        first = transport.deliver(to, parcel_bytes(a_parcel(FIVE)))
        changed = an_observation(0, status="amended")
        second = transport.deliver(to, parcel_bytes(a_parcel([changed], known=first.stored)))
    assert second.stored[name(changed)] == first.stored[name(changed)]
    assert sorted(one["status"] for one in fhir.of_type("Observation")) == ["amended", *["final"] * 4]


def test_an_older_one_that_if_none_exist_found_is_updated() -> None:
    fhir = MemoryFhir(Habits(own_ids=True))
    changed = an_observation(0, status="amended")
    _, second = _deliver(fhir, a_parcel(FIVE), a_parcel([changed]))
    assert second.refused == {}
    assert sorted(one["status"] for one in fhir.of_type("Observation")) == ["amended", *["final"] * 4]


@pytest.mark.parametrize("own_ids", [False, True])
def test_what_may_not_be_there_is_deleted_and_looked_for(own_ids: bool) -> None:
    fhir = MemoryFhir(Habits(own_ids=own_ids))
    _, second = _deliver(fhir, a_parcel(FIVE), a_parcel(gone=NAMES[:3]))
    assert second.removed == set(NAMES[:3])
    assert len(fhir.of_type("Observation")) == 2


def test_what_points_at_others_is_deleted_before_them() -> None:
    fhir = MemoryFhir(Habits(checks_references=True))
    parent, child = an_observation(1), an_observation(2, hasMember=[{"reference": name(an_observation(1))}])
    first, second = _deliver(fhir, a_parcel([parent, child]), a_parcel(gone=[name(parent), name(child)]))
    assert first.refused == second.kept == {}
    assert fhir.of_type("Observation") == []


@pytest.mark.parametrize(
    ("habits", "reason"),
    [
        ({"drops": frozenset({"Observation"})}, "missing_there"),
        ({"drops_field": "valueQuantity"}, "altered_there"),
        ({"drops_labels": True}, "labels_lost_there"),
        ({"refuses": frozenset({"Observation"})}, "server_refused"),
        ({"types": ("Patient", "Consent")}, "not_taken"),
    ],
)
def test_what_a_server_does_with_records_is_noticed(habits: dict[str, Any], reason: str) -> None:
    [found] = _deliver(MemoryFhir(Habits(**habits)), a_parcel(FIVE))
    assert found.refused == dict.fromkeys(NAMES, reason)
    assert not set(NAMES) & set(found.stored)


def test_references_left_unresolved_are_noticed() -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        _deliver(MemoryFhir(Habits(own_ids=True, leaves_uuids=True)), a_parcel(FIVE))
    assert refusal.value.code == "fhir_no_consent"


def test_a_server_that_ignores_if_none_exist_is_noticed_at_the_first_repeat() -> None:
    fhir = MemoryFhir(Habits(own_ids=True, ignores_if_none_exist=True))
    with pytest.raises(RemoteRuleError) as refusal:
        _deliver(fhir, a_parcel(FIVE), a_parcel(FIVE))
    assert refusal.value.code == "fhir_several"


def test_doubles_of_a_record_are_said_and_all_of_them_go_with_a_withdrawal() -> None:
    fhir = MemoryFhir(Habits(own_ids=True))
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        first = transport.deliver(to, parcel_bytes(a_parcel(FIVE)))
        fhir.stored["Observation/double"] = fhir.stored[first.stored[NAMES[0]]] | {"id": "double"}
        known = {one: there for one, there in first.stored.items() if one not in NAMES}
        again = transport.deliver(to, parcel_bytes(a_parcel(FIVE, known=known)))
        last = transport.deliver(to, parcel_bytes(a_parcel(gone=NAMES, known=known)))
    assert again.refused[NAMES[0]] == "several_there"
    assert last.removed == set(NAMES)
    assert fhir.of_type("Observation") == []


def test_a_delete_that_is_only_promised_is_noticed() -> None:
    fhir = MemoryFhir(Habits(keeps_deleted=True))
    _, second = _deliver(fhir, a_parcel(FIVE), a_parcel(gone=NAMES))
    assert second.kept == dict.fromkeys(NAMES, "still_there")
    assert second.removed == set()


def test_a_server_without_delete_is_not_asked_to() -> None:
    fhir = MemoryFhir(Habits(deletes=False))
    _, second = _deliver(fhir, a_parcel(FIVE), a_parcel(gone=NAMES))
    assert second.kept == dict.fromkeys(NAMES, "no_delete")
    assert all(method != "DELETE" for method, _ in fhir.requests)


def test_one_bad_record_does_not_keep_the_others_out() -> None:
    bad = an_observation(7) | {"resourceType": "Condition", "id": uid("bad")}
    fhir = MemoryFhir(Habits(refuses=frozenset({"Condition"})))
    [found] = _deliver(fhir, a_parcel([*FIVE[:2], bad, *FIVE[2:]]))
    assert found.refused == {name(bad): "server_refused"}
    assert set(NAMES) <= set(found.stored)


@pytest.mark.parametrize("own_ids", [False, True])
def test_a_bundle_that_is_too_large_is_halved_and_references_stay_right(own_ids: bool) -> None:
    fhir = MemoryFhir(Habits(largest_bundle=2, own_ids=own_ids, checks_references=True))
    chain = [an_observation(0)]
    for number in range(1, 7):
        chain.append(an_observation(number, hasMember=[{"reference": name(chain[-1])}]))
    [found] = _deliver(fhir, a_parcel(chain))
    assert found.refused == {}
    assert len(fhir.of_type("Observation")) == 7
    places = {f"Observation/{one['id']}" for one in fhir.of_type("Observation")}
    members = {one["hasMember"][0]["reference"] for one in fhir.of_type("Observation") if "hasMember" in one}
    assert len(members) == 6
    assert members <= places


def test_without_consent_no_record_goes() -> None:
    fhir = MemoryFhir(Habits(refuses=frozenset({"Consent"})))
    with pytest.raises(RemoteRuleError) as refusal:
        _deliver(fhir, a_parcel(FIVE))
    assert refusal.value.code == "fhir_no_consent"
    assert fhir.of_type("Observation") == []


@pytest.mark.parametrize(
    "habits",
    [
        {"bundles": ()},
        {"types": ("Patient", "Observation")},
        # In a batch nothing can refer to what gets its id in the same batch (http.html#batch).
        {"bundles": ("batch",), "own_ids": True},
    ],
)
def test_a_server_that_cannot_what_must_be_gets_nothing(habits: dict[str, Any]) -> None:
    fhir = MemoryFhir(Habits(**habits))
    with pytest.raises(RemoteRuleError) as refusal:
        _deliver(fhir, a_parcel(FIVE))
    assert refusal.value.code == "fhir_cannot"
    assert fhir.writes == 0


@pytest.mark.parametrize(
    ("status", "headers", "body", "wait"),
    [
        (429, {"retry-after": "17"}, outcome("slow down"), 17),
        (503, {"retry-after": "5"}, None, 5),
        (429, {}, outcome('{"_remainingPoints":0,"_msBeforeNext":41250}'), 42),
        (429, {}, outcome("slow down"), None),
        (503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None, None),
    ],
)
def test_a_busy_server_is_left_alone_as_long_as_it_asks(
    status: int, headers: dict[str, str], body: Any, wait: int | None
) -> None:
    fhir = MemoryFhir(Habits(busy=[(status, body, headers)]))
    with pytest.raises(Unreachable) as later:
        _deliver(fhir, a_parcel(FIVE))
    assert (later.value.code, later.value.retry_after_seconds) == ("busy", wait)


def test_an_entry_that_is_put_off_puts_off_the_whole() -> None:
    slow = {"status": "429", "outcome": outcome('{"_msBeforeNext":3000}')}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [{"response": slow}, {"response": {"status": "200"}}],
    }
    with pytest.raises(Unreachable) as later:
        _deliver(MemoryFhir(Habits(busy=[(200, bundle, {})])), a_parcel(FIVE))
    assert (later.value.code, later.value.retry_after_seconds) == ("busy", 3)


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "OperationOutcome"},
        {"resourceType": "Bundle", "type": "transaction-response"},
        {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": {}}] * 2},
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"response": {"status": "200"}}] * 2},
    ],
)
def test_a_200_that_says_something_else_proves_nothing(body: dict[str, Any]) -> None:
    with pytest.raises(Unreachable) as later:
        _deliver(MemoryFhir(Habits(busy=[(200, body, {})])), a_parcel(FIVE))
    assert later.value.code == "no_proof"


@pytest.mark.parametrize(
    ("status", "code"), [(401, "fhir_not_allowed"), (403, "fhir_not_allowed"), (500, "fhir_failing")]
)
def test_a_server_that_says_no_says_why(status: int, code: str) -> None:
    with pytest.raises((RemoteRuleError, Unreachable)) as refusal:
        _deliver(MemoryFhir(Habits(busy=[(status, None, {})])), a_parcel(FIVE))
    assert refusal.value.code == code
