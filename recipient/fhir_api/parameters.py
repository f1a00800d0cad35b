"""Which types the API serves and by what they can be searched: one table, read by search and by ``metadata``.

Rules:

1. names and meaning are those of FHIR R4; a parameter that is not here is not supported;
2. every type is searched within one patient (``patient``, or ``subject`` where R4 has it); a type without
   such a reference in R4 (Practitioner, Medication ...) belongs to the patient whose share it came with;
3. an element is named by its path; lists are walked through; ``system`` is the code system that R4 binds
   to an element of type ``code``.

Source: FHIR R4 searchparameter-registry.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

TOKEN, DATE, STRING = "token", "date", "string"
PATIENT_NAMES = ("patient", "subject")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one type: its name, its kind, the elements it looks at."""

    name: str
    kind: str
    paths: tuple[str, ...]
    system: str | None = None


def _token(name: str, *paths: str, system: str | None = None) -> Parameter:
    return Parameter(name, TOKEN, paths or (name,), system)


def _date(name: str, *paths: str) -> Parameter:
    return Parameter(name, DATE, paths or (name,))


def _string(name: str, *paths: str) -> Parameter:
    return Parameter(name, STRING, paths)


_HL7 = "http://hl7.org/fhir/"
_EVENT = _HL7 + "event-status"
_REQUEST = _HL7 + "request-status"
_MEDICATION = ("medicationCodeableConcept",)
_PARAMETERS: Mapping[str, tuple[Parameter, ...]] = {
    "AllergyIntolerance": (
        _token("code", "code", "reaction.substance"),
        _token("category", system=_HL7 + "allergy-intolerance-category"),
        _token("clinical-status", "clinicalStatus"),
        _token("verification-status", "verificationStatus"),
        _date("date", "recordedDate"),
    ),
    "CarePlan": (
        _token("category"),
        _token("status", system=_REQUEST),
        _date("date", "period"),
    ),
    "CareTeam": (
        _token("category"),
        _token("status", system=_HL7 + "care-team-status"),
        _date("date", "period"),
    ),
    "Condition": (
        _token("code"),
        _token("category"),
        _token("clinical-status", "clinicalStatus"),
        _token("verification-status", "verificationStatus"),
        _date("onset-date", "onsetDateTime", "onsetPeriod"),
        _date("recorded-date", "recordedDate"),
    ),
    "Consent": (
        _token("category"),
        _token("status", system=_HL7 + "consent-state-codes"),
        _date("date", "dateTime"),
    ),
    "DiagnosticReport": (
        _token("code"),
        _token("category"),
        _token("status", system=_HL7 + "diagnostic-report-status"),
        _date("date", "effectiveDateTime", "effectivePeriod"),
    ),
    "DocumentReference": (
        _token("type"),
        _token("category"),
        _token("status", system=_HL7 + "document-reference-status"),
        _date("date"),
    ),
    "Encounter": (
        _token("class"),
        _token("type"),
        _token("status", system=_HL7 + "encounter-status"),
        _date("date", "period"),
    ),
    "EpisodeOfCare": (
        _token("type"),
        _token("status", system=_HL7 + "episode-of-care-status"),
        _date("date", "period"),
    ),
    "FamilyMemberHistory": (
        _token("code", "condition.code"),
        _token("status", system=_HL7 + "history-status"),
        _date("date"),
    ),
    "Flag": (_date("date", "period"),),
    "Goal": (
        _token("category"),
        _token("lifecycle-status", "lifecycleStatus", system=_HL7 + "goal-status"),
        _date("start-date", "startDate"),
    ),
    "ImagingStudy": (
        _token("status", system=_HL7 + "imagingstudy-status"),
        _date("started"),
    ),
    "Immunization": (
        _token("vaccine-code", "vaccineCode"),
        _token("status", system=_EVENT),
        _date("date", "occurrenceDateTime"),
    ),
    "MedicationAdministration": (
        _token("code", *_MEDICATION),
        _token("status", system="http://terminology.hl7.org/CodeSystem/medication-admin-status"),
        _date("effective-time", "effectiveDateTime", "effectivePeriod"),
    ),
    "MedicationDispense": (
        _token("code", *_MEDICATION),
        _token("status", system="http://terminology.hl7.org/CodeSystem/medicationdispense-status"),
        _date("whenhandedover", "whenHandedOver"),
    ),
    "MedicationRequest": (
        _token("code", *_MEDICATION),
        _token("category"),
        _token("intent", system=_HL7 + "CodeSystem/medicationrequest-intent"),
        _token("status", system=_HL7 + "CodeSystem/medicationrequest-status"),
        _date("authoredon", "authoredOn"),
    ),
    "MedicationStatement": (
        _token("code", *_MEDICATION),
        _token("category"),
        _token("status", system=_HL7 + "CodeSystem/medication-statement-status"),
        _date("effective", "effectiveDateTime", "effectivePeriod"),
    ),
    "Observation": (
        _token("code"),
        _token("category"),
        _token("status", system=_HL7 + "observation-status"),
        _date("date", "effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming"),
    ),
    "Patient": (
        _token("identifier"),
        _token("gender", system=_HL7 + "administrative-gender"),
        _date("birthdate", "birthDate"),
        _string("name", "name"),
        _string("family", "name.family"),
        _string("given", "name.given"),
    ),
    "Procedure": (
        _token("code"),
        _token("category"),
        _token("status", system=_EVENT),
        _date("date", "performedDateTime", "performedPeriod"),
    ),
    "QuestionnaireResponse": (
        _token("status", system=_HL7 + "questionnaire-answers-status"),
        _date("authored"),
    ),
    "ServiceRequest": (
        _token("code"),
        _token("category"),
        _token("status", system=_REQUEST),
        _date("authored", "authoredOn"),
    ),
}
# What the records above refer to, and what is shared beside them; found by patient and id only.
_PLAIN = (
    "BodyStructure", "Composition", "Coverage", "Device", "DeviceUseStatement", "Location", "Media",
    "Medication", "NutritionOrder", "Organization", "Practitioner", "PractitionerRole", "Provenance",
    "Questionnaire", "RelatedPerson", "Specimen",
)  # fmt: skip
_WITH_SUBJECT = frozenset(
    {
        "CarePlan", "CareTeam", "Condition", "DiagnosticReport", "DocumentReference", "Encounter", "Flag",
        "Goal", "ImagingStudy", "MedicationAdministration", "MedicationDispense", "MedicationRequest",
        "MedicationStatement", "Observation", "Procedure", "QuestionnaireResponse", "ServiceRequest",
    }
)  # fmt: skip

TYPES: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        kind: MappingProxyType({one.name: one for one in _PARAMETERS.get(kind, ())})
        for kind in sorted({*_PARAMETERS, *_PLAIN})
    }
)


def patient_names(kind: str) -> tuple[str, ...]:
    """Return by which names one patient is named in a search of a type."""
    if kind == "Patient":
        return ()
    return PATIENT_NAMES if kind in _WITH_SUBJECT else PATIENT_NAMES[:1]


def values_at(body: Mapping[str, Any], path: str) -> Iterator[Any]:
    """Give every value under a path of a resource as it was decoded, through lists, in order."""
    waiting: list[Any] = [body]
    for name in path.split("."):
        waiting = [
            value
            for parent in waiting
            if isinstance(parent, dict) and name in parent
            for value in _listed(parent[name])
        ]
    yield from waiting


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
