"""Conversion: exact where the factor is certain, refused everywhere else, and the table is the library's."""

from __future__ import annotations

import importlib.util
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgo.health.assets import load_table
from pgo.health.record.units import convert, dimension
from tests.conftest import PROJECT

UNITS = sorted(load_table("codes/unit-factors.json")["units"])


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("75", "mg/dL", "g/L", "0.75"),
        ("5.40", "mmol/l", "mmol/L", "5.40"),
        ("5100", "umol/L", "mmol/L", "5.1"),
        ("120", "mm[Hg]", "kPa", "16"),
        ("154", "[lb_av]", "kg", "69.9"),
        ("180", "cm", "m", "1.8"),
        ("2.5", "m[IU]/L", "u[IU]/mL", "2.5"),
        ("12.5", "U/L", "ukat/L", "0.208"),
        ("4.5", "10*12/L", "10*6/uL", "4.5"),
    ],
)
def test_what_is_certain_is_converted_with_the_digits_that_were_measured(
    value: str, source: str, target: str, expected: str
) -> None:
    found = convert(Decimal(value), source, target)

    assert found is not None
    assert str(found) == expected


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("mmol/L", "mg/dL"),  # moles and mass: needs the substance
        ("mmol/mol", "%"),  # HbA1c: another scale, not a factor
        ("meq/L", "mmol/L"),  # depends on the charge
        ("mmol/L", "10*9/L"),  # moles are no count here
        ("[IU]/L", "U/L"),  # an arbitrary unit is no activity
        ("[IU]/L", "10*3/L"),
        ("Cel", "[degF]"),  # another zero
        ("mL/min/{1.73_m2}", "mL/min"),  # per body surface
        ("Pg", "pg"),
        ("", "mg/L"),
        ("mg/l ", "mg/l"),
    ],
)
def test_what_is_not_certain_is_refused(source: str, target: str) -> None:
    assert convert(Decimal(5), source, target) is None
    assert convert(Decimal(5), target, source) is None


@given(st.sampled_from(UNITS), st.sampled_from(UNITS), st.decimals("0.001", "99999", places=3))
def test_there_and_back_is_the_same_within_the_digits_shown(one: str, other: str, value: Decimal) -> None:
    there = convert(value, one, other)
    if dimension(one) != dimension(other):
        assert there is None
        return
    assert there is not None
    back = convert(there, other, one)
    assert back is not None
    assert abs(back - value) <= abs(value) * Decimal("0.011")


def test_no_unit_of_the_table_is_a_share_or_carries_an_annotation() -> None:
    for unit in UNITS:
        assert dimension(unit)
        assert not set("{}%") & set(unit)
        assert "eq" not in unit


def test_the_table_is_what_the_library_says() -> None:
    pytest.importorskip("ucumvert", reason="the unit library is in the development group")
    place = PROJECT / "tools" / "make_unit_factors.py"
    spec = importlib.util.spec_from_file_location("make_unit_factors", place)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tool
    spec.loader.exec_module(tool)

    assert tool.made()["units"] == load_table("codes/unit-factors.json")["units"]
