"""Delivery to servers with the habits that the makers of HAPI, Firely and Azure write about theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from crypto.naming import pairwise_names
from sync.errors import RemoteRuleError, Unreachable
from sync.fhir_server.deliver import Outcome
from sync.fhir_server.parcel import Parcel, parcel_bytes
from sync.fhir_server.tagged import _below
from tests.support.fhir_memory import Habits, MemoryFhir, serving_fhir
from tests.support.fhir_parcels import (
    PATIENT,
    a_destination,
    a_parcel,
    a_transport,
    an_observation,
    name,
    observations,
    uid,
)
from tests.support.fhir_products import PRODUCTS

MORE_THAN_A_PAGE = 210
"""Of HAPI's, which holds 200 at most."""

MORE_THAN_A_BUNDLE = 110
"""Of ours, which holds 100."""

TAG = {"system": "urn:pgo:sent-by-patient", "code": uid("patient")}


def _records(count: int) -> list[dict[str, Any]]:
    """Observations with our tag; each tenth is a group that names the one before it, two deep."""
    found = [an_observation(n, meta={"tag": [TAG]}) for n in range(count)]
    for place in range(10, count, 10):
        found[place]["hasMember"] = [{"reference": name(found[place - 1])}]
        found[place - 1]["hasMember"] = [{"reference": name(found[place - 2])}]
    return found


def _deliver(fhir: MemoryFhir, parcels: Sequence[Parcel]) -> list[Outcome]:
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        return [transport.deliver(to, parcel_bytes(parcel)) for parcel in parcels]


@pytest.mark.parametrize("product", PRODUCTS)
def test_push_repeat_change_and_take_away(product: str) -> None:
    fhir = MemoryFhir(Habits(**PRODUCTS[product]))
    records = _records(MORE_THAN_A_BUNDLE)
    names = [name(one) for one in records]
    changed = records[0] | {"status": "amended"}
    first, again, third, last = _deliver(
        fhir,
        [a_parcel(records), a_parcel(records), a_parcel([changed]), a_parcel(gone=names)],
    )
    assert first.refused == again.refused == third.refused == {}
    assert set(names) <= set(first.stored)
    assert last.kept == {}
    assert last.removed == set(names)
    assert fhir.of_type("Observation") == []


@pytest.mark.parametrize("product", PRODUCTS)
def test_all_of_ours_is_found_whatever_the_size_of_a_page(product: str) -> None:
    fhir = MemoryFhir(Habits(**PRODUCTS[product]))
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        assert transport.all_of_ours(to, name(PATIENT)) == frozenset()
        records = _records(MORE_THAN_A_PAGE)
        transport.deliver(to, parcel_bytes(a_parcel(records)))
        assert transport.all_of_ours(to, name(PATIENT)) == {name(one) for one in records}


@pytest.mark.parametrize(
    ("habits", "most"),
    [
        ({}, 12),
        ({"searches_for_one": True}, 120),
        ({"largest_page": 10}, 120),
        ({"longest_address": 300}, 120),
    ],
)
def test_without_batches_many_are_looked_up_at_once_where_the_server_can(
    habits: dict[str, Any], most: int
) -> None:
    fhir = MemoryFhir(Habits(own_ids=True, bundles=("transaction",), **habits))
    [first] = _deliver(fhir, [a_parcel(observations(100))])
    assert first.refused == {}
    assert len(first.stored) == 102
    assert sum(method == "GET" for method, _ in fhir.requests) <= most


def test_doubles_are_seen_when_many_are_looked_up_at_once() -> None:
    fhir = MemoryFhir(Habits(own_ids=True, bundles=("transaction",)))
    records = observations(5)
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        first = transport.deliver(to, parcel_bytes(a_parcel(records)))
        there = fhir.stored[first.stored[name(records[2])]]
        fhir.stored["Observation/double"] = there | {"id": "double"}
        known = {one: place for one, place in first.stored.items() if one != name(records[2])}
        again = transport.deliver(to, parcel_bytes(a_parcel(records, known=known)))
    assert again.refused == {name(records[2]): "several_there"}


def _answers(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": uid(f"answers {number}"),
        "meta": {"tag": [TAG]},
        "status": "completed",
        "subject": {"reference": name(PATIENT)},
        "item": [{"linkId": "1", "answer": [{"valueInteger": number}]}],
        **changes,
    }


def test_answers_go_to_hapi_where_their_one_identifier_is_free() -> None:
    fhir = MemoryFhir(Habits(**PRODUCTS["HAPI"]))
    free, taken = _answers(1), _answers(2, identifier={"system": "urn:source", "value": "17"})
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        first = transport.deliver(to, parcel_bytes(a_parcel([free, taken])))
        again = transport.deliver(to, parcel_bytes(a_parcel([free])))
        ours = transport.all_of_ours(to, name(PATIENT))
        stored = fhir.of_type("QuestionnaireResponse")
        last = transport.deliver(to, parcel_bytes(a_parcel(gone=[name(free)])))
    assert first.refused == {name(taken): "not_taken"}, "its source's number is not ours to write over"
    assert again.refused == {}
    assert [one["item"] for one in stored] == [free["item"]], "once, and the right one"
    assert ours == {name(free)}
    assert last.removed == {name(free)}
    assert fhir.of_type("QuestionnaireResponse") == []


