"""Check a decoded FHIR R4 resource against the base standard, element by element.

``validate`` says in what a resource differs from R4 4.0.1: nothing found means nothing found. It changes
nothing, keeps nothing, and its issues carry element names and rules only, never a value of a person.

What is checked: known elements, cardinality, the JSON form and the lexical form of every value, choices
(``value[x]``), codes of required bindings, ``_name`` twins of primitives, extensions, contained and nested
resources. What is not: invariants written in FHIRPath, profiles, bindings that are not required,
whether a reference leads anywhere.

>>> validate({"resourceType": "Basic", "id": "b1", "code": {"text": "Synthetic"}})
()
>>> [str(issue) for issue in validate({"resourceType": "Basic", "code": {"text": ""}})]
['Basic.code.text: empty']

Sources: HL7 FHIR R4 4.0.1, https://hl7.org/fhir/R4/json.html, /datatypes.html, /extensibility.html,
/terminologies.html#required. The facts are in ``assets/fhir``, made by ``tools/make_r4_validator.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgo.health.fhir_r4.issue import Issue, Rule
from pgo.health.fhir_r4.quick import certainly_fine, written
from pgo.health.fhir_r4.walk import Walk

__all__ = ["Issue", "Rule", "validate"]


def validate(resource: Mapping[str, Any], *, raw: bytes | None = None) -> tuple[Issue, ...]:
    """Say in what a resource differs from FHIR R4.

    Args:
        resource: Decoded JSON, untrusted; numbers as ``int``, ``Decimal`` or ``float``.
        raw: The bytes it was decoded from, when they are at hand. Only for speed: the answer is the same.

    Returns:
        Every difference, in the order of the resource; empty when there is none.
    """
    kind = resource.get("resourceType")
    text = written(resource) if raw is None else raw
    if isinstance(kind, str) and text is not None and certainly_fine(kind, text):
        return ()
    return Walk(validate).resource(resource)
