"""The table of what makes two records the same, row by row, and what never does."""

from __future__ import annotations

from typing import Any

from pgo.health.record.index import concept_of
from pgo.health.record.merge import merge
from pgo.health.record.resolve import nothing
from pgo.health.record.safe import obj
from pgo.health.record.sameness import (
    GPK,
    HPK,
    PRK,
    RULES,
    about,
    candidates,
    names_of_thing,
    shared_rule,
)
from tests.support.sameness_table import PAGE, page_with, table
from tests.unit.pgo.health.make import coded, observation, resource

_WHO = {"display": "Test"}
_SNOMED = "http://snomed.info/sct"
_ACTIVE = {"clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")}
_RESOLVED = {"clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved")}


def _groups(*resources: Any, sources: tuple[int, ...] = ()) -> tuple[tuple[int, ...], ...]:
    rows = []
    for number, one in enumerate(resources, start=1):
        medicine = obj(one.body, "contained")
        found = about(one, concept_of(one, nothing), medicine)
        rows.append((number, sources[number - 1] if sources else number, found, names_of_thing(found)))
    return merge(candidates(rows))


def _medicine(*codes: tuple[str, str], text: str = "", **members: Any) -> Any:
    concept = {"coding": [{"system": s, "code": c} for s, c in codes], "text": text or str(codes)}
    return resource(
        "MedicationStatement", status="active", subject=_WHO, medicationCodeableConcept=concept, **members
    )


def _treated(number: str, *codes: tuple[str, str]) -> Any:
    url = "http://nictiz.nl/fhir/StructureDefinition/ext-PharmaceuticalTreatment.Identifier"
    return _medicine(
        *codes, extension=[{"url": url, "valueIdentifier": {"system": "urn:x", "value": number}}]
    )


def _problem(code: str, **members: Any) -> Any:
    return resource("Condition", **{"code": coded(_SNOMED, code), "subject": _WHO, **_ACTIVE, **members})


def _reading(value: float = 5.4, at: str = "2024-01-02T08:30:00+01:00", **members: Any) -> Any:
    quantity = {"value": value, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
    return observation(
        **{
            "code": coded("http://loinc.org", "15074-8"),
            "valueQuantity": quantity,
            "effectiveDateTime": at,
            **members,
        }
    )


def test_every_rule_has_a_reason_and_a_source() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.reason and rule.source and rule.kinds for rule in RULES)


def test_trade_product_and_prescribed_product_are_one_medicine_by_prk() -> None:
    assert _groups(_medicine((PRK, "7323")), _medicine((HPK, "856126"), (PRK, "7323"))) == ((1, 2),)


def test_another_generic_product_is_another_medicine() -> None:
    assert _groups(_medicine((GPK, "1")), _medicine((GPK, "2"))) == ((1,), (2,))


def test_a_number_means_nothing_in_another_code_system() -> None:
    assert _groups(_medicine((PRK, "7323")), _medicine((HPK, "7323"))) == ((1,), (2,))


def test_two_treatments_with_one_medicine_stay_two_lines() -> None:
    """It may be a double prescription; a single line would hide it."""
    assert _groups(_treated("1", (PRK, "7")), _treated("2", (PRK, "7"))) == ((1,), (2,))


def test_a_record_without_treatment_joins_the_only_one_and_no_one_of_two() -> None:
    own = _medicine((PRK, "7"))

    assert _groups(own, _treated("1", (PRK, "7"))) == ((1, 2),)
    assert _groups(own, _treated("1", (PRK, "7")), _treated("10", (PRK, "7"))) == ((1,), (2,), (3,))


def test_the_substance_alone_is_not_enough_and_with_form_and_strength_it_is() -> None:
    atc = ("http://www.whocc.no/atc", "C03CA01")
    tablet = {
        "contained": [
            {
                "resourceType": "Medication",
                "id": "m",
                "form": coded("urn:oid:2.16.840.1.113883.2.4.4.11", "TAB"),
                "ingredient": [{"strength": {"numerator": {"value": 40, "unit": "mg"}}}],
            }
        ]
    }

    assert _groups(_medicine(atc, text="a"), _medicine(atc, text="b")) == ((1,), (2,))
    assert _groups(_medicine(atc, text="a", **tablet), _medicine(atc, text="b", **tablet)) == ((1, 2),)


