"""Records: strict reading, round trips, signatures and chains."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from consent.codes import Deidentification, Erase
from consent.dates import DateInterval, as_utc, instant_text, parse_day, parse_fhir_date, parse_instant
from consent.document import record_hash, sign_record, verify_record
from consent.errors import ConsentError, InvalidDocument, NotTrusted, UnknownCode
from consent.model import (
    ANY,
    Action,
    ActorRef,
    By,
    Category,
    DatePeriod,
    Effect,
    GrantId,
    KeyRecord,
    Period,
    Record,
    ResearchUse,
    Rule,
    Sensitivity,
    Target,
    deny_rule,
    parse_record,
    permit_rule,
    record_payload,
)
from consent.rule_json import rule_from_json, rule_to_json
from crypto.canonical import canonical_bytes
from crypto.chain import GENESIS
from crypto.signing import sign_jws
from tests.support.consent_builders import (
    CLINIC,
    KEY,
    NOW,
    REGISTRY,
    SECOND_KEY,
    SUBJECT,
    a_grant,
    a_permit,
    a_withdrawal,
    chained,
    hash_of,
    instant,
)

FULL = a_grant(
    a_permit(
        sensitivity=ANY,
        category=ANY,
        code=["http://loinc.org|4548-4"],
        data_period=DatePeriod(date(2020, 1, 1), None),
        instance=["Observation/1"],
        author=["Practitioner/1"],
        obligation=["AUDIT"],
        exception=[deny_rule(security_label=[Sensitivity.HIV])],
    ),
    replace(
        a_permit(actor=[REGISTRY], purpose=["HRESCH"], deidentification=Deidentification.DEID),
        research_use=ResearchUse(frozenset({"E11"}), frozenset({"EU"}), ethics_required=True),
        encounter=frozenset({"Encounter/1"}),
    ),
    deny_rule(category=[Category.GENETICS], exception=[replace(a_permit(), deidentification=None)]),
    seen=frozenset({hash_of("a"), hash_of("b")}),
    answers="request-1",
    review_by=instant(2026, 12),
    at=datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=UTC),
)
ALL: tuple[Record, ...] = (
    FULL,
    a_withdrawal(Target("all"), erase=Erase.DELETE, reason="moved", id="w1"),
    a_withdrawal(Target("actor", ("org", "ura:1")), seen=frozenset({hash_of("a")})),
    KeyRecord(action="add", kid="k2", key="AAAA", subject=SUBJECT, by=By("k1"), at=NOW),
    KeyRecord(action="revoke", kid="k2", from_position=3, subject=SUBJECT, by=By("k1"), at=NOW),
)


@pytest.mark.parametrize("record", ALL)
def test_a_record_reads_back_to_itself(record: Record) -> None:
    assert parse_record(record_payload(record)) == record


def spoiled(record: Record, spoil: Callable[[dict[str, Any]], object]) -> bytes:
    value = json.loads(record_payload(record))
    spoil(value)
    return json.dumps(value).encode()


def put(**members: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value.update(members)


def rule(**members: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value["rules"][0].update(members)


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda value: value["rules"][0].pop(name)


GRANT, WITHDRAWAL, KEY_ADD, KEY_REVOKE = a_grant(), ALL[1], ALL[3], ALL[4]
BAD: list[tuple[Record, Callable[[dict[str, Any]], object], str]] = [
    (GRANT, put(kind="promise"), "kind"),
    (GRANT, put(kind=3), "kind"),
    (GRANT, put(version=2), "version"),
    (GRANT, put(version=True), "version"),
    (GRANT, put(colour="red"), "unknown_member"),
    (GRANT, put(id=""), "without_id"),
    (GRANT, put(subject=3), "without_subject"),
    (GRANT, put(at="2026-01-01"), "not_an_instant"),
    (GRANT, put(at="2026-13-01T00:00:00Z"), "not_an_instant"),
    (GRANT, put(period=["2026-01-01T00:00:00Z"]), "period"),
    (GRANT, put(period=["2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]), "empty_period"),
    (GRANT, put(period="always"), "not_a_list_period"),
    (GRANT, put(seen=["md5:1"]), "seen"),
    (GRANT, put(by={"kid": "k"}), "by"),
    (GRANT, put(by={"kid": "k", "role": "king"}), "by"),
    (GRANT, put(shown={"lang": "nl"}), "shown"),
    (GRANT, lambda value: value.pop("shown"), "permit_not_shown"),
    (GRANT, put(rules=[]), "grant_without_rules"),
    (GRANT, put(rules=["all"]), "rule"),
    (GRANT, rule(effect="maybe"), "effect"),
    (GRANT, rule(effect=1), "not_text_effect"),
    (GRANT, rule(actor=[]), "empty_actor"),
    (GRANT, rule(actor=["clinic"]), "actor"),
    (GRANT, rule(actor=[["org", 1]]), "not_text_actor"),
    (GRANT, rule(purpose=[]), "empty_purpose"),
    (GRANT, rule(purpose="TREAT"), "not_a_list_purpose"),
    (GRANT, rule(category=[]), "empty_category"),
    (GRANT, rule(data_period=["2020-01-01"]), "data_period"),
    (GRANT, rule(data_period=["2020", None]), "not_a_day"),
    (GRANT, rule(data_period=["2021-01-01", "2020-01-01"]), "empty_data_period"),
    (GRANT, rule(research_use=[]), "research_use"),
    (GRANT, rule(research_use={"topics": "E11"}), "research_use"),
    (GRANT, rule(security_label=["hiv"]), "misplaced_sensitivity"),
    (GRANT, rule(exception=[{"effect": "permit", "category": ["labs"]}]), "exception_effect"),
    (GRANT, rule(exception=[{"effect": "deny"}]), "exception_without_limit"),
    (
        GRANT,
        rule(exception=[{"effect": "deny", "category": ["labs"], "obligation": ["AUDIT"]}]),
        "exception_duty",
    ),
    *(
        (GRANT, without(name), f"permit_without_{name}")
        for name in ("actor", "purpose", "action", "category")
    ),
    *((GRANT, without(name), f"permit_without_{name}") for name in ("sensitivity", "deidentification")),
    (WITHDRAWAL, put(target=[]), "target"),
    (WITHDRAWAL, put(target=["grant"]), "target"),
    (WITHDRAWAL, put(target=["everything"]), "target"),
    (WITHDRAWAL, put(target=["actor", "king", "x"]), "actor_kind"),
    (WITHDRAWAL, put(target=["purpose", "FUN"]), "purpose"),
    (WITHDRAWAL, put(erase="burn"), "erase"),
    (KEY_ADD, put(action="lend"), "key_action"),
    (KEY_ADD, lambda value: value.pop("key"), "key_record"),
    (KEY_REVOKE, put(from_position=-1), "key_record"),
    (KEY_REVOKE, put(from_position=True), "from_position"),
]


@pytest.mark.parametrize(
    ("record", "spoil", "reason"), BAD, ids=[f"{n}-{row[2]}" for n, row in enumerate(BAD)]
)
def test_a_record_that_breaks_a_rule_is_refused(
    record: Record, spoil: Callable[[dict[str, Any]], object], reason: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_record(spoiled(record, spoil))
    assert caught.value.reason == reason


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"a":1,"a":2}', b"\xff", b"{}" * 40000])
def test_bytes_that_are_no_record_are_refused(payload: bytes) -> None:
    with pytest.raises(InvalidDocument):
        parse_record(payload)


VOID: list[dict[str, Any]] = [
    {"colour": ["red"]},
    {"category": ["labs", "dreams"]},
    {"purpose": ["TREAT", "FUN"]},
    {"actor": [["org", "ura:00000123"], ["ghost", "x"]]},
    {"deidentification": "half"},
    {"obligation": ["DANCE"]},
]


@pytest.mark.parametrize("members", VOID, ids=[next(iter(m)) for m in VOID])
def test_an_unknown_member_or_code_voids_a_permit(members: dict[str, Any]) -> None:
    found = parse_record(spoiled(GRANT, rule(**members)))
    (void,) = found.rules  # type: ignore[union-attr]
    assert void.unknown
    with pytest.raises(InvalidDocument, match="unknown_member"):
        record_payload(found)


def test_an_unknown_code_in_a_deny_removes_its_limit_so_it_denies_more() -> None:
    found = rule_from_json(
        {"effect": "deny", "category": ["labs", "dreams"], "purpose": ["TREAT"], "colour": 1}
    )
    assert found.category is None
    assert found.purpose == frozenset({"TREAT"})


RESEARCH: dict[str, Any] = {
    "actor": [CLINIC],
    "purpose": ["HRESCH"],
    "action": [Action.EXTRACT],
    "category": [Category.LABS],
    "deidentification": Deidentification.DEID,
}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "research_not_delimited"),
        ({"code": ["x|E11"], "sensitivity": ANY}, "research_sensitivity_any"),
        ({"code": ["x|E11"], "deidentification": Deidentification.NONE}, "research_identified"),
        ({"purpose": ["CLINTRL"]}, "research_not_delimited"),
    ],
)
def test_a_research_permit_is_delimited_and_stripped(members: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        permit_rule(**(RESEARCH | members))
    assert caught.value.reason == reason


@pytest.mark.parametrize("members", [{"code": ["x|E11"]}, {"actor": [REGISTRY]}])
def test_a_delimited_research_permit_is_built(members: dict[str, Any]) -> None:
    assert permit_rule(**(RESEARCH | members)).effect is Effect.PERMIT


def test_builders_refuse_unknown_codes() -> None:
    with pytest.raises(UnknownCode):
        a_permit(purpose=["FUN"])
    with pytest.raises(UnknownCode):
        a_permit(obligation=["DANCE"])
    with pytest.raises(UnknownCode):
        ActorRef("king", "x")
    with pytest.raises(UnknownCode):
        ActorRef("org", "")
    with pytest.raises(InvalidDocument):
        replace(GRANT, id=GrantId(""))
    with pytest.raises(InvalidDocument):
        replace(GRANT, subject="")


def test_exceptions_nest_only_so_deep() -> None:
    child = deny_rule(category=[Category.LABS])
    for effect in (Effect.PERMIT, Effect.DENY) * 2:
        child = Rule(effect=effect, category=frozenset({Category.LABS}), exception=(child,))
    with pytest.raises(InvalidDocument, match="exception_depth"):
        a_permit(exception=[child])
    deep: dict[str, Any] = {"effect": "deny"}
    for _ in range(10):
        deep = {"effect": "deny", "exception": [deep]}
    with pytest.raises(InvalidDocument, match="rule"):
        rule_from_json(deep)


def test_rule_json_is_sorted_and_small() -> None:
    value = rule_to_json(a_permit(action=[Action.VIEW, Action.COPY]))
    assert value["action"] == ["copy", "view"]
    assert "instance" not in value


def test_periods_need_a_zone() -> None:
    with pytest.raises(InvalidDocument, match="period_without_zone"):
        Period(datetime(2026, 1, 1), instant(2027))
    with pytest.raises(ValueError, match="zone"):
        as_utc(datetime(2026, 1, 1))


def test_fhir_dates_are_intervals_of_days() -> None:
    day = date(2024, 2, 29)
    assert parse_fhir_date("2024") == DateInterval(date(2024, 1, 1), date(2024, 12, 31))
    assert parse_fhir_date("2024-02") == DateInterval(date(2024, 2, 1), day)
    assert parse_fhir_date("2024-02-29T23:59:59+14:00") == DateInterval(day, day)
    for wrong in ("", "24", "2024-13", "2023-02-29", "0000", "2024-02-29T", "${DATE, T, D, -1}"):
        with pytest.raises(InvalidDocument):
            parse_fhir_date(wrong)
    with pytest.raises(InvalidDocument):
        parse_day("2024")
    assert parse_day("2024-02-29") == day


def test_instants_are_written_in_utc() -> None:
    local = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert instant_text(local) == "2026-01-01T00:00:00Z"
    assert parse_instant(instant_text(local)) == local
    with pytest.raises(InvalidDocument):
        parse_instant(5)


def test_signed_record_verifies_and_keeps_its_place() -> None:
    one, two = chained(GRANT, a_withdrawal(Target("all")))
    assert verify_record(two.token, KEY.public) == two
    assert (two.position, two.previous) == (1, one.hash)
    assert record_hash(two.token) == two.hash != one.hash


def jws(body: dict[str, Any], typ: str = "pgo-grant+jws") -> str:
    return sign_jws(canonical_bytes(body), KEY, typ=typ)


BODY: dict[str, Any] = {"position": 0, "previous": GENESIS, "record": json.loads(record_payload(GRANT))}
OTHER_BY = BODY["record"] | {"by": {"kid": SECOND_KEY.public.id, "role": "self"}}


@pytest.mark.parametrize(
    ("token", "error", "reason"),
    [
        ("x" * 70000, NotTrusted, "too_large"),
        ("nothing", NotTrusted, "signature"),
        (jws(BODY, "JWT"), NotTrusted, "typ"),
        (sign_jws(canonical_bytes(BODY), SECOND_KEY, typ="pgo-grant+jws"), NotTrusted, "signature"),
        (sign_jws(b"[]", KEY, typ="pgo-grant+jws"), InvalidDocument, "not_an_object"),
        (jws(BODY | {"more": 1}), InvalidDocument, "envelope"),
        (jws(BODY | {"position": -1}), InvalidDocument, "position"),
        (jws(BODY | {"position": True}), InvalidDocument, "position"),
        (jws(BODY | {"position": 1}), InvalidDocument, "previous"),
        (jws(BODY | {"record": []}), InvalidDocument, "not_an_object"),
        (jws(BODY, "pgo-key+jws"), InvalidDocument, "typ"),
        (jws(BODY | {"record": OTHER_BY}), NotTrusted, "kid"),
    ],
)
def test_verification_of_a_record_refuses(token: str, error: type[ConsentError], reason: str) -> None:
    with pytest.raises(error) as caught:
        verify_record(token, KEY.public)
    assert caught.value.reason == reason


def test_signing_refuses_a_wrong_place_a_wrong_key_and_what_nobody_could_read() -> None:
    with pytest.raises(ValueError, match="position"):
        sign_record(GRANT, KEY, position=1, previous=GENESIS)
    with pytest.raises(ValueError, match="key"):
        sign_record(GRANT, SECOND_KEY, position=0, previous=GENESIS)
    huge = a_grant(a_permit(instance=[f"Observation/{n:060d}" for n in range(1000)]))
    with pytest.raises(InvalidDocument, match="too_large"):
        sign_record(huge, KEY, position=0, previous=GENESIS)


def test_errors_hold_no_personal_data() -> None:
    error = NotTrusted("gap", position=3)
    assert (str(error), error.code, error.reason, error.position) == (
        "not_trusted: gap at position 3",
        "not_trusted",
        "gap",
        3,
    )
