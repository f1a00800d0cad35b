"""The reason page in a browser's words: nothing opens before it, and the way on is ours."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import httpx
import pytest

from recipient import treating
from recipient.holdings import holding_of
from tests.e2e.recipient_server import Clinic, form_token, running_clinic
from tests.support import clinical
from tests.support.patient_side import PatientSide


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with running_clinic(tmp_path_factory.mktemp("reason") / "clinic") as running:
        with running.store.transaction():
            treating.save_setting(running.store, 1, patients="own", team="")
        yield running


@pytest.fixture
def page(clinic: Clinic, request: pytest.FixtureRequest) -> str:
    """Address of a patient nobody treats yet; every test has one of its own."""
    seed = hashlib.sha256(str(request.node.name).encode()).digest()
    patient = PatientSide.of(clinic.url, at=clinic.clock(), seed=seed)
    patient.grant(at=clinic.clock())
    patient.push(clinical.small_record(), at=clinic.clock())
    holding = holding_of(clinic.store, patient.sub)
    assert holding is not None
    return f"/portal/patient/{holding.handle}"


@pytest.fixture(scope="module")
def member(clinic: Clinic) -> httpx.Client:
    return clinic.member()


def give(member: httpx.Client, page: str, **fields: str) -> httpx.Response:
    token = form_token(member.get(f"{page}/reason"))
    return member.post(f"{page}/reason", data={"token": token, **fields})


def test_every_page_leads_to_the_form_first(member: httpx.Client, page: str) -> None:
    for path in ("", "/timeline", "/record/1"):
        answer = member.get(page + path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{page}/reason")


def test_the_form_names_nobody_and_offers_the_reasons(member: httpx.Client, page: str) -> None:
    form = member.get(f"{page}/reason")
    assert form.status_code == 200
    assert set(re.findall(r'name="reason" value="(\w+)"', form.text)) == set(treating.Reason)
    assert "Voorbeeld" not in form.text
    assert form.text.count("<fieldset>") == form.text.count("<legend>") == 1


def test_a_reason_opens_the_page(member: httpx.Client, page: str) -> None:
    answer = give(member, page, reason="covering", note="avonddienst")
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert member.get(page).status_code == 200


def test_treating_is_said_once_and_taken_back(member: httpx.Client, page: str) -> None:
    give(member, page, reason="treating", note="")
    opened = member.get(page)
    assert opened.status_code == 200
    assert f'action="{page}/not-treating"' in opened.text
    ended = member.post(f"{page}/not-treating", data={"token": form_token(opened)})
    assert ended.status_code == 303
    assert member.get(page).headers["location"] == f"{page}/reason"


@pytest.mark.parametrize("fields", [{}, {"reason": "curious"}, {"reason": "asked", "note": "x" * 201}])
def test_no_other_reason_opens_it(member: httpx.Client, page: str, fields: dict[str, str]) -> None:
    answer = give(member, page, **fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert member.get(page).status_code == 303


def test_a_stranger_and_a_foreign_form_get_nowhere(clinic: Clinic, member: httpx.Client, page: str) -> None:
    assert clinic.browser().get(f"{page}/reason").headers["location"] == "/portal/login"
    assert member.post(f"{page}/reason", data={"reason": "covering", "note": ""}).status_code == 403
    assert member.get("/portal/patient/nobody/reason").status_code == 404


def search(member: httpx.Client, **fields: str) -> httpx.Response:
    token = form_token(member.get("/portal/emergency"))
    return member.post("/portal/emergency", data={"token": token, **fields})


def test_an_emergency_leads_to_the_patient_without_another_question(member: httpx.Client, page: str) -> None:
    assert member.get(page).status_code == 303
    answer = search(member, name="voorbeeld", born="1972-05-14", note="bewusteloos gevonden")
    assert answer.status_code == 200
    assert f'href="{page}"' in answer.text
    opened = member.get(page)
    assert opened.status_code == 200
    assert f'action="{page}/not-treating"' not in opened.text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": "voorbeeld", "born": "1972-05-14", "note": ""},
        {"name": "v", "born": "1972-05-14", "note": "val"},
        {"name": "voorbeeld", "born": "14-05-1972", "note": "val"},
    ],
)
def test_less_than_a_person_and_a_reason_finds_nobody(
    member: httpx.Client, page: str, fields: dict[str, str]
) -> None:
    answer = search(member, **fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert page not in answer.text


def test_nobody_found_says_so_and_a_stranger_gets_the_log_in(clinic: Clinic, member: httpx.Client) -> None:
    answer = search(member, name="niemand", born="1972-05-14", note="val")
    assert (answer.status_code, 'role="status"' in answer.text) == (200, True)
    assert clinic.browser().get("/portal/emergency").headers["location"] == "/portal/login"
