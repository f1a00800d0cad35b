"""The form of a new share, without a screen: defaults that protect, switches that change only themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from consent.codes import Category, Sensitivity
from pgo.ui.sharing.form import (
    OWN,
    Since,
    Span,
    add_months,
    choice_of,
    problems,
    start_form,
    with_category,
    with_days,
    with_preset,
    with_sensitivity,
    with_since,
    with_span,
)
from pgo.usecases.share import Preset

TODAY = date(2026, 11, 22)
CARE = Preset("care", frozenset(Category) - {Category.GENETICS}, frozenset(), "TREAT", 365)
PILLS = Preset("medication", frozenset({Category.MEDICATIONS, Category.ALLERGIES}), frozenset(), "TREAT", 90)


def test_first_form_takes_the_first_preset_and_nothing_sensitive() -> None:
    form = start_form((PILLS, CARE), today=TODAY)
    assert form.preset == "medication"
    assert form.categories == {Category.MEDICATIONS, Category.ALLERGIES}
    assert form.sensitivity == frozenset()
    assert (form.first, form.last) == (TODAY, date(2027, 2, 22))
    assert not problems(form, today=TODAY)


def test_no_preset_is_a_programming_error_and_never_an_empty_permission() -> None:
    with pytest.raises(ValueError, match="presets"):
        start_form((), today=TODAY)


def test_a_long_preset_starts_at_one_year() -> None:
    assert start_form((CARE,), today=TODAY).last == date(2027, 11, 22)


def test_a_preset_keeps_days_the_patient_picked() -> None:
    form = with_days(start_form((PILLS,), today=TODAY), first=TODAY, last=date(2026, 12, 1))
    assert with_preset(form, CARE).last == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 1, 15), -24, date(2024, 1, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
    ],
)
def test_months_end_on_a_day_that_exists(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


def test_a_switch_makes_it_an_own_choice_and_changes_only_itself() -> None:
    form = start_form((PILLS,), today=TODAY)
    more = with_category(form, Category.LABS, on=True)
    assert more.preset == OWN
    assert more.categories == form.categories | {Category.LABS}
    assert more.sensitivity == frozenset()
    assert with_category(more, Category.LABS, on=False).categories == form.categories


def test_a_sensitive_subject_comes_only_by_name_and_goes_again() -> None:
    form = start_form((CARE,), today=TODAY)
    opened = with_sensitivity(form, Sensitivity.HIV, on=True)
    assert opened.sensitivity == {Sensitivity.HIV}
    assert opened.categories == form.categories
    assert with_sensitivity(opened, Sensitivity.HIV, on=False).sensitivity == frozenset()


def test_a_preset_takes_sensitive_subjects_back() -> None:
    opened = with_sensitivity(start_form((CARE,), today=TODAY), Sensitivity.MENTAL, on=True)
    assert with_preset(opened, PILLS).sensitivity == frozenset()


def test_nothing_chosen_cannot_be_signed() -> None:
    form = with_category(start_form((PILLS,), today=TODAY), Category.MEDICATIONS, on=False)
    form = with_category(form, Category.ALLERGIES, on=False)
    assert problems(form, today=TODAY) == {"categories": "nothing"}


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        (TODAY, date(2026, 11, 21), "past"),
        (date(2026, 12, 10), date(2026, 12, 9), "dates"),
        (TODAY, date(2031, 11, 23), "long"),
        (TODAY, date(2031, 11, 22), None),
        (TODAY, TODAY, None),
    ],
)
def test_days_that_make_no_sense_are_named(first: date, last: date, problem: str | None) -> None:
    form = with_days(start_form((PILLS,), today=TODAY), first=first, last=last)
    assert problems(form, today=TODAY).get("period") == problem


def test_own_span_starts_from_the_days_that_stand_there() -> None:
    form = with_span(start_form((PILLS,), today=TODAY), Span.OWN)
    assert (form.first, form.last) == (TODAY, date(2027, 2, 22))
    assert with_span(form, Span.YEAR1).last == date(2027, 11, 22)


def test_data_from_two_years_own_date_and_back_to_all() -> None:
    form = start_form((PILLS,), today=TODAY)
    assert form.data_from is None
    recent = with_since(form, Since.YEARS2, today=TODAY)
    assert recent.data_from == date(2024, 11, 22)
    own = with_since(recent, Since.OWN, today=TODAY, own=date(2020, 1, 1))
    assert own.data_from == date(2020, 1, 1)
    assert with_since(own, Since.ALL, today=TODAY).data_from is None


def test_data_from_the_future_is_named() -> None:
    form = replace(start_form((PILLS,), today=TODAY), data_from=date(2026, 11, 23))
    assert problems(form, today=TODAY) == {"data_from": "data_from"}


def test_the_choice_says_what_the_form_says() -> None:
    form = with_since(start_form((PILLS,), today=TODAY), Since.YEARS2, today=TODAY)
    choice = choice_of(form, recipient_id="ura:00000123")
    assert choice.recipient_id == "ura:00000123"
    assert choice.categories == form.categories
    assert choice.period == (TODAY, date(2027, 2, 22))
    assert choice.data_from == date(2024, 11, 22)
    assert choice.keep_text is False
