"""Normal values, what lies outside them, what scores mean, and how both are drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from crypto.canonical import parse_strict
from pgo.health.prom.meaning import meaning_of
from pgo.health.prom.questionnaire import SCORE_SYSTEM, own_questionnaires
from pgo.health.record.resource import Resource
from pgo.health.record.series import Series, build_series, measured
from recipient.portal.charts import Dot, Limits, line_chart
from recipient.portal.ranges import outside, range_of
from tests.support.clinical_rich import normal, result

AT = datetime(2026, 3, 2, tzinfo=UTC)
HIGH = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "H"}


def observation(value: str, **more: Any) -> tuple[dict[str, Any], Series]:
    """A potassium result and its line."""
    raw = result("k", "2026-02-10", value, text="Kalium", code="2823-3", unit="mmol/L", **more)
    body: Any = parse_strict(raw, max_bytes=10_000)
    (series,) = build_series((1, one) for one in measured(Resource(raw, body, "Observation", "k", None)))
    return body, series


class TestRanges:
    @pytest.mark.parametrize(
        ("value", "flag"), [("3.4", "low"), ("3.5", ""), ("5.0", ""), ("5.00001", "high"), ("5", "")]
    )
    def test_both_ends_belong_to_what_is_normal(self, value: str, flag: str) -> None:
        body, series = observation(value, referenceRange=normal(3.5, 5.0, "mmol/L"))
        assert outside(body, series.points[-1], series) == flag

    def test_what_the_source_says_itself_goes_before_comparing(self) -> None:
        body, series = observation(
            "4.0", referenceRange=normal(3.5, 5.0, "mmol/L"), interpretation=[{"coding": [HIGH]}]
        )
        assert outside(body, series.points[-1], series) == "high"
        body, series = observation(
            "9.0",
            referenceRange=normal(3.5, 5.0, "mmol/L"),
            interpretation=[{"coding": [{**HIGH, "code": "N"}]}],
        )
        assert outside(body, series.points[-1], series) == ""

    @pytest.mark.parametrize(("sign", "flag"), [("<", ""), (">", "high")])
    def test_a_limit_of_a_method_is_only_outside_when_it_must_be(self, sign: str, flag: str) -> None:
        body, series = observation("5.1", referenceRange=normal(3.5, 5.0, "mmol/L"))
        body["valueQuantity"]["comparator"] = sign
        raw = Resource(b"", body, "Observation", "k", None)
        (series,) = build_series((1, one) for one in measured(raw))
        assert outside(body, series.points[-1], series) == flag

    @pytest.mark.parametrize(
        "rows",
        [
            [],
            [{"text": "negatief"}],
            normal(3.5, 5.0, "mmol/L") * 2,
            [{**normal(3.5, 5.0, "mmol/L")[0], "age": {"high": {"value": 12}}}],
            [{**normal(3.5, 5.0, "mmol/L")[0], "appliesTo": [{"text": "vrouw"}]}],
            [{**normal(3.5, 5.0, "mmol/L")[0], "type": {"coding": [{"code": "therapeutic"}]}}],
            normal(3.5, 5.0, "mg/dL"),
        ],
        ids=["none", "words", "two", "age", "group", "target", "other unit"],
    )
    def test_without_certain_normal_values_nothing_is_outside(self, rows: list[dict[str, Any]]) -> None:
        body, series = observation("9.9", referenceRange=rows)
        assert range_of(body, series) is None
        assert outside(body, series.points[-1], series) == ""

    def test_an_open_end_stays_open(self) -> None:
        body, series = observation("9.9", referenceRange=normal(3.5, None, "mmol/L"))
        found = range_of(body, series)
        assert found is not None
        assert (found.low, found.high) == (Decimal("3.5"), None)
        assert outside(body, series.points[-1], series) == ""


class TestMeaning:
    def test_published_bands_cover_the_scale_without_gap_or_overlap(self) -> None:
        for code in ("http://loinc.org|44261-6", "http://loinc.org|70274-6"):
            meaning = meaning_of(code)
            assert meaning is not None
            bands = [meaning.band_of(Decimal(score)) for score in range(int(meaning.high) + 1)]
            assert None not in bands
            assert list(dict.fromkeys(bands)) == list(meaning.bands)

    @pytest.mark.parametrize(
        ("code", "score", "word"),
        [
            ("44261-6", 4, "minimal"),
            ("44261-6", 5, "mild"),
            ("44261-6", 14, "moderate"),
            ("44261-6", 15, "moderately_severe"),
            ("44261-6", 20, "severe"),
            ("70274-6", 9, "mild"),
            ("70274-6", 15, "severe"),
        ],
    )
    def test_a_score_lies_in_the_band_its_makers_say(self, code: str, score: int, word: str) -> None:
        meaning = meaning_of(f"http://loinc.org|{code}")
        assert meaning is not None
        band = meaning.band_of(Decimal(score))
        assert band is not None
        assert band.word == word

    def test_own_scores_say_which_end_is_better(self) -> None:
        for rule in (rule for one in own_questionnaires() for rule in one.rules):
            meaning = meaning_of(f"{SCORE_SYSTEM}|{rule.code}")
            assert meaning is not None
            assert meaning.higher_is_better == rule.higher_is_better
            assert (meaning.low, meaning.high) == (0, 100)

    def test_an_unknown_score_gets_no_meaning(self) -> None:
        assert meaning_of("http://loinc.org|4548-4") is None
        assert meaning_of("") is None


class TestDrawing:
    def drawn(self, limits: Limits, *dots: Dot) -> ElementTree.Element:
        svg = line_chart(dots, lang="nl", title="x", description="y", limits=limits)
        return ElementTree.fromstring(str(svg))

    def dot(self, day: int, value: str, sign: str = "") -> Dot:
        return Dot(AT + timedelta(days=day), Decimal(value), sign)

    def test_normal_values_are_a_band_behind_the_line(self) -> None:
        root = self.drawn(Limits(low=3.5, high=5.0), self.dot(0, "4.2"), self.dot(9, "5.6"))
        (band,) = [one for one in root.iter("rect") if one.get("class") == "normal"]
        (line,) = root.iter("polyline")
        first, last = (float(pair.split(",")[1]) for pair in line.get("points", "").split())
        top = float(band.get("y", ""))
        assert last < top < first < top + float(band.get("height", ""))
        assert list(root).index(band) < list(root).index(line)

    def test_limits_far_away_do_not_flatten_the_line(self) -> None:
        root = self.drawn(Limits(high=5000.0), self.dot(0, "4"), self.dot(9, "5"))
        ticks = [one.text for one in root.iter("text") if one.get("text-anchor") == "end"]
        assert "5000" not in ticks

    def test_a_scale_is_drawn_whole_with_its_steps(self) -> None:
        root = self.drawn(Limits(scale=(0, 27), steps=(5, 10)), self.dot(0, "8"))
        assert len([one for one in root.iter("line") if one.get("class") == "step"]) == 2
        numbers = [one.text for one in root.iter("text") if one.get("x") == "54.0"]
        assert numbers[0] == "0"
        assert float(numbers[-1] or 0) >= 27

    def test_a_limit_of_a_method_is_an_arrow_away_from_the_line(self) -> None:
        root = self.drawn(Limits(), self.dot(0, "5", "<"), self.dot(9, "7", ">"))
        assert len(list(root.iter("path"))) == 2
        assert not list(root.iter("circle"))
