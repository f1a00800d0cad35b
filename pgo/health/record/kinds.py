"""Sort FHIR R4 resource types into the kinds a person looks for.

Absent from the table means ``OTHER``: kept and searchable, but in no list of its own (Claim, Organization,
...).
"""

from __future__ import annotations

from enum import StrEnum


class RecordKind(StrEnum):
    """The kinds of records on screen."""

    PERSON = "person"
    CONDITION = "condition"
    ALLERGY = "allergy"
    VACCINATION = "vaccination"
    MEDICATION = "medication"
    MEASUREMENT = "measurement"
    QUESTIONNAIRE = "questionnaire"
    PROCEDURE = "procedure"
    ENCOUNTER = "encounter"
    DOCUMENT = "document"
    CAREPLAN = "careplan"
    FAMILY_HISTORY = "family_history"
    DIRECTIVE = "directive"
    OTHER = "other"


# Consent is an advance or treatment directive in the Dutch basic data set (zib AdvanceDirective,
# TreatmentDirective2), Flag is a safety alert (zib Alert): a fact to know like a condition, so it must not
# hide under "other".
_KINDS = {
    "Patient": RecordKind.PERSON,
    "Condition": RecordKind.CONDITION,
    "Flag": RecordKind.CONDITION,
    "AllergyIntolerance": RecordKind.ALLERGY,
    "Immunization": RecordKind.VACCINATION,
    "MedicationRequest": RecordKind.MEDICATION,
    "MedicationStatement": RecordKind.MEDICATION,
    "MedicationDispense": RecordKind.MEDICATION,
    "MedicationAdministration": RecordKind.MEDICATION,
    "Observation": RecordKind.MEASUREMENT,
    "QuestionnaireResponse": RecordKind.QUESTIONNAIRE,
    "Procedure": RecordKind.PROCEDURE,
    "Encounter": RecordKind.ENCOUNTER,
    "EpisodeOfCare": RecordKind.ENCOUNTER,
    "Appointment": RecordKind.ENCOUNTER,
    "DiagnosticReport": RecordKind.DOCUMENT,
    "DocumentReference": RecordKind.DOCUMENT,
    "Composition": RecordKind.DOCUMENT,
    "ImagingStudy": RecordKind.DOCUMENT,
    "Media": RecordKind.DOCUMENT,
    "CarePlan": RecordKind.CAREPLAN,
    "Goal": RecordKind.CAREPLAN,
    "ServiceRequest": RecordKind.CAREPLAN,
    "NutritionOrder": RecordKind.CAREPLAN,
    "FamilyMemberHistory": RecordKind.FAMILY_HISTORY,
    "Consent": RecordKind.DIRECTIVE,
}


def kind_of(resource_type: str) -> RecordKind:
    """Give the kind of a resource type."""
    return _KINDS.get(resource_type, RecordKind.OTHER)
