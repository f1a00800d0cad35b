"""Whose record is this: the same person, another one, or a question to ask."""

from __future__ import annotations

from typing import Any

import pytest

from pgo.health.record.person import BSN, Match, mention, same_person, subject_of
from pgo.health.record.resource import PersonMention
from tests.unit.pgo.health.make import observation, resource


def person(name: str = "", born: str = "", **numbers: str) -> PersonMention:
    systems = {"bsn": BSN, "local": "urn:x"}
    return PersonMention(
        None, None, frozenset((systems[key], value) for key, value in numbers.items()), name, born, ""
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (person("Jo Bos", "1980-02-03", bsn="1"), person("J. Bos", "1980-02-03", bsn="1"), Match.SAME),
        (person("Jo Bos", "1980-02-03", bsn="1"), person("Jo Bos", "1980-02-03", bsn="2"), Match.DIFFERENT),
        (person("Jo Bos", "1980-02-03", local="1"), person("Jo Bos", "1980-02-03", local="2"), Match.SAME),
        (person("Jo Bos", "1980-02-03"), person("BOS, Jo", "1980-02-03"), Match.SAME),
        (person("Jo Bos", "1980-02-03"), person("Jo XXX_Bos", "1980-02-03"), Match.SAME),
        (person("José Bos", "1980-02-03"), person("Jose Bos", "1980-02-03"), Match.SAME),
        (person("Jo Bos", "1980-02-03"), person("Jo Anna Bos", "1980-02-03"), Match.UNCLEAR),
        (person("Jo Bos", "1980-02-03"), person("Piet Vis", "1980-02-03"), Match.DIFFERENT),
        (person("Jo Bos", "1980-02-03"), person("Jo Bos", "1981-02-03"), Match.DIFFERENT),
        (person("Jo Bos", "1980"), person("Jo Bos", "1980-02-03"), Match.UNCLEAR),
        (person("Jo Bos", "1980"), person("Jo Bos", "1980"), Match.UNCLEAR),
        (person("Jo Bos"), person("Jo Bos"), Match.UNCLEAR),
        (person(), person(), Match.UNCLEAR),
        (person("A", "1980-02-03", local="1"), person("B", "1990-02-03", local="1"), Match.UNCLEAR),
    ],
)
def test_comparing_two_mentions(one: PersonMention, other: PersonMention, expected: Match) -> None:
    assert same_person(one, other) is expected
    assert same_person(other, one) is expected


def test_full_given_names_win_over_initials() -> None:
    name = {"use": "official", "family": "Bos", "given": ["Johanna", "J."]}
    assert mention(resource("Patient", name=[name])).name == "Johanna Bos"


def test_initials_are_used_when_there_is_nothing_else() -> None:
    assert mention(resource("Patient", name=[{"family": "Bos", "given": ["J."]}])).name == "J. Bos"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"subject": {"reference": "Patient/1"}}, "Patient/1"),
        ({"subject": {"display": "x"}}, None),
        ({}, None),
    ],
)
def test_subject_of_an_observation(members: dict[str, Any], expected: str | None) -> None:
    assert subject_of(observation(**members)) == expected


def test_a_patient_is_its_own_subject() -> None:
    assert subject_of(resource("Patient", id="p")) == "Patient/p"
