"""The table from FHIR R4 resource type to categories, dates and links. Data, no decisions.

`TYPES[type]` gives the categories a type certainly has. Types in `READ_FURTHER` need their content.
A type that is not here is unknown: it may be anything and is sensitive in unknown ways.

Sources: FHIR R4 resource list (https://hl7.org/fhir/R4/resourcelist.html); date fields follow the
clinical start date of each type (`x` of a choice element stands without its type suffix); Dutch zib
profiles 2017 and 2020 (https://zibs.nl).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consent.codes import Category as C


def _types(category: C, names: str) -> dict[str, frozenset[C]]:
    return {name: frozenset({category}) for name in names.split()}


TYPES: Final[Mapping[str, frozenset[C]]] = {
    **_types(
        C.PROBLEMS,
        "Condition Flag ClinicalImpression DetectedIssue AdverseEvent BodyStructure RiskAssessment",
    ),
    **_types(C.MEDICATIONS, "Medication MedicationRequest MedicationStatement MedicationDispense"),
    **_types(C.MEDICATIONS, "MedicationAdministration MedicationKnowledge"),
    **_types(C.ALLERGIES, "AllergyIntolerance"),
    **_types(C.VACCINATIONS, "Immunization ImmunizationRecommendation ImmunizationEvaluation"),
    **_types(
        C.PROCEDURES, "Procedure Device DeviceUseStatement DeviceRequest DeviceMetric VisionPrescription"
    ),
    **_types(C.ENCOUNTERS, "Encounter EpisodeOfCare Appointment AppointmentResponse"),
    **_types(C.DOCUMENTS, "DocumentReference DocumentManifest Binary Composition Communication"),
    **_types(C.DOCUMENTS, "CommunicationRequest"),
    **_types(C.IMAGING, "ImagingStudy"),
    **_types(C.CAREPLANS, "CarePlan CareTeam Goal ServiceRequest NutritionOrder RequestGroup"),
    **_types(C.LABS, "Specimen"),
    **_types(C.GENETICS, "MolecularSequence"),
    **_types(C.QUESTIONNAIRES, "QuestionnaireResponse"),
    **_types(C.FAMILY_HISTORY, "FamilyMemberHistory"),
    **_types(C.DEMOGRAPHICS, "Patient RelatedPerson Person"),
    **_types(C.ADMIN, "Practitioner PractitionerRole Organization OrganizationAffiliation Location Endpoint"),
    **_types(C.ADMIN, "HealthcareService Coverage Claim ClaimResponse ExplanationOfBenefit Account Invoice"),
    **_types(
        C.ADMIN, "CoverageEligibilityRequest CoverageEligibilityResponse ChargeItem PaymentNotice Contract"
    ),
    **_types(C.ADMIN, "Provenance AuditEvent Task Group ResearchStudy ResearchSubject Schedule Slot"),
    **_types(
        C.ADMIN, "Substance SupplyDelivery SupplyRequest Questionnaire ValueSet CodeSystem NamingSystem"
    ),
    **_types(C.ADMIN, "ConceptMap StructureMap StructureDefinition CapabilityStatement Measure Library"),
    **_types(C.ADMIN, "ActivityDefinition PlanDefinition OperationOutcome Subscription"),
}
READ_FURTHER: Final = frozenset(
    {"Observation", "DiagnosticReport", "Media", "Consent", "List", "MeasureReport"}
)
ALL_CATEGORIES: Final = frozenset(C)
OBSERVATION_KINDS: Final = frozenset(
    {C.PROBLEMS, C.VITALS, C.LABS, C.PROCEDURES, C.IMAGING, C.GENETICS, C.SELF_MEASURED}
    | {C.QUESTIONNAIRES, C.SOCIAL, C.CAREPLANS}
)

# Letters, files, messages and free-form containers: a table cannot tell what they say.
OPAQUE_TYPES: Final = frozenset(
    {
        "DocumentReference",
        "DocumentManifest",
        "Binary",
        "Composition",
        "Communication",
        "CommunicationRequest",
    }
    | {"Media", "Contract", "MeasureReport", "OperationOutcome", "AuditEvent", "Bundle"}
)
# Types whose meaning lies in one coded concept: text alone there has been read by nobody.
MAIN_CONCEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "Condition": ("code",),
    "Observation": ("code",),
    "DiagnosticReport": ("code",),
    "AllergyIntolerance": ("code",),
    "Procedure": ("code",),
    "ServiceRequest": ("code", "category"),
    "Flag": ("code",),
    "AdverseEvent": ("event", "category"),
    "RiskAssessment": ("code", "method", "condition"),
    "Immunization": ("vaccineCode",),
    "Medication": ("code", "ingredient"),
    "MedicationRequest": ("medicationCodeableConcept", "medicationReference"),
    "MedicationStatement": ("medicationCodeableConcept", "medicationReference"),
    "MedicationDispense": ("medicationCodeableConcept", "medicationReference"),
    "MedicationAdministration": ("medicationCodeableConcept", "medicationReference"),
}

# http://terminology.hl7.org/CodeSystem/observation-category; compared by code in any spelling of it.
OBSERVATION_CATEGORY: Final[Mapping[str, C]] = {
    "vital-signs": C.VITALS,
    "vital-sign": C.VITALS,
    "laboratory": C.LABS,
    "imaging": C.IMAGING,
    "procedure": C.PROCEDURES,
    "survey": C.QUESTIONNAIRES,
    "exam": C.PROBLEMS,
    "therapy": C.PROCEDURES,
    "activity": C.SELF_MEASURED,
    "social-history": C.SOCIAL,
}
# HL7 v2 table 0074, diagnostic service section.
DIAGNOSTIC_SECTION: Final[Mapping[str, C]] = {
    **dict.fromkeys(("LAB", "HM", "CH", "MB", "SR", "CG", "BLB", "IMM", "TX", "VR", "MCB", "MYC"), C.LABS),
    **dict.fromkeys(("CP", "SP", "PAT", "BG"), C.LABS),
    **dict.fromkeys(("RAD", "RUS", "CT", "NMR", "NMS", "CUS", "VUS", "OUS", "XRC", "RX"), C.IMAGING),
    **dict.fromkeys(("EC", "EN", "PF", "RT", "PT", "OT"), C.PROCEDURES),
    "GE": C.GENETICS,
}
# SNOMED CT category codes that Dutch zib profiles and pathology put on observations and reports.
SNOMED_CATEGORY: Final[Mapping[str, C]] = {
    "49581000146104": C.LABS,
    "275711006": C.LABS,
    "108257001": C.LABS,
    "252275004": C.LABS,
    "384821006": C.PROBLEMS,
}
# Vital signs of FHIR R4 (https://hl7.org/fhir/R4/observation-vitalsigns.html) and SNOMED twins in zibs.
_VITAL_LOINC: Final = (
    *("85353-1", "9279-1", "8867-4", "2708-6", "59408-5", "8310-5", "8302-2", "9843-4", "29463-7", "39156-5"),
    *("85354-9", "8480-6", "8462-4", "3141-9", "8306-3", "8308-9", "8893-0", "8287-5", "59576-9", "8289-1"),
    *("77606-2", "55284-4", "3140-1", "72514-3"),
)
_VITAL_SNOMED: Final = ("75367002", "27113001", "50373000", "364075005", "386725007", "86290005")
VITAL_CODES: Final = frozenset(f"http://loinc.org|{code}" for code in _VITAL_LOINC) | frozenset(
    f"http://snomed.info/sct|{code}" for code in _VITAL_SNOMED
)
SOCIAL_CODES: Final = frozenset(
    {"http://loinc.org|72166-2", "http://loinc.org|82589-3", "http://loinc.org|76690-7"}
)
# Lines of a consultation note, in text: coded by kind (S, O, E, P), what they say is read by nobody.
# zib SOAPReport (nl-core 2020), gp-JournalEntry of the Dutch GP information standard and its code system.
NOTE_PROFILES: Final = ("soapreport", "journalentry")
NOTE_SYSTEMS: Final = frozenset({"http://fhir.nl/fhir/NamingSystem/journaalregeltypen"})
# STU3 read as R4 keeps the old profile address here (http://hl7.org/fhir/versions.html#extensions).
OLD_PROFILE: Final = "http://hl7.org/fhir/3.0/StructureDefinition/extension-Meta.profile"
# A profile address, lower case and without signs, contains the key.
PROFILE_CATEGORY: Final[tuple[tuple[str, C], ...]] = (
    *(
        (word, C.VITALS)
        for word in ("bloodpressure", "bodyheight", "bodyweight", "bodytemperature", "heartrate")
    ),
    *(
        (word, C.VITALS)
        for word in ("pulserate", "oxygensaturation", "o2saturation", "respiration", "vitalsign")
    ),
    *((word, C.VITALS) for word in ("headcircumference", "painscore", "bmi")),
    # Zibs ComfortScale, FLACCpainScale, ChecklistPainBehavior: pain measured in people who cannot say it.
    *((word, C.VITALS) for word in ("comfortscale", "painscale", "painbehavior")),
    *((word, C.LABS) for word in ("laboratorytestresult", "labresult", "pathreport", "bloodglucose")),
    *(
        (word, C.SOCIAL)
        for word in ("alcoholuse", "druguse", "tobaccouse", "livingsituation", "smokingstatus")
    ),
    *((word, C.SOCIAL) for word in ("participationinsociety", "educationlevel", "familysituation")),
    *((word, C.SOCIAL) for word in ("nlcoreeducation", "zibeducation", "lifestance")),
    *((word, C.PROBLEMS) for word in ("functionalormentalstatus", "asascore", "pregnancy", "textresult")),
    *(
        (word, C.PROBLEMS)
        for word in ("mzcariesrisk", "mzdentalfitness", "mzoralhygiene", "mzparafunctional")
    ),
    *((word, C.PROBLEMS) for word in ("mzperiodic", "hearingfunction", "visualfunction", "visualacuity")),
    *(
        (word, C.PROBLEMS)
        for word in ("barthel", "strongkids", "mustscore", "snaq", "glasgow", "apgar", "wound")
    ),
    *((word, C.PROBLEMS) for word in ("burn", "pressureulcer", "skindisorder", "stoma", "mobility")),
    # What somebody can do, how an organ works, how a child grows: zib group "functionele status".
    *((word, C.PROBLEMS) for word in ("abilityto", "bladderfunction", "bowelfunction", "refraction")),
    *((word, C.PROBLEMS) for word in ("developmentchild", "feedingpattern")),
    *((word, C.DOCUMENTS) for word in NOTE_PROFILES),
    *((word, C.IMAGING) for word in ("imageslist",)),
    *((word, C.DIRECTIVES) for word in ("treatmentdirective", "advancedirective")),
    *((word, C.GENETICS) for word in ("genomicsreporting", "genetics", "haplotype", "genotype", "hlaresult")),
)

# Fields with a clinical date; a choice element is written without suffix. "a|b": b only when a is absent.
DATES: Final[Mapping[str, tuple[str, ...]]] = {
    "AdverseEvent": ("date|recordedDate",),
    "AllergyIntolerance": ("onset", "recordedDate"),
    "Appointment": ("start|created",),
    "AuditEvent": ("recorded",),
    "CarePlan": ("period|created",),
    "CareTeam": ("period",),
    "Claim": ("billablePeriod", "created"),
    "ClinicalImpression": ("effective|date",),
    "Communication": ("sent|received",),
    "CommunicationRequest": ("authoredOn",),
    "Composition": ("date",),
    "Condition": ("onset", "recordedDate"),
    "Consent": ("dateTime",),
    "Coverage": ("period",),
    "DetectedIssue": ("identified",),
    "DeviceRequest": ("authoredOn",),
    "DeviceUseStatement": ("timing|recordedOn",),
    "DiagnosticReport": ("effective|issued",),
    "DocumentManifest": ("created",),
    "DocumentReference": ("context.period", "date"),
    "Encounter": ("period",),
    "EpisodeOfCare": ("period",),
    "ExplanationOfBenefit": ("billablePeriod", "created"),
    "FamilyMemberHistory": ("date",),
    "Flag": ("period",),
    "Goal": ("start|statusDate",),
    "ImagingStudy": ("started",),
    "Immunization": ("occurrence|recorded",),
    "ImmunizationEvaluation": ("date",),
    "ImmunizationRecommendation": ("date",),
    "List": ("date",),
    "MeasureReport": ("period",),
    "Media": ("created",),
    "MedicationAdministration": ("effective",),
    "MedicationDispense": ("whenHandedOver|whenPrepared",),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effective|dateAsserted",),
    "NutritionOrder": ("dateTime",),
    "Observation": ("effective|issued",),
    "Procedure": ("performed",),
    "Provenance": ("recorded",),
    "QuestionnaireResponse": ("authored",),
    "RiskAssessment": ("occurrence",),
    "ServiceRequest": ("occurrence|authoredOn",),
    "Specimen": ("collection.collected|receivedTime",),
    "Task": ("authoredOn|lastModified",),
    "VisionPrescription": ("dateWritten|created",),
}
AUTHORS: Final = (
    *("performer", "recorder", "asserter", "author", "requester", "informationSource", "source", "provider"),
    *("participant", "participantActor", "agent", "sender", "enterer", "primaryPerformer"),
)
ENCOUNTERS: Final = ("encounter", "context")
# "What it gives as reason, focus, diagnosis, result or part" (guide 2.5, step 4), as element paths.
LINKS: Final = (
    *("reasonReference", "focus", "result", "partOf", "hasMember", "derivedFrom", "basedOn", "addresses"),
    *("medicationReference", "imagingStudy", "target", "content", "detail", "problem", "goal", "reaction"),
    *(
        "diagnosis.condition",
        "diagnosis.diagnosisReference",
        "procedure.procedureReference",
        "evidence.detail",
    ),
    *("prescription", "entry.item", "section.entry", "media.link", "context.related", "content.reference"),
    *(
        "investigation.item",
        "finding.itemReference",
        "outcomeReference",
        "implicated",
        "statusReasonReference",
    ),
    *("activity.reference", "activity.outcomeReference", "complicationDetail", "report", "specimen"),
    *("account", "hospitalization.origin", "basis", "supportingInformation", "supportingInfo", "reference"),
)
# A medicine's name stands in the linked Medication: if that is unread, so is this.
CONTENT_LINKS: Final = ("medicationReference",)
