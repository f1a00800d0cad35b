"""A resource without what says who it is about, for research: codes, numbers and months.

What stays is listed, by type; everything else goes, also what nobody thought of:

1. Only kinds of resource that say something about health, in general terms, are made at all; people,
   organisations, documents, pictures and lists are not.
2. Of those stay codes, quantities, numbers, yes/no, references to resources that also go along, and dates
   as a month. Names, addresses, identifiers, narrative, every free text, every display, every extension,
   contained resources and attachments go.
3. Of the patient stay sex, whether they live, and the five years in which they were born; somebody of 90
   or older has no year (45 CFR 164.514(b)(2)(i)(C) draws that line). Of relatives no birth or death.
4. A resource that loses something R4 demands is not made: a document without its text is nothing.
5. What was made once is made again as itself (``is_deidentified``): the receiving side checks with it.

This takes away names, it does not make a person impossible to find: a rare code or an odd set of months
can still point at one. That is the work of the extract (small cells, release rules), guide security 3.11.

Sources: FHIR R4 4.0.1 element types (``assets/fhir/r4-elements.json``); guide security 3.11 and consent 2.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final

from pgo.health.assets import load_table

OLDEST: Final = 90
BIRTH_YEARS: Final = 5

KINDS: Final = frozenset(
    {"Patient", "AllergyIntolerance", "CarePlan", "ClinicalImpression", "Condition", "DeviceUseStatement"}
    | {"DiagnosticReport", "Encounter", "FamilyMemberHistory", "Goal", "Immunization", "ImagingStudy"}
    | {"Medication", "MedicationAdministration", "MedicationDispense", "MedicationRequest"}
    | {"MedicationStatement", "NutritionOrder", "Observation", "Procedure"}
    | {"QuestionnaireResponse", "RiskAssessment", "ServiceRequest", "Specimen"}
)
_NUMBERS: Final = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})
# A code is one word and the name of a system an address: a sentence in their place is no such thing.
_CODE: Final = re.compile(r"\S{1,64}")
_SYSTEM: Final = re.compile(r"(?:https?://|urn:)\S{1,200}")
_TIME: Final = re.compile(r"\d{2}:\d{2}:\d{2}(?:\.\d+)?")
_DAYS: Final = frozenset({"date", "dateTime"})
_MONTH: Final = re.compile(r"\d{4}(-\d{2})?")
_LEFT_OUT: Final = frozenset(
    {"Address", "Annotation", "Attachment", "ContactDetail", "ContactPoint", "Expression", "Extension"}
    | {"HumanName", "Identifier", "Meta", "Narrative", "RelatedArtifact", "Resource", "SampledData"}
    | {"Signature", "UsageContext"}
)
# Texts that name a place in a form, a code system or a unit, and no person. A unit is one short word.
_KEPT_TEXTS: Final[Mapping[tuple[str, str], re.Pattern[str]]] = {
    ("Coding", "system"): _SYSTEM,
    ("Coding", "version"): _CODE,
    ("Quantity", "system"): _SYSTEM,
    ("Age", "system"): _SYSTEM,
    ("Duration", "system"): _SYSTEM,
    ("QuestionnaireResponse", "questionnaire"): _SYSTEM,
    ("QuestionnaireResponseItem", "linkId"): _CODE,
}
_PATIENT: Final = frozenset({"gender", "birthDate", "deceasedBoolean", "deceasedDateTime"})
_RELATIVES: Final = frozenset({"bornDate", "bornPeriod", "deceasedDate"})
# What consent.redaction puts where R4 demands a reference and its target does not go along.
_MASKED: Final[Mapping[str, Any]] = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    ]
}
_UNIT: Final = re.compile(r"\S{1,20}")
_LOCAL: Final = re.compile(r"([A-Z][A-Za-z]+)/[A-Za-z0-9.\-]{1,64}")


def deidentify(body: Mapping[str, Any], *, today: date) -> dict[str, Any] | None:
    """Return what research may have of a resource, None when nothing of use is left.

    Args:
        body: a decoded R4 resource, its references already local (``Type/id``).
        today: decides who is 90 or older.
    """
    kind = body.get("resourceType")
    if not isinstance(kind, str) or kind not in KINDS:
        return None
    kept = _members(kind, body)
    if isinstance(body.get("id"), str):
        kept["id"] = body["id"]
    if kind == "Patient":
        _blur_birth(kept, today=today)
    return {"resourceType": kind, **kept} if _is_whole(kind, kept) else None


def is_deidentified(body: Mapping[str, Any], *, today: date) -> bool:
    """Whether a resource holds nothing that ``deidentify`` would take away."""
    return deidentify(body, today=today) == body


def _members(kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The members of one object that stay."""
    kept: dict[str, Any] = {}
    for name, (keep, many) in _table(kind).items():
        if name not in value:
            continue
        found = value[name]
        if many:
            items = [item for item in map(keep, found if isinstance(found, list) else ()) if item is not None]
            if items:
                kept[name] = items
        elif (item := keep(found)) is not None:
            kept[name] = item
    return kept


