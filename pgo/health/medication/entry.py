"""Turn a typed form into a FHIR R4 resource, and back.

Rules:

1. Medicine becomes ``MedicationStatement``, allergy becomes ``AllergyIntolerance``; the patient is the
   source of both, and an allergy nobody confirmed says ``unconfirmed``.
2. The bytes are ours, in a fixed order: the same form, id and moment give the same bytes.
3. A form is only read back from a resource of this shape; what a provider sent is never squeezed into a form.

Source: https://hl7.org/fhir/R4/medicationstatement.html, https://hl7.org/fhir/R4/allergyintolerance.html.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from pgo.health.medication.forms import (
    CATEGORIES,
    CRITICALITIES,
    ERROR_KEYS,
    SEVERITIES,
    AllergyForm,
    MedicationForm,
    validate,
)
from pgo.health.record.resource import Resource
from pgo.health.record.safe import obj, text
from pgo.health.record.words import concept_text
from pgo.health.record.writer import Authored, fhir_instant, write_json

__all__ = [
    "CATEGORIES",
    "CRITICALITIES",
    "ERROR_KEYS",
    "SEVERITIES",
    "AllergyForm",
    "MedicationForm",
    "build_allergy",
    "build_medication_statement",
    "form_from",
    "stop",
    "validate",
]

_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"


def build_medication_statement(form: MedicationForm, *, id: str, subject: str, at: datetime) -> bytes:
    """Build the MedicationStatement of a valid form.

    Args:
        form: A form that ``validate`` accepts.
        id: Logical id of the record.
        subject: Reference text of the patient, ``Patient/...``.
        at: When it was typed, aware.

    Raises:
        ValueError: When the form does not validate (a fault of the caller).
    """
    _refuse_invalid(form)
    who: Authored = {"reference": subject}
    return write_json(
        {
            "resourceType": "MedicationStatement",
            "id": id,
            "status": _status(form, at.date()),
            "medicationCodeableConcept": {"text": form.name.strip()},
            "subject": who,
            "effectivePeriod": {"start": form.start.strip(), "end": form.end.strip()},
            "dateAsserted": fhir_instant(at),
            "informationSource": who,
            "reasonCode": [{"text": form.reason.strip()}],
            "note": [{"text": form.note.strip()}],
            "dosage": [{"text": form.dosage.strip()}],
        }
    )


def build_allergy(form: AllergyForm, *, id: str, subject: str, at: datetime) -> bytes:
    """Build the AllergyIntolerance of a valid form; arguments as ``build_medication_statement``."""
    _refuse_invalid(form)
    reaction: Authored = {"manifestation": [{"text": form.reaction.strip()}], "severity": form.severity}
    return write_json(
        {
            "resourceType": "AllergyIntolerance",
            "id": id,
            "clinicalStatus": _coded(_CLINICAL, "inactive" if form.past else "active"),
            "verificationStatus": _coded(_VERIFICATION, "unconfirmed"),
            "category": [form.category],
            "criticality": form.criticality,
            "code": {"text": form.substance.strip()},
            "patient": {"reference": subject},
            "onsetDateTime": form.start.strip(),
            "recordedDate": fhir_instant(at),
            "asserter": {"reference": subject},
            "note": [{"text": form.note.strip()}],
            "reaction": [reaction] if form.reaction.strip() else [],
        }
    )


def stop(form: MedicationForm, on: date) -> MedicationForm:
    """Give the form of a medicine that was stopped on a day."""
    return replace(form, end=on.isoformat(), stopped=True)


def form_from(resource: Resource) -> MedicationForm | AllergyForm:
    """Read the form back from a resource that this module built.

    Raises:
        ValueError: For any other type.
    """
    body = resource.body
    if resource.type == "MedicationStatement":
        return MedicationForm(
            name=concept_text(obj(body, "medicationCodeableConcept")),
            dosage=text(body, "dosage", "text"),
            reason=concept_text(obj(body, "reasonCode")),
            start=text(body, "effectivePeriod", "start"),
            end=text(body, "effectivePeriod", "end"),
            note=text(body, "note", "text"),
            stopped=text(body, "status") == "stopped",
        )
    if resource.type == "AllergyIntolerance":
        return AllergyForm(
            substance=concept_text(obj(body, "code")),
            category=text(body, "category"),
            reaction=concept_text(obj(body, "reaction", "manifestation")),
            severity=text(body, "reaction", "severity"),
            criticality=text(body, "criticality"),
            start=text(body, "onsetDateTime"),
            note=text(body, "note", "text"),
            past=text(body, "clinicalStatus", "coding", "code") == "inactive",
        )
    raise ValueError(f"no form for {resource.type}")


def _refuse_invalid(form: MedicationForm | AllergyForm) -> None:
    if faults := validate(form):
        raise ValueError(f"form not valid: {', '.join(sorted(faults))}")


def _status(form: MedicationForm, today: date) -> str:
    """Give the status on the day of typing: stopped, run out, not begun, or in use."""
    if form.stopped:
        return "stopped"
    day = today.isoformat()
    start, end = form.start.strip(), form.end.strip()
    if end and end < day[: len(end)]:
        return "completed"
    return "intended" if start and start > day[: len(start)] else "active"


def _coded(system: str, code: str) -> Authored:
    return {"coding": [{"system": system, "code": code}]}
