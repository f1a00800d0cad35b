"""Check what we author ourselves against the FHIR models before it is kept.

The R4B models of ``fhir.resources`` agree with R4 for the types we author (Observation,
QuestionnaireResponse, MedicationStatement, AllergyIntolerance, Patient, ...). They are only asked whether
the bytes are valid; the bytes stay ours. The import is slow and happens at the first check, never at
start-up.
"""

from __future__ import annotations


def checked(raw: bytes, resource_type: str) -> bytes:
    """Give the bytes back when they are a valid resource of the type.

    Raises:
        ValueError: When they are not: a fault of ours, never of the person. The message names elements only.
    """
    from fhir.resources.R4B import get_fhir_model_class  # slow: see the module docstring
    from pydantic import ValidationError

    try:
        get_fhir_model_class(resource_type).model_validate_json(raw)
    except ValidationError as exc:
        places = sorted({".".join(str(part) for part in error["loc"]) for error in exc.errors()})
        raise ValueError(f"authored {resource_type} is not valid: {', '.join(places)}") from None
    return raw
