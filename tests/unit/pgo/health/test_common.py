"""Everyday names: for what is measured most, in both languages, found by both, beside the source."""

from __future__ import annotations

from pgo.health.assets import load_table
from pgo.health.record.common import common_name
from pgo.health.record.index import build_index
from pgo.health.record.resolve import nothing
from pgo.health.record.words import folded
from tests.unit.pgo.health.make import coded, observation


def test_every_name_is_there_in_both_languages() -> None:
    for code, names in load_table("codes/common-names.json")["names"].items():
        assert code.startswith("http://loinc.org|")
        assert set(names) == {"nl", "en"}
        assert all(name.strip() == name and name for name in names.values())


def test_a_code_outside_the_table_keeps_its_source_words() -> None:
    assert common_name("http://loinc.org|1-1", "nl") == ""
    assert common_name("", "nl") == ""


def test_an_english_record_is_found_by_its_dutch_name_and_keeps_its_title() -> None:
    one = observation(code=coded("http://loinc.org", "8480-6", display="Systolic Blood Pressure"))

    index = build_index(one, resolve=nothing)

    assert index.title == "Systolic Blood Pressure"
    assert folded("Bovendruk") in index.search
