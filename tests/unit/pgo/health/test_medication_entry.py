"""Typed medication and allergies: what is refused, what is written, and that it comes back as typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from fhir.resources.R4B import get_fhir_model_class

from pgo.health.medication.entry import (
    AllergyForm,
    MedicationForm,
    build_allergy,
    build_medication_statement,
    form_from,
    stop,
    validate,
)
from pgo.health.record.index import RecordKind, RecordStatus, build_index
from pgo.health.record.reader import read_records
from pgo.health.record.resolve import nothing
from tests.unit.pgo.health.make import resource

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FULL = MedicationForm(
    name=" Paracetamol 500 mg ", dosage="Bij pijn", reason="Knie", start="2026-01", end="", note="a\nb"
)
PEANUT = AllergyForm(
    substance="Pinda",
    category="food",
    reaction="Jeuk",
    severity="severe",
    criticality="high",
    start="2001",
    note="x",
    past=False,
)


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        (MedicationForm(name="A"), {}),
        (MedicationForm(), {"name": "health.form.required"}),
        (MedicationForm(name="   "), {"name": "health.form.required"}),
        (MedicationForm(name="A" * 201), {"name": "health.form.too_long"}),
        (MedicationForm(name="A\x07"), {"name": "health.form.odd_characters"}),
        (MedicationForm(name="A\ud800"), {"name": "health.form.odd_characters"}),
        (MedicationForm(name="A", start="morgen"), {"start": "health.form.not_a_date"}),
        (MedicationForm(name="A", start="2026-02-30"), {"start": "health.form.not_a_date"}),
        (MedicationForm(name="A", start="2026-01-01T10:00:00Z"), {"start": "health.form.not_a_date"}),
        (MedicationForm(name="A", start="0000"), {"start": "health.form.not_a_date"}),
        (
            MedicationForm(name="A", start="2026-05", end="2026-04-30"),
            {"end": "health.form.end_before_start"},
        ),
        (MedicationForm(name="A", start="2026-05-20", end="2026-05"), {}),
        (AllergyForm(substance="Pinda"), {}),
        (AllergyForm(), {"substance": "health.form.required"}),
        (AllergyForm(substance="A", category="biologic"), {"category": "health.form.unknown_choice"}),
        (AllergyForm(substance="A", severity="mild"), {"reaction": "health.form.reaction_needed"}),
    ],
)
def test_each_broken_rule_is_named_at_its_field(
    form: MedicationForm | AllergyForm, faults: dict[str, str]
) -> None:
    assert validate(form) == faults


def test_a_medicine_comes_back_as_typed_and_is_valid_fhir() -> None:
    raw = build_medication_statement(FULL, id="m1", subject="Patient/p", at=AT)
    get_fhir_model_class("MedicationStatement").model_validate_json(raw)
    (one,) = read_records(raw, name="x.json").resources
    assert form_from(one) == replace(FULL, name="Paracetamol 500 mg")
    index = build_index(one, resolve=nothing)
    assert (index.kind, index.title, index.detail) == (
        RecordKind.MEDICATION,
        "Paracetamol 500 mg",
        "Bij pijn",
    )
    assert (index.status, index.start) == (RecordStatus.CURRENT, "2026-01")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (MedicationForm(name="A"), "active"),
        (MedicationForm(name="A", end="2026-11-21"), "completed"),
        (MedicationForm(name="A", end="2026-11-22"), "active"),
        (MedicationForm(name="A", end="2026"), "active"),
        (MedicationForm(name="A", start="2027"), "intended"),
        (stop(MedicationForm(name="A"), date(2026, 11, 22)), "stopped"),
    ],
)
def test_the_status_follows_from_the_dates_on_the_day_of_typing(form: MedicationForm, status: str) -> None:
    raw = build_medication_statement(form, id="m", subject="Patient/p", at=AT)
    assert read_records(raw, name="x.json").resources[0].body["status"] == status


def test_an_allergy_comes_back_as_typed_and_is_valid_fhir() -> None:
    for form in (PEANUT, replace(PEANUT, past=True), AllergyForm(substance="Stof")):
        raw = build_allergy(form, id="a1", subject="Patient/p", at=AT)
        get_fhir_model_class("AllergyIntolerance").model_validate_json(raw)
        (one,) = read_records(raw, name="x.json").resources
        assert form_from(one) == form
        expected = RecordStatus.PAST if form.past else RecordStatus.CURRENT
        assert build_index(one, resolve=nothing).status is expected


def test_the_same_form_gives_the_same_bytes() -> None:
    once, again = (build_allergy(PEANUT, id="a", subject="Patient/p", at=AT) for _ in range(2))
    assert once == again


def test_an_invalid_form_is_never_written() -> None:
    with pytest.raises(ValueError, match="name"):
        build_medication_statement(MedicationForm(), id="m", subject="Patient/p", at=AT)


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build_allergy(PEANUT, id="a", subject="Patient/p", at=datetime(2026, 1, 1))


def test_other_records_have_no_form() -> None:
    with pytest.raises(ValueError, match="Patient"):
        form_from(resource("Patient"))
