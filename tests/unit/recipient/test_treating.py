"""A reason before the page opens: who needs one, what it opens, what the patient reads of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consent.model import Action, Category, permit_rule
from recipient import audit, treating
from recipient.accounts import Account
from recipient.errors import NotShared, Purged, ReasonNeeded, Refused, Unusable
from recipient.holdings import holding_of
from recipient.identity import build_card, load_identity
from recipient.inbox import Inbox
from recipient.reading import Reader
from recipient.store import Store
from recipient.treating import OWN, REASON_HOLDS, RELATION_HOLDS, Reason
from sync.access_full import parse_line
from tests.support import clinical
from tests.support.patient_side import PatientSide
from tests.support.recipient_direct import AT, ENDPOINT, a_patient_of, deliver, found, push, withdraw

LATER = AT + timedelta(minutes=5)


@pytest.fixture
def account(store: Store) -> Account:
    """Somebody who works for their own patients only."""
    account = found(store)
    with store.transaction():
        treating.save_setting(store, account.id, patients=OWN, team="")
    return account


@pytest.fixture
def patient(store: Store, account: Account) -> PatientSide:
    sharing = a_patient_of(store, 1)
    push(store, sharing, clinical.small_record())
    return sharing


def handle_of(store: Store, patient: PatientSide) -> str:
    holding = holding_of(store, patient.sub)
    assert holding is not None
    return holding.handle


def reader(store: Store) -> Reader:
    return Reader(store, load_identity(store))


def told(store: Store, patient: PatientSide) -> list[tuple[str, str, str]]:
    """What the patient reads: action, outcome, reason."""
    entries = [parse_line(line) for line in audit.lines_after(store, patient.sub, 0)]
    return [(one.action, one.details.outcome, one.details.reason) for one in entries if one.details]


def test_who_works_for_everybody_needs_no_reason(store: Store) -> None:
    account, sharing = found(store), a_patient_of(store, 1)
    push(store, sharing, clinical.small_record())
    look = reader(store).open_record(account, handle_of(store, sharing), at=LATER)
    assert look.items
    assert told(store, sharing) == [("open", "permitted", "")]


def test_somebody_else_gives_a_reason_first_and_the_patient_reads_it(
    store: Store, account: Account, patient: PatientSide
) -> None:
    here, handle = reader(store), handle_of(store, patient)
    with pytest.raises(ReasonNeeded):
        here.open_record(account, handle, at=LATER)
    assert told(store, patient) == []  # nothing was shown, and nobody was refused
    here.glass.give(account, handle, Reason.COVERING, "avonddienst", at=LATER)
    assert here.open_record(account, handle, at=LATER).items
    assert told(store, patient) == [("reason", "permitted", "covering"), ("open", "permitted", "covering")]
    last = parse_line(audit.lines_after(store, patient.sub, 1)[0])
    assert last.details is not None
    assert last.details.note == "avonddienst"


@pytest.mark.parametrize("open_page", ["open_timeline", "open_print"])
def test_no_other_page_opens_without_a_reason(
    store: Store, account: Account, patient: PatientSide, open_page: str
) -> None:
    with pytest.raises(ReasonNeeded):
        getattr(reader(store), open_page)(account, handle_of(store, patient), at=LATER)


def test_a_reason_holds_for_some_hours(store: Store, account: Account, patient: PatientSide) -> None:
    here, handle = reader(store), handle_of(store, patient)
    here.glass.give(account, handle, Reason.ASKED, "", at=LATER)
    here.open_record(account, handle, at=LATER + REASON_HOLDS - timedelta(seconds=1))
    with pytest.raises(ReasonNeeded):
        here.open_record(account, handle, at=LATER + REASON_HOLDS)


def test_treating_begins_ends_and_is_told(store: Store, account: Account, patient: PatientSide) -> None:
    here, handle = reader(store), handle_of(store, patient)
    here.glass.give(account, handle, Reason.TREATING, "", at=LATER)
    assert here.glass.treats(account, handle, at=LATER)
    here.open_record(account, handle, at=LATER + timedelta(days=9))
    here.glass.end(account, handle, at=LATER + timedelta(days=9, minutes=1))
    with pytest.raises(ReasonNeeded):
        here.open_record(account, handle, at=LATER + timedelta(days=9, minutes=2))
    assert told(store, patient) == [
        ("reason", "permitted", "treating"),
        ("open", "permitted", ""),
        ("not_treating", "permitted", ""),
    ]


def test_a_relation_ends_by_itself(store: Store, account: Account, patient: PatientSide) -> None:
    with store.transaction():
        treating.begin(store, patient.sub, party=treating.account_party(account.id), at=AT)
    assert treating.treats(store, account.id, patient.sub, at=AT + RELATION_HOLDS - timedelta(seconds=1))
    assert not treating.treats(store, account.id, patient.sub, at=AT + RELATION_HOLDS)


def test_a_team_treats(store: Store, account: Account, patient: PatientSide) -> None:
    with store.transaction():
        treating.save_setting(store, account.id, patients=OWN, team="cardiologie")
        treating.begin(store, patient.sub, party=treating.team_party("cardiologie"), at=AT)
    assert reader(store).open_record(account, handle_of(store, patient), at=LATER).items


def test_an_emergency_opens_what_is_shared_for_emergencies_only(store: Store, account: Account) -> None:
    """Allergies for emergencies, nothing else: no page for treatment, and the reason opens just that."""
    sharing = PatientSide(build_card(load_identity(store), endpoint=ENDPOINT, at=AT)[0], bytes([7] * 32))
    rule = permit_rule(
        actor=[sharing.card.actor], purpose=["ETREAT"], action=[Action.VIEW], category=[Category.ALLERGIES]
    )
    sharing.sign_grant((rule,), at=AT)
    content = sharing.push_content(clinical.small_record(), purpose="ETREAT")
    deliver(Inbox(store, load_identity(store)), sharing, content)
    here, handle = reader(store), handle_of(store, sharing)
    assert here.glass.offered(handle, at=LATER) == (Reason.EMERGENCY,)
    with pytest.raises(Refused):
        here.glass.give(account, handle, Reason.COVERING, "", at=LATER)
    with pytest.raises(ReasonNeeded):
        here.open_record(account, handle, at=LATER)
    here.glass.give(account, handle, Reason.EMERGENCY, "onwel", at=LATER)
    shown = here.open_record(account, handle, at=LATER)
    assert {item.resource.type for item in shown.items} == {"AllergyIntolerance"}
    assert shown.grounds.purpose == "ETREAT"


def test_no_reason_opens_what_is_not_shared_any_more(
    store: Store, account: Account, patient: PatientSide
) -> None:
    here, handle = reader(store), handle_of(store, patient)
    here.glass.give(account, handle, Reason.EMERGENCY, "", at=LATER)
    withdraw(store, patient, at=LATER + timedelta(minutes=1))
    with pytest.raises(Purged):
        here.glass.offered(handle, at=LATER + timedelta(minutes=2))
    with pytest.raises(Purged):
        here.open_record(account, handle, at=LATER + timedelta(minutes=2))
    assert told(store, patient)[-1] == ("open", "refused", "")


def test_a_look_at_what_is_not_permitted_is_told_as_refused(
    store: Store, account: Account, patient: PatientSide
) -> None:
    here, handle = reader(store), handle_of(store, patient)
    here.glass.give(account, handle, Reason.ASKED, "", at=LATER)
    with pytest.raises(NotShared):
        here.open_item(account, handle, 999_999, at=LATER)
    assert told(store, patient)[-1] == ("details", "refused", "")


@pytest.mark.parametrize(
    ("code", "note"), [("curious", ""), ("", ""), ("asked", "x" * 201), ("asked", "tab\x07bel")]
)
def test_other_reasons_are_refused(code: str, note: str) -> None:
    with pytest.raises(Refused):
        treating.parse_reason(code, note)


def test_a_setting_is_one_of_two(store: Store, account: Account) -> None:
    with pytest.raises(Unusable):
        treating.save_setting(store, account.id, patients="some", team="")
