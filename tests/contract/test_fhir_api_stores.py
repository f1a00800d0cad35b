"""The FHIR API on both stores: log in once, read, turn pages, be closed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from recipient.errors import Refused
from recipient.fhir_api.assertion import verify_assertion
from recipient.fhir_api.clients import close_client
from recipient.service import build_app
from recipient.store import Store
from tests.support import clinical
from tests.support.every_address import InProcess
from tests.support.fhir_clinic import entries, link
from tests.support.fhir_programs import bearer, person, registered
from tests.support.recipient_direct import AT, ENDPOINT, a_patient_of, push


@pytest.fixture
def web(store: Store) -> Iterator[httpx.Client]:
    app = build_app(store, endpoint=ENDPOINT, clock=lambda: AT)
    with httpx.Client(transport=InProcess(app), base_url=ENDPOINT) as client:
        yield client


def test_log_in_read_turn_pages_and_be_closed(store: Store, web: httpx.Client) -> None:
    patient = a_patient_of(store)
    push(store, patient, clinical.small_record())
    program = registered(store, ENDPOINT, at=AT)
    used = program.assertion(AT, **person())
    token = program.ask_token(web, AT, assertion=used).json()["access_token"]
    assert program.ask_token(web, AT, assertion=used).status_code == 401
    people = web.get("/fhir/Patient", headers=bearer(token)).json()
    own = people["entry"][0]["link"][0]["url"].rpartition("/")[2]
    address: str | None = f"/fhir/Observation?patient={own}&_sort=-date&_count=4"
    seen = []
    while address is not None:
        page = web.get(address, headers=bearer(token)).json()
        seen += [one["id"] for one in entries(page)]
        address = link(page, "next")
    assert len(seen) == len(set(seen)) == page["total"] == 6
    looks = store.rows('SELECT "user", action FROM access_event ORDER BY sequence')
    assert looks == [("S. de Wit (HIS Zuid)", one) for one in ("list", "api_search", "api_search")]
    close_client(store, "his")
    assert web.get("/fhir/Patient", headers=bearer(token)).status_code == 401


def test_of_many_uses_of_one_assertion_at_a_time_one_holds(store: Store) -> None:
    token = registered(store, ENDPOINT, at=AT).assertion(AT)

    def log_in(_number: int) -> bool:
        try:
            with store.transaction():
                verify_assertion(store, token, audience=f"{ENDPOINT}/oauth/token", at=AT)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(log_in, range(24))) == 1
