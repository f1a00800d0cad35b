"""Read one record about a medicine as one step: agreed, asked for, planned, handed over, taken.

Dutch medication process 9 keeps therapy and logistics apart in "building blocks"; each is one FHIR resource
and says which one it is by a SNOMED CT category. Records without that category (other countries, the older
basic data set) are read by their type.

Rules:

1. ``how`` is the dosage in the words of the source; ``daily`` is the amount a day only when it follows
   without any guess: one instruction, one amount, a plain frequency, not "as needed".
2. ``start`` and ``end`` are the period of use as agreed; a duration without an end gives the end.
3. ``written_on`` is when the source wrote it down: a later step of a kind takes the place of an earlier one.
4. A stop is a step of its own with ``stop`` set; which agreement it ends is in ``replaces``.

Sources: Nictiz, medication process 9 version 3.0, R4 profiles mp-MedicationAgreement, mp-DispenseRequest,
mp-AdministrationAgreement, mp-MedicationDispense, mp-VariableDosingRegimen, mp-MedicationUse2,
mp-MedicationAdministration2; zibs MedicationAgreement, AdministrationAgreement, MedicationUse2,
InstructionsForUse and TimeInterval (2020), https://zibs.nl.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from pgo.health.record.dates import date_text, when
from pgo.health.record.index import dosage_text, medication_concept
from pgo.health.record.resource import Resolve, Resource
from pgo.health.record.safe import extension, obj, objs, text
from pgo.health.record.sameness import HPK, PRK
from pgo.health.record.status import RecordStatus, status_of
from pgo.health.record.words import (
    codings,
    concept_text,
    decimal_of,
    plain_display,
    quantity_text,
    unit_key,
    unit_text,
)


class Role(StrEnum):
    """What a record about a medicine says."""

    AGREED = "agreed"
    ASKED = "asked"
    SCHEDULE = "schedule"
    PLAN = "plan"
    GIVEN = "given"
    TAKES = "takes"
    TAKEN = "taken"


class Stop(StrEnum):
    """How an agreement ends before its time."""

    NONE = ""
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Daily:
    """An exact amount a day; ``unit`` is for comparing, ``shown`` for people."""

    amount: Fraction
    unit: str
    shown: str


@dataclass(frozen=True, slots=True)
class Step:
    """One record about a medicine.

    Attributes:
        record_id: number of the record, the caller's.
        role: what it says.
        medicine: the product in words.
        products: HPK and PRK codes of the product, as ``system|code``.
        how: dosage in the source's words, may be empty.
        daily: exact amount a day, None when it is not certain.
        start: first day or moment of use (or of handing over), ISO text, may be empty.
        end: last day or moment, ISO text, may be empty.
        written_on: when it was written down, ISO text, may be empty.
        who: who wrote it, in the source's words.
        amount: what was handed over, with its unit.
        stop: whether this ends an agreement.
        replaces: values of the identifiers of the steps it refers to as its forerunner.
        names: values of its own identifiers.
        as_agreed: whether use follows the agreement, None when the source does not say.
        not_taken: the person says not to take it (stopped, on hold, not taken).
        status: where the record itself says it stands; the dates may say more (``status_on``).
    """

    record_id: int
    role: Role
    medicine: str
    products: frozenset[str]
    how: str
    daily: Daily | None
    start: str
    end: str
    written_on: str
    who: str
    amount: str
    stop: Stop
    replaces: frozenset[str]
    names: frozenset[str]
    as_agreed: bool | None
    not_taken: bool
    status: RecordStatus


# Category codes of SNOMED CT (the Dutch extension for the request) in the profiles named above.
_BY_CATEGORY: Final[Mapping[str, Role]] = {
    "33633005": Role.AGREED,
    "16076005": Role.AGREED,
    "52711000146108": Role.ASKED,
    "395067002": Role.SCHEDULE,
    "422037009": Role.PLAN,
    "373784005": Role.GIVEN,
    "422979000": Role.TAKES,
    "18629005": Role.TAKEN,
}
_BY_TYPE: Final[Mapping[str, Role]] = {
    "MedicationRequest": Role.AGREED,
    "MedicationDispense": Role.GIVEN,
    "MedicationStatement": Role.TAKES,
    "MedicationAdministration": Role.TAKEN,
}
# ext-StopType, value set MedicatieafspraakStopType of the zib MedicationAgreement-v1.2(2020).
_STOPS: Final[Mapping[str, Stop]] = {
    "385655000": Stop.PAUSED,
    "113381000146106": Stop.PAUSED,
    "410546004": Stop.STOPPED,
    "113371000146109": Stop.STOPPED,
    "89925002": Stop.CANCELLED,
}
# The same question in the basic data set of 2017, with a code list of its own (zib-Medication-StopType).
_STOPS_2017_SYSTEM: Final = "urn:oid:2.16.840.1.113883.2.4.3.11.60.20.77.5.2.1"
_STOPS_2017: Final[Mapping[str, Stop]] = {"1": Stop.PAUSED, "2": Stop.STOPPED}
# MedicationRequest.status that ends the agreement itself (FHIR R4 valueset-medicationrequest-status).
_STATUS_STOPS: Final[Mapping[str, Stop]] = {
    "stopped": Stop.STOPPED,
    "cancelled": Stop.CANCELLED,
    "on-hold": Stop.PAUSED,
}
# Extensions of medication process 9 version 3.0 (R4), and of 9.0.7 and the basic data set 2017 (STU3).
_WRITTEN: Final = ("ext-RegistrationDateTime", "zib-AdministrationAgreement-AuthoredOn")
_AS_AGREED: Final = ("ext-AsAgreedIndicator", "zib-MedicationUse-AsAgreedIndicator")
_STOP_TYPE: Final = ("ext-StopType", "zib-Medication-StopType")
_NOT_TAKEN: Final = frozenset({"stopped", "on-hold", "not-taken"})
# UCUM: days in a period unit of Timing.repeat (FHIR R4 valueset-units-of-time); months and years have no
# fixed number of days.
_DAYS: Final[Mapping[str, Fraction]] = {
    "h": Fraction(1, 24),
    "d": Fraction(1),
    "wk": Fraction(7),
}
_PLAIN_REPEAT: Final = frozenset(
    ("frequency", "period", "periodUnit", "timeOfDay", "boundsDuration", "boundsPeriod", "extension")
)


def read_step(record_id: int, resource: Resource, resolve: Resolve) -> Step | None:
    """Read a record as a step; None when it is not about taking a medicine."""
    role = _role(resource)
    if role is None:
        return None
    body = resource.body
    concept = medication_concept(resource, resolve)
    start, end = when(resource.type, body)
    return Step(
        record_id=record_id,
        role=role,
        medicine=concept_text(concept),
        products=frozenset(f"{system}|{code}" for system, code in codings(concept) if system in (HPK, PRK)),
        how=dosage_text(body),
        daily=daily_amount(body),
        start=start,
        end=end,
        written_on=_written_on(body),
        who=_who(body),
        amount=quantity_text(obj(body, "quantity")),
        stop=_stop(role, body),
        replaces=_identifier_values(body, "priorPrescription")
        | _identifier_values(extension(body, "ext-RelationAdministrationAgreement"), "valueReference"),
        names=frozenset(filter(None, (text(item, "value") for item in objs(body, "identifier")))),
        as_agreed=_as_agreed(body),
        not_taken=role is Role.TAKES and text(body, "status") in _NOT_TAKEN,
        status=status_of(resource.type, body),
    )


def daily_amount(body: Mapping[str, Any]) -> Daily | None:
    """Give the amount a day of a medicine when one plain instruction says it (rule 1).

    Source: FHIR R4 dosage.html, datatypes.html#Timing; zib InstructionsForUse-v1.2.1(2020).
    """
    rows = objs(body, "dosageInstruction") or objs(body, "dosage")
    if len(rows) != 1 or any(name.startswith("asNeeded") for name in rows[0]):
        return None
    doses = objs(rows[0], "doseAndRate")
    repeat = obj(rows[0], "timing", "repeat")
    if len(doses) != 1 or not repeat or not repeat.keys() <= _PLAIN_REPEAT:
        return None
    dose = obj(doses[0], "doseQuantity")
    value, times = decimal_of(dose.get("value")), _times_a_day(repeat)
    if value is None or times is None or text(dose, "comparator"):
        return None
    return Daily(Fraction(value) * times, unit_key(dose), unit_text(dose))


def _times_a_day(repeat: Mapping[str, Any]) -> Fraction | None:
    clock = repeat.get("timeOfDay")
    frequency, period = decimal_of(repeat.get("frequency")), decimal_of(repeat.get("period"))
    if isinstance(clock, list):
        # Clock times are of every day; with a longer period it is not said on which days.
        daily = (period, text(repeat, "periodUnit")) in ((None, ""), (1, "d"))
        return Fraction(len(clock)) if daily and frequency in (None, len(clock)) else None
    days = _DAYS.get(text(repeat, "periodUnit"))
    if days is None or not period or not frequency:
        return None
    return Fraction(frequency) / (Fraction(period) * days)


def _role(resource: Resource) -> Role | None:
    own = _BY_TYPE.get(resource.type)
    if own is None:
        return None
    found = (code for item in objs(resource.body, "category") for _, code in codings(item))
    return next((_BY_CATEGORY[code] for code in found if code in _BY_CATEGORY), own)


def _written_on(body: Mapping[str, Any]) -> str:
    registered = text(extension(body, _WRITTEN), "valueDateTime")
    names = ("authoredOn", "dateAsserted", "whenHandedOver", "whenPrepared", "effectiveDateTime")
    return next(filter(None, map(date_text, (registered, *(text(body, name) for name in names)))), "")


def _who(body: Mapping[str, Any]) -> str:
    for name in ("requester", "informationSource"):
        if words := plain_display(text(body, name, "display")):
            return words
    return plain_display(text(body, "performer", "actor", "display"))


def _stop(role: Role, body: Mapping[str, Any]) -> Stop:
    held = (
        extension({"extension": body.get(name)}, _STOP_TYPE) for name in ("modifierExtension", "extension")
    )
    for found in held:
        for system, code in codings(obj(found, "valueCodeableConcept")):
            known = _STOPS_2017 if system == _STOPS_2017_SYSTEM else _STOPS
            if code in known:
                return known[code]
    return _STATUS_STOPS.get(text(body, "status"), Stop.NONE) if role is Role.AGREED else Stop.NONE


def _as_agreed(body: Mapping[str, Any]) -> bool | None:
    said = extension(body, _AS_AGREED).get("valueBoolean")
    return said if isinstance(said, bool) else None


def _identifier_values(holder: Mapping[str, Any], name: str) -> frozenset[str]:
    # The number alone counts: real files write one number under two systems.
    value = text(holder, name, "identifier", "value")
    return frozenset({value}) if value else frozenset()
