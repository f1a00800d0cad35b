"""Turn FHIR STU3 into R4 by tables, losing nothing and inventing nothing.

``convert`` takes one decoded STU3 resource and gives the same facts as R4. The rules are data
(``assets/fhir/stu3-rules.json``, with their source); the code here only knows the handful of kinds of rule.

Rules:

1. An element that R4 has under the same name and form travels as it is. One that R4 renamed, moved, wrapped
   or gave another form follows its rule.
2. What has no place in R4 is kept in the extension that the standard itself defines for this,
   ``http://hl7.org/fhir/3.0/StructureDefinition/extension-<Type>.<path>``
   (https://hl7.org/fhir/R4/versions.html#extensions), on the element it stood in.
3. A code that R4 does not have is kept likewise; no nearest match is made up. An element that R4 demands and
   STU3 did not is marked absent (data-absent-reason), not filled in.
4. What would change the meaning of the whole and has no counterpart (a modifier element), and what the
   STU3 standard does not know, is refused: ``NotConvertible`` with the element's path.
5. Literal references follow their target's new type (``ProcedureRequest/1`` becomes ``ServiceRequest/1``),
   code systems their new address.

Source: FHIR R4 4.0.1 and STU3 3.0.2; see the head of ``stu3-rules.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgo.health.record.stu3.tables import NotConvertible, resource_targets
from pgo.health.record.stu3.walking import convert_resource

__all__ = ["NotConvertible", "convert", "is_convertible"]


def is_convertible(kind: str) -> bool:
    """Say whether there are rules for this STU3 resource type."""
    return kind in resource_targets()


def convert(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the R4 form of one STU3 resource.

    Args:
        body: A decoded STU3 resource, untrusted; numbers as ``int`` or ``Decimal``.

    Returns:
        A new object; values that did not change are shared with ``body``.

    Raises:
        NotConvertible: ``unsupported_type`` (no rules), ``bad_structure`` (no valid STU3) or
        ``stu3_ambiguous`` (rule 4).
    """
    return convert_resource(body)
