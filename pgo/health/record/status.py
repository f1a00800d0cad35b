"""Say whether a record is current, past or planned, from the status words of FHIR R4.

Rules:

1. ``entered-in-error`` wins over everything: such a record is wrong and is shown as such.
2. A status that says so decides. A status that leaves it open (``unknown``, a completed dispense of an
   agreement that runs for a period) gives ``unknown``, and the dates decide on the day somebody looks
   (``status_on``).
3. No clock in here: the day comes from the caller.

Source: value sets condition-clinical, allergyintolerance-clinical, medicationrequest-status,
medication-statement-status, medicationdispense-status, event-status, observation-status, encounter-status,
request-status of https://hl7.org/fhir/R4/terminologies-valuesets.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from pgo.health.record.safe import extension, obj, objs, text


class RecordStatus(StrEnum):
    """Where a record stands in time."""

    CURRENT = "current"
    PAST = "past"
    PLANNED = "planned"
    UNKNOWN = "unknown"
    ENTERED_IN_ERROR = "entered_in_error"


_CLINICAL = {
    "active": RecordStatus.CURRENT,
    "recurrence": RecordStatus.CURRENT,
    "relapse": RecordStatus.CURRENT,
    "inactive": RecordStatus.PAST,
    "remission": RecordStatus.PAST,
    "resolved": RecordStatus.PAST,
}
_WORDS = {
    **dict.fromkeys(
        ("active", "on-hold", "in-progress", "arrived", "triaged", "onleave"), RecordStatus.CURRENT
    ),
    **dict.fromkeys(("suspended", "accepted", "preliminary", "registered"), RecordStatus.CURRENT),
    **dict.fromkeys(("draft", "planned", "proposed", "booked", "pending", "waitlist"), RecordStatus.PLANNED),
    **dict.fromkeys(("preparation", "requested", "intended", "future"), RecordStatus.PLANNED),
    **dict.fromkeys(
        ("completed", "finished", "fulfilled", "final", "amended", "corrected"), RecordStatus.PAST
    ),
    **dict.fromkeys(("stopped", "cancelled", "revoked", "not-done", "not-taken"), RecordStatus.PAST),
    **dict.fromkeys(("ended", "declined", "noshow", "aborted", "superseded", "inactive"), RecordStatus.PAST),
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
# SNOMED CT (Netherlands) "verstrekkingsverzoek", the category of mp-DispenseRequest in medication process 9.
_SUPPLY_REQUEST = "52711000146108"
# Types whose "current" status means "this document holds", not "this goes on": they are events of the past.
_EVENTS = frozenset({"Composition", "DocumentReference", "DocumentManifest", "DiagnosticReport", "Media"})


def status_of(kind: str, body: Mapping[str, Any]) -> RecordStatus:
    """Give the status of a resource from its own words; ``UNKNOWN`` when the dates must decide."""
    if "entered-in-error" in (text(body, "status"), text(obj(body, "verificationStatus", "coding"), "code")):
        return RecordStatus.ENTERED_IN_ERROR
    if kind in ("Condition", "AllergyIntolerance"):
        return _clinical_status(body)
    if kind == "Goal":
        return _WORDS.get(text(body, "lifecycleStatus"), RecordStatus.UNKNOWN)
    if kind == "FamilyMemberHistory" or kind in _EVENTS:
        return RecordStatus.PAST
    status = _WORDS.get(text(body, "status"), RecordStatus.UNKNOWN)
    if kind in ("MedicationDispense", "MedicationRequest"):
        return _agreement_status(status, body)
    return status


def _clinical_status(body: Mapping[str, Any]) -> RecordStatus:
    if text(obj(body, "verificationStatus", "coding"), "code") == "refuted":
        return RecordStatus.PAST
    status = _CLINICAL.get(text(obj(body, "clinicalStatus", "coding"), "code"))
    if status is not None:
        return status
    ended = any(name.startswith("abatement") for name in body)
    return RecordStatus.PAST if ended else RecordStatus.UNKNOWN


def _agreement_status(status: RecordStatus, body: Mapping[str, Any]) -> RecordStatus:
    """Judge prescriptions and dispenses: a finished message may still be an agreement that runs on."""
    if _is_supply_request(body):
        return RecordStatus.PAST
    if status is RecordStatus.PAST and _has_interval(body):
        return _stopped_or_open(body)
    return status


def _is_supply_request(body: Mapping[str, Any]) -> bool:
    """Say whether this only asks the pharmacy to hand over a medicine: an event, not a period of use."""
    codings = (coding for concept in objs(body, "category") for coding in objs(concept, "coding"))
    return any(text(coding, "code") == _SUPPLY_REQUEST for coding in codings)


def _has_interval(body: Mapping[str, Any]) -> bool:
    # Dutch medication process 9: the agreement's own period of use, whatever the status of the message says.
    return bool(extension(body, "ext-TimeInterval.Period"))


def _stopped_or_open(body: Mapping[str, Any]) -> RecordStatus:
    return RecordStatus.PAST if text(body, "status") in ("stopped", "cancelled") else RecordStatus.UNKNOWN


def status_on(status: RecordStatus, start: str, end: str, *, on: date) -> RecordStatus:
    """Decide the status on a day, using the dates where the source left it open or has since run out.

    Args:
        status: What ``status_of`` said.
        start: First day or moment, ISO text of any precision, or empty.
        end: Last day or moment, ISO text of any precision, or empty.
        on: The day of looking.

    Returns:
        The status; ``UNKNOWN`` only when there are no dates either.
    """
    if status not in (RecordStatus.UNKNOWN, RecordStatus.CURRENT):
        return status
    today = on.isoformat()
    if end and end[:10] < today[: len(end[:10])]:
        return RecordStatus.PAST
    if start and start[:10] > today[: len(start[:10])]:
        return RecordStatus.PLANNED
    if status is RecordStatus.UNKNOWN and not start and not end:
        return RecordStatus.UNKNOWN
    return RecordStatus.CURRENT
