"""What is not shared is never hinted at: who withholds something and who has none of it look the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consent.codes import Action, Category, Sensitivity
from consent.model import permit_rule
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support import clinical
from tests.support.clinical_rich import medicines, papers, words
from tests.support.patient_side import PatientSide

CARE = (Category.PROBLEMS, Category.LABS, Category.DEMOGRAPHICS)
Resources = list[dict[str, Any] | bytes]
SHARED: Resources = [
    clinical.patient(),
    clinical.condition("c1", "Diabetes mellitus type 2"),
    clinical.lab("l1", "2025-03-01", "58"),
    clinical.lab("l2", "2026-02-01", "51.0"),
]
HIV = clinical.icd10("hiv", "B20", "Hiv-infectie")
WITHHELD: dict[str, Resources] = {
    "allergies": [clinical.allergy("a1", "Penicilline")],
    "medicines": [*medicines()],
    "documents, wishes, vaccinations": [*papers()],
    "remarks": [*words()],
    "a sensitive condition": [HIV],
    "scores": [clinical.score("s1", "2026-01-05", 6)],
}


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with running_clinic(tmp_path / "clinic") as running:
        yield running


def pages_of(clinic: Clinic, patient: PatientSide) -> list[str]:
    """Everything a member can open of one patient, without what names the patient, a record or a key."""
    member = clinic.member()
    handle = clinic.store.row("SELECT handle FROM sender WHERE sub = ?", (patient.sub,))
    assert handle is not None
    start = f"/portal/patient/{handle[0]}"
    texts = [member.get(f"{start}{path}").text for path in ("", "/timeline", "/print")]
    links = dict.fromkeys(re.findall(rf'href="({start}/(?:trend|record)/\w+)"', texts[0] + texts[1]))
    texts += [member.get(link).text for link in links]
    fingerprint = patient.pairwise.signing.public.fingerprint()
    row = re.search(rf'<a class="person" href="{start}".*?</a>', member.get("/portal").text, re.DOTALL)
    assert row is not None
    texts.append(row.group())
    return [_plain(text.replace(handle[0], "HANDLE").replace(fingerprint, "KEY")) for text in texts]


def _plain(text: str) -> str:
    text = re.sub(r'name="token" value="\w+"', "", text)
    return re.sub(r"/record/\d+", "/record/N", text)


def share(
    clinic: Clinic, records: Resources, *, seed: int, category: tuple[Category, ...] = CARE
) -> PatientSide:
    patient = PatientSide.of(clinic.url, at=clinic.clock(), seed=bytes([seed]) * 32)
    patient.grant(at=clinic.clock(), category=category)
    patient.push(records, at=clinic.clock())
    return patient


@pytest.mark.parametrize("what", WITHHELD)
def test_who_withholds_it_and_who_has_none_look_the_same(clinic: Clinic, what: str) -> None:
    withholding = share(clinic, SHARED + WITHHELD[what], seed=1)
    without = share(clinic, SHARED, seed=2)
    first, second = pages_of(clinic, withholding), pages_of(clinic, without)
    assert len(first) == 8  # overview, timeline, print, one trend, three records, the line in the list
    assert first == second


def test_who_took_something_back_looks_like_who_never_had_it(clinic: Clinic) -> None:
    everything = (*CARE, Category.ALLERGIES, Category.MEDICATIONS)
    narrowed = share(
        clinic, SHARED + WITHHELD["allergies"] + WITHHELD["medicines"], seed=1, category=everything
    )
    without = share(clinic, SHARED, seed=2, category=everything)
    assert "Penicilline" in pages_of(clinic, narrowed)[0]
    for patient in (narrowed, without):
        patient.withdraw(at=clinic.clock(), grant_id="G1")
        patient.send_statement(at=clinic.clock())
        patient.grant(at=clinic.clock(), grant_id="G2", category=CARE)
        patient.push(SHARED, at=clinic.clock())
    first = pages_of(clinic, narrowed)
    assert "Penicilline" not in "".join(first)
    assert first[:-1] == pages_of(clinic, without)[:-1]  # the list says which of them was opened before


def test_what_is_held_for_an_emergency_only_leaves_no_trace_in_other_looks(clinic: Clinic) -> None:
    sides = []
    for seed, more in ((1, WITHHELD["allergies"]), (2, [])):
        patient = PatientSide.of(clinic.url, at=clinic.clock(), seed=bytes([seed]) * 32)
        who, look = [patient.card.actor], [Action.VIEW]
        care = permit_rule(actor=who, purpose=["TREAT"], action=look, category=CARE)
        urgent = permit_rule(actor=who, purpose=["ETREAT"], action=look, category=[Category.ALLERGIES])
        patient.sign_grant((care, urgent), at=clinic.clock())
        patient.push(SHARED, at=clinic.clock())
        if more:
            assert patient.push(more, at=clinic.clock(), purpose="ETREAT").stored == 1
        sides.append(patient)
    first, second = (pages_of(clinic, patient) for patient in sides)
    assert first == second
    assert "Allergieën, " not in first[0]


def test_the_page_would_differ_if_something_showed(clinic: Clinic) -> None:
    """The comparison can fail: one shared allergy more, and the pages are not the same."""
    more = (*CARE, Category.ALLERGIES)
    one = share(clinic, SHARED + WITHHELD["allergies"], seed=1, category=more)
    other = share(clinic, SHARED, seed=2, category=more)
    assert pages_of(clinic, one)[0] != pages_of(clinic, other)[0]


def test_a_sensitive_record_shows_only_under_its_own_word(clinic: Clinic) -> None:
    patient = PatientSide.of(clinic.url, at=clinic.clock())
    patient.grant(at=clinic.clock(), category=CARE, sensitivity=(Sensitivity.HIV,))
    patient.push([*SHARED, HIV], at=clinic.clock())
    assert "Hiv-infectie" in pages_of(clinic, patient)[0]
