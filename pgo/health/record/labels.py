"""The words a record page needs: which FHIR element gets which label, and which code words we translate.

The texts themselves live in ``assets/locale/<language>.health.json``; a test holds both complete. An element
that is not in the table has no label of its own and shows under ``health.label.other``; a technical element
(addresses of profiles, narrative, versions) is not shown at all, because the page offers the whole record as
text anyway.
"""

from __future__ import annotations

from collections.abc import Mapping

OTHER = "health.label.other"
CAUTION = "health.label.caution"

# Elements that carry no news for a person, or that another part of the page shows.
HIDDEN = frozenset(
    (
        *("resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension"),
        *("modifierExtension", "identifier", "masterIdentifier", "groupIdentifier", "subject", "patient"),
        *("beneficiary", "instantiatesCanonical", "instantiatesUri", "definition", "basedOn", "partOf"),
        *("priorRequest", "replaces", "questionnaire", "eventHistory", "link", "generalPractitioner"),
        *("target", "priority", "intent", "photo"),
    )
)

# FHIR element, choice forms without their ending (value[x] -> value) -> label. Several share one label on
# purpose: a person asks "by whom", not "recorder or asserter".
LABELS: Mapping[str, str] = {
    element: f"health.label.{label}"
    for label, elements in {
        "status": "status clinicalStatus lifecycleStatus docStatus achievementStatus",
        "certainty": "verificationStatus",
        "status_reason": "statusReason dataAbsentReason",
        "what": "code vaccineCode type class serviceType medication scope modality",
        "category": "category",
        "value": "value answer",
        "parts": "component",
        "judgement": "interpretation conclusion conclusionCode clinicalImpression outcome",
        "normal_range": "referenceRange",
        "when": "effective performed occurrence timing date started executionPeriod billablePeriod",
        "period": "period",
        "start": "onset start",
        "end": "abatement end",
        "recorded": "recordedDate recorded recordedOn issued authored authoredOn created dateAsserted "
        "dateTime statusDate",
        "last_time": "lastOccurrence",
        "severity": "severity criticality",
        "body_site": "bodySite site",
        "reason": "reasonCode reasonReference addresses reason indication",
        "reaction": "reaction",
        "dosage": "dosageInstruction dosage",
        "quantity": "quantity doseQuantity dispenseRequest daysSupply substitution",
        "lot": "lotNumber",
        "expires": "expirationDate",
        "route": "route",
        "method": "method",
        "device": "device",
        "specimen": "specimen collection",
        "by": "performer recorder asserter author requester participant practitioner actor sender "
        "informationSource authenticator custodian",
        "where": "location serviceProvider organization managingOrganization",
        "visit": "encounter context",
        "results": "result",
        "stage": "stage evidence",
        "series": "protocolApplied",
        "note": "note comment description patientInstruction",
        "name": "name title alias",
        "birth_date": "birthDate",
        "gender": "gender sex",
        "deceased": "deceased",
        "address": "address",
        "contact": "telecom",
        "language": "communication",
        "civil_status": "maritalStatus",
        "contact_person": "contact relationship",
        "questions": "item",
        "goal": "goal",
        "activity": "activity",
        "team": "careTeam",
        "hospital": "hospitalization",
        "diagnosis": "diagnosis condition",
        "document": "content section image",
        "purpose": "purpose provision",
        "message": "payload",
        "sent": "sent received",
        "directive": "directive",
        "remarks": "remarks",
        "stop": "stop",
        "as_agreed": "as_agreed",
        "follow_up": "followUp complication",
    }.items()
    for element in elements.split()
}

# Extensions that say something to a person, by the end of their address, and the label they go under. The
# first part of a row is the zib of 2020, the second its address in the basic data set of 2017.
EXTENSIONS: Mapping[str, str] = {
    ending: f"health.label.{label}"
    for label, endings in {
        "note": "ext-Comment StructureDefinition/Comment AdditionalInformation Explanation",
        "stop": "ext-StopType zib-Medication-StopType",
        "as_agreed": "ext-AsAgreedIndicator zib-MedicationUse-AsAgreedIndicator",
        "reason": "ReasonModificationOrDiscontinuation ReasonForDeviation ReasonForEnding",
        "period": "ext-TimeInterval.Period zib-Medication-PeriodOfUse",
        "dosage": "ext-RenderedDosageInstruction",
        "body_site": "ext-AnatomicalLocation.Laterality BodySite-Qualifier",
        "method": "ext-WayOfDetermination",
        "cycle": "RepeatPeriodCyclicalSchedule",
        "recorded": "ext-RegistrationDateTime zib-AdministrationAgreement-AuthoredOn",
        "by": "ext-MedicationUse2.Prescriber zib-MedicationUse-Prescriber",
    }.items()
    for ending in endings.split()
}

