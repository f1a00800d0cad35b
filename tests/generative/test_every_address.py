"""Check 36: made-up requests to every address, by each role and by none: no 5xx, nothing to a wrong role.

Oracle: every stored resource carries a word of its own; which words a role may ever see is said by the slow
second opinion on consent (`tests.support.fhir_oracle`), not by the program.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from consent.model import Action, Category, Erase, Rule, permit_rule
from recipient.config import Limits
from recipient.fhir_api.clients import client_named, close_client
from recipient.identity import load_identity
from recipient.openapi import document
from recipient.service import build_app, build_office, service_routes
from recipient.treating import OWN, save_setting
from tests.e2e.recipient_server import form_token, log_in
from tests.support import clinical, fault_figures
from tests.support.every_address import CANARY, Books, InProcess, Role, ask, made_up, with_real_ids
from tests.support.fhir_clinic import FhirClinic, entries, fhir_clinic
from tests.support.fhir_oracle import permitted_ids
from tests.support.fhir_programs import bearer, registered
from tests.support.patient_side import PatientSide
from tests.support.scale import cases, is_night

LIMITS = Limits(api_requests_per_minute=10**9, api_log_ins_per_minute=10**9)
SHARED = {
    "TREAT": [Category.PROBLEMS, Category.LABS, Category.DEMOGRAPHICS],
    "HPAYMT": [Category.LABS],  # what is held for treatment is not shown for this
}


def rule_for(patient: PatientSide, purpose: str, category: list[Category]) -> Rule:
    return permit_rule(
        actor=[patient.card.actor],
        purpose=[purpose],
        action=[Action.VIEW],
        category=category,
        sensitivity=[],
    )


def record(name: str) -> list[dict[str, Any] | bytes]:
    """A record in which each resource says one word of its own."""
    return [
        clinical.patient(f"kanarie-{name}-1", f"kanarie-{name}-1"),
        clinical.condition("c2", f"kanarie-{name}-2"),
        clinical.lab("o3", "2025-10-02", "48.10", text=f"kanarie-{name}-3"),
        clinical.icd10("c4", "B20", f"kanarie-{name}-4"),
        clinical.allergy("a5", f"kanarie-{name}-5"),
        clinical.lab("o6", "2025-11-02", "51", text=f"kanarie-{name}-6"),
    ]


def words(resources: list[dict[str, Any] | bytes], ids: set[str], *, only: str = "") -> set[str]:
    """The words of the resources with these ids, of one type where asked."""
    found = set()
    for one in resources:
        text = one.decode() if isinstance(one, bytes) else json.dumps(one)
        body = json.loads(text)
        if body["id"] in ids and (not only or body["resourceType"] == only):
            found.update(CANARY.findall(text))
    return found


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirClinic]:
    with fhir_clinic(tmp_path_factory.mktemp("addresses") / "clinic", limits=LIMITS) as running:
        now = running.clinic.clock()
        for seed, name in enumerate(("een", "twee", "weg"), start=1):
            patient = running.sharing([], seed=seed, category=list(Category), sensitivity=["hiv"])
            patient.push(record(name), at=now)
            rules = [rule_for(patient, purpose, SHARED[purpose]) for purpose in SHARED]
            patient.sign_grant(tuple(rules), at=now)  # a newer version with less in it: no hiv, no allergies
            patient.send_statement(at=now)
        running.patients[2].withdraw(at=now, erase=Erase.NONE)
        running.patients[2].send_statement(at=now)
        yield running


def may_see(clinic: FhirClinic, *, only: str = "", purpose: str = "TREAT") -> frozenset[str]:
    now = clinic.clinic.clock()
    found: set[str] = set()
    for patient, name in zip(clinic.patients, ("een", "twee", "weg"), strict=True):
        permitted = permitted_ids(patient, record(name), purpose=purpose, at=now)
        found |= words(record(name), permitted, only=only)
    return frozenset(found)


def roles(clinic: FhirClinic, web: httpx.Client) -> list[Role]:
    expired = clinic.token()
    clinic.clinic.clock.forward(minutes=11)
    store, url, now = clinic.clinic.store, clinic.clinic.url, clinic.clinic.clock()
    everything, nothing = may_see(clinic), frozenset[str]()
    log_in(web)
    page = web.get("/portal")
    portal = {"cookie": "; ".join(f"{name}={value}" for name, value in web.cookies.items())}
    billing = registered(store, url, at=now, name="billing", acts_for="billing/HPAYMT")
    closed = registered(store, url, at=now, name="closed")
    closed_token = closed.log_in(clinic.web, now)
    close_client(store, "closed")
    narrow = clinic.token(scope="system/Observation.s")
    outside = registered(store, url, at=now, name="outside")
    save_setting(store, client_named(store, "outside").account.id, patients=OWN, team="")
    return [
        Role("nobody", {}, nothing),
        Role("clinician", portal, everything, form_token(page)),
        Role("program", bearer(clinic.token()), everything),
        Role("narrow program", bearer(narrow), may_see(clinic, only="Observation")),
        Role("other purpose", bearer(billing.log_in(clinic.web, now)), may_see(clinic, purpose="HPAYMT")),
        Role(
            "program outside treatment",
            bearer(outside.log_in(clinic.web, now)),
            may_see(clinic, only="Patient"),
        ),
        Role("expired program", bearer(expired), nothing),
        Role("closed program", bearer(closed_token), nothing),
        Role("clinician's cookie as token", bearer(portal["cookie"]), nothing),
    ]


def described(clinic: FhirClinic) -> dict[str, Any]:
    store = clinic.clinic.store
    office = build_office(
        store, load_identity(store), clock=clinic.clinic.clock, limits=LIMITS, base=clinic.clinic.url
    )
    return document(service_routes(office))


@pytest.fixture
def web(clinic: FhirClinic) -> Iterator[httpx.Client]:
    """The same store behind an application in this process."""
    running = clinic.clinic
    app = build_app(running.store, endpoint=running.url, clock=running.clock, limits=LIMITS)
    with httpx.Client(transport=InProcess(app), base_url=running.url) as client:
        yield client


@pytest.mark.timeout(7_200 if is_night() else 600)
def test_no_answer_breaks_and_none_goes_to_a_wrong_role(clinic: FhirClinic, web: httpx.Client) -> None:
    everybody = roles(clinic, web)
    patients = [clinic.id_of(patient) for patient in clinic.patients]
    bundle = clinic.get(f"/fhir/Patient/{patients[0]}/$everything").json()
    ids = [entry["link"][0]["url"].rpartition("/")[2] for entry in bundle["entry"]]
    assert len(ids) == len(entries(bundle)) == 4
    handles = [patient.replace(".", "_") for patient in patients]
    whole = described(clinic)
    real = with_real_ids(whole, handles=handles, patients=patients, ids=ids)
    books = Books()
    for operation, documented, request in made_up(whole, real, cases=cases(12)):
        for role in everybody:
            answer = ask(web, request, role, operation=operation)
            if answer is not None:
                books.note(role, operation, answer, documented)
    fault_figures.figures["every address (check 36)"] = books.line()
    assert books.broken == []
    assert books.leaked == []
    assert not books.undocumented
    assert books.requests >= 5_000
    for role in everybody:  # what may be seen was seen: the leaks that were looked for could have been found
        assert books.seen[role.name] == role.may_see, role.name
