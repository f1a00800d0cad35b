"""What a plain FHIR server may have now, in the form in which it goes there.

Rules:
1. The same decision, redaction and preview as for any recipient (``usecases.parcels``); what is then left is
   given pairwise names (``sync.fhir_server.shape``).
2. Only whole records of care. What a permit wants de-identified, and everything for research, does not go
   this way: de-identified data in a server that files by patient would not stay so (docs/adr/0023).
3. A permit with a duty that only a recipient's own program could keep is no permit to send. A FHIR server
   promises nothing, so what counts are the duties that we or the line keep: it goes encrypted, and we delete
   on the day named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from consent.ledger import Ledger
from crypto.canonical import sha256_id
from crypto.naming import Names
from pgo.usecases.content import references_in, stored_resource
from pgo.usecases.parcels import Sending, permitted
from pgo.usecases.session import Session
from sync.bundle import SUBJECT_SYSTEM
from sync.fhir_server.controls import anchor_name
from sync.fhir_server.exact import exact_bytes
from sync.fhir_server.names import MASKED, type_of
from sync.fhir_server.server import FhirServer
from sync.fhir_server.shape import Source, in_order, shape

KEPT_BY_US: Final = frozenset({"DELAU", "ENCRYPTT"})
"""Codes: HL7 v3-ActCode, https://terminology.hl7.org/CodeSystem-v3-ActCode.html (rule 3)."""

_PATIENT_PLACES: Final = ("subject", "patient", "beneficiary")


@dataclass(frozen=True, slots=True)
class Shaped:
    """One record as it would go: number in the vault, body, hash and size of its bytes."""

    number: int
    body: Mapping[str, Any] = field(repr=False)
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Goods:
    """Everything that may go: records by name, and their order in groups that stay together."""

    records: Mapping[str, Shaped]
    order: tuple[tuple[str, ...], ...]


def goods_for(
    session: Session, server: FhirServer, ledger: Ledger, names: Names, *, subject: str, at: datetime
) -> Goods:
    """Decide now what may go, and shape it.

    Args:
        session: the open vault.
        server: whom it is for.
        ledger: of this moment.
        names: pairwise names at this server.
        subject: text of the pairwise key there; an identifier on the patient's own records.
        at: now.
    """
    found: dict[str, tuple[int, Source]] = {}
    for parcel in permitted(session, server, ledger, at=at, kept=KEPT_BY_US):
        if parcel.form is not Sending.WHOLE or parcel.study:  # rule 2
            continue
        for reference, (number, raw, full_url) in parcel.records.items():
            name = f"{type_of(reference)}/{names.of(f'record/{number}')}"
            body = stored_resource(raw, "").body
            found[name] = number, Source(name, body, full_url, _about_patient(session, number, body))
    bodies = shape([source for _, source in found.values()], anchor=anchor_name(names))
    records = {name: _shaped(found[name][0], body, subject) for name, body in bodies.items()}
    return Goods(records, in_order({name: one.body for name, one in records.items()}))


def _about_patient(session: Session, number: int, body: Mapping[str, Any]) -> bool:
    """Whether a masked subject was a patient: looked up in the record as it is kept here."""
    masked = [place for place in _PATIENT_PLACES if body.get(place) == MASKED]
    if not masked:
        return False
    for _, full_url, raw in session.store.records.raws([number]):
        kept = stored_resource(raw, full_url).body
        named = [one for place in masked for one in references_in({"at": kept.get(place)})]
        return bool(named) and all(one.startswith(("Patient/", "urn:uuid:")) for one in named)
    return False


def _shaped(number: int, body: dict[str, Any], subject: str) -> Shaped:
    if body["resourceType"] == "Patient":  # so that the anchor and this one are found together
        ours = {"system": SUBJECT_SYSTEM, "value": subject}
        body = {**body, "identifier": [*(body.get("identifier") or []), ours]}
    raw = exact_bytes(body)
    return Shaped(number, body, sha256_id(raw), len(raw))
