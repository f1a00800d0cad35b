"""The inbox step by step, over real HTTP: what is refused, with which code, and that nothing changed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from consent.model import Action, Category, Deidentification, permit_rule
from crypto.canonical import sha256_id
from crypto.keys import OpeningKey
from recipient import holdings
from recipient.config import Limits
from recipient.inbox import Inbox
from recipient.store import Store
from sync.errors import RemoteRuleError
from sync.wire import MAX_BODY_BYTES, MEDIA_TYPE, Kind, new_message_id, verify_time
from tests.e2e.recipient_server import Clinic, load_identity, running_clinic
from tests.support import clinical
from tests.support.patient_side import PatientSide, post
from tests.support.recipient_stores import KINDS, POSTGRES


@pytest.fixture(scope="module", params=KINDS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    database = request.getfixturevalue("postgres").database() if request.param == POSTGRES else None
    with running_clinic(tmp_path_factory.mktemp("inbox") / "clinic", database=database) as running:
        yield running


_seeds = iter(range(1, 250))


@pytest.fixture
def patient(running: Clinic) -> PatientSide:
    """A patient of her own for every test, with a grant and nothing sent yet."""
    side = PatientSide.of(running.url, at=running.clock(), seed=bytes([next(_seeds)]) * 32)
    side.grant(at=running.clock())
    return side


def contents(store: Store) -> list[object]:
    tables = ("sender", "message", "resource")
    return [store.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


def answer_to(running: Clinic, patient: PatientSide, body: bytes, kind: Kind = Kind.PUSH) -> tuple[int, str]:
    """Send bytes that must be refused; return status and code after checking that nothing was stored."""
    before = contents(running.store)
    response = post(patient.card, kind, body)
    assert contents(running.store) == before
    return response.status_code, response.json()["code"]


def a_push(running: Clinic, patient: PatientSide, **changes: object) -> bytes:
    return patient.envelope(
        Kind.PUSH,
        patient.push_content([clinical.patient()]),
        at=running.clock(),
        message_id=new_message_id(),
        **changes,
    )


class TestSteps:
    def test_step_01_size_announced(self, running: Clinic, patient: PatientSide) -> None:
        # Only announced, never sent: the answer must not wait for the body, and nothing races with it.
        connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=10)
        connection.putrequest("POST", "/v1/inbox")
        connection.putheader("Content-Length", str(MAX_BODY_BYTES + 1))
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (413, {"code": "too_large"})
        connection.close()

    def test_step_01_size_counted_when_nothing_is_announced(
        self, running: Clinic, patient: PatientSide
    ) -> None:
        def endless() -> Iterator[bytes]:
            for _ in range(200):
                yield bytes(64 * 1024)

        with httpx.Client(trust_env=False) as client:
            try:
                answer = client.post(f"{running.url}/v1/inbox", content=endless())
            except httpx.TransportError:
                return  # the connection was closed while we were still sending: refused as well
        assert (answer.status_code, answer.json()) == (413, {"code": "too_large"})

    @pytest.mark.parametrize("body", [b"", b"{}", b"\xff" * 100, b"a.b.c\n", b"\n", b"a.b.c\n" + bytes(64)])
    def test_step_02_form(self, running: Clinic, patient: PatientSide, body: bytes) -> None:
        assert answer_to(running, patient, body) == (400, "malformed")

    def test_step_04_audience(self, running: Clinic, patient: PatientSide) -> None:
        elsewhere = replace(patient.card, id="ura:00000999")
        body = a_push(running, patient, to=elsewhere)
        assert answer_to(running, patient, body) == (403, "wrong_audience")

    def test_step_06_signature_over_every_byte_of_the_seal(
        self, running: Clinic, patient: PatientSide
    ) -> None:
        body = bytearray(a_push(running, patient))
        body[-1] ^= 1
        assert answer_to(running, patient, bytes(body)) == (403, "bad_signature")

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_step_07_clock_comes_with_our_signed_time(
        self, running: Clinic, patient: PatientSide, seconds: int
    ) -> None:
        from datetime import timedelta

        message_id = new_message_id()
        body = patient.envelope(
            Kind.PUSH,
            patient.push_content([clinical.patient()]),
            at=running.clock() + timedelta(seconds=seconds),
            message_id=message_id,
        )
        response = post(patient.card, Kind.PUSH, body)
        assert (response.status_code, response.json()["code"]) == (403, "clock")
        said = verify_time(response.json()["time"], patient.card.verify_key, message_id=message_id)
        assert said == running.clock()

    @pytest.mark.parametrize("seconds", [-299, 299])
    def test_step_07_clock_a_little_off_is_fine(
        self, running: Clinic, patient: PatientSide, seconds: int
    ) -> None:
        from datetime import timedelta

        answer = patient.send(
            Kind.PUSH,
            patient.push_content([clinical.patient()]),
            at=running.clock() + timedelta(seconds=seconds),
        )
        assert answer.receipt is not None

    def test_step_08_key_we_never_had(self, running: Clinic, patient: PatientSide) -> None:
        other = replace(patient.card, sealing_key=OpeningKey.generate().public)
        assert answer_to(running, patient, a_push(running, patient, to=other)) == (403, "unknown_key")

    def test_step_11_same_message_again_gets_the_stored_receipt(
        self, running: Clinic, patient: PatientSide
    ) -> None:
        content, message_id = patient.push_content(clinical.small_record()), new_message_id()
        first = patient.send(Kind.PUSH, content, at=running.clock(), message_id=message_id)
        before = contents(running.store)
        again = patient.send(Kind.PUSH, content, at=running.clock(), message_id=message_id)
        assert again.token == first.token
        assert contents(running.store) == before

    def test_step_11_a_replayed_envelope_a_day_later_still_gets_it(
        self, running: Clinic, patient: PatientSide
    ) -> None:
        content, message_id = patient.push_content([clinical.patient()]), new_message_id()
        envelope = patient.envelope(Kind.PUSH, content, at=running.clock(), message_id=message_id)
        first = post(patient.card, Kind.PUSH, envelope)
        running.clock.forward(days=1)
        again = post(patient.card, Kind.PUSH, envelope)
        running.clock.forward(days=-1)
        assert patient.open(again, message_id) == patient.open(first, message_id)

    def test_step_11_same_id_with_other_content_is_a_conflict(
        self, running: Clinic, patient: PatientSide
    ) -> None:
        message_id = new_message_id()
        patient.send(
            Kind.PUSH, patient.push_content([clinical.patient()]), at=running.clock(), message_id=message_id
        )
        body = patient.envelope(
            Kind.PUSH,
            patient.push_content([clinical.patient("Ander")]),
            at=running.clock(),
            message_id=message_id,
        )
        assert answer_to(running, patient, body) == (409, "conflict")

    def test_step_12_statement_of_another_patient(self, running: Clinic, patient: PatientSide) -> None:
        other = PatientSide.of(running.url, at=running.clock(), seed=bytes([251]) * 32)
        other.grant(at=running.clock())
        content = patient.push_content([clinical.patient()], statement=other.statement)
        body = patient.envelope(Kind.PUSH, content, at=running.clock(), message_id=new_message_id())
        assert answer_to(running, patient, body) == (403, "statement_refused")

    def test_step_12_statement_for_another_recipient(self, running: Clinic, patient: PatientSide) -> None:
        elsewhere = PatientSide(replace(patient.card, id="ura:00000999"), patient.seed)
        elsewhere.pairwise = patient.pairwise
        elsewhere.grant(at=running.clock())
        content = patient.push_content([clinical.patient()], statement=elsewhere.statement)
        body = patient.envelope(Kind.PUSH, content, at=running.clock(), message_id=new_message_id())
        assert answer_to(running, patient, body) == (403, "statement_refused")

    def test_step_12_older_statement_is_rolled_back(self, running: Clinic, patient: PatientSide) -> None:
        patient.push([clinical.patient()], at=running.clock())
        old = patient.push_content([clinical.allergy("a9", "Oud")])
        patient.renew_statement(at=running.clock())
        patient.send_statement(at=running.clock())
        body = patient.envelope(Kind.PUSH, old, at=running.clock(), message_id=new_message_id())
        assert answer_to(running, patient, body) == (409, "statement_rolled_back")

    def test_step_12_gap_is_refused(self, running: Clinic, patient: PatientSide) -> None:
        patient.push([clinical.patient()], at=running.clock())
        patient.renew_statement(at=running.clock())
        patient.renew_statement(at=running.clock())
        body = patient.envelope(
            Kind.STATEMENT, patient.statement_content(), at=running.clock(), message_id=new_message_id()
        )
        assert answer_to(running, patient, body, Kind.STATEMENT) == (403, "statement_refused")

    @pytest.mark.parametrize(
        "changes",
        [
            {"purpose": "HRESCH"},
            {"purpose": "BTG"},
            {"actions": ["extract"]},
            {"actions": ["view", "reshare"]},
        ],
    )
    def test_step_13_purpose_and_actions_beyond_the_grant_store_nothing(
        self, running: Clinic, patient: PatientSide, changes: dict[str, object]
    ) -> None:
        content = patient.push_content(clinical.small_record(), **changes)
        receipt = patient.send(Kind.PUSH, content, at=running.clock()).receipt
        assert receipt is not None
        assert receipt.stored == 0
        assert {reason for _, reason in receipt.refused} == {"outside_scope"}

    @pytest.mark.parametrize("actions", [[], ["everything"]])
    def test_step_13_no_action_or_an_unknown_one_is_no_permission(
        self, running: Clinic, patient: PatientSide, actions: list[str]
    ) -> None:
        content = patient.push_content([clinical.patient()], actions=actions)
        body = patient.envelope(Kind.PUSH, content, at=running.clock(), message_id=new_message_id())
        assert answer_to(running, patient, body) == (400, "bad_content")

    def test_step_13_resource_classified_among_what_is_held(
        self, running: Clinic, patient: PatientSide
    ) -> None:
        """A medicine given for a sensitive condition is sensitive, also when the two come apart."""
        reason = clinical.icd10("c5", "B20", "Gevoelig")
        drug = clinical.medication("m5", "Middel")
        drug["reasonReference"] = [{"reference": "Condition/c5"}]
        receipt = patient.push([drug, reason], at=running.clock())
        assert dict(receipt.refused).keys() == {"Condition/c5", "MedicationStatement/m5"}

    def test_step_13_duty_to_de_identify_cannot_be_met(self, running: Clinic, patient: PatientSide) -> None:
        rule = permit_rule(
            actor=[patient.card.actor],
            purpose=["TREAT"],
            action=[Action.VIEW],
            category="any",
            sensitivity="any",
            deidentification=Deidentification.PSEUD,
        )
        fresh = PatientSide.of(running.url, at=running.clock(), seed=bytes([252]) * 32)
        fresh.sign_grant((rule,), at=running.clock())
        receipt = fresh.push([clinical.patient()], at=running.clock())
        assert receipt.refused == (("Patient/p1", "unmet_duty"),)

    def test_what_had_to_be_erased_by_a_day_is_not_taken_shown_or_kept_from_then_on(
        self, running: Clinic
    ) -> None:
        at, lab = running.clock(), clinical.lab("l9", "2026-01-05", 5.1)
        day = (at + timedelta(days=3)).date()
        fresh = PatientSide.of(running.url, at=at, seed=bytes([251]) * 32)
        labs, rest = (
            permit_rule(
                actor=[fresh.card.actor],
                purpose=["TREAT"],
                action=[Action.VIEW],
                category=[category],
                obligation=duty,
            )
            for category, duty in ((Category.LABS, [f"DELAU:{day}"]), (Category.DEMOGRAPHICS, []))
        )
        fresh.sign_grant((labs, rest), at=at)
        receipt = fresh.push([clinical.patient(), lab], at=at)
        assert receipt.stored == 2
        inbox = Inbox(running.store, load_identity(running.store))
        assert inbox.erase_overdue(at=at) == 0
        later = datetime.combine(day, time(), UTC)
        inbox.erase_overdue(at=later)
        left = [row.reference for row in holdings.held(running.store, fresh.sub)]
        assert left == ["Patient/p1"]

    def test_step_15_reply_opens_for_the_patient_only(self, running: Clinic, patient: PatientSide) -> None:
        message_id = new_message_id()
        body = patient.envelope(
            Kind.PUSH,
            patient.push_content([clinical.patient()]),
            at=running.clock(),
            message_id=message_id,
        )
        response = post(patient.card, Kind.PUSH, body)
        stranger = PatientSide(patient.card, bytes([253]) * 32)
        with pytest.raises(RemoteRuleError, match="no_proof"):
            stranger.open(response, message_id)
        assert response.headers["content-type"] == MEDIA_TYPE
        assert b"Sanne" not in response.content


def test_push_kind_at_the_access_door_is_refused(running: Clinic, patient: PatientSide) -> None:
    patient.push([clinical.patient()], at=running.clock())
    body = a_push(running, patient)
    answer = httpx.post(f"{running.url}/v1/access", content=body, trust_env=False)
    assert (answer.status_code, answer.json()) == (400, {"code": "malformed"})


def test_step_14_failure_while_storing_leaves_no_half_effect(
    running: Clinic, patient: PatientSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disk trouble at the last write: no statement, no resource, no receipt; the next try works."""
    inbox = Inbox(running.store, load_identity(running.store))
    content = patient.push_content(clinical.small_record())
    body = patient.envelope(Kind.PUSH, content, at=running.clock(), message_id=new_message_id())
    real, before = running.store.run, contents(running.store)

    def failing(sql: str, parameters: tuple[object, ...] = ()) -> int:
        if sql.startswith("INSERT INTO message"):
            raise OSError("disk full")
        return real(sql, parameters)  # type: ignore[arg-type]  # passed through unchanged

    with monkeypatch.context() as patch:
        patch.setattr(running.store, "run", failing)
        with pytest.raises(OSError, match="disk full"):
            inbox.receive(body, at=running.clock())
    assert contents(running.store) == before
    assert inbox.receive(body, at=running.clock())
    assert contents(running.store) != before


