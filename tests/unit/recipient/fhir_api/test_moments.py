"""Dates as spans, against tables of the standard and against a slow second reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipient.fhir_api.moments import FIRST, LAST, PREFIXES, Span, fits, read_span, spans_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2023", "2023-01-01", "2024-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2024-12", "2024-12-01", "2025-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2024-02-29T10:30", "2024-02-29T10:30", "2024-02-29T10:31"),
        ("2024-02-29T10:30:15Z", "2024-02-29T10:30:15", "2024-02-29T10:30:16"),
        ("2024-02-29T00:30:00+02:00", "2024-02-28T22:30:00", "2024-02-28T22:30:01"),
        ("2024-02-29T10:30:15.25Z", "2024-02-29T10:30:15.250", "2024-02-29T10:30:15.260"),
        ("2024-02-29T10:30:15.123456789Z", "2024-02-29T10:30:15.123456", "2024-02-29T10:30:15.123457"),
    ],
)
def test_a_date_is_the_span_it_may_denote(text: str, start: str, end: str) -> None:
    assert read_span(text) == Span(at(start), at(end))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "2024-13",
        "2023-02-29",
        "2024-1-1",
        "2024-02-29T25:00Z",
        "2024-02-29 10:30",
        "0000",
        "gt2024",
        "2024-02-29T10:30:61Z",
        "2024-02-29T10:30:00+15:00",
        "２０２４",
        "0001-01-01T00:00:00+02:00",
        "2024\n",
    ],
)
def test_what_is_no_date_is_no_span(text: str) -> None:
    assert read_span(text) is None


def test_the_last_year_there_is_ends_at_the_last_instant() -> None:
    assert read_span("9999") == Span(at("9999-01-01"), LAST)


def test_open_sides_of_a_period_reach_to_the_ends_of_time() -> None:
    assert spans_of({"start": "2024"}) == (Span(at("2024-01-01"), LAST),)
    assert spans_of({"end": "2024-05"}) == (Span(FIRST, at("2024-06-01")),)
    assert spans_of({"start": "2024", "end": "nonsense"}) == ()
    assert spans_of({}) == ()
    assert spans_of({"event": ["2024-01-01", "2024-02-01"]})[1].start == at("2024-02-01")
    assert spans_of(True) == ()


DAYS = st.integers(0, 40)


@st.composite
def day_spans(draw: st.DrawFn) -> Span:
    first = draw(DAYS)
    start = NOW - timedelta(days=200) + timedelta(days=first)
    return Span(start, start + timedelta(days=draw(st.integers(1, 9))))


def slowly(prefix: str, asked: Span, found: Span) -> bool:
    """FHIR R4 search.html#prefix read out loud, on sets of days."""
    wanted = {asked.start + timedelta(days=n) for n in range((asked.end - asked.start).days)}
    days = {found.start + timedelta(days=n) for n in range((found.end - found.start).days)}
    match prefix:
        case "eq":
            return days <= wanted
        case "ne":
            return not days <= wanted
        case "gt":
            return any(day > max(wanted) for day in days)
        case "lt":
            return any(day < min(wanted) for day in days)
        case "ge":
            return any(day > max(wanted) for day in days) or days <= wanted
        case "le":
            return any(day < min(wanted) for day in days) or days <= wanted
        case "sa":
            return all(day > max(wanted) for day in days)
        case "eb":
            return all(day < min(wanted) for day in days)
    raise AssertionError(prefix)


@given(asked=day_spans(), found=day_spans(), prefix=st.sampled_from([p for p in PREFIXES if p != "ap"]))
def test_prefixes_mean_what_the_standard_says(asked: Span, found: Span, prefix: str) -> None:
    assert fits(prefix, asked, found, now=NOW) == slowly(prefix, asked, found)


def test_about_reaches_a_tenth_of_the_distance_from_now() -> None:
    asked = Span(NOW - timedelta(days=100), NOW - timedelta(days=99))
    near = Span(NOW - timedelta(days=109), NOW - timedelta(days=108))
    far = Span(NOW - timedelta(days=112), NOW - timedelta(days=111))
    assert fits("ap", asked, near, now=NOW)
    assert not fits("ap", asked, far, now=NOW)
    assert fits("ap", Span(FIRST, FIRST + timedelta(days=1)), Span(FIRST, LAST), now=NOW)
