"""The timeline shows an event once, whoever wrote it down, and never hides another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pgo.health.record.kinds import RecordKind
from pgo.usecases import merge, read
from pgo.usecases.collect import collect
from pgo.usecases.session import Session
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

_PRK = "urn:oid:2.16.840.1.113883.2.4.4.10"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Home(tmp_path).open_new()


def _take(session: Session, name: str, *resources: dict[str, Any]) -> None:
    collect(session, a_bundle(a_patient(), *resources), name=name)


def _glucose(id_: str, value: float = 5.5, at: str = "2024-03-01T08:00:00Z") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "15074-8"}], "text": "Glucose"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": "mmol/L", "system": "http://unitsofmeasure.org"},
    }


def _medicine(type_: str, id_: str, **members: Any) -> dict[str, Any]:
    concept = {"coding": [{"system": _PRK, "code": "7323"}], "text": "MEDICIJN"}
    subject = {"reference": "Patient/p1"}
    return {
        "resourceType": type_,
        "id": id_,
        "subject": subject,
        "medicationCodeableConcept": concept,
        **members,
    }


def _lines(session: Session, **asked: Any) -> list[tuple[int, int]]:
    page = read.timeline(session, **asked)
    assert page.total == len(page.rows)
    return [(row.id, len(row.others)) for row in page.rows]


def test_a_reading_of_two_laboratories_is_one_line_that_names_the_other(session: Session) -> None:
    _take(session, "huisarts.json", _glucose("g1"))
    _take(session, "lab.json", _glucose("g2"), _glucose("g3", value=5.6))

    lines = _lines(session)

    assert sorted(others for _, others in lines) == [0, 1]
    (shown,) = (number for number, others in lines if others)
    sources = {member.source.name for member in merge.same_as(session, shown).members}
    assert sources == {"huisarts.json", "lab.json"}
    assert session.store.records.counts()["measurement"] == 3


def test_a_condition_and_a_medicine_of_two_providers_are_one_line_each(session: Session) -> None:
    for name in ("huisarts.json", "ziekenhuis.json"):
        medicine = _medicine(
            "MedicationStatement", f"m-{name}", status="active", effectiveDateTime="2024-05-05"
        )
        _take(session, name, a_condition(f"c-{name}"), medicine)
    assert [others for _, others in _lines(session)] == [1, 1]


def test_other_days_types_and_states_stay_events_of_their_own(session: Session) -> None:
    agreed = _medicine("MedicationRequest", "r1", status="active", intent="order", authoredOn="2024-05-05")
    given = _medicine("MedicationDispense", "d1", status="completed", whenHandedOver="2024-05-05")
    again = _medicine("MedicationDispense", "d2", status="completed", whenHandedOver="2024-08-05")
    _take(session, "huisarts.json", agreed, given, again)
    _take(session, "lab.json", _glucose("g1"), _glucose("g2", at="2024-03-02T08:00:00Z"))
    assert [others for _, others in _lines(session)] == [0] * 5


def test_what_the_patient_parted_is_two_lines_again(session: Session) -> None:
    _take(session, "huisarts.json", a_condition("c1"))
    _take(session, "ziekenhuis.json", a_condition("c2"))
    ((shown, others),) = _lines(session)
    assert others == 1

    pairs = merge.part(session, shown)
    assert [others for _, others in _lines(session)] == [0, 0]

    merge.join_again(session, shown, pairs)
    assert [others for _, others in _lines(session)] == [1]


def test_a_search_finds_every_record_and_a_filter_folds(session: Session) -> None:
    _take(session, "huisarts.json", _glucose("g1"))
    _take(session, "lab.json", _glucose("g2"))
    assert [others for _, others in _lines(session, query="glucose")] == [0, 0]
    assert [others for _, others in _lines(session, kind=RecordKind.MEASUREMENT)] == [1]


def test_pages_do_not_show_a_folded_record_again(session: Session) -> None:
    _take(session, "huisarts.json", *(_glucose(f"g{n}", value=n) for n in range(1, 8)))
    _take(session, "lab.json", *(_glucose(f"h{n}", value=n) for n in range(1, 8)))
    pages = [read.timeline(session, offset=offset, limit=3) for offset in (0, 3, 6)]
    assert [page.total for page in pages] == [7, 7, 7]
    shown = [number for page in pages for row in page.rows for number in (row.id, *row.others)]
    assert sorted(shown) == sorted({*shown})
    assert len(shown) == 14
