"""The application of a recipient in this process, with people who share and programs that ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support.fhir_programs import Program, bearer, person, registered
from tests.support.patient_side import PatientSide

JSON = dict[str, Any]


@dataclass
class FhirClinic:
    """A running clinic with one registered program."""

    clinic: Clinic
    program: Program
    web: httpx.Client
    patients: list[PatientSide] = field(default_factory=list)
    usual: dict[datetime, str] = field(default_factory=dict)

    def token(self, *, scope: str | None = None, **claims: Any) -> str:
        """Log in; the usual token is asked for once a moment."""
        now = self.clinic.clock()
        if scope is None and not claims:
            if now not in self.usual:
                self.usual[now] = self.program.log_in(self.web, now)
            return self.usual[now]
        return self.program.log_in(self.web, now, scope=scope or "system/*.rs", **claims)

    def get(self, path: str, *, token: str | None = None, **headers: str) -> httpx.Response:
        """Ask as the program, with a fresh token when none is given."""
        return self.web.get(path, headers=bearer(token or self.token(), **headers))

    def sharing(self, resources: list[Any], *, seed: int = 0, **granted: Any) -> PatientSide:
        """Let a patient share resources."""
        at = self.clinic.clock()
        patient = PatientSide.of(self.clinic.url, at=at, seed=bytes([seed]) * 32)
        patient.grant(at=at, **granted)
        patient.push(resources, at=at)
        self.patients.append(patient)
        return patient

    def id_of(self, patient: PatientSide) -> str:
        """Return the id under which a patient is known at the API."""
        row = self.clinic.store.row("SELECT handle FROM sender WHERE sub = ?", (patient.sub,))
        assert row is not None
        return str(row[0]).replace("_", ".")


@contextmanager
def fhir_clinic(folder: Path, **settings: Any) -> Iterator[FhirClinic]:
    """Run a clinic with the program ``his`` for treatment until the block ends."""
    with running_clinic(folder, **settings) as clinic:
        program = registered(clinic.store, clinic.url, at=clinic.clock())
        yield FhirClinic(clinic, program, clinic.browser())


def entries(bundle: JSON) -> list[JSON]:
    """Return the resources a searchset matched."""
    return [one["resource"] for one in bundle.get("entry", []) if one["search"]["mode"] == "match"]


def link(bundle: JSON, relation: str) -> str | None:
    """Return the address of a link."""
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), None)


def all_pages(clinic: FhirClinic, path: str, *, token: str | None = None) -> list[JSON]:
    """Follow ``next`` to the end; return every page."""
    token = token or clinic.token()
    pages = []
    address: str | None = path
    while address is not None:
        answer = clinic.get(address, token=token)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        address = link(pages[-1], "next")
    return pages


__all__ = ["FhirClinic", "all_pages", "entries", "fhir_clinic", "link", "person"]