LABEL_KEYS: tuple[str, ...] = tuple(sorted({*LABELS.values(), *EXTENSIONS.values(), OTHER, CAUTION}))
"""Every label key that ``details`` can give."""

# Code words of the standard that we put in plain words. Source: the value sets of https://hl7.org/fhir/R4/.
_VALUE_WORDS = (
    *("active", "inactive", "resolved", "remission", "recurrence", "relapse"),
    *("confirmed", "unconfirmed", "provisional", "differential", "refuted", "entered-in-error"),
    *("completed", "stopped", "cancelled", "draft", "on-hold", "unknown", "intended", "not-taken"),
    *("in-progress", "not-done", "preparation", "declined", "planned", "proposed", "accepted", "rejected"),
    *("final", "preliminary", "registered", "amended", "corrected", "current", "superseded"),
    *("arrived", "triaged", "finished", "onleave", "ended", "suspended", "revoked"),
    *("low", "high", "unable-to-assess", "mild", "moderate", "severe"),
    *("food", "medication", "environment", "biologic", "allergy", "intolerance"),
    *("male", "female", "other"),
    *("vital-signs", "laboratory", "survey", "social-history", "imaging", "exam", "procedure", "therapy"),
    *("activity", "problem-list-item", "encounter-diagnosis", "patientspecified", "community", "inpatient"),
    *("outpatient", "AMB", "IMP", "EMER", "HH", "VR", "ACUTE", "SS"),
)
VALUES: Mapping[str, str] = {word: f"health.value.{word.replace('-', '_').lower()}" for word in _VALUE_WORDS}
# What a laboratory says about a result. Code systems v3-ObservationInterpretation of
# https://terminology.hl7.org, its forerunner v2-0078, and the SNOMED CT codes of the zib
# LaboratoryTestResult-v4.6(2020), ResultFlags.
JUDGEMENTS: Mapping[str, str] = {
    code: f"health.judgement.{word}"
    for word, codes in {
        "high": "H 281302008",
        "low": "L 281300000",
        "very_high": "HH HU",
        "very_low": "LL LU",
        "normal": "N",
        "abnormal": "A AA",
        "intermediate": "I 11896004",
        "sensitive": "S 131196009",
        "resistant": "R 30714006",
        "positive": "POS",
        "negative": "NEG",
    }.items()
    for code in codes.split()
}
JUDGEMENT_SYSTEMS = frozenset(
    (
        "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
        "http://terminology.hl7.org/CodeSystem/v2-0078",
        "http://hl7.org/fhir/v2/0078",
        "http://snomed.info/sct",
    )
)
# Why a value is not there: value set http://hl7.org/fhir/R4/valueset-data-absent-reason.html, and the
# codes of v3-NullFlavor that STU3 records carry (extension iso21090-nullFlavor).
ABSENT: Mapping[str, str] = {
    code: f"health.absent.{word}"
    for word, codes in {
        "masked": "masked MSK",
        "unknown": "unknown UNK NI",
        "asked_unknown": "asked-unknown asked-declined ASKU",
        "not_asked": "not-asked NASK temp-unknown NAV",
        "not_applicable": "not-applicable NA unsupported not-permitted",
        "error": "error not-a-number negative-infinity positive-infinity not-performed",
    }.items()
    for code in codes.split()
}
DIRECTIVES: Mapping[str, str] = {
    word: f"health.directive.{word}" for word in ("yes", "limited", "no", "other", "unclear")
}
VALUE_KEYS: tuple[str, ...] = tuple(
    sorted({*VALUES.values(), *JUDGEMENTS.values(), *ABSENT.values(), *DIRECTIVES.values()})
)
"""Every value key that ``details`` can give."""
