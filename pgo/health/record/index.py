"""Make the short line of a record: what it is, when it was, whether it still holds.

``build_index`` is pure and never fails on a resource the reader took; what it cannot find stays empty. The
index stands beside the bytes of the record and can be made again at any time.

Rules:

1. The title is what a person would call it: the words of the code, the name of the medicine, the name of
   the person. A medicine behind a reference is looked up; without it the reference's own words count.
2. Dates are the source's (``pgo.health.record.dates``); the status is the source's
   (``pgo.health.record.status``).
3. ``value`` is a bare number for charts, ``value_text`` is what to show, comparator and unit included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pgo.health.record.common import common_words
from pgo.health.record.dates import when
from pgo.health.record.directive import read_directive
from pgo.health.record.kinds import RecordKind, kind_of
from pgo.health.record.names import human_name
from pgo.health.record.resolve import referred
from pgo.health.record.resource import Resolve, Resource
from pgo.health.record.safe import extension, obj, objs, text, texts
from pgo.health.record.status import RecordStatus, status_of
from pgo.health.record.words import (
    SNOMED,
    codings,
    concept_code,
    concept_text,
    folded,
    number_text,
    quantity_text,
    unit_key,
    unit_text,
    value_text,
)

__all__ = ["RecordIndex", "RecordKind", "RecordStatus", "build_index", "concept_of", "medication_concept"]

INDEX_VERSION = "2026.2"
"""Changes when ``build_index`` or ``series.measured`` give something new; the index is made anew then."""

_MAX_TEXT = 300
# Upper and lower blood pressure: LOINC, and SNOMED CT in the zib BloodPressure-v3.2.1(2020).
_PRESSURES = {"8480-6": "upper", "271649006": "upper", "8462-4": "lower", "271650006": "lower"}
_MAX_SEARCH = 1_000


@dataclass(frozen=True, slots=True)
class RecordIndex:
    """The short line of one record. Every text may be empty; dates are ISO texts of any precision."""

    kind: RecordKind
    title: str
    detail: str
    start: str
    end: str
    status: RecordStatus
    code: str
    unit: str
    value: str
    search: str
    value_text: str = ""


def build_index(resource: Resource, *, resolve: Resolve) -> RecordIndex:
    """Make the index of one resource.

    Args:
        resource: A resource the reader took.
        resolve: Look-up for references, for example of ``pgo.health.record.resolve.resolver``.
    """
    body = resource.body
    concept = concept_of(resource, resolve)
    title = _title(resource, concept, resolve)[:_MAX_TEXT] or resource.type
    detail = _detail(resource)[:_MAX_TEXT]
    start, end = when(resource.type, body)
    quantity = obj(body, "valueQuantity")
    shown = observation_text(body)[:_MAX_TEXT] if resource.type == "Observation" else ""
    return RecordIndex(
        kind=kind_of(resource.type),
        title=title,
        detail=detail,
        start=start,
        end=end,
        status=status_of(resource.type, body),
        code=concept_code(concept),
        unit=unit_key(quantity),
        value=number_text(quantity.get("value")) or number_text(body.get("valueInteger")),
        search=_search(title, detail, shown, concept, start),
        value_text=shown,
    )


def observation_text(body: Mapping[str, Any]) -> str:
    """Write the result of an Observation; components such as blood pressure as ``128/82 mmHg``."""
    if own := value_text(body):
        return own
    if pressure := _pressure_text(body):
        return pressure
    written = (
        f"{concept_text(obj(item, 'code'))} {value_text(item)}".strip() for item in objs(body, "component")
    )
    return ", ".join(filter(None, written)) or concept_text(obj(body, "dataAbsentReason"))


def _pressure_text(body: Mapping[str, Any]) -> str:
    """Write a blood pressure with the upper value first, in whatever order the source has them."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in objs(body, "component"):
        for _, code in codings(obj(item, "code")):
            if code in _PRESSURES:
                found.setdefault(_PRESSURES[code], obj(item, "valueQuantity"))
    parts = [found.get("upper", {}), found.get("lower", {})]
    units = {unit_text(part) for part in parts}
    if len(units) != 1 or not all(number_text(part.get("value")) for part in parts):
        return ""
    numbers = "/".join(text(part, "comparator") + number_text(part.get("value")) for part in parts)
    return f"{numbers} {units.pop()}".strip()


def medication_concept(resource: Resource, resolve: Resolve) -> Mapping[str, Any]:
    """Give the concept that names the medicine, looked up through its reference when needed."""
    own = obj(resource.body, "medicationCodeableConcept")
    if own:
        return own
    reference = obj(resource.body, "medicationReference")
    code = obj(referred(resource.body, reference, resolve), "code")
    return (
        code if concept_text(code) else {"text": _medicine_words(resource.body, reference, resolve), **code}
    )


def _medicine_words(owner: Mapping[str, Any], reference: Mapping[str, Any], resolve: Resolve) -> str:
    medicine = referred(owner, reference, resolve)
    described = text(extension(medicine, "ext-Medication.Description"), "valueString")
    parts = (concept_text(obj(item, "itemCodeableConcept")) for item in objs(medicine, "ingredient"))
    return described or ", ".join(filter(None, parts)) or text(reference, "display")


# The element that says what a resource is about, per type; others try "code", "type" and "category" in this
# order.
_CONCEPTS: Mapping[str, tuple[str, ...]] = {
    "Immunization": ("vaccineCode",),
    "Encounter": ("type", "reasonCode", "serviceType"),
    "EpisodeOfCare": ("type",),
    "Appointment": ("serviceType", "appointmentType", "reasonCode"),
    "DocumentReference": ("type", "category"),
    "Goal": ("description",),
    "CarePlan": ("category",),
    "Consent": ("category", "scope"),
    "FamilyMemberHistory": ("relationship",),
    "Coverage": ("type",),
    "Specimen": ("type",),
    "ImagingStudy": ("procedureCode", "modality"),
}
_USUAL_CONCEPTS = ("code", "type", "category")