def test_what_the_patient_typed_joins_by_the_whole_name() -> None:
    typed = resource(
        "MedicationStatement",
        status="active",
        subject=_WHO,
        medicationCodeableConcept={"text": "Furosemide 40mg"},
    )

    assert _groups(typed, _medicine((PRK, "1"), text="FUROSEMIDE  40MG")) == ((1, 2),)
    assert _groups(typed, _medicine((PRK, "1"), text="FUROSEMIDE 40MG TABLET")) == ((1,), (2,))


def test_a_problem_in_force_is_one_whatever_day_each_source_gives_it() -> None:
    assert _groups(
        _problem("44054006", onsetDateTime="2010"), _problem("44054006", onsetDateTime="2012")
    ) == ((1, 2),)


def test_two_episodes_of_the_past_stay_two_and_join_no_present_one() -> None:
    def was(day: str) -> Any:
        return _problem("233604007", onsetDateTime=day, **_RESOLVED)

    assert _groups(was("2005-02-01"), was("2015-03-01"), _problem("233604007")) == ((1,), (2,), (3,))
    assert _groups(was("2005"), was("2005-02-01")) == ((1, 2),)


def test_left_is_not_right() -> None:
    def knee(side: str) -> Any:
        url = "http://nictiz.nl/fhir/StructureDefinition/ext-AnatomicalLocation.Laterality"
        site = {
            **coded(_SNOMED, "72696002"),
            "extension": [{"url": url, "valueCodeableConcept": coded(_SNOMED, side)}],
        }
        return _problem("396275006", bodySite=[site])

    assert _groups(knee("7771000"), knee("24028007")) == ((1,), (2,))
    assert _groups(knee("7771000"), knee("7771000")) == ((1, 2),)


def test_what_is_refuted_or_a_mistake_is_the_same_as_nothing() -> None:
    verification = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    refuted = _problem("44054006", verificationStatus=coded(verification, "refuted"))
    mistaken = _problem("44054006", verificationStatus=coded(verification, "entered-in-error"))

    assert _groups(_problem("44054006"), refuted, mistaken) == ((1,), (2,), (3,))


def test_a_missing_code_is_no_code() -> None:
    other = coded("http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "OTH")

    assert _groups(
        resource("Condition", code={**other, "text": "Kramp"}, subject=_WHO, **_ACTIVE),
        resource("Condition", code={**other, "text": "Jeuk"}, subject=_WHO, **_ACTIVE),
    ) == ((1,), (2,))


def test_one_reading_from_two_sources_is_one_and_another_unit_is_not() -> None:
    other = {"value": 5.4, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}

    assert _groups(_reading(), _reading(), _reading(5.5), _reading(valueQuantity=other)) == (
        (1, 2),
        (3,),
        (4,),
    )


def test_twice_the_same_value_on_one_day_in_one_file_was_measured_twice() -> None:
    twice = [_reading(at="2024-01-02"), _reading(at="2024-01-02")]

    assert _groups(*twice, sources=(1, 1)) == ((1,), (2,))
    assert _groups(*twice, *twice, sources=(1, 1, 2, 2)) == ((1, 3), (2, 4))


def test_one_order_number_on_two_results_does_not_make_them_one() -> None:
    order = [{"system": "urn:lab", "value": "77"}]
    sodium = _reading(code=coded("http://loinc.org", "2951-2"), identifier=order)

    assert _groups(_reading(identifier=order), sodium) == ((1,), (2,))


def test_a_vaccine_is_the_same_on_the_same_full_day_only() -> None:
    def shot(day: str) -> Any:
        return resource(
            "Immunization",
            status="completed",
            patient=_WHO,
            vaccineCode=coded(_SNOMED, "871878002"),
            occurrenceDateTime=day,
        )

    assert _groups(shot("2005-07-21"), shot("2005-07-21"), shot("2005")) == ((1, 2), (3,))


def test_the_screen_can_say_why_two_lines_became_one() -> None:
    one, other = (
        about(r, concept_of(r, nothing), {}) for r in (_medicine((PRK, "7")), _medicine((PRK, "7")))
    )

    assert shared_rule([names_of_thing(one), names_of_thing(other)]) == "prk"
    assert shared_rule([names_of_thing(one)]) == ""


def test_the_page_for_readers_has_this_very_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with(table())
