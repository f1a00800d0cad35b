"""What a chart of measurements shows and says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgo.health.record.series import Point, Series
from pgo.ui.records.axis import nice_ticks, place_day, tick_text, time_axis
from pgo.ui.records.plot import MOST_DRAWN, build_plot, in_words, thinned
from pgo.ui.records.tokens import key_of, token_of


def a_point(at: str, value: str, text: str = "", record_id: int = 1) -> Point:
    return Point(at, Decimal(value), text or value, record_id)


def a_series(*points: Point) -> Series:
    return Series("k", "Glucose", "http://loinc.org|2339-0", "mmol/L", "mmol/L", ("k",), points)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_the_value_axis_holds_all_data_with_few_round_lines(low: float, span: float) -> None:
    ticks = nice_ticks(low, low + span)
    slack = 1e-9 * max(1.0, abs(low) + span)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack
    assert 2 <= len(ticks) <= 8
    assert list(ticks) == sorted(set(ticks))


def test_one_value_alone_still_gets_an_axis() -> None:
    assert nice_ticks(5, 5)[0] < 5 < nice_ticks(5, 5)[-1]
    assert nice_ticks(0, 0)[0] < 0 < nice_ticks(0, 0)[-1]


def test_marks_have_no_needless_zeros() -> None:
    assert [tick_text(v, "nl") for v in nice_ticks(6.1, 7.2)] == ["6", "6,5", "7", "7,5"]
    assert tick_text(120.0, "en") == "120"


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 40_000), st.sampled_from([3, 4, 6]))
def test_the_time_axis_holds_both_days_within_its_marks(first: dt.date, days: int, most: int) -> None:
    last = first + dt.timedelta(days=days)
    axis = time_axis(first, last, most=most)
    assert 1 <= axis.count <= most
    for day in (first, last):
        assert 0 <= axis.place(dt.datetime.combine(day, dt.time(12))) <= axis.count + 1e-6
    labels = axis.labels("nl")
    assert len(labels) == axis.count + 1
    assert len(set(labels)) == len(labels)


def test_marks_fall_on_whole_days_months_and_years() -> None:
    assert time_axis(dt.date(2024, 3, 1), dt.date(2024, 3, 3), most=3).labels("nl") == (
        "1 mrt",
        "2 mrt",
        "3 mrt",
        "4 mrt",
    )
    assert time_axis(dt.date(2024, 1, 10), dt.date(2024, 6, 2), most=6).labels("en")[0] == "Jan 2024"
    assert time_axis(dt.date(2012, 7, 1), dt.date(2020, 7, 1), most=3).labels("nl") == (
        "2012",
        "2017",
        "2022",
    )


@pytest.mark.parametrize(
    ("iso", "placed"),
    [
        ("2020", dt.datetime(2020, 7, 1)),
        ("2020-02", dt.datetime(2020, 2, 15)),
        ("2020-02-03", dt.datetime(2020, 2, 3)),
        ("2020-02-03T04:05:06Z", dt.datetime(2020, 2, 3, 4, 5)),
        ("soon", None),
        ("", None),
    ],
)
def test_a_partial_date_lies_in_its_middle(iso: str, placed: dt.datetime | None) -> None:
    assert place_day(iso) == placed


def test_a_bound_is_counted_but_never_drawn_as_a_number() -> None:
    plot = build_plot((a_point("2020-01-01", "0.41", "<0.41 mmol/L"), a_point("2020-01-02", "0.5")))
    assert [dot.height for dot in plot.dots] == [0.5]
    assert (plot.bounds, plot.undated) == (1, 0)


def test_a_point_without_a_readable_date_stays_in_the_table_only() -> None:
    plot = build_plot((a_point("someday", "1"), a_point("2020", "2")))
    assert (len(plot.dots), plot.undated) == (1, 1)


def test_thinning_keeps_first_last_peak_and_dip() -> None:
    start = dt.date(2000, 1, 1)
    values = [str(5 + (n % 7) / 10) for n in range(5_000)]
    values[1234], values[4321] = "99", "-7"
    points = tuple(a_point((start + dt.timedelta(days=n)).isoformat(), v) for n, v in enumerate(values))
    dots = build_plot(points).dots
    kept = thinned(dots)
    assert len(kept) <= MOST_DRAWN + 2
    assert kept[0] is dots[0]
    assert kept[-1] is dots[-1]
    assert {99.0, -7.0} <= {dot.height for dot in kept}
    assert [dot.at for dot in kept] == sorted(dot.at for dot in kept)


def test_few_points_are_not_thinned() -> None:
    dots = build_plot((a_point("2020", "1"), a_point("2021", "2"))).dots
    assert thinned(dots) == dots


def test_the_text_alternative_names_first_last_lowest_and_highest() -> None:
    series = a_series(
        a_point("2020-01-01", "5", "5.0 mmol/L"),
        a_point("2020-02-01", "9", "9.1 mmol/L"),
        a_point("2020-03-01", "4", "4.2 mmol/L"),
    )
    words = in_words("nl", series, build_plot(series.points))
    assert "Glucose" in words
    assert "3 metingen" in words
    assert "Eerste: 5,0 mmol/L op 1 januari 2020" in words
    assert "Laatste: 4,2 mmol/L op 1 maart 2020" in words
    assert "Hoogste: 9,1 mmol/L op 1 februari 2020" in words


def test_an_address_token_says_nothing_and_leads_back_to_its_series() -> None:
    keys = ["http://loinc.org|8480-6|mm[Hg]", "http://loinc.org|8462-4|mm[Hg]"]
    token = token_of(keys[1])
    assert "8462" not in token
    assert token.isalnum()
    assert key_of(token, keys) == keys[1]
    assert key_of("0" * 24, keys) is None
