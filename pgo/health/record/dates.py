"""Find when a record happened or held, as the ISO text the source wrote.

Partial dates (``2019``, ``2019-05``) stay partial; an unknown date is an empty text, never today. The
element that counts differs per type; the table below names them in order of trust.

Source: the definition pages of the types, https://hl7.org/fhir/R4/resourcelist.html; for Dutch medication the
extension ext-TimeInterval.Period of http://nictiz.nl/fhir (medication process 9).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pgo.health.record.safe import extension, obj, text

# Source: regular expression of dateTime, https://hl7.org/fhir/R4/datatypes.html#dateTime
_DATE_TIME = re.compile(
    r"([0-9]{4})(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?\Z"
)

# Element stems in order. A stem stands for itself and its choice forms (DateTime, Period, Instant, Date,
# String).
_STARTS: Mapping[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("onset", "recordedDate", "lastOccurrence"),
    "Appointment": ("start", "created"),
    "CarePlan": ("period", "created"),
    "CareTeam": ("period",),
    "Claim": ("billablePeriod", "created"),
    "ExplanationOfBenefit": ("billablePeriod", "created"),
    "Composition": ("date",),
    "Condition": ("onset", "recordedDate"),
    "Consent": ("dateTime",),
    "Coverage": ("period",),
    "DeviceUseStatement": ("timing", "recordedOn"),
    "DiagnosticReport": ("effective", "issued"),
    "DocumentReference": ("date",),
    "Encounter": ("period",),
    "EpisodeOfCare": ("period",),
    "FamilyMemberHistory": ("date",),
    "Flag": ("period",),
    "Goal": ("start", "statusDate"),
    "ImagingStudy": ("started",),
    "Immunization": ("occurrence", "recorded"),
    "Media": ("created", "issued"),
    "MedicationAdministration": ("effective",),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effective", "dateAsserted"),
    "Observation": ("effective", "issued"),
    "Procedure": ("performed",),
    "Provenance": ("occurred", "recorded"),
    "QuestionnaireResponse": ("authored",),
    "ServiceRequest": ("occurrence", "authoredOn"),
    "Task": ("executionPeriod", "authoredOn"),
}
_COMMON = (
    "period",
    "effective",
    "occurrence",
    "performed",
    "date",
    "authoredOn",
    "created",
    "issued",
    "recorded",
)
_ENDS: Mapping[str, tuple[str, ...]] = {
    "Condition": ("abatement",),
    "Goal": ("target",),
    "Appointment": ("end",),
    "ImagingStudy": (),
}
# Medication process 9 version 3.0 (R4) and the basic data set 2017 (STU3).
_PERIOD_OF_USE = ("ext-TimeInterval.Period", "zib-Medication-PeriodOfUse")
_DURATION = ("ext-TimeInterval.Duration", "zib-MedicationUse-Duration")
# UCUM codes of days and weeks.
_DURATION_DAYS = {"d": 1, "wk": 7}
_MOST_DAYS = 100 * 366
_FORMS = ("", "DateTime", "Period", "Instant", "Date", "Timing")


def date_text(value: str) -> str:
    """Give a date or moment when it has the form of the standard, else an empty text."""
    return value if _DATE_TIME.match(value) else ""


def when(kind: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """Give (start, end) of a resource; an empty text means unknown, an event has no end."""
    interval = obj(extension(body, _PERIOD_OF_USE), "valuePeriod")
    if interval and kind.startswith("Medication"):
        start = date_text(text(interval, "start"))
        # In STU3 the duration stands beside the period, in R4 inside it.
        end = date_text(text(interval, "end")) or _end_of(interval, start) or _end_of(body, start)
        return start or _first(body, _STARTS.get(kind, _COMMON))[0], end
    start, end = _first(body, _STARTS.get(kind, _COMMON))
    if kind in _ENDS:
        end = _first(body, _ENDS[kind])[0]
    if kind == "MedicationRequest" and not end:
        end = date_text(text(obj(body, "dispenseRequest", "validityPeriod"), "end"))
    return start, end


def _end_of(interval: Mapping[str, Any], start: str) -> str:
    """Give the last day of a period that names its first day and how long it takes, else an empty text.

    Only days and weeks: a month has no fixed number of days. Source: zib TimeInterval-v1.0(2020), Duration.
    """
    duration = obj(extension(interval, _DURATION), "valueDuration")
    days, number = _DURATION_DAYS.get(text(duration, "code")), duration.get("value")
    if days is None or isinstance(number, bool) or not isinstance(number, int | Decimal) or len(start) < 10:
        return ""
    whole = Decimal(number) * days
    if not 1 <= whole <= _MOST_DAYS or whole != whole.to_integral_value():
        return ""
    try:
        return (date.fromisoformat(start[:10]) + timedelta(days=int(whole) - 1)).isoformat()
    except (ValueError, OverflowError):
        return ""


def _first(body: Mapping[str, Any], stems: tuple[str, ...]) -> tuple[str, str]:
    for stem in stems:
        for form in _FORMS:
            value = body.get(stem + form)
            if isinstance(value, str) and date_text(value):
                return value, ""
            if isinstance(value, Mapping):
                begin = date_text(text(value, "start"))
                pair = begin, date_text(text(value, "end")) or _end_of(value, begin)
                if any(pair):
                    return pair
                if moment := date_text(text(value, "event")):
                    return moment, ""
    return "", ""
