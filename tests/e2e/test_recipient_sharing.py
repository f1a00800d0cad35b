"""The main line at the recipient: share, look, who looked, withdraw, expire. Real HTTP, real envelopes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.model import Category, Erase, Sensitivity
from recipient import holdings
from sync.receipt import ReceiptState
from sync.wire import Kind, new_message_id
from tests.e2e.recipient_server import Clinic, form_token, running_clinic
from tests.support import clinical
from tests.support.patient_side import PatientSide


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with running_clinic(tmp_path / "clinic") as running:
        yield running


@pytest.fixture
def patient(clinic: Clinic) -> PatientSide:
    side = PatientSide.of(clinic.url, at=clinic.clock())
    side.grant(at=clinic.clock())
    return side


def address_of_only_patient(page: str) -> str:
    found = re.findall(r'href="(/portal/patient/[\w-]+)"', page)
    assert len(found) == 1
    return str(found[0])


def test_shared_record_is_stored_and_shown(clinic: Clinic, patient: PatientSide) -> None:
    receipt = patient.push(clinical.small_record(), at=clinic.clock())
    assert (receipt.stored, receipt.refused, receipt.state) == (12, (), ReceiptState.STORED)
    member = clinic.member()
    people = member.get("/portal").text
    assert "Sanne Voorbeeld" in people
    assert "14 mei 1972" in people
    assert "31 mei 2026" in people
    page = member.get(address_of_only_patient(people)).text
    for words in (
        "Diabetes mellitus type 2",
        "Penicilline",
        "Huiduitslag",
        "Metformine 500 mg",
        "HbA1c",
        "51,0",
    ):
        assert words in page
    assert "Pijn (0-10)" in page
    assert "Vroeger (1)" in page
    assert patient.pairwise.signing.public.fingerprint() in page


def test_resource_keeps_its_bytes(clinic: Clinic, patient: PatientSide) -> None:
    raw = clinical.lab("l9", "2026-02-01", "5.10")
    patient.push([raw], at=clinic.clock())
    assert [row.raw for row in holdings.held(clinic.store, patient.sub)] == [raw]


def test_what_is_outside_the_scope_is_refused_by_name_and_not_stored(clinic: Clinic) -> None:
    patient = PatientSide.of(clinic.url, at=clinic.clock())
    patient.grant(at=clinic.clock(), category=[Category.DEMOGRAPHICS, Category.LABS])
    receipt = patient.push(clinical.small_record(), at=clinic.clock())
    refused = dict(receipt.refused)
    assert refused["Condition/c1"] == "outside_scope"
    assert refused["AllergyIntolerance/a1"] == "outside_scope"
    assert "Observation/l1" not in refused
    assert receipt.stored == 4
    stored = {reference for (reference,) in clinic.store.rows("SELECT reference FROM resource")}
    assert stored == {"Patient/p1", "Observation/l1", "Observation/l2", "Observation/l3"}


def test_sensitive_condition_needs_its_own_word(clinic: Clinic, patient: PatientSide) -> None:
    hiv = clinical.icd10("c9", "B20", "Gevoelige aandoening")
    receipt = patient.push([hiv], at=clinic.clock())
    assert receipt.refused == (("Condition/c9", "outside_scope"),)
    patient.grant(at=clinic.clock(), sensitivity=[Sensitivity.HIV], grant_id="G2")
    assert patient.push([hiv], at=clinic.clock()).stored == 1


def test_every_look_is_in_the_log_that_the_patient_fetches(clinic: Clinic, patient: PatientSide) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    assert patient.who_looked(at=clinic.clock()).entries == ()
    member = clinic.member()
    people = member.get("/portal").text
    member.get("/portal")
    address = address_of_only_patient(people)
    page = member.get(address).text
    trend = re.search(r'href="(/portal/patient/[\w-]+/trend/\w+)"', page)
    record = re.search(r'href="(/portal/patient/[\w-]+/record/\d+)"', page)
    assert trend
    assert record
    for path in (trend.group(1), record.group(1), f"{address}/timeline"):
        assert member.get(path).status_code == 200
    log = patient.who_looked(at=clinic.clock())
    assert [entry.action for entry in log.entries] == ["list", "open", "trend", "details", "timeline"]
    assert {(entry.user, entry.role, entry.purpose) for entry in log.entries} == {
        ("S. de Wit", "internist", "TREAT")
    }
    assert log.entries[0].categories == ("demographics",)
    assert "problems" in log.entries[1].categories
    assert patient.who_looked(at=clinic.clock(), known=log.head).entries == ()


def test_one_patient_never_gets_the_log_of_another(clinic: Clinic, patient: PatientSide) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    other = PatientSide.of(clinic.url, at=clinic.clock(), seed=bytes(range(1, 33)))
    other.grant(at=clinic.clock())
    other.push([clinical.patient("Ander", "Piet")], at=clinic.clock())
    member = clinic.member()
    people = member.get("/portal").text
    for address in re.findall(r'href="(/portal/patient/[\w-]+)"', people):
        if "Ander" not in member.get(address).text:
            member.get(address)
    assert [entry.action for entry in other.who_looked(at=clinic.clock()).entries] == ["list", "open"]
    assert len(patient.who_looked(at=clinic.clock()).entries) == 3


def test_stranger_to_the_clinic_gets_no_log(clinic: Clinic) -> None:
    from sync.access import build_access_request
    from tests.support.patient_side import post

    stranger = PatientSide.of(clinic.url, at=clinic.clock(), seed=bytes(32))
    body = stranger.envelope(
        Kind.ACCESS, build_access_request(), at=clinic.clock(), message_id=new_message_id()
    )
    answer = post(stranger.card, Kind.ACCESS, body)
    assert (answer.status_code, answer.json()) == (403, {"code": "unknown_sender"})


def test_withdrawal_stops_showing_erases_and_is_confirmed(clinic: Clinic, patient: PatientSide) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    member = clinic.member()
    address = address_of_only_patient(member.get("/portal").text)
    page = member.get(address).text
    inner = re.findall(r'href="(/portal/patient/[\w-]+/(?:record|trend)/\w+)"', page)
    clinic.clock.forward(minutes=1)
    patient.withdraw(at=clinic.clock())
    receipt = patient.send_statement(at=clinic.clock())
    assert (receipt.state, receipt.statement_sequence) == (ReceiptState.ERASED, 2)
    assert clinic.store.row("SELECT count(*) FROM resource") == (0,)
    assert "Sanne" not in member.get("/portal").text
    for path in (address, f"{address}/timeline", *inner):
        gone = member.get(path)
        assert gone.status_code == 410
        assert "Niet meer gedeeld" in gone.text
        assert not any(words in gone.text for words in ("Sanne", "Voorbeeld", "1972", "Diabetes"))


def test_withdrawal_without_erasure_hides_and_says_stopped(clinic: Clinic, patient: PatientSide) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    patient.withdraw(at=clinic.clock(), erase=Erase.NONE)
    assert patient.send_statement(at=clinic.clock()).state is ReceiptState.STOPPED
    assert "Sanne" not in clinic.member().get("/portal").text


def test_after_withdrawal_neither_old_statement_nor_old_push_comes_back(
    clinic: Clinic, patient: PatientSide
) -> None:
    old = patient.push_content(clinical.small_record())
    patient.send(Kind.PUSH, old, at=clinic.clock())
    old_statement = patient.statement_content()
    patient.withdraw(at=clinic.clock())
    patient.send_statement(at=clinic.clock())
    for kind, content in ((Kind.STATEMENT, old_statement), (Kind.PUSH, old)):
        answer = patient.send(kind, content, at=clinic.clock()).response
        assert (answer.status_code, answer.json()["code"]) == (409, "statement_rolled_back")
    assert clinic.store.row("SELECT count(*) FROM resource") == (0,)


def test_patient_can_share_again_after_withdrawal(clinic: Clinic, patient: PatientSide) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    patient.withdraw(at=clinic.clock())
    patient.send_statement(at=clinic.clock())
    clinic.clock.forward(minutes=1)
    patient.grant(at=clinic.clock(), grant_id="G2")
    assert patient.push([clinical.patient()], at=clinic.clock()).stored == 1
    assert "Sanne Voorbeeld" in clinic.member().get("/portal").text


def test_first_statement_of_an_unknown_sender_must_be_the_first_there_is(clinic: Clinic) -> None:
    patient = PatientSide.of(clinic.url, at=clinic.clock())
    patient.grant(at=clinic.clock(), category=[Category.DEMOGRAPHICS])
    patient.grant(at=clinic.clock(), category=[Category.LABS], grant_id="G2")
    answer = patient.send(Kind.STATEMENT, patient.statement_content(), at=clinic.clock()).response
    assert (answer.status_code, answer.json()) == (403, {"code": "statement_refused"})
    assert clinic.store.row("SELECT count(*) FROM sender") == (0,)


def test_withdrawing_one_of_two_grants_erases_what_only_it_covered(clinic: Clinic) -> None:
    patient = PatientSide.of(clinic.url, at=clinic.clock())
    patient.grant(at=clinic.clock(), category=[Category.DEMOGRAPHICS, Category.LABS])
    patient.send_statement(at=clinic.clock())
    patient.grant(at=clinic.clock(), category=[Category.ALLERGIES], grant_id="G2")
    assert patient.push(clinical.small_record(), at=clinic.clock()).stored == 5
    patient.withdraw(at=clinic.clock(), grant_id="G2")
    assert patient.send_statement(at=clinic.clock()).state is ReceiptState.STORED
    stored = {reference for (reference,) in clinic.store.rows("SELECT reference FROM resource")}
    assert stored == {"Patient/p1", "Observation/l1", "Observation/l2", "Observation/l3"}


def test_narrower_statement_erases_what_left_the_scope(clinic: Clinic, patient: PatientSide) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    patient.grant(at=clinic.clock(), category=[Category.DEMOGRAPHICS, Category.LABS], grant_id="G1")
    assert patient.send_statement(at=clinic.clock()).state is ReceiptState.STORED
    stored = {reference for (reference,) in clinic.store.rows("SELECT reference FROM resource")}
    assert stored == {"Patient/p1", "Observation/l1", "Observation/l2", "Observation/l3"}


@pytest.mark.parametrize(("days", "visible"), [(9.99, True), (10.01, False)])
def test_share_ends_by_itself_at_its_end(clinic: Clinic, days: float, visible: bool) -> None:
    patient = PatientSide.of(clinic.url, at=clinic.clock())
    patient.grant(at=clinic.clock(), days=10)
    patient.push(clinical.small_record(), at=clinic.clock())
    address = address_of_only_patient(clinic.member().get("/portal").text)
    clinic.clock.forward(days=days)
    member = clinic.member()
    assert ("Sanne" in member.get("/portal").text) is visible
    assert member.get(address).status_code == (200 if visible else 410)


@pytest.mark.parametrize(("days", "visible"), [(29.9, True), (30.1, False)])
def test_share_nobody_confirmed_for_a_month_is_hidden_until_confirmed(
    clinic: Clinic, patient: PatientSide, days: float, visible: bool
) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    clinic.clock.forward(days=days)
    assert ("Sanne" in clinic.member().get("/portal").text) is visible
    patient.renew_statement(at=clinic.clock())
    patient.send_statement(at=clinic.clock())
    assert "Sanne" in clinic.member().get("/portal").text


def test_record_outside_a_later_narrower_reading_is_not_found_by_its_number(
    clinic: Clinic, patient: PatientSide
) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    member = clinic.member()
    address = address_of_only_patient(member.get("/portal").text)
    assert member.get(f"{address}/record/999999").status_code == 404
    assert member.get(f"{address}/trend/{'0' * 24}").status_code == 404
    assert member.get("/portal/patient/unknown-handle").status_code == 404


def test_new_since_last_look_is_counted_per_person(clinic: Clinic, patient: PatientSide) -> None:
    patient.push(clinical.small_record()[:3], at=clinic.clock())
    member = clinic.member()
    people = member.get("/portal").text
    assert "Nog niet geopend" in people
    member.get(address_of_only_patient(people))
    assert "Niets nieuws" in member.get("/portal").text
    clinic.clock.forward(minutes=5)
    patient.push(clinical.small_record(), at=clinic.clock())
    assert "9 nieuw" in member.get("/portal").text


def test_search_finds_by_part_of_name_and_birth_date_without_putting_it_in_an_address(
    clinic: Clinic, patient: PatientSide
) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    member = clinic.member()
    token = form_token(member.get("/portal"))
    for query, found in (
        ("voorb", True),
        ("SANNE", True),
        ("1972-05", True),
        ("14 mei", True),
        ("Jansen", False),
    ):
        answer = member.post("/portal", data={"token": token, "q": query})
        assert ("Sanne Voorbeeld" in answer.text) is found, query
        assert answer.url.query == b""


def test_english_portal_speaks_english(clinic: Clinic, patient: PatientSide) -> None:
    patient.push(clinical.small_record(), at=clinic.clock())
    member = clinic.member(**{"accept-language": "en-GB,en;q=0.9"})
    people = member.get("/portal").text
    page = member.get(address_of_only_patient(people)).text
    assert "Allergies" in page
    assert "Allergieën" not in page
    assert "51.0" in page


def test_script_in_a_record_is_shown_as_text(clinic: Clinic, patient: PatientSide) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    record = clinical.condition("c7", hostile)
    record["text"] = {"status": "generated", "div": f"<div>{hostile}</div>"}
    name = clinical.patient(hostile, "\u202eevil")
    patient.push([record, name], at=clinic.clock())
    member = clinic.member()
    people = member.get("/portal").text
    address = address_of_only_patient(people)
    page = member.get(address).text
    detail = member.get(re.findall(r'href="(/portal/patient/[\w-]+/record/\d+)"', page)[0]).text
    for text in (people, page, detail):
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "\u202e" not in text
    assert "&lt;script&gt;" in page
