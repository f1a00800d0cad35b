"""Scopes, pace, ids and addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipient.errors import Refused, Throttled
from recipient.fhir_api.addresses import handle_of_patient, handle_of_resource, patient_id, resource_id
from recipient.fhir_api.pace import Pace
from recipient.fhir_api.scopes import allows, covered, parse_scopes, scopes_text

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HANDLES = st.text("ABCxyz019_-", min_size=22, max_size=22)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "system/Observation.read",
        "user/Observation.rs",
        "system/Observation.cruds",
        "system/Observation.sr",
        "system/Observation.rs?category=laboratory",
        "system/*.rs system/x.rs",
        "openid",
        "system/Observation.",
    ],
)
def test_scopes_that_are_not_understood_are_not_registered(text: str) -> None:
    with pytest.raises(Refused):
        parse_scopes(text)


def test_a_client_gets_the_part_that_it_asked_for_and_is_registered_for() -> None:
    registered = parse_scopes("system/Observation.rs system/Patient.r")
    assert scopes_text(covered("system/Observation.s system/Condition.rs patient/*.rs", registered)) == (
        "system/Observation.s"
    )
    assert covered("system/*.rs", registered) == registered
    assert scopes_text(covered("system/Patient.rs", registered)) == "system/Patient.r"
    assert not covered("system/Observation.rs?code=1", registered)


def test_everything_covers_each_type_but_only_with_its_letters() -> None:
    everything = parse_scopes("system/*.r")
    assert allows(everything, "Condition", "r")
    assert not allows(everything, "Condition", "s")
    assert scopes_text(covered("system/Condition.rs", everything)) == "system/Condition.r"


WORDS = st.lists(
    st.builds(
        "system/{}.{}".format,
        st.sampled_from(["*", "Patient", "Observation", "Condition"]),
        st.sampled_from(["r", "s", "rs"]),
    ),
    min_size=1,
    max_size=5,
).map(" ".join)


@given(asked=WORDS, registered=WORDS, kind=st.sampled_from(["Patient", "Observation", "Condition"]))
def test_what_is_given_is_what_is_asked_and_registered(asked: str, registered: str, kind: str) -> None:
    given_to = covered(asked, parse_scopes(registered))
    for letter in "rs":
        both = allows(parse_scopes(asked), kind, letter) and allows(parse_scopes(registered), kind, letter)
        assert allows(given_to, kind, letter) == both


def test_pace_gives_a_minutes_worth_at_once_and_then_as_it_fills() -> None:
    pace = Pace(60)
    for _ in range(60):
        pace.take("a", at=NOW)
    with pytest.raises(Throttled) as caught:
        pace.take("a", at=NOW)
    assert caught.value.retry_after_seconds == 1
    pace.take("b", at=NOW)
    pace.take("a", at=NOW + timedelta(seconds=1))
    with pytest.raises(Throttled):
        pace.take("a", at=NOW + timedelta(seconds=1))


def test_a_clock_that_goes_back_gives_nothing() -> None:
    pace = Pace(1)
    pace.take("a", at=NOW)
    with pytest.raises(Throttled):
        pace.take("a", at=NOW - timedelta(hours=1))
    with pytest.raises(Throttled):
        pace.take("a", at=NOW)


@given(handle=HANDLES, reference=st.text(max_size=40))
def test_ids_lead_back_to_the_patient_and_nowhere_else(handle: str, reference: str) -> None:
    own = resource_id(handle, reference)
    assert handle_of_patient(patient_id(handle)) == handle
    assert handle_of_resource(own) == handle
    assert handle_of_patient(own) is None
    assert len(own) <= 64


@pytest.mark.parametrize(
    "text", ["", "x", "../../etc/passwd", "a" * 21, "a" * 23, "a" * 22 + ".xyz", "_" * 22]
)
def test_other_forms_are_no_ids(text: str) -> None:
    assert handle_of_patient(text) is None
    assert handle_of_resource(text) is None
