"""Turn FHIR data types into short texts a person can read, in the language the source used.

Rules:

1. A concept shows its own text first, then the display its sender chose, then any display, then the code. The
   semantic tag that SNOMED CT appends to full names, such as ``(disorder)``, is left off.
2. A number keeps every digit the source wrote, and its comparator: ``<0.41 mmol/L`` stays so.
3. Nothing is translated or converted here; units show as the source wrote them.

Sources: https://hl7.org/fhir/R4/datatypes.html (CodeableConcept, Quantity, Range, Ratio, Period).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pgo.health.record.safe import obj, objs, text

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
_PREFERRED_SYSTEMS = (LOINC, SNOMED)
_YES, _NO = "✓", "✗"
# v3-NullFlavor says that there is no code (zib rule for open value sets: OTH with a text).
_NO_CODES = (
    "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
    "http://hl7.org/fhir/v3/NullFlavor",
)
# A Decimal beyond this exponent is shown in scientific form instead of thousands of zeros.
_MAX_ZEROS = 20
# Source: SNOMED CT Editorial Guide, "Semantic tag" (https://confluence.ihtsdotools.org/display/DOCEG).
_SEMANTIC_TAG = re.compile(
    r" \((?:disorder|finding|procedure|situation|regime/therapy|observable entity|substance|product|event|"
    r"medicinal product|clinical drug|organism|qualifier value|morphologic abnormality|body structure|"
    r"person|record artifact|social concept|environment|physical object|specimen|assessment scale)\)\Z"
)
# Nictiz writes the name of the profile before the name of who or what is meant, in English, for machines
# (throughout the published examples of medication process 9 and the zibs of 2020).
_PROFILE_NAME = re.compile(
    r"\A(?:Patient|Contact person|Healthcare professional \((?:role|person)\)|"
    r"Healthcare provider \((?:organization|location)\)|Administering Provider), (?=\S)"
)
# A UCUM annotation such as {score} says what is counted; it is no unit (UCUM section 2.4, paragraph 12).
_ANNOTATION = re.compile(r"\{[^{}]*\}\Z")


def codings(concept: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Give (system, code) of a concept without the codes that say there is none."""
    pairs = ((text(item, "system"), text(item, "code")) for item in objs(concept, "coding"))
    return tuple(pair for pair in pairs if all(pair) and pair[0] not in _NO_CODES)


def concept_text(concept: Mapping[str, Any]) -> str:
    """Give the words of a CodeableConcept; empty when it has none."""
    if words := text(concept, "text"):
        return _SEMANTIC_TAG.sub("", words)
    codings = objs(concept, "coding")
    chosen = [coding for coding in codings if coding.get("userSelected") is True]
    for coding in (*chosen, *codings):
        if words := text(coding, "display"):
            return _SEMANTIC_TAG.sub("", words)
    return next((code for coding in codings if (code := text(coding, "code"))), "")


def plain_display(words: str) -> str:
    """Give the display of a reference without the name of the profile before it.

    >>> plain_display("Healthcare professional (role), Jan van Harten, chirurgie")
    'Jan van Harten, chirurgie'
    """
    shorter = _PROFILE_NAME.sub("", words)
    return shorter if shorter == words else plain_display(shorter)


def concept_code(concept: Mapping[str, Any]) -> str:
    """Give ``system|code`` of a concept: LOINC before SNOMED CT before the first; empty when it has none."""
    pairs = [
        (text(item, "system"), text(item, "code")) for item in objs(concept, "coding") if text(item, "code")
    ]
    for system in _PREFERRED_SYSTEMS:
        for pair in pairs:
            if pair[0] == system:
                return "|".join(pair)
    return "|".join(pairs[0]) if pairs else ""


def number_text(value: object) -> str:
    """Write a decoded JSON number with all its digits; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return ""
    if isinstance(value, int):
        return str(value)
    exponent = value.as_tuple().exponent
    plain = isinstance(exponent, int) and abs(exponent) <= _MAX_ZEROS
    return format(value, "f") if plain else str(value)


def decimal_of(value: object) -> Decimal | None:
    """Give a decoded JSON number as a finite ``Decimal``, or ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def unit_text(quantity: Mapping[str, Any]) -> str:
    """Give the unit of a Quantity as shown to people."""
    shown = text(quantity, "unit") or text(quantity, "code")
    return "" if shown == "1" or _ANNOTATION.match(shown) else shown


def unit_key(quantity: Mapping[str, Any]) -> str:
    """Give the unit of a Quantity for comparing: the UCUM code when there is one, else the shown text."""
    if text(quantity, "system") == UCUM and text(quantity, "code"):
        return text(quantity, "code")
    return unit_text(quantity)


def quantity_text(quantity: Mapping[str, Any]) -> str:
    """Write a Quantity: comparator, number, unit."""
    number = number_text(quantity.get("value"))
    return f"{text(quantity, 'comparator')}{number} {unit_text(quantity)}".strip() if number else ""


def range_text(body: Mapping[str, Any]) -> str:
    """Write a Range as ``low - high unit``; one open end shows as ``≥`` or ``≤``."""
    low, high = obj(body, "low"), obj(body, "high")
    first, last = number_text(low.get("value")), number_text(high.get("value"))
    unit = unit_text(high) or unit_text(low)
    if first and last:
        return f"{first} - {last} {unit}".strip()
    sign = "≥ " if first else "≤ "
    return f"{sign}{first or last} {unit}".strip() if first or last else ""


def period_text(period: Mapping[str, Any]) -> str:
    """Write a Period as ``start - end``, dates as given."""
    start, end = text(period, "start"), text(period, "end")
    return f"{start} - {end}".strip() if start or end else ""


def value_text(body: Mapping[str, Any], stem: str = "value") -> str:
    """Write the ``value[x]`` of an element, whichever form it has; empty when there is none."""
    for name, value in body.items():
        if name.startswith(stem) and name[len(stem) :][:1].isupper():
            return any_text(value)
    return ""


def any_text(value: object) -> str:
    """Write any FHIR data type as one short text; empty when we know no good form."""
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return ", ".join(filter(None, (any_text(item) for item in value)))
    if isinstance(value, Mapping):
        return _object_text(value)
    return number_text(value)


def _object_text(value: Mapping[str, Any]) -> str:
    if "numerator" in value or "denominator" in value:
        top, bottom = quantity_text(obj(value, "numerator")), quantity_text(obj(value, "denominator"))
        return f"{top} / {bottom}" if bottom not in ("", "1") else top
    if "low" in value or "high" in value:
        return range_text(value)
    if "value" in value and not isinstance(value["value"], str):
        return quantity_text(value)
    if "start" in value or "end" in value:
        return period_text(value)
    return (
        concept_text(value)
        or text(value, "display")
        or text(value, "value")
        or text(value, "title")
        or text(value, "code")
        or text(value, "reference")
    )


def folded(words: str) -> str:
    """Fold a text for searching: no case, no accents, single spaces."""
    if words.isascii():
        return " ".join(words.casefold().split())
    spread = unicodedata.normalize("NFKD", words).casefold()
    return " ".join("".join(letter for letter in spread if not unicodedata.combining(letter)).split())