def test_the_next_page_is_asked_at_the_address_that_was_accepted_and_nowhere_else() -> None:
    other = MemoryFhir()
    with serving_fhir(other) as elsewhere:
        fhir = MemoryFhir(Habits(largest_page=2, says_base=elsewhere))
        with serving_fhir(fhir) as url:
            transport, to = a_transport(), a_destination(url)
            transport.deliver(to, parcel_bytes(a_parcel(_records(5))))
            assert len(transport.all_of_ours(to, name(PATIENT))) == 5
    assert other.requests == []


@pytest.mark.parametrize("says", ["http://[", "/elsewhere"])
def test_a_next_page_that_cannot_be_asked_is_not_the_end(says: str) -> None:
    fhir = MemoryFhir(Habits(largest_page=2, says_base=says))
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        transport.deliver(to, parcel_bytes(a_parcel(_records(5))))
        with pytest.raises(Unreachable) as cut:
            transport.all_of_ours(to, name(PATIENT))
    assert cut.value.code == "no_proof"


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("https://intern.example:8080/r4?_getpages=1", "?_getpages=1"),
        ("https://fhir.example/r4/Observation?page=2", "/Observation?page=2"),
        ("Observation?page=2", "/Observation?page=2"),
        ("https://fhir.example/r5/Observation?page=2", None),
        ("https://fhir.example/r4x?page=2", None),
        ("../Observation?page=2", None),
        ("Observation?page=\n2", None),
        ("Observation?page=" + "2" * 9_000, None),
    ],
)
def test_of_a_link_only_path_and_query_below_our_base_count(link: str, path: str | None) -> None:
    assert _below("https://fhir.example/r4", link) == path


def test_pages_in_a_circle_end() -> None:
    class Circle(MemoryFhir):
        def _search(self, name: str, query: str, *, fresh: bool) -> dict[str, Any]:
            link = [{"relation": "next", "url": f"{name}?{query}"}]
            return super()._search(name, query, fresh=fresh) | {"link": link}

    with serving_fhir(Circle()) as url, pytest.raises(Unreachable) as cut:
        a_transport().all_of_ours(a_destination(url), name(PATIENT))
    assert cut.value.code == "no_proof"


@pytest.mark.parametrize("own_ids", [False, True])
def test_what_refers_to_another_three_deep_goes_in_whatever_order_a_batch_is_done(own_ids: bool) -> None:
    """Entries of a batch have no order (FHIR R4 http.html#brules): here the first two meet a 409."""
    fhir = MemoryFhir(Habits(keeps_referenced=True, batch_backwards=True, own_ids=own_ids))
    records = _records(11)
    _, last = _deliver(fhir, [a_parcel(records), a_parcel(gone=[name(one) for one in records])])
    assert last.kept == {}
    assert fhir.of_type("Observation") == []


def test_what_others_there_refer_to_is_said_to_be_still_there() -> None:
    fhir = MemoryFhir(Habits(keeps_referenced=True))
    [record] = observations(1)
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), a_destination(url)
        transport.deliver(to, parcel_bytes(a_parcel([record])))
        theirs = {"resourceType": "Observation", "id": "theirs", "hasMember": [{"reference": name(record)}]}
        fhir.stored["Observation/theirs"] = theirs
        last = transport.deliver(to, parcel_bytes(a_parcel(gone=[name(record)])))
    assert last.kept == {name(record): "still_there"}
    assert fhir.stored["Observation/theirs"] == theirs, "what others wrote is not ours to delete"


@pytest.mark.parametrize("own_ids", [False, True])
def test_a_transaction_that_leaves_half_leaves_no_doubles(own_ids: bool) -> None:
    habits = Habits(own_ids=own_ids, leaves_half=True, refuses=frozenset({"Condition"}))
    fhir, records = MemoryFhir(habits), list(observations(9))
    bad = {"resourceType": "Condition", "id": uid("bad"), "subject": {"reference": name(PATIENT)}}
    [found] = _deliver(fhir, [a_parcel([*records[:6], bad, *records[6:]])])
    assert found.refused == {name(bad): "server_refused"}
    assert {name(one) for one in records} <= set(found.stored)
    assert len(fhir.of_type("Observation")) == 9


def test_a_server_that_always_conflicts_says_so() -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        _deliver(MemoryFhir(Habits(conflicts=1_000)), [a_parcel(observations(1))])
    assert refusal.value.code == "fhir_no_consent"


def test_our_ids_are_no_numbers_and_fit_every_server() -> None:
    """FHIR R4 datatypes.html#id; HAPI gives out the numbers itself."""
    names = pairwise_names(bytes(32), "fhir:x")
    for one in (names.of(f"record/{number}") for number in range(200)):
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", one)
        assert not one.isdigit()
