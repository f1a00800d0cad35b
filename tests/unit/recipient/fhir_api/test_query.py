"""Search requests: what is read, what is refused, what is left out when the client is lenient."""

from __future__ import annotations

import pytest

from recipient.errors import NotShared, RecipientError
from recipient.fhir_api.matching import Token
from recipient.fhir_api.outcome import Unanswerable
from recipient.fhir_api.query import MAX_COUNT, Query, parse_everything, parse_search

HANDLE = "abcdefghij_klmnopqrst-"
PATIENT = HANDLE.replace("_", ".")


def asked(*pairs: tuple[str, str], kind: str = "Observation", lenient: bool = False) -> Query:
    return parse_search(kind, [("patient", PATIENT), *pairs], lenient=lenient)


def refusal(*pairs: tuple[str, str], kind: str = "Observation", lenient: bool = False) -> str:
    with pytest.raises(RecipientError) as caught:
        asked(*pairs, kind=kind, lenient=lenient)
    return caught.value.code


def test_patient_may_be_named_by_id_reference_or_address() -> None:
    for value in (PATIENT, f"Patient/{PATIENT}", f"https://elsewhere.example/fhir/Patient/{PATIENT}"):
        assert parse_search("Condition", [("patient", value)], lenient=False).handle == HANDLE
        assert parse_search("Condition", [("subject", value)], lenient=False).handle == HANDLE


def test_exactly_one_patient_is_named() -> None:
    other = PATIENT[::-1]
    for pairs in ([], [("patient", PATIENT), ("patient", other)]):
        with pytest.raises(Unanswerable) as caught:
            parse_search("Observation", pairs, lenient=True)
        assert caught.value.code == "patient_needed"
    with pytest.raises(NotShared):
        parse_search("Observation", [("patient", "1")], lenient=True)


def test_list_of_patients_needs_none() -> None:
    assert parse_search("Patient", [("name", "Jansen")], lenient=False).handle is None


def test_tokens_are_split_at_commas_and_bars_that_are_not_escaped() -> None:
    query = asked(("code", r"http://loinc.org|4548-4,|x,urn:y|,a\,b,c\|d"))
    ((_, values),) = query.filters
    assert values == (
        Token("http://loinc.org", "4548-4"),
        Token("", "x"),
        Token("urn:y", None),
        Token(None, "a,b"),
        Token(None, "c|d"),
    )


def test_repeated_parameters_are_all_kept() -> None:
    assert len(asked(("date", "ge2020"), ("date", "lt2021")).filters) == 2


@pytest.mark.parametrize(
    ("pair", "code"),
    [
        (("nonsense", "1"), "unknown_parameter"),
        (("vaccine-code", "1"), "unknown_parameter"),
        (("_include", "Observation:patient"), "unknown_parameter"),
        (("code:in", "http://x"), "unknown_modifier"),
        (("date", "tomorrow"), "bad_value"),
        (("date", "xx2020"), "bad_value"),
        (("code", ""), "bad_value"),
        (("code", "|"), "bad_value"),
        (("code", "a,,b"), "bad_value"),
        (("_count", "-1"), "bad_value"),
        (("_count", "ten"), "bad_value"),
        (("_sort", "code"), "bad_value"),
        (("code", "x" * 401), "too_many_values"),
        (("code", ",".join("x" * 51)), "too_many_values"),
    ],
)
def test_what_cannot_be_answered_is_refused(pair: tuple[str, str], code: str) -> None:
    assert refusal(pair) == code


def test_too_many_parameters_are_refused() -> None:
    assert refusal(*[("code", "x")] * 40) == "too_many_values"


def test_lenient_leaves_out_what_is_unknown_and_says_so_but_never_a_modifier_or_a_bad_value() -> None:
    query = asked(("nonsense", "1"), ("code", "x"), lenient=True)
    assert (query.ignored, query.used) == (True, (("patient", PATIENT), ("code", "x")))
    assert refusal(("code:in", "x"), lenient=True) == "unknown_modifier"
    assert refusal(("date", "tomorrow"), lenient=True) == "bad_value"


def test_count_is_bounded() -> None:
    assert asked(("_count", "999999")).count == MAX_COUNT
    assert asked(("_count", "0")).count == 0


def test_everything_takes_types_and_a_moment_only() -> None:
    query = parse_everything(HANDLE, [("_type", "Condition,Observation"), ("_since", "2025")], lenient=False)
    assert query.kinds == {"Condition", "Observation"}
    for pairs in ([("_type", "Condition,Nonsense")], [("code", "x")], [("_sort", "date")], [("_since", "x")]):
        with pytest.raises(Unanswerable):
            parse_everything(HANDLE, pairs, lenient=False)
