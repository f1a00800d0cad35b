"""Reading over FHIR as a hospital's record system does, against a running recipient."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome

from consent.model import Category
from pgo.health.fhir_r4 import validate
from recipient.config import Limits
from recipient.fhir_api.clients import close_client
from tests.support import clinical
from tests.support.fhir_clinic import FhirClinic, all_pages, entries, fhir_clinic, link
from tests.support.fhir_programs import bearer, registered

SPACED = (
    b'{ "resourceType":"Observation" ,"id":"o-1","status":"final","category":[{"coding":[{"system":'
    b'"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],\n'
    b'"code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}],"text":"HbA1c \\u00e9"},'
    b'"subject":{"reference":"Patient/p1"},'
    b'"effectiveDateTime":"2025-11-03","valueQuantity":{"value":48.10,"unit":"mmol/mol"}}'
)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[FhirClinic]:
    with fhir_clinic(tmp_path / "clinic") as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirClinic]:
    """For tests that change nothing: one patient with a small record."""
    with fhir_clinic(tmp_path_factory.mktemp("fhir") / "clinic") as running:
        running.sharing([*clinical.small_record(), SPACED])
        yield running


def test_what_the_server_can_is_public_and_valid(shared: FhirClinic) -> None:
    answer = shared.web.get("/fhir/metadata")
    assert answer.headers["content-type"] == "application/fhir+json; fhirVersion=4.0"
    statement = CapabilityStatement.model_validate_json(answer.text)
    assert validate(answer.json()) == ()
    assert {one.type for one in statement.rest[0].resource} >= {"Patient", "Observation", "Condition"}
    for path in ("/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration"):
        said = shared.web.get(path).json()
        assert said["token_endpoint"] == f"{shared.clinic.url}/oauth/token"
        assert {"RS384", "ES384"} <= set(said["token_endpoint_auth_signing_alg_values_supported"])


def test_every_parameter_that_is_promised_is_taken(shared: FhirClinic) -> None:
    examples = {"token": "a|b", "date": "ge2020-01", "string": "x"}
    patient = shared.id_of(shared.patients[0])
    token, tried = shared.token(), 0
    for kind in shared.web.get("/fhir/metadata").json()["rest"][0]["resource"]:
        pairs = {one["name"]: patient if one["type"] == "reference" else examples[one["type"]]
                 for one in kind["searchParam"]}  # fmt: skip
        answer = shared.web.get(f"/fhir/{kind['type']}", params=pairs, headers=bearer(token))
        assert answer.status_code == 200, (kind["type"], answer.text)
        tried += len(pairs)
    assert tried > 150


class TestBytes:
    def test_resources_leave_as_the_bytes_they_came_as(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        for path in (f"Observation?patient={patient}", f"Patient/{patient}/$everything"):
            assert SPACED in shared.get(f"/fhir/{path}").content

    def test_one_read_is_those_bytes_with_a_tag_and_a_date(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        bundle = shared.get(f"/fhir/Observation?patient={patient}&_id=o-1").json()
        (entry,) = bundle["entry"]
        address = entry["link"][0]["url"]
        answer = shared.get(address)
        assert answer.content == SPACED
        assert answer.headers["etag"].startswith('W/"')
        assert answer.headers["last-modified"] == "Mon, 02 Mar 2026 09:00:00 GMT"
        for header in ({"if-none-match": answer.headers["etag"]}, {"if-none-match": "*"},
                       {"if-modified-since": answer.headers["last-modified"]}):  # fmt: skip
            same = shared.get(address, **header)
            assert (same.status_code, same.content) == (304, b"")
        for header in ({"if-none-match": 'W/"x"'}, {"if-modified-since": "Sun, 01 Mar 2026 09:00:00 GMT"},
                       {"if-modified-since": "yesterday"}):  # fmt: skip
            assert shared.get(address, **header).status_code == 200

    def test_every_answer_is_valid_r4(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        for path in ("Patient", f"Observation?patient={patient}&_count=3", f"Patient/{patient}/$everything"):
            answer = shared.get(f"/fhir/{path}")
            Bundle.model_validate_json(answer.text)
            assert validate(answer.json()) == ()

    def test_ids_here_lead_back_to_the_resource(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        bundle = shared.get(f"/fhir/Patient/{patient}/$everything").json()
        addresses = [entry["link"][0]["url"] for entry in bundle["entry"]]
        assert len(set(addresses)) == len(addresses) == 13
        assert len({entry["fullUrl"] for entry in bundle["entry"]}) == 13
        for entry, address in zip(bundle["entry"], addresses, strict=True):
            assert shared.get(address).json() == entry["resource"]


class TestSearch:
    def test_parameters_narrow_and_post_means_the_same(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        asked = {"patient": patient, "code": "http://loinc.org|4548-4", "date": "2025-11-03"}
        by_get = shared.web.get("/fhir/Observation", params=asked, headers=bearer(shared.token()))
        by_post = shared.web.post("/fhir/Observation/_search", data=asked, headers=bearer(shared.token()))
        assert by_get.json() == by_post.json()
        assert [one["id"] for one in entries(by_get.json())] == ["o-1"]
        self_link = link(by_get.json(), "self")
        assert self_link is not None
        assert shared.get(self_link).json() == by_get.json()

    def test_pages_hold_each_match_once_in_order(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        whole = shared.get(f"/fhir/Observation?patient={patient}&_sort=-date").json()
        pages = all_pages(shared, f"/fhir/Observation?patient={patient}&_sort=-date&_count=2")
        assert [len(entries(page)) for page in pages] == [2, 2, 2, 1]
        assert [one for page in pages for one in entries(page)] == entries(whole)
        assert {page["total"] for page in pages} == {7}

    def test_count_nought_gives_the_total_alone(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        bundle = shared.get(f"/fhir/Observation?patient={patient}&_count=0").json()
        assert (bundle["total"], bundle.get("entry"), link(bundle, "next")) == (7, None, None)

    def test_people_are_found_by_name_and_birth_date(self, clinic: FhirClinic) -> None:
        clinic.sharing([clinical.patient("Kézdi", "Anna", "1980-02-03")], seed=1)
        clinic.sharing([clinical.patient("Jansen", "Bo", "1990-05-06")], seed=2)
        clinic.sharing([clinical.allergy("a1", "Penicilline")], seed=3, category=[Category.ALLERGIES])
        for query, names in (
            ("", {"Kézdi", "Jansen", None}),
            ("?name=kez", {"Kézdi"}),
            ("?family=JANS&birthdate=1990", {"Jansen"}),
            ("?given=bo&birthdate=lt1990", set()),
        ):
            found = entries(clinic.get(f"/fhir/Patient{query}").json())
            assert {one.get("name", [{"family": None}])[0]["family"] for one in found} == names

    def test_who_shares_no_name_is_an_id_and_nothing_more(self, clinic: FhirClinic) -> None:
        patient = clinic.sharing([clinical.allergy("a1", "Penicilline")], category=[Category.ALLERGIES])
        expected = {"resourceType": "Patient", "id": clinic.id_of(patient)}
        assert entries(clinic.get("/fhir/Patient").json()) == [expected]
        assert clinic.get(f"/fhir/Patient/{expected['id']}").json() == expected

    def test_unknown_parameters_refuse_or_are_said_to_be_left_out(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        path = f"/fhir/Observation?patient={patient}&nonsense=1&_count=3"
        for headers in ({}, {"prefer": "handling=strict"}):
            assert shared.get(path, **headers).status_code == 400
        bundle = shared.get(path, prefer="respond-async, handling=lenient").json()
        assert "nonsense" not in (link(bundle, "self") or "")
        warnings = [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "outcome"]
        assert warnings[0]["issue"][0]["severity"] == "warning"
        assert (len(entries(bundle)), bundle["total"]) == (3, 7)
        assert validate(bundle) == ()


class TestPages:
    def test_a_page_is_for_its_client_its_search_and_a_quarter_of_an_hour(self, clinic: FhirClinic) -> None:
        patient = clinic.id_of(clinic.sharing(clinical.small_record()))
        first = clinic.get(f"/fhir/Observation?patient={patient}&_count=2").json()
        following = link(first, "next")
        assert following is not None
        assert "patient=" not in following
        other = registered(clinic.clinic.store, clinic.clinic.url, at=clinic.clinic.clock(), name="other")
        token = other.log_in(clinic.web, clinic.clinic.clock())
        assert clinic.get(following, token=token).status_code == 400
        assert clinic.get(following.replace("Observation", "Condition")).status_code == 400
        assert clinic.get(following[:-1] + "A" * (following[-1] != "A") + "B").status_code == 400
        assert clinic.get(f"{following}&_count=3").status_code == 400
        clinic.clinic.clock.forward(minutes=14)
        assert clinic.get(following).status_code == 200
        clinic.clinic.clock.forward(minutes=2)
        assert clinic.get(following).status_code == 400

    def test_a_page_is_refused_after_anything_changed(self, clinic: FhirClinic) -> None:
        patient = clinic.sharing(clinical.small_record())
        path = f"/fhir/Observation?patient={clinic.id_of(patient)}&_count=2"
        following = link(clinic.get(path).json(), "next")
        assert following is not None
        patient.push([SPACED], at=clinic.clinic.clock())
        assert clinic.get(following).status_code == 410
        assert len(all_pages(clinic, path)) == 4


class TestRefusals:
    def test_each_is_an_operation_outcome_without_what_was_asked(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        for path, status in (
            ("Observation", 400),
            (f"Observation?patient={patient}&date=canary", 400),
            (f"Observation?patient={patient}&canary=1", 400),
            (f"Observation?patient={'a' * 22}", 404),
            ("Observation?patient=canary", 404),
            ("Canary", 404),
            ("Observation/canary", 404),
            (f"Observation/{patient}.{'0' * 24}", 404),
            (f"Condition/{patient}", 404),
            ("Patient/canary/$everything", 404),
            ("canary/b/c/d", 404),
            (f"Patient/{patient}?canary=1", 400),
            (f"Observation?patient={patient}&code=%ff", 400),
        ):
            answer = shared.get(f"/fhir/{path}")
            assert answer.status_code == status, path
            OperationOutcome.model_validate_json(answer.text)
            assert validate(answer.json()) == ()
            assert "canary" not in answer.text.lower()

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_nothing_is_written(self, shared: FhirClinic, method: str) -> None:
        for path in ("Observation", "Observation/x", "", "Patient/x/$everything"):
            answer = shared.web.request(method, f"/fhir/{path}", json={}, headers=bearer(shared.token()))
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD"), path

    def test_other_formats_are_not_made(self, shared: FhirClinic) -> None:
        for accepted, status in (
            ("application/fhir+xml", 406),
            ("text/html", 406),
            ("application/fhir+json; fhirVersion=3.0", 406),
            ("application/fhir+json;q=0", 406),
            ("application/fhir+json; fhirVersion=4.0", 200),
            ("text/html, application/json;q=0.5", 200),
            ("*/*", 200),
        ):
            assert shared.get("/fhir/Patient", accept=accepted).status_code == status, accepted
        assert shared.get("/fhir/Patient?_format=xml", accept="*/*").status_code == 406
        assert shared.get("/fhir/Patient?_format=json", accept="text/html").status_code == 200
        one = f"/fhir/Patient/{shared.id_of(shared.patients[0])}"
        assert shared.get(f"{one}?_format=application/fhir%2Bjson&_pretty=true").status_code == 200
        assert shared.get(f"{one}?_format=xml").status_code == 406

    def test_without_a_token_there_is_nothing(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        for headers in ({}, {"authorization": "Basic eDp5"}, bearer("pgo_x"), {"authorization": "Bearer"}):
            for path in ("Patient", f"Patient/{patient}", f"Observation?patient={patient}", "Nonsense"):
                answer = shared.web.get(f"/fhir/{path}", headers=headers)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Bearer")
        assert shared.web.get(f"/fhir/Patient?access_token={shared.token()}").status_code == 401

    def test_a_closed_program_is_out_at_the_next_request(self, clinic: FhirClinic) -> None:
        token = clinic.token()
        assert clinic.get("/fhir/Patient", token=token).status_code == 200
        close_client(clinic.clinic.store, "his")
        assert clinic.get("/fhir/Patient", token=token).status_code == 401
        assert clinic.program.ask_token(clinic.web, clinic.clinic.clock()).status_code == 401

    def test_scopes_bind_per_type_and_interaction(self, shared: FhirClinic) -> None:
        patient = shared.id_of(shared.patients[0])
        whole = shared.get(f"/fhir/Patient/{patient}/$everything").json()
        address = {entry["resource"]["resourceType"]: entry["link"][0]["url"] for entry in whole["entry"]}
        token = shared.token(scope="system/Observation.s system/Condition.r system/Patient.r")
        for path, status in (
            (f"/fhir/Observation?patient={patient}", 200),
            (f"/fhir/Condition?patient={patient}", 403),
            ("/fhir/Patient", 403),
            (address["Observation"], 403),
            (address["Condition"], 200),
            (address["AllergyIntolerance"], 403),
            (f"/fhir/Patient/{patient}", 200),
        ):
            assert shared.get(path, token=token).status_code == status, path
        everything = shared.get(f"/fhir/Patient/{patient}/$everything", token=token).json()
        assert {one["resourceType"] for one in entries(everything)} == {"Condition", "Patient"}
        assert everything["total"] == len(entries(everything))

    def test_a_program_that_asks_too_fast_is_told_how_long_to_wait(self, tmp_path: Path) -> None:
        limits = Limits(api_requests_per_minute=3, api_log_ins_per_minute=2)
        with fhir_clinic(tmp_path / "clinic", limits=limits) as clinic:
            token = clinic.token()
            statuses = [clinic.get("/fhir/Patient", token=token).status_code for _ in range(4)]
            assert statuses == [200, 200, 200, 429]
            assert clinic.get("/fhir/Patient", token=token).headers["retry-after"] == "20"
            clinic.clinic.clock.forward(seconds=20)
            assert clinic.get("/fhir/Patient", token=token).status_code == 200
            answers = [clinic.program.ask_token(clinic.web, clinic.clinic.clock()) for _ in range(3)]
            assert [one.status_code for one in answers] == [200, 429, 429]
            assert json.loads(answers[-1].text) == {"error": "too_many_tries"}


def test_token_endpoint_takes_one_form_only(shared: FhirClinic) -> None:
    good = shared.program.assertion(shared.clinic.clock())
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_assertion": good}
    form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    for changes, error in (
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "x"}, "invalid_client"),
        ({"client_assertion": "x.y.z"}, "invalid_client"),
        ({"scope": ["a", "b"]}, "invalid_request"),
        ({"scope": "user/*.rs"}, "invalid_scope"),
    ):
        assert shared.web.post("/oauth/token", data=form | changes).json() == {"error": error}
    assert shared.web.post("/oauth/token", json=form).json() == {"error": "invalid_request"}
    # a refused scope rolled the use of the assertion back with it
    answer = shared.web.post("/oauth/token", data=form)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["expires_in"] == 600
