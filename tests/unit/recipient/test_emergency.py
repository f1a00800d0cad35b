"""Who shares for emergencies only is found with name and date of birth, after a reason, and in no list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from consent.model import Action, Category, permit_rule
from recipient import audit
from recipient.accounts import Account
from recipient.directory import Wish
from recipient.emergency import IN_VAIN, Emergency, Sought, parse_sought
from recipient.errors import ReasonNeeded, Refused, Throttled
from recipient.holdings import holding_of
from recipient.identity import load_identity
from recipient.inbox import Inbox
from recipient.reading import Reader
from recipient.service import build_app
from recipient.store import Store
from recipient.treating import REASON_HOLDS
from sync.access_full import parse_line
from tests.support import clinical
from tests.support.every_address import InProcess
from tests.support.fhir_programs import bearer, registered
from tests.support.patient_side import PatientSide
from tests.support.recipient_direct import AT, ENDPOINT, a_patient_of, deliver, found, push, withdraw

SOUGHT = Sought("voorbeeld", "1972-05-14", "bewusteloos gevonden")
WHO = (Category.DEMOGRAPHICS, Category.ALLERGIES)


@pytest.fixture
def account(store: Store) -> Account:
    return found(store)


def shared(
    store: Store, *, number: int = 7, purpose: str = "ETREAT", category: Sequence[Category] = WHO
) -> PatientSide:
    """Let a patient share the small record for one purpose."""
    sharing = a_patient_of(store, number)
    rule = permit_rule(actor=[sharing.card.actor], purpose=[purpose], action=[Action.VIEW], category=category)
    sharing.sign_grant((rule,), at=AT, grant_id="G2")
    sharing.withdraw(at=AT, grant_id="G1")
    sharing.sequence, sharing.previous = 0, None
    sharing.renew_statement(at=AT)
    content = sharing.push_content(clinical.small_record(), purpose=purpose)
    deliver(Inbox(store, load_identity(store)), sharing, content)
    return sharing


def reader(store: Store) -> Reader:
    return Reader(store, load_identity(store))


def emergency(store: Store, here: Reader | None = None) -> Emergency:
    return Emergency(store, load_identity(store), (here or reader(store)).glass)


def names(store: Store, account: Account, sought: Sought = SOUGHT) -> list[str]:
    return [one.person.name for one in emergency(store).find(account, sought, at=AT) if one.person]


def told(store: Store, patient: PatientSide) -> list[tuple[str, str, str, str]]:
    """What the patient reads: action, purpose, reason, note."""
    entries = [parse_line(line) for line in audit.lines_after(store, patient.sub, 0)]
    return [(one.action, one.purpose, one.details.reason, one.details.note) for one in entries if one.details]


def test_no_list_and_no_search_shows_who_shares_for_emergencies_only(store: Store, account: Account) -> None:
    sharing = shared(store)
    for wish in (Wish(), Wish(query="voorbeeld"), Wish(query="voorbeeld", born=SOUGHT.birth_date)):
        page = reader(store).list_patients(account, wish, already_listed=set(), at=AT)
        assert (page.patients, page.found, page.total) == ((), 0, 0)
    assert told(store, sharing) == []


def test_an_emergency_finds_them_and_they_read_by_whom_and_why(store: Store, account: Account) -> None:
    sharing, here = shared(store), reader(store)
    holding = holding_of(store, sharing.sub)
    assert holding is not None
    with pytest.raises(ReasonNeeded):
        here.open_record(account, holding.handle, at=AT)
    (line,) = emergency(store, here).find(account, SOUGHT, at=AT)
    assert line.holding.handle == holding.handle
    look = here.open_record(account, holding.handle, at=AT)
    assert {item.resource.type for item in look.items} == {"Patient", "AllergyIntolerance"}
    why = ("ETREAT", "emergency", SOUGHT.note)
    assert told(store, sharing) == [("list", "ETREAT", "", ""), ("reason", *why), ("open", *why)]
    with pytest.raises(ReasonNeeded):
        here.open_record(account, holding.handle, at=AT + REASON_HOLDS + timedelta(seconds=1))


@pytest.mark.parametrize(
    "sought",
    [
        Sought("voorbeeld", "1972-05-15", "x"),
        Sought("iemand anders", "1972-05-14", "x"),
        Sought("1972", "1972-05-14", "x"),
        Sought("mei", "1972-05-14", "x"),
    ],
)
def test_half_of_who_somebody_is_finds_nobody_and_is_no_look(
    store: Store, account: Account, sought: Sought
) -> None:
    sharing = shared(store)
    assert names(store, account, sought) == []
    assert told(store, sharing) == []


def test_dates_of_birth_are_not_guessed(store: Store, account: Account) -> None:
    shared(store)
    wrong = [replace(SOUGHT, birth_date=f"1972-05-{day:02}") for day in range(15, 15 + IN_VAIN)]
    assert [names(store, account, one) for one in wrong] == [[]] * IN_VAIN
    with pytest.raises(Throttled) as waits:
        names(store, account)
    assert waits.value.retry_after_seconds == 61, "a minute, rounded up"
    later = AT + timedelta(seconds=61)
    assert len(emergency(store).find(account, SOUGHT, at=later)) == 1


def test_searches_that_find_somebody_do_not_count(store: Store, account: Account) -> None:
    shared(store)
    assert [len(names(store, account)) for _ in range(IN_VAIN + 2)] == [1] * (IN_VAIN + 2)


def test_who_shares_for_treatment_is_found_too(store: Store, account: Account) -> None:
    sharing = a_patient_of(store)
    push(store, sharing, clinical.small_record())
    assert len(names(store, account)) == 1


def test_a_grant_that_keeps_the_name_back_finds_nobody(store: Store, account: Account) -> None:
    shared(store, category=[Category.ALLERGIES])
    assert names(store, account) == []


def test_nobody_finds_who_stopped_sharing(store: Store, account: Account) -> None:
    sharing = shared(store)
    withdraw(store, sharing)
    assert names(store, account) == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (("v", "1972-05-14", "val"), "bad_search"),
        (("", "1972-05-14", "val"), "bad_search"),
        (("x" * 81, "1972-05-14", "val"), "bad_search"),
        (("voorbeeld", "1972", "val"), "bad_search"),
        (("voorbeeld", "", "val"), "bad_search"),
        (("voorbeeld", "1972-05-14", " "), "bad_reason"),
        (("voorbeeld", "1972-05-14", "x" * 201), "bad_reason"),
    ],
)
def test_less_than_a_person_and_a_reason_is_refused(said: tuple[str, str, str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_sought(*said)
    assert refused.value.code == code


def test_what_is_typed_is_read_as_one_person() -> None:
    assert parse_sought("  An  Voorbeeld ", " 1972-05-14 ", " val  van trap ") == Sought(
        "An Voorbeeld", "1972-05-14", "val van trap"
    )


@pytest.mark.parametrize(("acts_for", "seen"), [("hospital record/TREAT", 0), ("ambulance/ETREAT", 1)])
def test_a_program_finds_them_only_when_it_is_registered_for_emergencies(
    store: Store, account: Account, acts_for: str, seen: int
) -> None:
    sharing = shared(store)
    with httpx.Client(
        transport=InProcess(build_app(store, endpoint=ENDPOINT, clock=lambda: AT)), base_url=ENDPOINT
    ) as web:
        token = registered(store, ENDPOINT, at=AT, name="meldkamer", acts_for=acts_for).log_in(web, AT)
        found = web.get("/fhir/Patient?name=voorbeeld", headers=bearer(token)).json()
    assert found["total"] == seen
    assert [one[:2] for one in told(store, sharing)] == [("list", "ETREAT")] * seen
