"""Whether a record holds the patient's own word.

A record says so by naming the patient as its source. Who wrote it down decides only where nobody is named as
source; a result with several performers is not the patient's alone.

Sources: FHIR R4 MedicationStatement.informationSource, AllergyIntolerance.asserter, Condition.asserter,
Observation.performer, QuestionnaireResponse.source; zib MedicationUse2-v1.1.1(2020) (Informant).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pgo.health.record.safe import objs, text

# The one who knows, before the one who typed.
_SOURCES: Final = ("informationSource", "asserter", "source", "sender", "performer", "author", "recorder")


def by_patient(body: Mapping[str, Any]) -> bool:
    """Say whether the patient is the one and only source of a record."""
    for name in _SOURCES:
        named = objs(body, name)
        if named:
            return all(_is_patient(one) for one in named)
    return False


def _is_patient(reference: Mapping[str, Any]) -> bool:
    target = text(reference, "reference") or text(reference, "actor", "reference")
    kind = text(reference, "type")
    return kind == "Patient" or "Patient" in target.split("/")[-2:-1]
