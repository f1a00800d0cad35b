"""Records under pairwise names: what refers to what, and in which order they go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.naming import pairwise_names
from sync.fhir_server.names import MASKED, references_of, there_in
from sync.fhir_server.read_back import ALTERED, LABELS, MISSING, UNRESOLVED, differs
from sync.fhir_server.shape import Source, in_order, shape

ANCHOR = "Patient/anchor"
HOSPITAL, PRACTICE = "https://hospital.example/fhir", "https://practice.example/fhir"


def a_source(name: str, own: str, base: str = "", **more: Any) -> Source:
    type_, _, id_ = own.partition("/")
    body = {"resourceType": type_, "id": id_, **more}
    return Source(name, body, f"{base}/{own}" if base else "")


def test_equal_short_references_of_two_sources_stay_apart() -> None:
    shaped = shape(
        [
            a_source("Encounter/h", "Encounter/1", HOSPITAL),
            a_source("Encounter/p", "Encounter/1", PRACTICE),
            a_source("Observation/h", "Observation/1", HOSPITAL, encounter={"reference": "Encounter/1"}),
            a_source("Observation/p", "Observation/1", PRACTICE, encounter={"reference": "Encounter/1"}),
            a_source("Observation/q", "Observation/2", "", encounter={"reference": "Encounter/1"}),
        ],
        anchor=ANCHOR,
    )
    assert shaped["Observation/h"]["encounter"] == {"reference": "Encounter/h"}
    assert shaped["Observation/p"]["encounter"] == {"reference": "Encounter/p"}
    assert shaped["Observation/q"]["encounter"] == MASKED, "it could mean either, so it means none"


def test_a_masked_patient_becomes_the_anchor_and_other_masks_stay() -> None:
    bodies = shape(
        [
            a_source("Observation/a", "Observation/1", subject=dict(MASKED), performer=[dict(MASKED)]),
            Source(
                "Observation/b",
                {"resourceType": "Observation", "id": "2", "subject": dict(MASKED)},
                "",
                False,
            ),
        ],
        anchor=ANCHOR,
    )
    assert bodies["Observation/a"]["subject"] == {"reference": ANCHOR}
    assert bodies["Observation/a"]["performer"] == [MASKED]
    assert bodies["Observation/b"]["subject"] == MASKED


def test_a_file_kept_in_another_resource_is_meant_by_its_new_name() -> None:
    def content(url: str) -> dict[str, Any]:
        return {"content": [{"attachment": {"contentType": "text/plain", "url": url}}]}

    bodies = shape(
        [
            a_source("Binary/n", "Binary/b1", HOSPITAL),
            a_source("DocumentReference/a", "DocumentReference/1", HOSPITAL, **content("Binary/b1")),
            a_source("DocumentReference/b", "DocumentReference/2", HOSPITAL, **content("Binary/b2")),
            a_source(
                "DocumentReference/c", "DocumentReference/3", HOSPITAL, **content("https://x.example/1")
            ),
        ],
        anchor=ANCHOR,
    )
    found = [bodies[f"DocumentReference/{one}"]["content"][0]["attachment"].get("url") for one in "abc"]
    assert found == ["Binary/n", None, "https://x.example/1"]
    assert in_order(bodies)[0] == ("Binary/n",)


def test_nothing_of_the_source_is_left_but_the_content() -> None:
    meta = {"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z", "profile": ["p"], "source": "s"}
    [body] = shape([a_source("Condition/n", "Condition/c1", HOSPITAL, meta=meta)], anchor=ANCHOR).values()
    assert body["id"] == "n"
    assert body["meta"] == {
        "profile": ["p"],
        "tag": [{"system": "urn:pgo:sent-by-patient", "code": "anchor"}],
    }


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_what_is_referred_to_comes_first_and_circles_stay_together(edges: list[tuple[int, int]]) -> None:
    bodies: dict[str, dict[str, Any]] = {f"Observation/{n}": {"hasMember": []} for n in range(13)}
    for one, other in edges:
        bodies[f"Observation/{one}"]["hasMember"].append({"reference": f"Observation/{other}"})
    groups = in_order(bodies)
    place = {name: number for number, group in enumerate(groups) for name in group}
    assert sorted(place) == sorted(bodies)
    assert sum(map(len, groups)) == len(bodies)
    for name, body in bodies.items():
        assert all(place[target] <= place[name] for target in references_of(body))


@pytest.mark.parametrize(
    ("got", "problem"),
    [
        (None, MISSING),
        ({"status": "final"}, ALTERED),
        ({"status": "final", "value": 7, "list": [1]}, ALTERED),
        ({"status": "final", "value": True, "list": [1, 2]}, ALTERED),
        ({"status": "final", "value": 1, "list": [1, 2]}, LABELS),
        ({"subject": {"reference": "urn:uuid:x"}, "status": "final", "value": 1, "list": [1, 2]}, UNRESOLVED),
        (
            {
                "status": "final",
                "value": 1,
                "list": [1, 2],
                "meta": {"security": [{"system": "s", "code": "R"}]},
            },
            None,
        ),
    ],
)
def test_what_came_back_is_held_against_what_went(got: dict[str, Any] | None, problem: str | None) -> None:
    sent: dict[str, Any] = {
        "status": "final",
        "value": 1,
        "list": [1, 2],
        "text": {"div": "x"},
        "meta": {"security": [{"system": "s", "code": "R"}]},
    }
    assert differs(sent, got) == problem


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("Patient/1", "Patient/1"),
        ("Patient/1/_history/2", "Patient/1"),
        ("https://x.example/fhir/Patient/1/_history/2", "Patient/1"),
        ("Observation/1", None),
        ("Patient", None),
        ("Patient/a b", None),
        (None, None),
        ("x" * 3_000, None),
    ],
)
def test_a_location_counts_only_when_it_names_a_resource_of_the_type(
    location: Any, there: str | None
) -> None:
    assert there_in(location, "Patient") == there


def test_names_are_stable_per_recipient_and_tell_nothing() -> None:
    one, other = pairwise_names(b"s" * 32, "fhir:a"), pairwise_names(b"s" * 32, "fhir:b")
    assert one.of("record/1") == pairwise_names(b"s" * 32, "fhir:a").of("record/1")
    names = {give.of(f"record/{number}") for give in (one, other) for number in range(100)}
    assert len(names) == 200
    assert all(name[14] == "8" and name[19] in "89ab" and len(name) == 36 for name in names)
    assert repr(one) == "Names()"
