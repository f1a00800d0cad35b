"""Small synthetic parcels for FHIR servers, and a line to one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sync.fhir_server.login import Login, NoLogin
from sync.fhir_server.parcel import Parcel
from sync.fhir_server.server import fhir_server
from sync.fhir_server.transport import FhirDestination, FhirTransport
from sync.transport import InboxTransport

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
Body = dict[str, Any]


def uid(word: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, word))


PATIENT: Body = {"resourceType": "Patient", "id": uid("patient")}
CONSENT: Body = {
    "resourceType": "Consent",
    "id": uid("consent"),
    "status": "active",
    "patient": {"reference": f"Patient/{uid('patient')}"},
}
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


def an_observation(number: int, **changes: Any) -> Body:
    body: Body = {
        "resourceType": "Observation",
        "id": uid(f"observation {number}"),
        "meta": {"security": [LABEL]},
        "status": "final",
        "code": {"text": "Hemoglobine"},
        "subject": {"reference": f"Patient/{uid('patient')}"},
        "valueQuantity": {"value": number, "unit": "mmol/L"},
    }
    return body | changes


def observations(count: int) -> tuple[Body, ...]:
    return tuple(an_observation(number) for number in range(count))


def name(body: Body) -> str:
    return f"{body['resourceType']}/{body['id']}"


def a_parcel(records: Sequence[Body] = (), gone: Sequence[str] = (), **changes: Any) -> Parcel:
    known = changes.get("known", {})
    return Parcel("token", (PATIENT, CONSENT), tuple(records), tuple(gone), known)


def a_transport(clock: Callable[[], datetime] = lambda: AT) -> FhirTransport:
    return FhirTransport(InboxTransport(), clock=clock)


def a_destination(url: str, login: Login | None = None) -> FhirDestination:
    return FhirDestination(fhir_server(name="Testserver", endpoint=url), login or NoLogin())
