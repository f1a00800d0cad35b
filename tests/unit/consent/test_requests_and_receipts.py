"""Requests, exemptions, re-consent, receipts, and decisions as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest

from consent.decision import Deny, Permit, Question, Reason, decide
from consent.decision_json import decision_bytes, decision_to_json
from consent.delta import reconsent_request, request_delta
from consent.errors import ConsentError, ExpiredDocument, InvalidDocument, NotTrusted, UnknownCode
from consent.ledger import Ledger
from consent.model import (
    ANY,
    Action,
    Basis,
    By,
    Category,
    DatePeriod,
    Deidentification,
    Erase,
    GrantId,
    Record,
    ResearchUse,
    Sensitivity,
    Study,
    Target,
    deny_rule,
)
from consent.receipt import ReceiptState, build_receipt
from consent.records import Authority, Cosignature, KeyRecord
from consent.request import (
    TYP_REQUEST,
    Exemption,
    Request,
    request_to_json,
    sign_exemption,
    sign_request,
    verify_exemption,
    verify_request,
)
from consent.study_json import study_from_json, study_to_json
from crypto.canonical import canonical_bytes
from crypto.signing import sign_jws
from tests.support.consent_builders import (
    CLINIC,
    KEY,
    NOW,
    REGISTRY,
    SECOND_KEY,
    SUBJECT,
    YEAR,
    a_grant,
    a_ledger,
    a_permit,
    a_withdrawal,
    chained,
    facts,
    instant,
)
from tests.support.consent_random import CODES, World, chance, some
from tests.support.laws import law

WANTED = a_permit(
    actor=[REGISTRY],
    purpose=["HRESCH"],
    action=[Action.EXTRACT],
    category=[Category.LABS],
    deidentification=Deidentification.DEID,
    data_period=DatePeriod(date(2020, 1, 1), None),
    research_use=ResearchUse(topics=frozenset({"E11"}), ethics_required=True, regions=frozenset({"EU"})),
)
STUDY = Study(topics=frozenset({"E11.9"}), regions=frozenset({"NL"}), nonprofit=True, ethics=True)
ASK = Question(
    frozenset({REGISTRY}), frozenset({"DSRCH"}), frozenset({Action.EXTRACT}), facts(), replace(STUDY)
)
REQUEST = Request(
    id="r1",
    recipient=REGISTRY,
    at=NOW,
    answer_by=instant(2026, 9),
    wanted=(WANTED,),
    words={"nl": "Onderzoek naar suikerziekte", "en": "Research on diabetes"},
    subject=SUBJECT,
    study_name="DM-1",
    study=STUDY,
    ethics="METC 2026-1",
)


def test_a_request_arrives_as_it_was_signed() -> None:
    assert verify_request(sign_request(REQUEST, KEY), KEY.public, at=NOW) == REQUEST


def test_a_request_of_a_stranger_or_too_late_is_refused() -> None:
    token = sign_request(REQUEST, KEY)
    with pytest.raises(NotTrusted):
        verify_request(token, SECOND_KEY.public, at=NOW)
    with pytest.raises(ExpiredDocument):
        verify_request(token, KEY.public, at=REQUEST.answer_by)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"kind": "grant"}, "kind"),
        ({"version": 2}, "version"),
        ({"colour": 1}, "unknown_member"),
        ({"id": ""}, "without_id"),
        ({"recipient": ["registry"]}, "recipient"),
        ({"wanted": "all"}, "not_a_list_wanted"),
        ({"wanted": []}, "request"),
        ({"words": {"nl": 3}}, "request_words"),
        ({"words": {"nl": "x" * 5000}}, "request_words"),
        ({"answer_by": "2026-01-01T00:00:00Z"}, "request_times"),
        ({"study": {"topics": 3}}, "study"),
        ({"study": {"commercial": "yes"}}, "study"),
        ({"study": {"colour": True}}, "study"),
        ({"recipient": ["registry", "another"]}, "request_for_another"),
    ],
)
def test_a_request_that_says_something_else_is_refused(members: dict[str, Any], reason: str) -> None:
    token = sign_jws(canonical_bytes(request_to_json(REQUEST) | members), KEY, typ=TYP_REQUEST)
    with pytest.raises(ConsentError) as caught:
        verify_request(token, KEY.public, at=NOW)
    assert caught.value.reason == reason


def test_a_request_asks_for_permits_only() -> None:
    with pytest.raises(InvalidDocument, match="request_rule"):
        replace(REQUEST, wanted=(deny_rule(actor=[REGISTRY]),))


def test_an_exemption_arrives_as_it_was_signed_and_is_no_request() -> None:
    exemption = Exemption(id="e1", recipient=REGISTRY, at=NOW, ground="WGBO 7:458", scope=(WANTED,))
    for one in (exemption, replace(exemption, subject=SUBJECT)):
        assert verify_exemption(sign_exemption(one, KEY), KEY.public) == one
    with pytest.raises(NotTrusted):
        verify_request(sign_exemption(exemption, KEY), KEY.public, at=NOW)
    with pytest.raises(InvalidDocument):
        replace(exemption, ground="")


def test_an_unknown_kind_of_exemption_is_refused() -> None:
    token = sign_jws(canonical_bytes({"kind": "request"}), KEY, typ="pgo-exemption+jws")
    with pytest.raises(UnknownCode):
        verify_exemption(token, KEY.public)


@pytest.mark.parametrize("study", [Study(), STUDY, Study(topics=None, commercial=None, nonprofit=None)])
def test_a_study_reads_back_to_itself(study: Study) -> None:
    assert study_from_json(study_to_json(study)) == study


def test_what_a_study_does_not_say_is_no() -> None:
    assert study_from_json({}) == Study()
    with pytest.raises(InvalidDocument):
        study_from_json([])


# What a request adds


def test_a_request_shows_only_what_is_not_granted_yet() -> None:
    wider = replace(
        WANTED,
        research_use=ResearchUse(topics=frozenset({"E11", "C50"}), commercial=True),
        data_period=None,
        category=frozenset({Category.LABS, Category.PROBLEMS}),
    )
    (delta,) = request_delta(a_ledger(a_grant(WANTED)), replace(REQUEST, wanted=(wider,)), at=NOW)
    assert delta.nearest == WANTED
    assert delta.also == {
        "category": ("problems",),
        "data_period": ("before 2020-01-01",),
        "topic": ("C50",),
        "use_condition": ("commercial", "not ethics_required"),
    }


def test_a_request_for_what_is_granted_adds_nothing() -> None:
    ledger = a_ledger(a_grant(WANTED))
    assert [delta.also for delta in request_delta(ledger, REQUEST, at=NOW)] == [{}]


def test_a_request_where_nothing_is_granted_adds_everything() -> None:
    (delta,) = request_delta(a_ledger(a_grant()), REQUEST, at=NOW)
    assert delta.nearest is None
    assert delta.also["category"] == ("labs",)


def test_a_limit_that_falls_away_or_a_weaker_stripping_is_told() -> None:
    held = a_grant(replace(WANTED, code=frozenset({"E11"}), deidentification=Deidentification.AGGREGATE))
    wanted = replace(WANTED, research_use=None, data_period=DatePeriod(date(2021, 1, 1), date(2022, 1, 1)))
    (delta,) = request_delta(a_ledger(held), replace(REQUEST, wanted=(wanted,)), at=NOW)
    assert delta.also["code"] == (ANY,)
    assert delta.also["topic"] == (ANY,)
    assert delta.also["deidentification"] == ("deid",)


# Asking again


def test_granting_what_a_refusal_asks_for_turns_it_into_a_permit() -> None:
    asked = replace(ASK, study=replace(STUDY, topics=frozenset({"E11", "C50"}), commercial=True))
    ledger = a_ledger(a_grant(WANTED))
    refusal = decide(ledger, asked, at=NOW)
    assert isinstance(refusal, Deny)
    assert (refusal.reason, refusal.ask) == (Reason.TOPIC, True)
    again = reconsent_request(ledger, asked, at=NOW, request_id="r2", answer_by=instant(2026, 9))
    assert again is not None
    granted = a_ledger(a_grant(WANTED), a_grant(*again.wanted, grant_id="g2"))
    assert isinstance(decide(granted, asked, at=NOW), Permit)


def test_no_request_where_asking_makes_no_sense() -> None:
    def ask(question: Question) -> Request | None:
        ledger = a_ledger(a_grant(WANTED))
        return reconsent_request(ledger, question, at=NOW, request_id="r", answer_by=instant(2026, 9))

    assert ask(ASK) is None
    assert ask(replace(ASK, actor=frozenset({CLINIC}))) is None
    assert ask(replace(ASK, study=None)) is None
    assert ask(replace(ASK, study=replace(STUDY, topics=frozenset()))) is None
    assert ask(replace(ASK, study=replace(STUDY, methods=None))) is None


@law(1_000)
def test_every_request_built_from_a_refusal_would_settle_it(dice: Random) -> None:
    use = ResearchUse(topics=some(dice, CODES), methods=chance(dice, 0.3), ethics_required=chance(dice, 0.3))
    grant = a_grant(replace(WANTED, research_use=use, data_period=None))
    study = replace(
        STUDY,
        topics=some(dice, CODES),
        methods=chance(dice, 0.5),
        commercial=chance(dice, 0.3),
        ethics=chance(dice, 0.5),
    )
    purpose = frozenset({dice.choice(["HRESCH", "DSRCH", "CLINTRL"])})
    asked, world = replace(ASK, study=study, purpose=purpose), World(()).plus(grant)
    again = reconsent_request(world.ledger, asked, at=NOW, request_id="r", answer_by=instant(2026, 9))
    assert (again is None) == isinstance(decide(world.ledger, asked, at=NOW), Permit)
    if again is not None:
        more = world.plus(replace(grant, id=GrantId("again"), rules=again.wanted))
        assert isinstance(decide(more.ledger, asked, at=NOW), Permit)


# Receipts


def receipt(*records: Record) -> dict[str, Any]:
    ledger = a_ledger(*records)
    last = max(ledger.records, key=lambda signed: signed.position)
    built = build_receipt(last, ledger=ledger, at=NOW)
    assert json.loads(built.to_bytes()) == built.to_json()
    assert built.record_hash == last.hash
    return {"state": built.state, **built.to_json()}


def test_a_receipt_of_a_grant_says_who_what_why_and_how_to_stop() -> None:
    found = receipt(a_grant(WANTED, review_by=instant(2026, 12), answers="r1"))
    assert found["state"] is ReceiptState.GIVEN
    assert found["pii_controllers"] == [["registry", "dm-regio"]]
    (processing,) = found["processing"]
    assert processing["purposes"] == ["HRESCH"]
    assert processing["pii_categories"] == ["labs"]
    assert processing["de_identification"] == "deid"
    assert processing["duties"] == ["NORELINK"]
    assert found["withdrawal_method"] == {"record": "withdrawal", "target": ["grant", "g1"], "offline": True}
    assert found["privacy_notice"]["language"] == "en"
    assert found["validity"]["review_by"] == "2026-12-01T00:00:00Z"


def test_a_newer_version_is_a_renewal_and_names_what_it_replaces() -> None:
    first = chained(a_grant())[0]
    found = receipt(a_grant(), a_grant(at=instant(2026, 2)))
    assert found["state"] is ReceiptState.RENEWED
    assert found["replaces"] == [first.hash]


ME = By(KEY.public.id)
OBJECTION = a_grant(deny_rule(security_label=[Sensitivity.HIV]), grant_id="no")
REVOKED = KeyRecord(action="revoke", kid="k", from_position=1, subject=SUBJECT, by=ME, at=NOW)
MENTOR = Authority(
    id="a", representative="k", basis=Basis.MENTOR, subject=SUBJECT, by=ME, at=NOW, period=YEAR
)


@pytest.mark.parametrize(
    ("record", "state", "member"),
    [
        (OBJECTION, ReceiptState.OBJECTED, "objections"),
        (a_withdrawal(Target("grant", ("g1",)), erase=Erase.DELETE), ReceiptState.WITHDRAWN, "storage"),
        (a_withdrawal(Target("all")), ReceiptState.WITHDRAWN, "withdrawal"),
        (a_withdrawal(Target("actor", ("org", "ura:00000123"))), ReceiptState.WITHDRAWN, "withdrawal"),
        (a_withdrawal(Target("purpose", ("TREAT",))), ReceiptState.WITHDRAWN, "withdrawal"),
        (a_withdrawal(Target("lift", ("g1",))), ReceiptState.LIFTED, "withdrawal"),
        (REVOKED, ReceiptState.KEY, "key"),
        (MENTOR, ReceiptState.AUTHORITY, "representation"),
    ],
)
def test_every_change_has_its_receipt(record: Record, state: ReceiptState, member: str) -> None:
    found = receipt(a_grant(), record)
    assert found["state"] is state
    assert found[member]
    if member in ("withdrawal", "storage"):
        assert found["pii_controllers"] == [["org", "ura:00000123"]]


def test_a_second_signature_has_its_receipt() -> None:
    grant = chained(a_grant())[0]
    second = Cosignature(
        target=grant.hash, subject=SUBJECT, by=By(KEY.public.id), at=NOW, seen=frozenset({grant.hash})
    )
    assert receipt(a_grant(), second)["co_signed_record"] == grant.hash


def test_equal_receipts_are_equal_bytes_and_the_reason_of_a_person_is_not_repeated() -> None:
    ledger = a_ledger(a_grant(), a_withdrawal(Target("all"), reason="because of my neighbour"))
    built = [build_receipt(ledger.records[1], ledger=ledger, at=NOW) for _ in range(2)]
    assert built[0].to_bytes() == built[1].to_bytes()
    assert b"neighbour" not in built[0].to_bytes()


# Decisions as JSON


def test_a_refusal_as_json_has_every_member_of_the_guide() -> None:
    asked = replace(ASK, study=replace(STUDY, topics=frozenset({"C50"})))
    ledger = a_ledger(a_grant(WANTED))
    value = decision_to_json(decide(ledger, asked, at=NOW))
    assert value["missing"] == [{"dim": "topic", "asked": ["C50"], "granted": ["E11"]}]
    assert (value["decision"], value["reason"], value["ask"]) == ("DENY", "topic", True)
    assert value["log_head"] == ledger.head_hash
    assert value.keys() == decision_to_json(decide(ledger, ASK, at=NOW), ledger_head="x").keys()


def test_equal_decisions_on_two_devices_are_equal_bytes() -> None:
    tokens = [signed.token for signed in chained(a_grant(WANTED), a_grant())]
    one, two = (Ledger.of(order, keys=[KEY.public], subject=SUBJECT) for order in (tokens, tokens[::-1]))
    assert decision_bytes(decide(one, ASK, at=NOW)) == decision_bytes(decide(two, ASK, at=NOW))


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (lambda q: replace(q, study=replace(STUDY, ethics=False)), ["ethics"]),
        (lambda q: replace(q, study=replace(STUDY, ethics=None)), ["ethics"]),
        (lambda q: replace(q, study=replace(STUDY, regions=frozenset({"US"}))), ["US"]),
        (lambda q: replace(q, study=replace(STUDY, regions=None)), ["?"]),
        (lambda q: replace(q, study=replace(STUDY, commercial=True)), ["commercial"]),
        (lambda q: replace(q, study=replace(STUDY, poa=None)), ["poa"]),
    ],
)
def test_a_condition_that_is_not_met_is_named(
    change: Callable[[Question], Question], missing: list[str]
) -> None:
    refused = decide(a_ledger(a_grant(WANTED)), change(ASK), at=NOW)
    assert isinstance(refused, Deny)
    assert (refused.reason, refused.ask) == (Reason.USE_CONDITION, True)
    assert list(refused.missing[0].asked) == missing


def test_a_condition_of_the_grant_brings_its_duties() -> None:
    use = ResearchUse(return_results=True, moratorium=date(2028, 1, 1))
    permit = decide(a_ledger(a_grant(replace(WANTED, research_use=use))), ASK, at=NOW)
    assert isinstance(permit, Permit)
    assert permit.obligations == {"NORELINK", "RTN", "MOR:2028-01-01"}
