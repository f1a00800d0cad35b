"""Agreed, planned, handed over, taken: one line; differences are said only when certain."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pgo.health.medication.lines import Difference, MedicineLine, medicine_line
from pgo.health.medication.steps import Role, Stop, read_step
from pgo.health.record.reader import read_records
from pgo.health.record.resolve import nothing, resolver
from pgo.health.record.sameness import PRK, treatment_of
from pgo.health.record.status import RecordStatus
from tests.unit.pgo.health.make import coded, resource

_NICTIZ = "http://nictiz.nl/fhir/StructureDefinition/"
_SNOMED = "http://snomed.info/sct"
_TABLET = {"coding": [{"system": PRK, "code": "4669"}], "text": "FUROSEMIDE TABLET 40MG"}


def _dosage(times: int, amount: float = 1, unit: str = "1") -> list[dict[str, Any]]:
    repeat = {"frequency": times, "period": 1, "periodUnit": "d"}
    dose = {"value": amount, "unit": "stuk", "system": "http://unitsofmeasure.org", "code": unit}
    return [
        {
            "text": f"{times} maal per dag {amount} stuk",
            "timing": {"repeat": repeat},
            "doseAndRate": [{"doseQuantity": dose}],
        }
    ]


def _agreed(number: str, start: str, end: str = "", **members: Any) -> Any:
    period = {"start": start, **({"end": end} if end else {})}
    extensions = [
        {"url": f"{_NICTIZ}ext-TimeInterval.Period", "valuePeriod": period},
        {"url": f"{_NICTIZ}ext-RegistrationDateTime", "valueDateTime": f"{start}T09:00:00+01:00"},
    ]
    body = {
        "identifier": [{"system": "urn:oid:1.2.3", "value": number}],
        "extension": extensions,
        "status": "unknown",
        "intent": "order",
        "category": [coded(_SNOMED, "33633005")],
        "medicationCodeableConcept": _TABLET,
        "subject": {"display": "Test"},
        "dosageInstruction": _dosage(1),
    }
    return resource("MedicationRequest", **{**body, **members})


def _stop(number: str, ends: str, code: str, start: str, end: str) -> Any:
    kind = {"url": f"{_NICTIZ}ext-StopType", "valueCodeableConcept": coded(_SNOMED, code)}
    return _agreed(
        number,
        start,
        end,
        modifierExtension=[kind],
        priorPrescription={"identifier": {"system": "urn:oid:9", "value": ends}},
    )


def _takes(written: str, times: int = 1, status: str = "active", **members: Any) -> Any:
    body = {
        "status": status,
        "category": coded(_SNOMED, "422979000"),
        "medicationCodeableConcept": _TABLET,
        "subject": {"display": "Test"},
        "effectivePeriod": {"start": "2024-01-10"},
        "dateAsserted": written,
        "dosage": _dosage(times),
    }
    return resource("MedicationStatement", **{**body, **members})


def _plan(start: str, times: int) -> Any:
    period = {"url": f"{_NICTIZ}ext-TimeInterval.Period", "valuePeriod": {"start": start}}
    return resource(
        "MedicationDispense",
        extension=[period],
        status="unknown",
        category=coded(_SNOMED, "422037009"),
        medicationCodeableConcept=_TABLET,
        dosageInstruction=_dosage(times),
    )


def _line(*resources: Any, on: str = "2024-02-01") -> MedicineLine:
    steps = [read_step(number, one, nothing) for number, one in enumerate(resources, start=1)]
    return medicine_line([step for step in steps if step], on=date.fromisoformat(on))


@pytest.mark.parametrize(("times", "expected"), [(1, ()), (2, (Difference.MORE,)), (3, (Difference.MORE,))])
def test_taking_more_than_agreed_is_said(times: int, expected: tuple[Difference, ...]) -> None:
    assert _line(_agreed("a", "2024-01-01"), _takes("2024-01-15", times)).differences == expected


def test_taking_less_than_agreed_is_said() -> None:
    agreed = _agreed("a", "2024-01-01", dosageInstruction=_dosage(2))

    assert _line(agreed, _takes("2024-01-15", 1)).differences == (Difference.LESS,)


def test_words_from_before_the_agreement_say_nothing_about_it() -> None:
    assert _line(_agreed("a", "2024-01-20"), _takes("2024-01-15", 3)).differences == ()


def test_another_strength_does_not_compare() -> None:
    other = {"coding": [{"system": PRK, "code": "1"}], "text": "FUROSEMIDE TABLET 20MG"}

    line = _line(_agreed("a", "2024-01-01"), _takes("2024-01-15", 2, medicationCodeableConcept=other))

    assert line.differences == ()


def test_another_unit_does_not_compare() -> None:
    agreed = _agreed("a", "2024-01-01", dosageInstruction=_dosage(1, 5, "mL"))

    assert _line(agreed, _takes("2024-01-15", 2)).differences == ()


def test_as_needed_has_no_daily_amount() -> None:
    row = {**_dosage(2)[0], "asNeededBoolean": True}

    assert (
        _line(_agreed("a", "2024-01-01", dosageInstruction=[row]), _takes("2024-01-15", 1)).differences == ()
    )


def test_not_taking_what_is_agreed_is_said_and_the_line_stays_in_use() -> None:
    line = _line(_agreed("a", "2024-01-01"), _takes("2024-01-15", status="stopped"))

    assert line.differences == (Difference.NOT_TAKING,)
    assert line.status is RecordStatus.CURRENT


def test_a_pharmacy_that_plans_another_amount_is_said() -> None:
    assert _line(_agreed("a", "2024-01-01"), _plan("2024-01-01", 2)).differences == (
        Difference.PHARMACY_MORE,
    )


def test_the_source_saying_not_as_agreed_is_enough() -> None:
    said = [{"url": f"{_NICTIZ}ext-AsAgreedIndicator", "valueBoolean": False}]

    line = _line(_agreed("a", "2024-01-01"), _takes("2024-01-15", extension=said))

    assert line.differences == (Difference.NOT_AS_AGREED,)


def test_a_stop_ends_the_agreement_it_names_and_is_none_itself() -> None:
    line = _line(_agreed("a", "2024-01-01"), _stop("b", "a", "410546004", "2024-01-01", "2024-01-20"))

    assert line.status is RecordStatus.PAST
    assert line.agreed is not None
    assert (line.agreed.step.names, line.agreed.end, line.agreed.stop) == (
        {"a"},
        "2024-01-20",
        Stop.STOPPED,
    )


def test_taking_what_was_stopped_is_said_and_stays_in_use() -> None:
    stop = _stop("b", "a", "410546004", "2024-01-01", "2024-01-20")

    line = _line(_agreed("a", "2024-01-01"), stop, _takes("2024-01-25"))

    assert (line.status, line.differences) == (RecordStatus.CURRENT, (Difference.STILL_TAKING,))


def test_a_cancelled_agreement_never_begins() -> None:
    line = _line(_agreed("a", "2024-03-01"), _stop("b", "a", "89925002", "2024-03-01", "2024-03-01"))

    assert line.status is RecordStatus.PAST


def test_a_change_that_begins_later_stands_beside_what_holds_now() -> None:
    later = _agreed("b", "2024-03-01", dosageInstruction=_dosage(2))

    line = _line(_agreed("a", "2024-01-01", "2024-02-29"), later)

    assert line.agreed is not None
    assert line.next is not None
    assert (line.agreed.step.names, line.next.step.names) == ({"a"}, {"b"})


def test_a_mistake_is_not_read_but_stays_behind_the_line() -> None:
    line = _line(_agreed("a", "2024-01-01"), _takes("2024-01-15", 9, status="entered-in-error"))

    assert line.takes is None
    assert line.record_ids == (1, 2)


def test_a_duration_gives_the_last_day() -> None:
    three_weeks = {"value": 3, "unit": "week", "system": "http://unitsofmeasure.org", "code": "wk"}
    inside = {"url": f"{_NICTIZ}ext-TimeInterval.Duration", "valueDuration": three_weeks}
    period = {"start": "2023-12-12", "extension": [inside]}
    held = [{"url": f"{_NICTIZ}ext-TimeInterval.Period", "valuePeriod": period}]

    assert _line(_agreed("a", "2023-12-12", extension=held)).end == "2024-01-01"


def test_a_record_of_the_data_set_of_2017_reads_the_same() -> None:
    """STU3, converted: duration beside the period, stop type with a code list of its own."""
    days = {"value": 14, "unit": "dagen", "system": "http://unitsofmeasure.org", "code": "d"}
    stop = {
        "system": "urn:oid:2.16.840.1.113883.2.4.3.11.60.20.77.5.2.1",
        "code": "1",
        "display": "Tijdelijk",
    }
    agreed = _agreed(
        "a",
        "2022-11-28",
        category=[coded(_SNOMED, "16076005")],
        extension=[
            {"url": f"{_NICTIZ}zib-Medication-PeriodOfUse", "valuePeriod": {"start": "2022-11-28"}},
            {"url": f"{_NICTIZ}zib-MedicationUse-Duration", "valueDuration": days},
        ],
        modifierExtension=[
            {"url": f"{_NICTIZ}zib-Medication-StopType", "valueCodeableConcept": {"coding": [stop]}}
        ],
    )

    line = _line(agreed, on="2022-12-01")

    assert line.agreed is not None
    assert (line.end, line.agreed.stop, line.status) == ("2022-12-11", Stop.PAUSED, RecordStatus.CURRENT)


@pytest.mark.data
def test_the_published_treatments_of_medication_process_9_read_as_lines(shared_data) -> None:
    """Nictiz' own patients: what each treatment is meant to show is in its name."""
    found: dict[str, MedicineLine] = {}
    folder = shared_data / "nl/hl7-mappings/mp9-3.0-r4-bundles"
    for path in sorted(folder.glob("mg-mgrp-9999004*.xml")):
        intake = read_records(path.read_bytes(), name=path.name)
        look_up = resolver(intake.resources)
        steps: dict[str, list[Any]] = {}
        for number, one in enumerate(intake.resources):
            step = read_step(number, one, look_up)
            if step is not None:
                steps.setdefault(treatment_of(one.body).rpartition("|")[2], []).append(step)
        found.update({name: medicine_line(own, on=date(2023, 12, 29)) for name, own in steps.items()})

    assert len(found) > 25
    assert found["MBH_300_toelichting-tmg"].differences == (Difference.MORE,)
    assert found["MBH_300_redenvanvoorschrijven-tmg"].differences == (Difference.NOT_TAKING,)
    raised = found["MBH_300_wijzigen_verhoging-tmg"]
    assert raised.agreed is not None
    assert raised.next is not None
    assert (raised.agreed.end[:10], raised.next.step.start[:10]) == ("2023-12-29", "2023-12-30")
    paused = found["MBH_300_onderbreken-tmg"].agreed
    assert paused is not None
    assert paused.stop is Stop.PAUSED
    assert found["MBH_300_annuleren-tmg"].status is RecordStatus.PAST
    assert found["MBH_300_start_duur-tmg"].end == "2024-01-01"
    assert {Role.PLAN} == {line.plan.step.role for line in found.values() if line.plan}
