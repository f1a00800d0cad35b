"""Dates and values as the record screens say them."""

from __future__ import annotations

import pytest

from pgo.health.record.printed import printed_unit
from pgo.ui.records.say import (
    brief_value,
    has_comparator,
    parse_typed_date,
    say_moment,
    say_period,
    say_short_date,
    say_value,
    speak_value,
    typed_date,
)


@pytest.mark.parametrize(
    ("typed", "iso"),
    [
        ("", ""),
        ("  ", ""),
        ("2019", "2019"),
        ("3-2019", "2019-03"),
        ("03/2019", "2019-03"),
        ("5-3-2019", "2019-03-05"),
        ("05.03.2019", "2019-03-05"),
        ("2019-03-05", "2019-03-05"),
        ("2019-03", "2019-03"),
        ("29-2-2024", "2024-02-29"),
        ("29-2-2023", None),
        ("13-2019", None),
        ("0-2019", None),
        ("1-2-19", None),
        ("maart 2019", None),
        ("1066", None),
        ("5-3-2019 10:00", None),
        ("2019-3-5-", None),
    ],
)
def test_a_typed_date_is_understood_completely_or_refused(typed: str, iso: str | None) -> None:
    assert parse_typed_date(typed) == iso


@pytest.mark.parametrize("iso", ["2019", "2019-03", "2019-03-05"])
def test_what_the_form_shows_is_read_back_as_the_same_date(iso: str) -> None:
    assert parse_typed_date(typed_date(iso)) == iso


@pytest.mark.parametrize(
    ("iso", "said"),
    [
        ("2024", "2024"),
        ("2024-03", "maart 2024"),
        ("2024-03-05", "5 maart 2024"),
        ("2024-03-05T14:30:00+01:00", "5 maart 2024, 14:30"),
        ("2024-03-05T00:00:00+01:00", "5 maart 2024"),
        ("", ""),
    ],
)
def test_a_moment_is_never_more_precise_than_its_source(iso: str, said: str) -> None:
    assert say_moment("nl", iso) == said


def test_the_hour_stays_as_the_source_wrote_it_whatever_its_zone() -> None:
    assert say_moment("en", "2024-07-01T23:10:00-10:00") == "1 July 2024, 23:10"


def test_short_dates_use_the_usual_dutch_short_month() -> None:
    assert say_short_date("nl", "2024-03-05") == "5 mrt 2024"
    assert say_short_date("nl", "2024-05") == "mei 2024"
    assert say_short_date("en", "2024-03") == "Mar 2024"


def test_a_period_of_one_day_is_one_date() -> None:
    assert say_period("nl", "2024-03-05T09:00:00Z", "2024-03-05T09:20:00Z") == "5 maart 2024"
    assert say_period("nl", "2024-03-05", "2024-04") == "5 maart 2024 – april 2024"
    assert say_period("nl", "", "2024") == "2024"
    assert say_period("nl", "", "") == ""


def test_a_value_keeps_every_digit_and_gets_the_decimal_sign_of_the_language() -> None:
    assert say_value("nl", "7.20 mmol/L") == "7,20 mmol/L"
    assert say_value("en", "7.20 mmol/L") == "7.20 mmol/L"
    assert say_value("nl", "182.0769821926957 cm") == "182,0769821926957 cm"


def test_a_list_rounds_only_what_no_device_measures() -> None:
    assert brief_value("nl", "182.0769821926957 cm") == "182,08 cm"
    assert brief_value("nl", "-0.0123456 V") == "-0,0123 V"
    assert brief_value("nl", "105.0683372632622/163.56210454254574 mm[Hg]") == "105,07/163,56 mmHg"
    assert brief_value("en", "0.0412 mg/L") == "0.0412 mg/L"
    assert brief_value("en", "<0.41 mmol/L") == "<0.41 mmol/L"
    assert brief_value("en", "0.000001234 g") == "0.00000123 g"
    assert brief_value("en", "0.0000000012345 g") == "0.0000000012345 g"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("<0.41 mmol/L", "minder dan 0,41 mmol/L"),
        ("<= 5", "hoogstens 5"),
        ("≥60 mL/min", "minstens 60 mL/min"),
        (">90", "meer dan 90"),
        ("7 kg", "7 kg"),
    ],
)
def test_a_comparator_is_spoken_as_words(text: str, spoken: str) -> None:
    assert speak_value("nl", text) == spoken


def test_only_a_leading_sign_makes_a_bound() -> None:
    assert has_comparator("<0.41")
    assert has_comparator(" ≥60")
    assert not has_comparator("0.41")
    assert not has_comparator("ratio a>b")


def test_ucum_units_are_printed_the_way_people_write_them() -> None:
    assert printed_unit("mm[Hg]") == "mmHg"
    assert printed_unit("10*9/L") == "10⁹/L"
    assert printed_unit("10*12/L") == "10¹²/L"
    assert printed_unit("mmol/L") == "mmol/L"
    assert printed_unit("mL/min/{1.73_m2}") == "mL/min/(1.73 m2)"
    assert printed_unit("37.4 Cel") == "37.4 °C"
    assert printed_unit("Celsius") == "Celsius"
