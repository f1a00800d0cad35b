"""The fields of what a patient types about medication and allergies, and what is wrong with them.

Rules:

1. A form is what was typed: texts, trimmed nowhere. ``validate`` says per field which rule is broken, as
   the key of a sentence in ``assets/locale``; an empty answer means the form can be saved.
2. Dates may be partial: ``2019``, ``2019-05``, ``2019-05-17``.
3. Only what a person knows is asked: a name is enough, everything else may stay empty.

Source of the codes: value sets reaction-event-severity, allergy-intolerance-category and
allergy-intolerance-criticality of https://hl7.org/fhir/R4/allergyintolerance.html.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pgo.health.record.dates import date_text

SEVERITIES = ("", "mild", "moderate", "severe")
CRITICALITIES = ("", "low", "high")
CATEGORIES = ("", "food", "medication", "environment")

REQUIRED = "health.form.required"
NOT_A_DATE = "health.form.not_a_date"
END_BEFORE_START = "health.form.end_before_start"
TOO_LONG = "health.form.too_long"
ODD_CHARACTERS = "health.form.odd_characters"
UNKNOWN_CHOICE = "health.form.unknown_choice"
REACTION_NEEDED = "health.form.reaction_needed"
ERROR_KEYS = (
    REQUIRED,
    NOT_A_DATE,
    END_BEFORE_START,
    TOO_LONG,
    ODD_CHARACTERS,
    UNKNOWN_CHOICE,
    REACTION_NEEDED,
)
"""Every message key that ``validate`` can give."""

_MAX_LINE = 200
_MAX_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class MedicationForm:
    """A medicine as typed. ``start`` and ``end`` are ISO dates of any precision or empty."""

    name: str = ""
    dosage: str = ""
    reason: str = ""
    start: str = ""
    end: str = ""
    note: str = ""
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class AllergyForm:
    """An allergy as typed. ``past`` says that it no longer holds."""

    substance: str = ""
    category: str = ""
    reaction: str = ""
    severity: str = ""
    criticality: str = ""
    start: str = ""
    note: str = ""
    past: bool = False


def validate(form: MedicationForm | AllergyForm) -> Mapping[str, str]:
    """Check a form.

    Returns:
        Field name to message key; empty when all is well.
    """
    return _medication_faults(form) if isinstance(form, MedicationForm) else _allergy_faults(form)


def _medication_faults(form: MedicationForm) -> dict[str, str]:
    faults = {
        "name": _line_fault(form.name, needed=True),
        "dosage": _line_fault(form.dosage),
        "reason": _line_fault(form.reason),
        "start": _date_fault(form.start),
        "end": _date_fault(form.end),
        "note": _line_fault(form.note, limit=_MAX_NOTE),
    }
    if not faults["start"] and not faults["end"] and ends_before(form.start, form.end):
        faults["end"] = END_BEFORE_START
    return {field: key for field, key in faults.items() if key}


def _allergy_faults(form: AllergyForm) -> dict[str, str]:
    faults = {
        "substance": _line_fault(form.substance, needed=True),
        "category": "" if form.category in CATEGORIES else UNKNOWN_CHOICE,
        "reaction": _line_fault(form.reaction),
        "severity": "" if form.severity in SEVERITIES else UNKNOWN_CHOICE,
        "criticality": "" if form.criticality in CRITICALITIES else UNKNOWN_CHOICE,
        "start": _date_fault(form.start),
        "note": _line_fault(form.note, limit=_MAX_NOTE),
    }
    # In FHIR the severity belongs to a reaction, and a reaction must say what was seen (manifestation 1..*).
    if form.severity and not form.reaction.strip() and not faults["reaction"]:
        faults["reaction"] = REACTION_NEEDED
    return {field: key for field, key in faults.items() if key}


def ends_before(start: str, end: str) -> bool:
    """Say whether an end lies before a start, as far as both are known."""
    shared = min(len(start.strip()), len(end.strip()))
    return bool(shared) and end.strip()[:shared] < start.strip()[:shared]


def _line_fault(words: str, *, needed: bool = False, limit: int = _MAX_LINE) -> str:
    if not words.strip():
        return REQUIRED if needed else ""
    if len(words.strip()) > limit:
        return TOO_LONG
    # Control characters and lone surrogates cannot be stored or shown; line ends are fine in notes.
    odd = (unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in words)
    return ODD_CHARACTERS if any(odd) else ""


def _date_fault(words: str) -> str:
    value = words.strip()
    if not value:
        return ""
    if len(value) > len("2000-01-01") or not date_text(value):
        return NOT_A_DATE
    try:
        date.fromisoformat(f"{value}-01-01"[:10])
    except ValueError:
        return NOT_A_DATE
    return ""
