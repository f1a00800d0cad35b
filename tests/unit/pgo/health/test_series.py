"""Lines over time: one per code and unit, nothing converted, nothing lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pgo.health.record.series import build_series, measured
from tests.unit.pgo.health.make import coded, observation, resource

UCUM = "http://unitsofmeasure.org"


def sodium(at: str, value: float, unit: str = "mmol/L", **members: Any) -> Any:
    quantity = {"value": value, "unit": unit, "system": UCUM, "code": unit, **members}
    code = {"text": "Natrium", **coded("http://loinc.org", "2951-2")}
    return observation(code=code, effectiveDateTime=at, valueQuantity=quantity)


def lines(*resources: Any) -> Any:
    return build_series((number, item) for number, one in enumerate(resources) for item in measured(one))


def test_points_stand_in_time_order_with_their_record() -> None:
    (line,) = lines(sodium("2021-05-01", 141), sodium("2020-01-01", 139.5))
    assert [(p.at, p.value, p.record_id) for p in line.points] == [
        ("2020-01-01", Decimal("139.5"), 1),
        ("2021-05-01", Decimal(141), 0),
    ]
    assert (line.title, line.unit, line.key) == ("Natrium", "mmol/L", "http://loinc.org|2951-2|mmol/L")


def test_units_never_meet_on_one_line() -> None:
    assert len(lines(sodium("2020", 139), sodium("2021", 3197, "mg/L"))) == 2


def test_a_comparator_stays_visible() -> None:
    (line,) = lines(sodium("2020", 0.41, comparator="<"))
    assert (line.points[0].text, line.points[0].value) == ("<0.41 mmol/L", Decimal("0.41"))


def test_components_are_lines_of_their_own() -> None:
    parts = [
        {"code": {"text": name}, "valueQuantity": {"value": value, "unit": "mmHg"}}
        for name, value in (("Bovendruk", 128), ("Onderdruk", 82))
    ]
    found = lines(observation(code={"text": "Bloeddruk"}, effectiveDateTime="2020", component=parts))
    assert [line.title for line in found] == ["Bovendruk", "Onderdruk"]


def test_what_cannot_be_drawn_is_left_out() -> None:
    wrong = observation(effectiveDateTime="2020", valueQuantity={"value": 1}, status="entered-in-error")
    undated = observation(valueQuantity={"value": 1})
    words = observation(effectiveDateTime="2020", valueString="hoog")
    other = resource("Basic", code={"text": "x"})
    assert lines(wrong, undated, words, other) == ()


def test_uncoded_measurements_are_sorted_by_their_folded_name() -> None:
    one = observation(
        code={"text": "Gewicht"}, effectiveDateTime="2020", valueQuantity={"value": 80, "unit": "kg"}
    )
    two = observation(
        code={"text": "gewicht"}, effectiveDateTime="2021", valueQuantity={"value": 81, "unit": "kg"}
    )
    (line,) = lines(one, two)
    assert len(line.points) == 2