_Keep = Callable[[Any], Any]


@cache
def _table(kind: str) -> Mapping[str, tuple[_Keep, bool]]:
    """Per element of a type that may stay: what stays of it, and whether it is a list."""
    found: dict[str, tuple[_Keep, bool]] = {}
    for name, notation in load_table("fhir/r4-elements.json")["types"].get(kind, {}).items():
        type_ = notation.rstrip("*!")
        keep = _keeper(kind, name, type_)
        if keep is not None:
            found[name] = keep, "*" in notation
    return found


def _keeper(kind: str, name: str, type_: str) -> _Keep | None:
    if (kind == "Patient" and name not in _PATIENT) or (kind == "FamilyMemberHistory" and name in _RELATIVES):
        return None
    if (form := _KEPT_TEXTS.get((kind, name))) is not None:
        return _text(form)
    if type_ in ("code", "time") or (name == "unit" and type_ == "string"):
        return _text({"code": _CODE, "time": _TIME, "string": _UNIT}[type_])
    if type_ in _NUMBERS:
        return _number
    if type_ == "boolean":
        return _truth
    if type_ in _DAYS:
        return _month
    if type_ == "Reference":
        return _reference
    if type_ in _LEFT_OUT or type_ not in load_table("fhir/r4-elements.json")["types"]:
        return None
    return lambda value: (_members(type_, value) or None) if isinstance(value, Mapping) else None


def _text(form: re.Pattern[str]) -> _Keep:
    return lambda value: value if isinstance(value, str) and form.fullmatch(value) else None


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _month(value: Any) -> str | None:
    return value[:7] if isinstance(value, str) and _MONTH.match(value) else None


def _reference(value: Any) -> dict[str, Any] | None:
    if value == _MASKED:
        return dict(_MASKED)
    target = value.get("reference") if isinstance(value, Mapping) else None
    found = _LOCAL.fullmatch(target) if isinstance(target, str) else None
    return {"reference": found[0]} if found and found[1] in KINDS else None


def _blur_birth(kept: dict[str, Any], *, today: date) -> None:
    """Five years instead of a day; the moment of death becomes the fact."""
    if kept.pop("deceasedDateTime", None) is not None:
        kept["deceasedBoolean"] = True
    born = kept.pop("birthDate", None)
    year = int(born[:4]) if born else 0
    if year > today.year - OLDEST:
        kept["birthDate"] = f"{year - year % BIRTH_YEARS:04d}"


def _is_whole(kind: str, kept: Mapping[str, Any]) -> bool:
    """Whether everything R4 demands at the top is still there."""
    table = load_table("fhir/r4-elements.json")
    required = [name for name, notation in table["types"][kind].items() if notation.endswith("!")]
    groups = table["required_choices"].get(kind, ())
    named = all(name in kept for name in required)
    return named and all(any(_is_choice(group, name) for name in kept) for group in groups)


def _is_choice(group: str, name: str) -> bool:
    return name.startswith(group) and name[len(group) : len(group) + 1].isupper()
