"""Open vaults for tests: real store, fixed clock that moves when told, cheap key derivation."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pgo.usecases.session import Application, Session
from pgo.usecases.unlock import create_vault
from sync.transport import Transport
from tests.support.applications import CHEAP, PASSPHRASE, no_network

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class FixedClock:
    """Time that moves only when told."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class Home:
    """A folder of vaults with its clock."""

    folder: Path
    clock: FixedClock = field(default_factory=FixedClock)
    transport: Transport | None = None

    @property
    def app(self) -> Application:
        transport = self.transport
        return Application(
            vaults=self.folder,
            clock=self.clock,
            argon2=CHEAP,
            open_transport=no_network if transport is None else lambda: transport,
            zone=UTC,
        )

    def open_new(self, name: str = "Thuis") -> Session:
        return create_vault(self.app, self.folder / name, PASSPHRASE).session


def a_bundle(*resources: dict[str, Any]) -> bytes:
    """A collection Bundle of resources."""
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def a_patient(
    id: str = "p1", *, name: str = "Sanne Voorbeeld", born: str = "1972-05-14", bsn: str = ""
) -> dict[str, Any]:
    given, _, family = name.partition(" ")
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": id,
        "name": [{"given": [given], "family": family}],
        "birthDate": born,
    }
    if bsn:
        patient["identifier"] = [{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": bsn}]
    return patient


def a_condition(
    id: str, *, text: str = "Hoofdpijn", subject: str = "Patient/p1", start: str = "2024-05-01"
) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": id,
        "subject": {"reference": subject},
        "code": {
            "coding": [{"system": "http://snomed.info/sct", "code": "25064002", "display": text}],
            "text": text,
        },
        "onsetDateTime": start,
    }


def a_weight(id: str, *, kilos: str = "70.50", at: str = "2026-01-02", subject: str = "Patient/p1") -> str:
    """An Observation as text: the digits of the value must survive."""
    return (
        f'{{"resourceType":"Observation","id":"{id}","status":"final","subject":{{"reference":"{subject}"}},'
        '"code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}],"text":"Gewicht"},'
        f'"effectiveDateTime":"{at}","valueQuantity":{{"value":{kilos},"unit":"kg",'
        '"system":"http://unitsofmeasure.org","code":"kg"}}'
    )
