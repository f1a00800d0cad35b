"""Directives keep their yes or no; what is not readable says so and is never taken for consent."""

from __future__ import annotations

from typing import Any

import pytest

from pgo.health.record.directive import Decision, read_directive
from pgo.health.record.index import build_index
from pgo.health.record.kinds import RecordKind
from pgo.health.record.reader import read_records
from pgo.health.record.resolve import nothing
from tests.unit.pgo.health.make import coded, resource

_SNOMED = "http://snomed.info/sct"
_CPR = coded(_SNOMED, "89666000", display="Cardiopulmonale resuscitatie")


def _treatment(**members: Any) -> Any:
    category = [coded(_SNOMED, "129125009", display="verrichting met expliciete context")]
    scope = coded("http://terminology.hl7.org/CodeSystem/consentscope", "treatment")
    return resource("Consent", **{"status": "active", "scope": scope, "category": category, **members})


@pytest.mark.parametrize(
    ("said", "decision"), [("permit", Decision.YES), ("deny", Decision.NO), (None, Decision.UNCLEAR)]
)
def test_a_treatment_directive_says_yes_no_or_that_it_is_not_clear(
    said: str | None, decision: Decision
) -> None:
    provision = {"code": [_CPR], **({"type": said} if said else {})}

    found = read_directive(_treatment(provision=provision).body)

    assert (found.title, found.decision) == ("Cardiopulmonale resuscitatie", decision)


def test_another_wish_is_shown_in_its_words() -> None:
    url = "http://nictiz.nl/fhir/StructureDefinition/ext-TreatmentDirective2.SpecificationOther"
    one = _treatment(
        modifierExtension=[{"url": url, "valueString": "eerst overleg"}], provision={"code": [_CPR]}
    )

    found = read_directive(one.body)

    assert (found.decision, found.remarks) == (Decision.OTHER, ("eerst overleg",))


def test_a_directive_is_a_clinical_record_titled_by_what_it_is_about() -> None:
    index = build_index(_treatment(provision={"type": "deny", "code": [_CPR]}), resolve=nothing)

    assert (index.kind, index.title) == (RecordKind.DIRECTIVE, "Cardiopulmonale resuscitatie")


@pytest.mark.data
def test_published_directives_read_with_their_decision(shared_data) -> None:
    folder = shared_data / "nl/nictiz-zib2020-r4-examples"
    found = {}
    for name in ("01", "01-Consent-01", "02"):
        path = folder / f"nl-core-TreatmentDirective2-{name}.xml"
        (one,) = read_records(path.read_bytes(), name=path.name).resources
        found[name] = read_directive(one.body)

    assert (found["01"].title, found["01"].decision) == ("Opname op intensive care", Decision.YES)
    assert found["01"].remarks == ("hersteld en ontslagen",)
    assert (found["01-Consent-01"].title, found["01-Consent-01"].decision) == ("Volmacht", Decision.NONE)
    assert (found["02"].decision, found["02"].remarks) == (Decision.OTHER, ("eerst overleg met echtgenote",))
