"""A real vault behind the real app, for tests of the record and check-in screens."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import flet as ft

from pgo.ui import app as shell
from pgo.ui.state import AppState
from pgo.usecases import collect, unlock
from pgo.usecases.session import Application, Session
from tests.support.applications import PASSPHRASE, an_application

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"given": ["Testje"], "family": "Voorbeeld"}],
    "birthDate": "1961-04-02",
    "gender": "female",
}


def a_vault(folder: Path) -> tuple[Application, Session]:
    """Create an empty vault and leave it open."""
    application = an_application(folder)
    place = unlock.new_vault_folder(application, "test")
    return application, unlock.create_vault(application, place, PASSPHRASE).session


def take_in(session: Session, *resources: dict[str, Any], name: str = "test.json") -> None:
    """Collect resources of the test patient from a file."""
    entries = [{"resource": one} for one in (PATIENT, *resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    result = collect.collect(session, json.dumps(bundle).encode(), name=name)
    assert not result.set_aside, result.set_aside
    assert result.person_question is None


def opened(application: Application, session: Session, **prefs: Any) -> Callable[[ft.Page], None]:
    """Return the ``main`` of an app whose vault is already open."""

    def main(page: ft.Page) -> None:
        state = AppState()
        for name, value in prefs.items():
            setattr(state.prefs, name, value)
        state.attach(application)
        state.opened(session)
        shell.start(page, state)

    return main


def subject() -> dict[str, str]:
    """The reference every record of the test patient carries."""
    return {"reference": "Patient/p1"}


def an_allergy(number: int, name: str) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": f"a{number}",
        "patient": subject(),
        "clinicalStatus": _coded(
            "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"
        ),
        "code": {"text": name},
        "onsetDateTime": "2011",
    }


def a_condition(number: int, name: str, clinical: str = "active") -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"c{number}",
        "subject": subject(),
        "clinicalStatus": _coded("http://terminology.hl7.org/CodeSystem/condition-clinical", clinical),
        "code": {"text": name},
        "onsetDateTime": "2015-06",
    }


def a_measurement(
    number: int,
    value: float | int,
    *,
    name: str = "Glucose",
    unit: str = "mmol/L",
    on: str = "2024-03-05",
    comparator: str = "",
) -> dict[str, Any]:
    quantity: dict[str, Any] = {
        "value": value,
        "unit": unit,
        "system": "http://unitsofmeasure.org",
        "code": unit,
    }
    if comparator:
        quantity["comparator"] = comparator
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "subject": subject(),
        "code": {"text": name},
        "effectiveDateTime": on,
        "valueQuantity": quantity,
    }


def a_medication(number: int, name: str, status: str = "active") -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": f"m{number}",
        "status": status,
        "subject": subject(),
        "medicationCodeableConcept": {"text": name},
        "effectivePeriod": {"start": "2020-01-02"},
    }


def many_measurements(count: int) -> Sequence[dict[str, Any]]:
    """Synthetic measurements, one per day going back; each has its number in its name."""
    last = date(2026, 1, 1)
    return [
        a_measurement(n, 5 + n % 7, name=f"Meting {n:05d}", on=(last - timedelta(days=n)).isoformat())
        for n in range(count)
    ]


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
