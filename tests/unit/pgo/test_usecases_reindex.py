"""An index of an older program is made anew from the kept bytes, once, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgo.store.record_types import RecordColumns
from pgo.usecases import medicate, read
from pgo.usecases.collect import collect
from pgo.usecases.reindex import refresh_index
from pgo.usecases.session import Session
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

_OLD = RecordColumns("other", "oud", "", "", "", "unknown", "", "", "", "", "oud")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    opened = Home(tmp_path).open_new()
    collect(opened, a_bundle(a_patient(), a_condition("c1"), a_condition("c2", text="Astma")), name="a.json")
    return opened


def test_titles_and_numbers_are_made_again_and_bytes_stay(session: Session) -> None:
    numbers = session.store.records.reading.all_ids()
    before = {number: session.store.records.row(number) for number in numbers}
    raws = {number: raw for number, _, raw in session.store.records.raws(numbers)}
    medicate.remove(session, numbers[-1])
    with session.store.write(session.now()):
        for number in numbers:
            session.store.records.reindex(number, _OLD, ())

    assert refresh_index(session) == len(numbers)

    for number in numbers[:-1]:
        assert session.store.records.row(number) == before[number]
    thrown_away = session.store.records.row(numbers[-1])
    assert thrown_away is not None
    assert thrown_away.columns == getattr(before[numbers[-1]], "columns", None)
    assert {number: raw for number, _, raw in session.store.records.raws(numbers)} == raws


def test_an_index_of_this_program_is_left_alone(session: Session) -> None:
    refresh_index(session)
    changes = session.store.changes()

    assert refresh_index(session) == 0
    assert session.store.changes() == changes


def test_numbers_of_before_get_their_unit_and_join_their_line(session: Session) -> None:
    def glucose(id_: str, value: float, unit: str, day: str) -> dict[str, object]:
        quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        code = {"coding": [{"system": "http://loinc.org", "code": "15074-8"}], "text": "Glucose"}
        return {
            "resourceType": "Observation",
            "id": id_,
            "status": "final",
            "code": code,
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": day,
            "valueQuantity": quantity,
        }

    two = glucose("o1", 5.4, "mmol/L", "2026-01-01"), glucose("o2", 5600, "umol/L", "2026-02-01")
    collect(session, a_bundle(a_patient(), *two), name="lab.json")
    engine = session.store.measures._engine
    with session.store.write(session.now()):
        engine.run("UPDATE measure SET ucum = ''")
    assert len(read.series_list(session)) == 2

    refresh_index(session)

    (line,) = read.series_list(session)
    assert line.count == 2
