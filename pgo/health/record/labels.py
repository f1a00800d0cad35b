"""The words a record page needs: which FHIR element gets which label, and which code words we translate.

The texts themselves live in ``assets/locale/<language>.health.json``; a test holds both complete. An element
that is not in the table has no label of its own and shows under ``health.label.other``; a technical element
(addresses of profiles, narrative, versions) is not shown at all, because the page offers the whole record as
text anyway.
"""

from __future__ import annotations

from collections.abc import Mapping

OTHER = "health.label.other"

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
        "follow_up": "followUp complication",
    }.items()
    for element in elements.split()
}

LABEL_KEYS: tuple[str, ...] = tuple(sorted({*LABELS.values(), OTHER}))
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
VALUE_KEYS: tuple[str, ...] = tuple(sorted(VALUES.values()))
"""Every value key that ``details`` can give."""