def concept_of(resource: Resource, resolve: Resolve) -> Mapping[str, Any]:
    """Give the concept that says what a record is about, or an empty object."""
    if resource.type.startswith("Medication") and resource.type not in ("Medication", "MedicationKnowledge"):
        return medication_concept(resource, resolve)
    for name in _CONCEPTS.get(resource.type, _USUAL_CONCEPTS):
        for concept in objs(resource.body, name):
            if concept_text(concept):
                return concept
    return {}


def _title(resource: Resource, concept: Mapping[str, Any], resolve: Resolve) -> str:
    maker = _TITLES.get(resource.type)
    return (
        (maker(resource.body, resolve) if maker else "") or concept_text(concept) or _own_name(resource.body)
    )


def _own_name(body: Mapping[str, Any]) -> str:
    return text(body, "title") or text(body, "name") or text(body, "description") or human_name(body)


def _role_title(body: Mapping[str, Any], resolve: Resolve) -> str:
    who = obj(body, "practitioner")
    name = human_name(referred(body, who, resolve)) or text(who, "display")
    return ", ".join(
        filter(None, (name, concept_text(obj(body, "code")) or concept_text(obj(body, "specialty"))))
    )


def _encounter_title(body: Mapping[str, Any]) -> str:
    named = concept_text(obj(body, "type")) or concept_text(obj(body, "reasonCode"))
    return named or concept_text(obj(body, "serviceType")) or text(body, "class", "display")


def _response_title(body: Mapping[str, Any], resolve: Resolve) -> str:
    address = text(body, "questionnaire")
    shown = text(extension(obj(body, "_questionnaire"), "/display"), "valueString")
    found = resolve(address) if address else None
    return (
        shown or (text(found.body, "title") if found else "") or address.partition("|")[0].rpartition("/")[2]
    )


def _family_title(body: Mapping[str, Any]) -> str:
    relation = concept_text(obj(body, "relationship"))
    illnesses = ", ".join(filter(None, (concept_text(obj(item, "code")) for item in objs(body, "condition"))))
    return ": ".join(filter(None, (relation, illnesses)))


_TITLES: Mapping[str, Callable[[Mapping[str, Any], Resolve], str]] = {
    "Patient": lambda body, _: human_name(body),
    "Practitioner": lambda body, _: human_name(body),
    "RelatedPerson": lambda body, _: human_name(body),
    "Person": lambda body, _: human_name(body),
    "PractitionerRole": _role_title,
    "Organization": lambda body, _: text(body, "name"),
    "Location": lambda body, _: text(body, "name"),
    "Encounter": lambda body, _: _encounter_title(body),
    "QuestionnaireResponse": _response_title,
    "FamilyMemberHistory": lambda body, _: _family_title(body),
    "Composition": lambda body, _: text(body, "title"),
    "CarePlan": lambda body, _: text(body, "title"),
    "DocumentReference": lambda body, _: text(body, "description"),
    "Consent": lambda body, _: read_directive(body).title,
    "Communication": lambda body, _: concept_text(obj(body, "topic")),
}


def _detail(resource: Resource) -> str:
    body = resource.body
    if resource.type == "Observation":
        return observation_text(body)
    if resource.type.startswith("Medication"):
        return dosage_text(body) or _medication_step(body)
    if resource.type == "Encounter":
        return concept_text(obj(body, "reasonCode")) or text(body, "serviceProvider", "display")
    if resource.type == "AllergyIntolerance":
        reactions = (
            concept_text(item) for row in objs(body, "reaction") for item in objs(row, "manifestation")
        )
        return ", ".join(dict.fromkeys(filter(None, reactions)))
    if resource.type == "DiagnosticReport":
        return text(body, "conclusion")
    if resource.type == "Patient":
        return text(body, "birthDate")
    if resource.type == "Communication":
        return text(body, "payload", "contentString")
    return concept_text(obj(body, "reasonCode")) or concept_text(obj(body, "bodySite"))


def _medication_step(body: Mapping[str, Any]) -> str:
    """Give the step of the Dutch medication process in the source's words (a request to supply, ...)."""
    category = obj(body, "category")
    return concept_text(category) if concept_code(category).startswith(SNOMED) else ""


def dosage_text(body: Mapping[str, Any]) -> str:
    """Give how a medicine is taken in the words of the prescriber; empty when the source wrote none."""
    rendered = text(extension(body, "ext-RenderedDosageInstruction"), "valueString")
    if rendered:
        return rendered
    rows = objs(body, "dosageInstruction") or objs(body, "dosage")
    written = (text(row, "text") or text(row, "patientInstruction") or _dose(row) for row in rows)
    return "; ".join(filter(None, written))


def _dose(row: Mapping[str, Any]) -> str:
    amount = quantity_text(obj(row, "doseAndRate", "doseQuantity")) or quantity_text(obj(row, "doseQuantity"))
    return amount or concept_text(obj(row, "timing", "code"))


def _search(title: str, detail: str, shown: str, concept: Mapping[str, Any], start: str) -> str:
    named = objs(concept, "coding")
    codes = " ".join((*texts(concept, "text"), *(text(item, "display") for item in named)))
    numbers = " ".join(text(item, "code") for item in named)
    common = " ".join(common_words(concept_code(concept)))
    words = folded(f"{title} {common} {detail} {shown} {codes} {numbers} {start}").split()
    return " ".join(dict.fromkeys(words))[:_MAX_SEARCH]
