"""The demonstration patient: always the same, valid, marked as test data, and useful to look at."""

from __future__ import annotations

from collections import Counter
from datetime import date

from fhir.resources.R4B import get_fhir_model_class

from pgo.health.demo import demo_bundle
from pgo.health.record.index import RecordKind, RecordStatus, build_index
from pgo.health.record.reader import read_records
from pgo.health.record.resolve import resolver
from pgo.health.record.series import build_series, measured
from pgo.health.record.status import status_on

TODAY = date(2026, 11, 22)


def test_the_same_day_gives_the_same_bytes() -> None:
    assert demo_bundle(TODAY) == demo_bundle(TODAY)
    assert demo_bundle(TODAY) != demo_bundle(date(2026, 11, 23))


def test_every_record_is_valid_fhir_and_marked_as_test_data() -> None:
    intake = read_records(demo_bundle(TODAY), name="demo.json")
    assert intake.set_aside == ()
    assert 250 <= len(intake.resources) <= 350
    for one in intake.resources:
        get_fhir_model_class(one.type).model_validate_json(one.raw)
        assert [tag["code"] for tag in one.body["meta"]["tag"]] == ["HTEST"]
    assert len({one.reference for one in intake.resources}) == len(intake.resources)


def test_every_reference_is_resolved_inside() -> None:
    intake = read_records(demo_bundle(TODAY), name="demo.json")
    look_up = resolver(intake.resources)
    for one in intake.resources:
        for part in one.raw.split(b'"reference":"')[1:]:
            assert look_up(part.split(b'"')[0].decode()) is not None


def test_nothing_lies_in_the_future_and_the_patient_is_54() -> None:
    for day in (TODAY, date(2026, 3, 13), date(2026, 3, 14), date(2028, 2, 29)):
        intake = read_records(demo_bundle(day), name="demo.json")
        look_up = resolver(intake.resources)
        assert all(
            build_index(one, resolve=look_up).start[:10] <= day.isoformat() for one in intake.resources
        )
        born = date.fromisoformat(intake.persons[0].birth_date)
        assert day.year - born.year - ((day.month, day.day) < (born.month, born.day)) == 54


def test_there_is_something_on_every_screen() -> None:
    intake = read_records(demo_bundle(TODAY), name="demo.json")
    look_up = resolver(intake.resources)
    rows = [build_index(one, resolve=look_up) for one in intake.resources]
    kinds = Counter(row.kind for row in rows)
    wanted = set(RecordKind) - {RecordKind.DOCUMENT, RecordKind.DIRECTIVE}
    assert set(kinds) == wanted
    medicines = Counter(
        status_on(row.status, row.start, row.end, on=TODAY)
        for row in rows
        if row.kind is RecordKind.MEDICATION
    )
    assert medicines == {RecordStatus.CURRENT: 7, RecordStatus.PAST: 6}
    lines = build_series((n, item) for n, one in enumerate(intake.resources) for item in measured(one))
    checks = [line for line in lines if "prom-score" in line.key]
    assert [len(line.points) for line in checks] == [26, 26, 26, 26]
    assert {"HbA1c", "eGFR (CKD-EPI)", "Bovendruk", "Onderdruk", "Gewicht"} <= {line.title for line in lines}
