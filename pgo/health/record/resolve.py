"""Find the resource behind a reference, inside one file or one vault.

Rules:

1. ``#id`` looks only into ``contained`` of the referring resource.
2. ``Type/id``, ``Type/id/_history/v``, ``urn:uuid:...`` and full addresses are looked up as they are, then
   by their last ``Type/id``. A conditional reference (``Practitioner?identifier=...``) is not guessed.

Source: https://hl7.org/fhir/R4/references.html, https://hl7.org/fhir/R4/bundle.html#references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pgo.health.record.resource import Resolve, Resource
from pgo.health.record.safe import objs, text

_TYPE_AND_ID = re.compile(
    r"(?:^|/)([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?\Z"
)


def resolver(resources: Iterable[Resource]) -> Resolve:
    """Make a look-up over a set of resources, by full address and by ``Type/id``; the first one wins."""
    known: dict[str, Resource] = {}
    for resource in resources:
        for name in (resource.full_url, resource.reference):
            if name:
                known.setdefault(name, resource)

    def look_up(reference: str) -> Resource | None:
        found = known.get(reference)
        if found is None and (short := short_reference(reference)):
            found = known.get(short)
        return found

    return look_up


def nothing(reference: str) -> Resource | None:  # noqa: ARG001 (the shape of Resolve)
    """Resolve nothing: for a resource that stands alone."""
    return None


def short_reference(reference: str) -> str | None:
    """Give the ``Type/id`` at the end of a reference text, or ``None``."""
    match = _TYPE_AND_ID.search(reference)
    return match.group(1) if match else None


def referred(owner: Mapping[str, Any], reference: Mapping[str, Any], resolve: Resolve) -> Mapping[str, Any]:
    """Give the body a Reference points at, or an empty object.

    Args:
        owner: The whole resource the reference stands in, for ``#contained``.
        reference: The Reference element.
        resolve: Look-up for everything outside the resource.
    """
    target = text(reference, "reference")
    if target.startswith("#"):
        return next((item for item in objs(owner, "contained") if text(item, "id") == target[1:]), {})
    found = resolve(target) if target else None
    return found.body if found is not None else {}
