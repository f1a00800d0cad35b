"""Research at the recipient: unnamed records come in, named ones do not, whatever the sender did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consent.codes import Action, Category, Deidentification
from consent.research import ResearchUse
from consent.rules import permit_rule
from pgo.health.record.deidentify import deidentify
from pgo.health.record.writer import write_exact
from recipient import holdings
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support import clinical
from tests.support.patient_side import PatientSide

FOR_RESEARCH: dict[str, Any] = {"purpose": "HRESCH", "actions": ["extract"]}


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with running_clinic(tmp_path / "clinic") as running:
        yield running


@pytest.fixture
def patient(clinic: Clinic) -> PatientSide:
    side = PatientSide.of(clinic.url, at=clinic.clock())
    rule = permit_rule(
        actor=[side.card.actor],
        purpose=["HRESCH"],
        action=[Action.EXTRACT],
        category=[Category.LABS, Category.DEMOGRAPHICS],
        deidentification=Deidentification.DEID,
        research_use=ResearchUse(topics=frozenset({"E10-E14"})),
    )
    side.sign_grant((rule,), at=clinic.clock())
    return side


def unnamed(raw: bytes, clinic: Clinic) -> bytes:
    kept = deidentify(json.loads(raw), today=clinic.clock().date())
    assert kept is not None
    return write_exact(kept)


def test_an_unnamed_record_is_kept_and_a_named_one_is_not(clinic: Clinic, patient: PatientSide) -> None:
    named = clinical.lab("l1", "2026-02-01", "51")
    refused = patient.push([named], at=clinic.clock(), **FOR_RESEARCH)
    assert refused.refused == (("Observation/l1", "unmet_duty"),)
    kept = patient.push([unnamed(named, clinic)], at=clinic.clock(), **FOR_RESEARCH)
    assert (kept.stored, kept.refused) == (1, ())
    (row,) = holdings.held(clinic.store, patient.sub)
    assert b"2026-02" in row.raw
    assert b"2026-02-01" not in row.raw


def test_what_came_for_research_is_not_shown_to_a_clinician(clinic: Clinic, patient: PatientSide) -> None:
    raw = unnamed(clinical.lab("l1", "2026-02-01", "51"), clinic)
    assert patient.push([raw], at=clinic.clock(), **FOR_RESEARCH).stored == 1
    page = clinic.member().get("/portal").text
    assert "/portal/patient/" not in page


def test_a_grant_for_research_gives_nothing_for_treatment(clinic: Clinic, patient: PatientSide) -> None:
    raw = unnamed(clinical.lab("l1", "2026-02-01", "51"), clinic)
    assert patient.push([raw], at=clinic.clock()).refused == (("Observation/l1", "outside_scope"),)
