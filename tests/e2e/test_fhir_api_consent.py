"""What a program reads passes the patient's consent, and the patient sees that it was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.model import Action, Category, Erase, permit_rule
from recipient.fhir_api.clients import client_named
from recipient.treating import OWN, save_setting
from sync.access import AccessEntry
from tests.support import clinical
from tests.support.fhir_clinic import FhirClinic, all_pages, entries, fhir_clinic, link
from tests.support.fhir_oracle import permitted_ids
from tests.support.fhir_programs import person, registered
from tests.support.patient_side import PatientSide, everything_for_treatment

HIV = clinical.icd10("hiv-1", "B20", "Hiv")


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[FhirClinic]:
    with fhir_clinic(tmp_path / "clinic") as running:
        yield running


def log_of(clinic: FhirClinic, patient: PatientSide) -> tuple[AccessEntry, ...]:
    return patient.who_looked(at=clinic.clinic.clock()).entries


class TestAudit:
    def test_each_request_is_one_event_with_the_categories_it_showed(self, clinic: FhirClinic) -> None:
        patient = clinic.sharing(clinical.small_record())
        own = clinic.id_of(patient)
        token = clinic.token(**person())
        clinic.get("/fhir/Patient", token=token)
        clinic.get(f"/fhir/AllergyIntolerance?patient={own}", token=token)
        clinic.get(f"/fhir/Condition?patient={own}&code=nothing", token=token)
        clinic.get(f"/fhir/Patient/{own}", token=token)
        seen = [(entry.action, entry.categories) for entry in log_of(clinic, patient)]
        assert seen == [
            ("list", ("demographics",)),
            ("api_search", ("allergies",)),
            ("api_search", ()),
            ("api_read", ("demographics",)),
        ]
        assert {(entry.user, entry.role, entry.purpose) for entry in log_of(clinic, patient)} == {
            ("S. de Wit (HIS Zuid)", "internist", "TREAT")
        }

    def test_each_page_is_an_event_of_what_that_page_showed(self, clinic: FhirClinic) -> None:
        patient = clinic.sharing(clinical.small_record())
        pages = all_pages(clinic, f"/fhir/Patient/{clinic.id_of(patient)}/$everything?_count=4")
        log = log_of(clinic, patient)
        assert [entry.action for entry in log] == ["api_all"] * len(pages) == ["api_all"] * 3
        assert {one for entry in log for one in entry.categories} >= {"labs", "problems"}
        assert log[0].categories != log[1].categories

    def test_without_a_person_the_program_is_named(self, clinic: FhirClinic) -> None:
        patient = clinic.sharing(clinical.small_record())
        clinic.get(f"/fhir/Patient/{clinic.id_of(patient)}")
        assert [(entry.user, entry.role) for entry in log_of(clinic, patient)] == [
            ("HIS Zuid", "hospital record")
        ]

    def test_a_name_that_was_not_on_the_page_was_not_seen(self, clinic: FhirClinic) -> None:
        jansen = clinic.sharing([clinical.patient("Jansen")], seed=1)
        kok = clinic.sharing([clinical.patient("Kok")], seed=2)
        clinic.get("/fhir/Patient?name=jansen")
        assert [entry.action for entry in log_of(clinic, jansen)] == ["list"]
        assert log_of(clinic, kok) == ()

    def test_no_event_no_data(self, clinic: FhirClinic, monkeypatch: pytest.MonkeyPatch) -> None:
        patient = clinic.sharing(clinical.small_record())
        own = clinic.id_of(patient)

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("disk")

        monkeypatch.setattr("recipient.audit.append", broken)
        for path in ("Patient", f"Patient/{own}", f"Observation?patient={own}", f"Patient/{own}/$everything"):
            answer = clinic.get(f"/fhir/{path}")
            assert (answer.status_code, "Voorbeeld" in answer.text) == (500, False)
            assert answer.json()["resourceType"] == "OperationOutcome"


class TestConsent:
    def test_withheld_and_absent_look_the_same(self, clinic: FhirClinic) -> None:
        """Two patients, one of whom has more that she does not share: no answer differs."""
        rest = [
            clinical.patient(),
            clinical.condition("c1", "Diabetes"),
            clinical.lab("l1", "2026-01-05", "48"),
        ]
        with_more = clinic.sharing(rest, seed=1)
        with_more.grant(at=clinic.clinic.clock(), category=tuple(Category), sensitivity=("hiv",))
        with_more.push([HIV], at=clinic.clinic.clock())
        with_more.grant(at=clinic.clinic.clock())
        with_more.send_statement(at=clinic.clinic.clock())
        without = clinic.sharing(rest, seed=2)
        token = clinic.token()
        for path in (
            "Condition?patient={}",
            "Condition?patient={}&_count=0",
            "Condition?patient={}&code=B20",
            "Condition?patient={}&_id=hiv-1",
            "Patient/{}/$everything",
        ):
            one, other = (
                clinic.get(f"/fhir/{path.format(clinic.id_of(patient))}", token=token)
                for patient in (with_more, without)
            )
            assert one.json().get("total") == other.json().get("total"), path
            assert [r["id"] for r in entries(one.json())] == [r["id"] for r in entries(other.json())]
            assert "hiv" not in one.text.lower().replace("_id=hiv-1", "")

    def test_an_ended_grant_is_gone_and_an_unknown_patient_is_not_found(self, clinic: FhirClinic) -> None:
        patient = clinic.sharing(clinical.small_record())
        own = clinic.id_of(patient)
        address = link_to(clinic, f"/fhir/Condition?patient={own}")
        patient.withdraw(at=clinic.clinic.clock(), erase=Erase.NONE)
        patient.send_statement(at=clinic.clinic.clock())
        for path in (f"/fhir/Patient/{own}", f"/fhir/Condition?patient={own}", address,
                     f"/fhir/Patient/{own}/$everything"):  # fmt: skip
            answer = clinic.get(path)
            assert answer.status_code == 410
            assert answer.json()["issue"][0]["code"] == "deleted"
        assert clinic.get("/fhir/Patient").json()["total"] == 0
        assert clinic.get(f"/fhir/Condition?patient={own[::-1]}").status_code == 404

    def test_an_ended_period_is_gone_without_a_word_from_the_patient(self, clinic: FhirClinic) -> None:
        patient = clinic.sharing(clinical.small_record(), days=2)
        path = f"/fhir/Condition?patient={clinic.id_of(patient)}"
        assert clinic.get(path).status_code == 200
        clinic.clinic.clock.forward(days=2)
        assert clinic.get(path).status_code == 410

    def test_a_program_for_another_purpose_learns_nothing(self, clinic: FhirClinic) -> None:
        patient = clinic.sharing(clinical.small_record())
        store, url, at = clinic.clinic.store, clinic.clinic.url, clinic.clinic.clock()
        payer = registered(store, url, at=at, name="payer", acts_for="billing/HPAYMT")
        token = payer.log_in(clinic.web, at)
        own = clinic.id_of(patient)
        assert clinic.get("/fhir/Patient", token=token).json()["total"] == 0
        for path in (f"Patient/{own}", f"Condition?patient={own}", f"Patient/{own}/$everything"):
            answer = clinic.get(f"/fhir/{path}", token=token)
            unknown = clinic.get(f"/fhir/{path.replace(own, own[::-1])}", token=token)
            assert (answer.status_code, answer.json()) == (unknown.status_code, unknown.json())

    def test_a_program_set_to_its_own_patients_is_told_that_a_reason_is_needed(
        self, clinic: FhirClinic
    ) -> None:
        patient = clinic.sharing(clinical.small_record())
        account = client_named(clinic.clinic.store, "his").account
        save_setting(clinic.clinic.store, account.id, patients=OWN, team="")
        answer = clinic.get(f"/fhir/Condition?patient={clinic.id_of(patient)}")
        assert answer.status_code == 403
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "reason_needed"

    def test_a_slow_second_opinion_permits_all_that_is_shown_and_nothing_else(
        self, clinic: FhirClinic
    ) -> None:
        record = [*clinical.small_record(), HIV, clinical.icd10("i1", "F32", "Depressie")]
        now = clinic.clinic.clock()
        for seed, granted in enumerate(
            (
                {"category": [Category.PROBLEMS]},
                {"category": [Category.PROBLEMS], "sensitivity": ["hiv"]},
                {"category": list(Category), "sensitivity": ["mental"]},
                {"category": [Category.LABS, Category.DEMOGRAPHICS]},
            ),
            start=1,
        ):
            patient = PatientSide.of(clinic.clinic.url, at=now, seed=bytes([seed]) * 32)
            patient.sign_grant((everything_for_treatment(patient.card),), at=now)
            patient.push(record, at=now)
            patient.grant(at=now, **granted)  # a newer version of the same grant, with less in it
            patient.send_statement(at=now)
            pages = all_pages(clinic, f"/fhir/Patient/{clinic.id_of(patient)}/$everything?_count=5")
            shown = {one["id"] for page in pages for one in entries(page)}
            assert shown == permitted_ids(patient, record, purpose="TREAT", at=now)
            assert shown

    def test_what_is_held_for_one_purpose_is_not_shown_for_another(self, clinic: FhirClinic) -> None:
        """Held is all of it, so only the decision at each read keeps the rest back."""
        store, url, at = clinic.clinic.store, clinic.clinic.url, clinic.clinic.clock()
        record = [*clinical.small_record(), HIV]
        patient = PatientSide.of(url, at=at)
        paying = permit_rule(
            actor=[patient.card.actor],
            purpose=["HPAYMT"],
            action=[Action.VIEW],
            category=[Category.LABS, Category.DEMOGRAPHICS],
            sensitivity=[],
        )
        patient.sign_grant((everything_for_treatment(patient.card), paying), at=at)
        patient.push(record, at=at)
        billing = registered(store, url, at=at, name="billing", acts_for="billing/HPAYMT")
        path = f"/fhir/Patient/{clinic.id_of(patient)}/$everything"
        for purpose, token in (("TREAT", clinic.token()), ("HPAYMT", billing.log_in(clinic.web, at))):
            bundle = clinic.get(path, token=token).json()
            permitted = permitted_ids(patient, record, purpose=purpose, at=at)
            assert {one["id"] for one in entries(bundle)} == permitted
            assert bundle["total"] == len(permitted)
        assert 0 < len(permitted) < len(record)
        billed = clinic.get("/fhir/Patient", token=token)
        assert billed.json()["total"] == 1
        assert {entry.purpose for entry in log_of(clinic, patient)} == {"TREAT", "HPAYMT"}


def link_to(clinic: FhirClinic, search: str) -> str:
    """Return the address here of the first match."""
    bundle = clinic.get(search).json()
    assert link(bundle, "self") is not None
    return str(bundle["entry"][0]["link"][0]["url"])
