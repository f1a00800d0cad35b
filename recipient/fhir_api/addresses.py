r"""Ids and addresses of the API: opaque, and never a name, a number or a place in a row.

Rules:

1. a patient is the opaque handle that the portal uses; `_` is written `.`, which FHIR ids may hold;
2. a resource is its patient's id and a hash over handle and stored reference: the same at every read, and a
   number that is missing between two others cannot be seen, because there are no numbers;
3. a resource keeps the id its source gave it (exact bytes), so `fullUrl` is the address at the source when
   it agrees with that id, else a `urn:uuid:` of our own. References between resources of one answer resolve
   by that rule alone. The address here stands in `entry.link`, relation `self`.

>>> patient_id("Zm9_YmFyLWJhei1xdXV4MQ")
'Zm9.YmFyLWJhei1xdXV4MQ'
>>> handle_of_patient("Zm9.YmFyLWJhei1xdXV4MQ")
'Zm9_YmFyLWJhei1xdXV4MQ'

Sources: FHIR R4 datatypes.html#id ([A-Za-z0-9\-\.]{1,64}), bundle.html#references (fullUrl shall not
disagree with the id), bundle-definitions.html#Bundle.entry.link.
"""

from __future__ import annotations

import hashlib
import re
import uuid

from recipient.look import Item

_HANDLE = r"[A-Za-z0-9.-]{22}"  # 16 random bytes as base64url, see recipient.holdings.save_statement
_PATIENT = re.compile(_HANDLE)
_RESOURCE = re.compile(rf"({_HANDLE})\.[0-9a-f]{{24}}")
_SPACE = uuid.UUID("7c1f4f0e-0d52-5a6b-9a53-5e0c6ad1c1f3")  # ours, for urn:uuid of what has no address
_FULL = re.compile(r"https?://[^\s?#]+/([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})")
_URN = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def patient_id(handle: str) -> str:
    """Return the id under which a patient is known here."""
    return handle.replace("_", ".")


def handle_of_patient(untrusted_id: str) -> str | None:
    """Return the handle that a patient's id would stand for, None when it has another form."""
    return untrusted_id.replace(".", "_") if _PATIENT.fullmatch(untrusted_id) else None


def resource_id(handle: str, reference: str) -> str:
    """Return the id of one stored resource of a patient."""
    digest = hashlib.sha256(f"pgo/1/fhir-id\n{handle}\n{reference}".encode()).hexdigest()
    return f"{patient_id(handle)}.{digest[:24]}"


def handle_of_resource(untrusted_id: str) -> str | None:
    """Return the handle of the patient that a resource's id names, None when it has another form."""
    match = _RESOURCE.fullmatch(untrusted_id)
    return handle_of_patient(match.group(1)) if match else None


def full_url(item: Item, own_id: str) -> str:
    """Return the address that agrees with the id inside the resource (rule 3)."""
    given = item.resource.full_url or ""
    match = _FULL.fullmatch(given)
    if match and match.groups() == (item.resource.type, item.resource.id):
        return given
    return given if _URN.fullmatch(given) else own_urn(own_id)


def own_urn(own_id: str) -> str:
    """Return a `urn:uuid:` for what has no address of its own, always the same one."""
    return uuid.uuid5(_SPACE, own_id).urn
