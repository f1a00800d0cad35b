"""Things shown once with all their sources, "not the same" and back; units joined in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pgo.errors import NotFound
from pgo.health.record.directive import Decision
from pgo.health.record.kinds import RecordKind
from pgo.usecases import merge, read
from pgo.usecases.collect import collect
from pgo.usecases.medicines import medicine, medicines, steps_of
from pgo.usecases.session import Session
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

_UCUM = "http://unitsofmeasure.org"
_PRK = "urn:oid:2.16.840.1.113883.2.4.4.10"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Home(tmp_path).open_new()


def _take(session: Session, name: str, *resources: dict[str, Any]) -> None:
    collect(session, a_bundle(a_patient(), *resources), name=name)


def _statement(id_: str, code: str = "7323", **members: Any) -> dict[str, Any]:
    concept = {"coding": [{"system": _PRK, "code": code}], "text": f"MEDICIJN {code}"}
    return {
        "resourceType": "MedicationStatement",
        "id": id_,
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": concept,
        **members,
    }


def _glucose(id_: str, value: float, unit: str, at: str, code: str = "15074-8") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": "Glucose"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": unit, "system": _UCUM, "code": unit},
    }


def test_one_condition_of_two_providers_is_shown_once_and_both_stay_stored(session: Session) -> None:
    _take(session, "huisarts.json", a_condition("c1"))
    _take(session, "ziekenhuis.json", a_condition("c2"))

    (shown,) = read.profile(session).conditions
    same = merge.same_as(session, shown.id)

    assert len(shown.others) == 1
    assert {member.source.name for member in same.members} == {"huisarts.json", "ziekenhuis.json"}
    assert same.rule == "problem"
    assert session.store.records.counts()["condition"] == 2


def test_not_the_same_parts_them_for_good_and_can_be_taken_back(session: Session) -> None:
    _take(session, "huisarts.json", a_condition("c1"))
    _take(session, "ziekenhuis.json", a_condition("c2"))
    (shown,) = read.profile(session).conditions

    pairs = merge.part(session, shown.id)
    assert [row.others for row in read.profile(session).conditions] == [(), ()]
    assert merge.same_as(session, shown.id).parted == pairs

    merge.join_again(session, shown.id, pairs)
    assert len(read.profile(session).conditions) == 1
    events = [str(line.event) for line in session.store.journal.lines()]
    assert events[-2:] == ["said_different", "said_different_undone"]


def test_what_stands_alone_cannot_be_parted(session: Session) -> None:
    _take(session, "huisarts.json", a_condition("c1"))
    (shown,) = read.profile(session).conditions

    with pytest.raises(NotFound):
        merge.part(session, shown.id)


def test_what_goes_to_the_trash_leaves_the_thing(session: Session) -> None:
    from pgo.usecases import medicate

    _take(session, "a.json", a_condition("c1"))
    _take(session, "b.json", a_condition("c2"))
    (shown,) = read.profile(session).conditions
    medicate.remove(session, shown.id)

    (left,) = read.profile(session).conditions
    assert (left.id, left.others) == (shown.others[0], ())


def test_every_record_is_in_one_thing_of_its_kind(session: Session) -> None:
    _take(session, "a.json", a_condition("c1"), _statement("m1"), _statement("m2", "9"))
    _take(session, "b.json", _statement("m3"), _statement("m4"))

    for kind in (RecordKind.MEDICATION, RecordKind.CONDITION):
        members = [number for thing in merge.things(session, kind) for number in thing.record_ids]
        stored = [row.id for row in session.store.records.of_kinds((kind.value,))]
        assert sorted(members) == sorted(stored)


def test_a_medicine_opens_to_all_its_records(session: Session) -> None:
    _take(session, "a.json", _statement("m1", dosage=[{"text": "1 per dag"}]))
    _take(session, "b.json", _statement("m3"), _statement("m9", "9"))

    found = next(one for one in medicines(session).current if one.title == "MEDICIJN 7323")

    assert (found.sources, found.rule) == (2, "prk")
    assert medicine(session, found.line.record_ids[1]) == found
    assert {step.record_id for step in steps_of(session, found)} == set(found.line.record_ids)
    with pytest.raises(NotFound):
        medicine(session, 999)


def test_a_reading_of_two_sources_is_one_point_with_two_records(session: Session) -> None:
    moment = "2026-01-02T08:30:00+01:00"
    _take(session, "lab.json", _glucose("o1", 5.4, "mmol/L", moment))
    _take(session, "huisarts.json", _glucose("o2", 5.4, "mmol/L", moment))

    (line,) = read.series_list(session)
    (point,) = read.series(session, line.key).points

    assert line.count == 1
    assert len(point.others) == 1
    assert merge.same_as(session, point.record_id).rule == "reading"


def test_units_that_go_into_each_other_are_one_line_and_say_what_was_written(session: Session) -> None:
    _take(
        session,
        "lab.json",
        _glucose("o1", 1.2, "g/L", "2026-01-02"),
        _glucose("o2", 95, "mg/dL", "2026-02-02"),
        _glucose("o3", 5.4, "mmol/L", "2026-03-02"),
    )

    mass, moles = sorted(read.series_list(session), key=lambda line: line.unit)
    points = read.series(session, mass.key).points

    assert (mass.unit, mass.count, moles.unit, moles.count) == ("mg/dL", 2, "mmol/L", 1)
    assert [(point.text, point.original) for point in points] == [("120 mg/dL", "1.2 g/L"), ("95 mg/dL", "")]


def test_a_unit_that_is_not_written_as_ucum_is_not_converted(session: Session) -> None:
    one = _glucose("o1", 1.2, "g/L", "2026-01-02")
    del one["valueQuantity"]["system"], one["valueQuantity"]["code"]
    _take(session, "lab.json", one, _glucose("o2", 95, "mg/dL", "2026-02-02"))

    assert [line.count for line in read.series_list(session)] == [1, 1]


def test_sources_that_disagree_show_the_allergy_as_present_and_say_so(session: Session) -> None:
    def allergy(id_: str, clinical: str) -> dict[str, Any]:
        system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
        return {
            "resourceType": "AllergyIntolerance",
            "id": id_,
            "clinicalStatus": {"coding": [{"system": system, "code": clinical}]},
            "code": {
                "coding": [{"system": "http://snomed.info/sct", "code": "764146007"}],
                "text": "Penicilline",
            },
            "patient": {"reference": "Patient/p1"},
        }

    _take(session, "oud.json", allergy("a1", "active"))
    _take(session, "nieuw.json", allergy("a2", "resolved"))

    (shown,) = read.profile(session).allergies

    assert (str(shown.status), shown.disagree, len(shown.others)) == ("current", True, 1)


def test_wishes_about_care_are_in_the_profile_with_their_yes_or_no(session: Session) -> None:
    snomed = "http://snomed.info/sct"
    wish = {
        "resourceType": "Consent",
        "id": "w1",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]
        },
        "category": [{"coding": [{"system": snomed, "code": "129125009"}]}],
        "patient": {"reference": "Patient/p1"},
        "dateTime": "2020-01-01",
        "provision": {
            "type": "deny",
            "code": [{"coding": [{"system": snomed, "code": "89666000"}], "text": "Reanimeren"}],
        },
    }
    _take(session, "a.json", json.loads(json.dumps(wish)))

    (found,) = read.profile(session).directives

    assert (found.row.title, found.directive.decision) == ("Reanimeren", Decision.NO)