def test_same_message_sent_by_eight_at_once_has_one_effect(running: Clinic, patient: PatientSide) -> None:
    content, message_id = patient.push_content(clinical.small_record()), new_message_id()
    bodies = [
        patient.envelope(Kind.PUSH, content, at=running.clock(), message_id=message_id) for _ in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: post(patient.card, Kind.PUSH, body), bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert len({patient.open(answer, message_id) for answer in answers}) == 1
    rows = running.store.rows("SELECT payload_hash FROM message WHERE sub = ?", (patient.sub,))
    assert rows == [(sha256_id(content),)]


def test_unknown_senders_cannot_litter_the_list_without_end(tmp_path: Path) -> None:
    with running_clinic(tmp_path / "clinic") as running:
        codes = []
        for number in range(62):
            side = PatientSide.of(running.url, at=running.clock(), seed=number.to_bytes(32, "big"))
            side.grant(at=running.clock())
            answer = side.send(Kind.STATEMENT, side.statement_content(), at=running.clock()).response
            codes.append(answer.status_code)
        assert codes == [200] * 60 + [503] * 2
        assert int(answer.headers["retry-after"]) > 0
        running.clock.forward(hours=1, seconds=1)
        answer = side.send(Kind.STATEMENT, side.statement_content(), at=running.clock()).response
        assert answer.status_code == 200


def test_more_messages_than_room_are_told_to_come_back(tmp_path: Path) -> None:
    with running_clinic(tmp_path / "clinic", limits=Limits(max_inbox_waiting=0)) as running:
        answer = httpx.post(f"{running.url}/v1/inbox", content=b"x", trust_env=False)
        assert (answer.status_code, answer.json()) == (503, {"code": "busy"})
        assert answer.headers["retry-after"] == "10"


def test_refusals_carry_nothing_of_the_message(running: Clinic, patient: PatientSide) -> None:
    content = patient.push_content([clinical.patient("Kanarie")], purpose="Kanarie")
    answer = patient.send(Kind.PUSH, content, at=running.clock())
    text = json.dumps([answer.response.text, answer.token])
    assert "Kanarie" not in text
