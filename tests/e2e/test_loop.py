"""The whole loop without screens, against the real recipient program in a process of its own.

Share, look, see who looked, withdraw; the recipient stops and comes back; a receipt is lost; nothing is
sent twice and nothing goes out after a withdrawal.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from consent.codes import Category
from consent.decision import GrantState, Reason
from pgo.bootstrap import Deliverer, build_application
from pgo.health.demo import demo_bundle
from pgo.health.medication.entry import MedicationForm
from pgo.store.journal import Event
from pgo.usecases import deliver, looked, medicate, objections, share
from pgo.usecases.collect import collect
from pgo.usecases.facts import all_facts
from pgo.usecases.journal import JournalQuery, journal_page
from pgo.usecases.journal_kinds import KIND_OF, JournalKind
from pgo.usecases.medicines import medicines
from pgo.usecases.objections import ObjectionChoice
from pgo.usecases.read import overview
from pgo.usecases.session import Application, Session
from pgo.usecases.share import DeliveryState, ShareChoice
from pgo.usecases.unlock import create_vault, unlock
from pgo.usecases.why import why
from sync.card import RecipientCard
from sync.errors import Unreachable
from sync.transport import InboxTransport, Transport
from tests.support.applications import CHEAP, PASSPHRASE
from tests.support.clinic_process import CLINICIAN, LOGIN, PASSWORD, ClinicProcess, running_clinic


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicProcess]:
    with running_clinic(tmp_path_factory.mktemp("clinic")) as running:
        yield running


@pytest.fixture
def clinician(clinic: ClinicProcess) -> Iterator[httpx.Client]:
    headers = {"accept-language": "nl"}
    with httpx.Client(base_url=clinic.url, trust_env=False, timeout=30, headers=headers) as browser:
        token = re.search(r'name="token" value="([0-9a-f]+)"', browser.get("/portal/login").text)
        assert token is not None
        data = {"token": token.group(1), "name": LOGIN, "password": PASSWORD}
        assert browser.post("/portal/login", data=data).status_code == 303
        yield browser


@dataclass
class LosesAnswers:
    """The network at its worst: the message arrives, the answer does not, as often as told."""

    inner: Transport = field(default_factory=InboxTransport)
    lose: int = 0
    sent: list[bytes] = field(default_factory=list)

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        self.sent.append(body)
        answer = self.inner.send(card, path, body)
        if self.lose:
            self.lose -= 1
            raise Unreachable
        return answer


@pytest.fixture
def network() -> LosesAnswers:
    return LosesAnswers()


@pytest.fixture
def app(tmp_path: Path, network: LosesAnswers) -> Application:
    real = build_application(tmp_path / "vaults")
    return Application(
        vaults=real.vaults, clock=real.clock, argon2=CHEAP, open_transport=lambda: network, zone=UTC
    )


@pytest.fixture
def session(app: Application, clinic: ClinicProcess) -> Iterator[Session]:
    opened = create_vault(app, app.vaults / "Thuis", PASSPHRASE).session
    collect(opened, demo_bundle(datetime.now(UTC).date()), name="demo.json")
    share.add_recipient(opened, clinic.card)
    yield opened
    opened.lock()


def choice_of(session: Session, *categories: Category) -> ShareChoice:
    preset = share.presets("clinic")[0]
    today = session.today()
    return ShareChoice(
        recipient_id="ura:00000123",
        categories=frozenset(categories) or preset.categories,
        sensitivity=frozenset(),
        purpose="TREAT",
        period=(today, today + timedelta(days=30)),
    )


def signed(session: Session, *categories: Category) -> str:
    return share.sign_share(session, choice_of(session, *categories), lang="nl", shown_text="U deelt met ...")


def state(session: Session, grant_id: str) -> DeliveryState:
    return share.share(session, grant_id).delivery.state


def patients(clinician: httpx.Client) -> list[str]:
    return sorted(set(re.findall(r'href="(/portal/patient/[\w-]+)"', clinician.get("/portal").text)))


_SHARED = (JournalKind.SHARING, JournalKind.LOOKED)


def test_share_look_see_who_looked_withdraw(session: Session, clinician: httpx.Client) -> None:
    choice = choice_of(session)
    seen = share.preview(session, choice)
    assert 0 < seen.permitted < seen.total == overview(session).total
    assert seen.permitted + sum(seen.held_back.values()) == seen.total
    assert seen.held_back[Reason.SENSITIVE] >= 1
    before = patients(clinician)

    grant_id = share.sign_share(session, choice, lang="nl", shown_text="U deelt met ...")
    assert state(session, grant_id) is DeliveryState.WAITING
    deliver.deliver(session)
    delivery = share.share(session, grant_id).delivery
    assert delivery.state is DeliveryState.DELIVERED
    assert (delivery.delivered_count, delivery.refused_count) == (seen.permitted, 0), (
        "preview and delivery agree"
    )
    (address,) = set(patients(clinician)) - set(before)
    page = clinician.get(address).text
    assert "Sanne Voorbeeld" in page
    assert CLINICIAN in {entry.user for entry in looked.fetch_access(session, "ura:00000123").entries}
    again = looked.fetch_access(session, "ura:00000123")
    assert again.verified
    assert [entry.sequence for entry in again.entries] == list(range(len(again.entries), 0, -1))

    share.withdraw(session, grant_id)
    row = share.share(session, grant_id)
    assert (row.state, row.delivery.state) == (GrantState.WITHDRAWN, DeliveryState.WITHDRAWN_WAITING)
    deliver.deliver(session)
    assert state(session, grant_id) is DeliveryState.WITHDRAWN_CONFIRMED
    assert patients(clinician) == before
    assert clinician.get(address).status_code == 410
    share.withdraw(session, grant_id)
    assert deliver.deliver(session).delivered == ()
    session.store.check()
    told = [line.event for line in session.store.journal.lines() if KIND_OF[line.event] in _SHARED]
    assert told == [
        Event.RECIPIENT_ADDED,
        Event.GRANT_SIGNED,
        Event.SENT,
        Event.RECEIPT,
        Event.ACCESS_FETCHED,
        Event.GRANT_WITHDRAWN,
        Event.SENT,
        Event.RECEIPT,
    ]
    (looks,) = journal_page(session, JournalQuery(kind=JournalKind.LOOKED), say=str).rows
    assert looks.looked_by == (CLINICIAN,)


def test_a_later_change_goes_out_alone(session: Session, network: LosesAnswers) -> None:
    grant_id = signed(session)
    deliver.deliver(session)
    held = share.share(session, grant_id).delivery.delivered_count
    medicate.save_medication(session, MedicationForm(name="Paracetamol", start="2026-01-01"))
    assert state(session, grant_id) is DeliveryState.WAITING
    count = len(network.sent)
    deliver.deliver(session)
    delivery = share.share(session, grant_id).delivery
    assert delivery.receipts[0].stored == 1
    assert delivery.delivered_count == held + 1
    assert len(network.sent) == count + 1


def test_a_change_that_is_not_permitted_sends_nothing(session: Session, network: LosesAnswers) -> None:
    signed(session, Category.DEMOGRAPHICS)
    deliver.deliver(session)
    count = len(network.sent)
    medicate.save_medication(session, MedicationForm(name="Paracetamol"))
    deliver.deliver(session)
    assert len(network.sent) == count


def test_a_lost_receipt_makes_no_second_effect(session: Session, network: LosesAnswers) -> None:
    grant_id = signed(session)
    network.lose = 1
    deliver.deliver(session)
    assert share.share(session, grant_id).delivery.last_error == "unreachable"
    deliver.send_now(session)
    delivery = share.share(session, grant_id).delivery
    assert delivery.state is DeliveryState.DELIVERED
    assert len(delivery.receipts) == 1


def test_a_withdrawal_wins_also_when_the_grant_arrived_without_our_knowing(
    session: Session, network: LosesAnswers, clinician: httpx.Client
) -> None:
    before = patients(clinician)
    grant_id = signed(session)
    network.lose = 1
    deliver.deliver(session)  # it arrived, the receipt did not
    assert len(patients(clinician)) == len(before) + 1
    share.withdraw(session, grant_id)
    deliver.send_now(session)
    assert state(session, grant_id) is DeliveryState.WITHDRAWN_CONFIRMED
    assert patients(clinician) == before


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_the_line_never_gets_stuck_however_many_receipts_are_lost(
    session: Session, network: LosesAnswers, lost: int
) -> None:
    first = signed(session, Category.MEDICATIONS, Category.DEMOGRAPHICS)
    network.lose = lost
    for category in (Category.ALLERGIES, Category.PROBLEMS, Category.LABS):
        deliver.send_now(session)
        signed(session, category, Category.DEMOGRAPHICS)
    share.withdraw(session, first)
    for _ in range(4):
        deliver.send_now(session)
    states = {row.grant_id: row.delivery.state for row in share.shares(session)}
    assert states.pop(first) is DeliveryState.WITHDRAWN_CONFIRMED
    assert set(states.values()) == {DeliveryState.DELIVERED}


def test_withdrawing_before_anything_was_sent_sends_no_record(
    session: Session, network: LosesAnswers
) -> None:
    grant_id = signed(session)
    share.withdraw(session, grant_id)
    deliver.deliver(session)
    assert share.share(session, grant_id).delivery.delivered_count == 0
    assert max(map(len, network.sent), default=0) < 40_000, "a statement, and no records"


def test_a_second_grant_after_a_withdrawal_sends_everything_again(session: Session) -> None:
    first = signed(session)
    deliver.deliver(session)
    count = share.share(session, first).delivery.delivered_count
    share.withdraw(session, first)
    deliver.deliver(session)
    assert share.share(session, first).delivery.delivered_count == 0
    second = signed(session)
    deliver.deliver(session)
    assert share.share(session, second).delivery.delivered_count == count


def test_offline_is_normal_and_goes_out_by_itself(
    session: Session, clinic: ClinicProcess, app: Application
) -> None:
    clinic.stop()
    grant_id = signed(session)
    report = deliver.deliver(session)
    delivery = share.share(session, grant_id).delivery
    assert report.later
    assert (delivery.state, delivery.attempts, delivery.last_error) == (
        DeliveryState.WAITING,
        1,
        "unreachable",
    )
    medicate.save_medication(session, MedicationForm(name="Paracetamol"))
    folder = session.folder
    session.lock()  # what waits survives the lock
    clinic.start()
    again = unlock(app, folder, PASSPHRASE)
    deliverer = Deliverer(again)
    deliverer.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and state(again, grant_id) is not DeliveryState.DELIVERED:
        time.sleep(0.2)
    assert state(again, grant_id) is DeliveryState.DELIVERED
    again.lock()
    assert deliverer.join(20), "the deliverer ends with the lock"


# ------------------------------------------------------------------ objections and exceptions


def shown(clinician: httpx.Client, address: str, title: str) -> bool:
    return title in clinician.get(address).text


def test_an_objection_to_one_record_erases_that_record_and_leaves_the_rest(
    session: Session, clinician: httpx.Client
) -> None:
    before = patients(clinician)
    grant_id = signed(session)
    deliver.deliver(session)
    (address,) = set(patients(clinician)) - set(before)
    row = medicines(session).current[0]
    assert shown(clinician, address, row.title)
    held = share.share(session, grant_id).delivery.delivered_count

    made = objections.object_to(session, ObjectionChoice(record_id=row.id), lang="nl", shown_text="Nee.")
    deliver.deliver(session)
    assert not shown(clinician, address, row.title)
    delivery = share.share(session, grant_id).delivery
    assert (delivery.state, delivery.delivered_count) == (DeliveryState.DELIVERED, held - 1)
    (answer,) = why(session, row.id).rows
    assert (answer.may_see, answer.has_it) == (False, False)

    objections.lift(session, made)
    deliver.deliver(session)
    assert shown(clinician, address, row.title)
    assert share.share(session, grant_id).delivery.delivered_count == held


def test_an_objection_wins_when_the_record_arrived_without_our_knowing(
    session: Session, network: LosesAnswers, clinician: httpx.Client
) -> None:
    before = patients(clinician)
    signed(session)
    network.lose = 1
    deliver.deliver(session)  # it arrived, the receipt did not
    (address,) = set(patients(clinician)) - set(before)
    row = medicines(session).current[0]
    assert shown(clinician, address, row.title)
    objections.object_to(session, ObjectionChoice(record_id=row.id), lang="nl", shown_text="Nee.")
    for _ in range(3):
        deliver.send_now(session)
    assert not shown(clinician, address, row.title)


def test_an_objection_to_a_recipient_stops_it_and_lifting_starts_it_again(
    session: Session, clinician: httpx.Client
) -> None:
    before = patients(clinician)
    grant_id = signed(session)
    deliver.deliver(session)
    made = objections.object_to(
        session, ObjectionChoice(recipient_id="ura:00000123"), lang="nl", shown_text="Nooit."
    )
    deliver.deliver(session)
    assert patients(clinician) == before
    objections.lift(session, made)
    deliver.deliver(session)
    assert len(patients(clinician)) == len(before) + 1
    assert state(session, grant_id) is DeliveryState.DELIVERED


def test_preview_and_delivery_agree_on_a_choice_with_exceptions(session: Session) -> None:
    references = {number: one.reference for number, one in all_facts(session)}
    reference = references[medicines(session).current[0].id]
    assert reference is not None
    choice = replace(
        choice_of(session),
        left_out=frozenset({reference}),
        without_authors=frozenset({"Organization/demo-praktijk"}),
    )
    seen = share.preview(session, choice)
    assert 0 < seen.permitted < share.preview(session, choice_of(session)).permitted
    grant_id = share.sign_share(session, choice, lang="nl", shown_text="U deelt met ...")
    deliver.deliver(session)
    delivery = share.share(session, grant_id).delivery
    assert (delivery.delivered_count, delivery.refused_count) == (seen.permitted, 0)
