"""Requests and the history of sharing, on a real vault and the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consent.codes import Action, Category, Deidentification, Sensitivity
from consent.records import Grant
from consent.research import ResearchUse
from consent.rules import ActorRef, DatePeriod
from crypto.keys import SigningKey
from pgo.errors import InputRefused, NotFound
from pgo.health.record.deidentify import is_deidentified
from pgo.usecases import history, objections, requests, share
from pgo.usecases.cards import card_of
from pgo.usecases.consenting import load_ledger
from pgo.usecases.history import ChangeKind
from pgo.usecases.objections import ObjectionChoice
from pgo.usecases.parcels import permitted
from pgo.usecases.session import Session
from tests.support.requests_signed import a_request
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card, an_open_vault
from tests.support.sharing_screens import a_choice

KEY = SigningKey.from_seed(bytes(range(3, 35)))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = an_open_vault(tmp_path)
    share.add_recipient(opened, a_card(KEY))
    yield opened
    opened.lock()


def days_later(session: Session, days: float) -> None:
    later = datetime.now(UTC) + timedelta(days=days)
    object.__setattr__(session, "_app", replace(session.app, clock=lambda: later))


def refused(session: Session, token: str | bytes) -> str:
    with pytest.raises(InputRefused) as caught:
        requests.take_in(session, token)
    assert requests.requests(session) == ()
    return caught.value.code


# ------------------------------------------------------------------ taking in


def test_a_request_changes_nothing_but_the_inbox(session: Session) -> None:
    before = session.store.ledger.head()
    requests.take_in(session, f"PGO-REQUEST 1\n{a_request(KEY)}\n".encode())
    (row,) = requests.requests(session)
    assert (row.recipient.name, row.has_something) == (CLINIC_NAME, False)
    assert row.words["nl"].startswith("Wij willen")
    assert session.store.ledger.head() == before
    assert session.store.outbox.count_open() == 0


def test_a_request_of_a_stranger_is_refused(session: Session) -> None:
    assert refused(session, a_request(SigningKey.generate())) == "request_invalid"


@pytest.mark.parametrize("text", ["", "niets", "a.b.c", "é", b"\xff", "x" * 300_000])
def test_what_is_no_request_is_refused(session: Session, text: str | bytes) -> None:
    assert refused(session, text) == "request_invalid"


def test_a_changed_request_is_refused(session: Session) -> None:
    token = a_request(KEY)
    assert refused(session, token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")) == "request_invalid"


def test_a_request_for_another_recipient_is_refused(session: Session) -> None:
    assert refused(session, a_request(KEY, recipient=ActorRef("org", "ura:9"))) == "request_invalid"


def test_a_request_whose_name_could_not_stand_in_an_address_is_refused(session: Session) -> None:
    assert refused(session, a_request(KEY, request_id="a/../b")) == "request_invalid"


def test_a_request_past_its_day_is_refused_and_one_that_waits_goes_by_itself(session: Session) -> None:
    assert refused(session, a_request(KEY, days=-1)) == "request_expired"
    requests.take_in(session, a_request(KEY, days=2))
    days_later(session, 3)
    assert requests.requests(session) == ()
    with pytest.raises(NotFound):
        requests.request(session, "request-1")


def test_nobody_can_ask_without_end(session: Session) -> None:
    for place in range(requests.MAX_WAITING):
        requests.take_in(session, a_request(KEY, request_id=f"r{place}"))
    with pytest.raises(InputRefused) as caught:
        requests.take_in(session, a_request(KEY, request_id="one-more"))
    assert caught.value.code == "request_too_many"
    for place in range(requests.MAX_WAITING):
        requests.say_no(session, f"r{place}")
    for place in range(requests.MAX_A_MONTH - requests.MAX_WAITING):
        requests.take_in(session, a_request(KEY, request_id=f"s{place}"))
        requests.say_no(session, f"s{place}")
    with pytest.raises(InputRefused):
        requests.take_in(session, a_request(KEY, request_id="too-many-this-month"))


# ------------------------------------------------------------------ the difference


def test_only_what_is_not_granted_yet_is_shown(session: Session) -> None:
    start = date(2020, 1, 1)
    choice = a_choice(session, categories=frozenset({Category.LABS, Category.DEMOGRAPHICS}), data_from=start)
    share.sign_share(session, choice, lang="nl", shown_text="Labs.")
    requests.take_in(session, a_request(KEY, category=[Category.LABS, Category.VITALS]))
    (row,) = requests.requests(session)
    assert row.has_something
    assert row.also == {"category": ("vitals",), "data_period": ("before 2020-01-01",)}


def test_nothing_new_is_said_as_nothing(session: Session) -> None:
    share.sign_share(session, a_choice(session), lang="nl", shown_text="Zorg.")
    requests.take_in(session, a_request(KEY))
    assert requests.requests(session)[0].also == {}


# ------------------------------------------------------------------ answers


def test_yes_is_a_grant_that_names_the_request_and_gives_what_was_asked(session: Session) -> None:
    period = DatePeriod(date(2024, 1, 1), None)
    made = requests.take_in(session, a_request(KEY, data_period=period))
    choice = requests.request(session, made).choice
    assert choice is not None
    assert choice.categories == {Category.LABS, Category.DEMOGRAPHICS}
    assert choice.data_from == period.first
    share.sign_share(session, choice, lang="nl", shown_text="Ja.", answers=made)
    assert requests.requests(session) == ()
    (signed,) = load_ledger(session.store).records
    assert isinstance(signed.record, Grant)
    assert signed.record.answers == made


def test_a_yes_to_a_request_that_is_gone_signs_nothing(session: Session) -> None:
    with pytest.raises(NotFound):
        share.sign_share(session, a_choice(session), lang="nl", shown_text="Ja.", answers="never")
    assert session.store.ledger.head()[0] == 0


def test_no_is_remembered(session: Session) -> None:
    token = a_request(KEY)
    requests.say_no(session, requests.take_in(session, token))
    assert refused(session, token) == "request_refused_before"


def test_later_is_no_for_a_week(session: Session) -> None:
    requests.say_later(session, requests.take_in(session, a_request(KEY)))
    assert requests.requests(session) == ()
    days_later(session, 8)
    assert len(requests.requests(session)) == 1


RESEARCH: dict[str, Any] = {
    "purpose": ["HRESCH"],
    "action": [Action.EXTRACT, Action.RECONTACT],
    "deidentification": Deidentification.DEID,
    "research_use": ResearchUse(topics=frozenset({"E10-E14"}), commercial=True, ethics_required=True),
}


def test_a_yes_to_research_is_delimited_and_each_opt_in_starts_as_no(session: Session) -> None:
    made = requests.take_in(session, a_request(KEY, **RESEARCH))
    row = requests.request(session, made)
    choice = row.choice
    assert choice is not None
    assert row.opt_ins == ("commercial", "recontact")
    assert choice.research == ResearchUse(topics=frozenset({"E10-E14"}), ethics_required=True)
    assert choice.actions == {Action.EXTRACT}
    seen = share.preview(session, choice)
    assert 0 < seen.permitted < seen.total
    share.sign_share(session, choice, lang="nl", shown_text="Ja.", answers=made)
    (signed,) = load_ledger(session.store).records
    assert isinstance(signed.record, Grant)
    assert {rule.deidentification for rule in signed.record.rules} == {Deidentification.DEID}
    assert share.shares(session)[0].choice == choice


def test_what_goes_for_research_says_no_name_and_no_day(session: Session) -> None:
    made = requests.take_in(session, a_request(KEY, **RESEARCH))
    choice = requests.request(session, made).choice
    assert choice is not None
    share.sign_share(session, choice, lang="nl", shown_text="Ja.", answers=made)
    store = session.store
    (recipient,) = store.recipients.all()
    parcels = list(permitted(session, card_of(recipient), load_ledger(store), at=session.now()))
    sent = [raw for parcel in parcels for _, raw, _ in parcel.records.values()]
    assert len(sent) == share.preview(session, choice).permitted == 2
    assert {(parcel.purpose, parcel.action) for parcel in parcels} == {("HRESCH", "extract")}
    for raw in sent:
        assert is_deidentified(json.loads(raw), today=session.today())
        assert b"Persoon" not in raw


def test_of_what_is_asked_only_what_can_be_granted_is_offered(session: Session) -> None:
    asked = [Action.VIEW, Action.COPY, Action.RESHARE]
    codes = ["http://hl7.org/fhir/sid/icd-10|E11"]
    made = requests.take_in(session, a_request(KEY, action=asked, code=codes))
    row = requests.request(session, made)
    assert row.choice is not None
    assert row.asked is not None
    assert row.choice.actions == {Action.VIEW}
    assert row.asked.actions == {Action.VIEW, Action.COPY}
    assert row.choice.codes == row.asked.codes == frozenset(codes)
    assert row.not_offered == ("reshare",)


@pytest.mark.parametrize(
    "wider",
    [
        {"categories": frozenset({Category.LABS, Category.MEDICATIONS})},
        {"sensitivity": frozenset({Sensitivity.HIV})},
        {"actions": frozenset({Action.VIEW, Action.COPY})},
        {"data_from": None},
        {"purpose": "HQUALIMP"},
    ],
)
def test_an_answer_is_never_wider_than_what_was_asked(session: Session, wider: dict[str, Any]) -> None:
    made = requests.take_in(session, a_request(KEY, data_period=DatePeriod(date(2024, 1, 1), None)))
    choice = requests.request(session, made).choice
    assert choice is not None
    with pytest.raises(InputRefused) as caught:
        share.sign_share(session, replace(choice, **wider), lang="nl", shown_text="Ja.", answers=made)
    assert caught.value.code == "answer_too_wide"
    assert session.store.ledger.head()[0] == 0
    assert len(requests.requests(session)) == 1


def test_a_sensitive_subject_that_is_asked_starts_as_no(session: Session) -> None:
    made = requests.take_in(session, a_request(KEY, sensitivity=[Sensitivity.HIV]))
    row = requests.request(session, made)
    assert row.choice is not None
    assert row.asked is not None
    assert row.choice.sensitivity == frozenset()
    assert row.asked.sensitivity == {Sensitivity.HIV}
    share.sign_share(session, row.asked, lang="nl", shown_text="Ja.", answers=made)


def test_what_this_app_cannot_grant_is_shown_without_a_yes(session: Session) -> None:
    totals = RESEARCH | {"deidentification": Deidentification.AGGREGATE}
    requests.take_in(session, a_request(KEY, **totals))
    requests.take_in(session, a_request(KEY, request_id="on", action=[Action.RESHARE]))
    assert [row.choice for row in requests.requests(session)] == [None, None]


# ------------------------------------------------------------------ history


def test_every_decision_is_a_line_with_a_receipt(session: Session) -> None:
    grant_id = share.sign_share(session, a_choice(session), lang="nl", shown_text="Zorg.")
    made = objections.object_to(
        session, ObjectionChoice(categories=frozenset({Category.LABS})), lang="nl", shown_text="Nee."
    )
    objections.lift(session, made)
    share.withdraw(session, grant_id)
    found = history.history(session)
    decisions = [change for change in found if change.receipt_id]
    assert {change.kind for change in decisions} == {
        ChangeKind.SHARED,
        ChangeKind.STOPPED,
        ChangeKind.OBJECTED,
        ChangeKind.LIFTED,
    }
    assert all(change.name == CLINIC_NAME for change in decisions if change.share_id)
    assert [change.kind for change in found if not change.receipt_id] == [ChangeKind.RECIPIENT_ADDED]
    shared = next(change for change in decisions if change.kind is ChangeKind.SHARED)
    receipt = history.receipt(session, shared.receipt_id).to_json()
    assert receipt["consent_id"] == grant_id
    assert receipt["pii_controllers"] == [["org", CLINIC_ID]]
    assert receipt["privacy_notice"]["language"] == "nl"
    with pytest.raises(NotFound):
        history.receipt(session, "sha256:none")


def test_the_file_holds_all_receipts_and_no_clinical_data(session: Session) -> None:
    share.sign_share(session, a_choice(session), lang="nl", shown_text="Zorg.")
    data = history.export_history(session)
    value = json.loads(data)
    assert value["schema"] == history.SCHEMA
    assert [one["event"]["state"] for one in value["receipts"]] == ["consent_given"]
    for word in ("Hemoglobine", "Methotrexaat", "Persoon", "1970"):
        assert word not in data.decode()


def test_the_same_decision_has_the_same_receipt_later(session: Session) -> None:
    share.sign_share(session, a_choice(session), lang="nl", shown_text="Zorg.")
    before = [change.receipt_id for change in history.history(session)]
    days_later(session, 2)
    assert [change.receipt_id for change in history.history(session)] == before
