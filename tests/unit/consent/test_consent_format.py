"""docs/consent-format.md is exact: its examples run, its lists are those of the code, "?" never widens."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.codes import Action, ActorKind, Category, Sensitivity
from consent.decision import Decision, Deny, Permit, Reason, decide
from consent.errors import ConsentError, InvalidDocument, NotTrusted, UnknownCode
from consent.fhir_import import Dialect
from consent.fhir_provision import Doubt
from consent.log_json import parse_log
from consent.model import ActorRef
from consent.question_json import NONE, UNKNOWN, parse_question, resource_facts
from consent.record_json import record_to_json
from pgo.cli import main
from pgo.cli.consent_words import explain_decision, explain_outcome
from pgo.ui.text import LANGUAGES, has
from tests.support import consent_format
from tests.support.consent_builders import (
    CLINIC,
    KEY,
    SECOND_KEY,
    SUBJECT,
    a_grant,
    a_permit,
    chained,
)

PAGE = consent_format.PAGE.read_text(encoding="utf-8")


def test_every_example_prints_what_the_page_says() -> None:
    assert len(consent_format.examples(PAGE)) == 6
    assert consent_format.ran(PAGE) == PAGE


@pytest.mark.parametrize("closed_list", [Category, Sensitivity, Action, Doubt, Dialect, Reason])
def test_the_closed_lists_stand_on_the_page(closed_list: Any) -> None:
    words = PAGE.replace("`", " ").split()
    assert [item.value for item in closed_list if item.value not in words] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_doubt_and_dimension_has_words(lang: str) -> None:
    for reason in Reason:
        assert has(lang, f"consent.reason.{reason.value}")
    for doubt in Doubt:
        assert has(lang, f"consent.doubt.{doubt.value}")


def question(**changed: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "at": "2026-06-01",
        "actor": {"org": ["ura:00000123"], "person": [], "role": ["01.015"], "treating": True},
        "purpose": ["TREAT"],
        "action": ["view"],
        "resource": {
            "category": ["labs"],
            "security_label": [],
            "code": ["http://loinc.org|4548-4"],
            "time": ["2025-01-01", "2025-01-31"],
            "author": "Practitioner/p1",
            "instance": "Observation/o1",
        },
        "research": {"topics": ["E11"], "ethics": True, "region": "NL"},
    }
    return asked | changed


def asked_of(value: Any) -> Any:
    return parse_question(json.dumps(value).encode())


def test_a_full_question_is_read() -> None:
    found = asked_of(question()).question
    assert ActorRef("org", "ura:00000123") in found.actor
    assert ActorRef("person", NONE) in found.actor
    assert ActorRef("treating_role", "01.015") in found.actor
    assert found.facts.categories == {Category.LABS}
    assert not found.facts.sensitivity_unknown
    assert found.study is not None
    assert found.study.regions == {"NL"}
    assert found.study.commercial is False


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        ({"role": ["r"], "treating": True}, {("treating_role", "r")}),
        ({"role": ["r"], "treating": False}, {("treating_role", NONE)}),
        ({"role": ["r"]}, {("treating_role", UNKNOWN)}),
        ({"role": ["r"], "treating": "?"}, {("treating_role", UNKNOWN)}),
        ({"role": ["r", "?"], "treating": True}, {("treating_role", "r"), ("treating_role", UNKNOWN)}),
        ({"role": "?", "treating": False}, {("treating_role", NONE)}),
        ({"role": [], "treating": True}, {("treating_role", NONE)}),
        ({"treating": True}, set()),
        ({"org": "?"}, {("org", UNKNOWN)}),
        ({"org": ["a", "?"]}, {("org", "a"), ("org", UNKNOWN)}),
        ({}, set()),
    ],
)
def test_who_asks(actor: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    found = asked_of(question(actor=actor)).question.actor
    assert found == {ActorRef(kind, value) for kind, value in expected}


def test_an_unknown_actor_is_unknown_in_every_kind() -> None:
    found = asked_of(question(actor="?")).question.actor
    assert found == {ActorRef(kind, UNKNOWN) for kind in ActorKind}


def test_labels_may_be_clusters_or_codes() -> None:
    one = resource_facts({"security_label": ["hiv", "PSY", "N"]})
    assert one.sensitivity == {Sensitivity.HIV, Sensitivity.MENTAL}
    assert not one.sensitivity_unknown
    assert resource_facts({"security_label": ["R"]}).sensitivity_unknown
    assert resource_facts({"security_label": ["hiv", "?"]}).sensitivity_unknown
    assert resource_facts({}).sensitivity_unknown


def test_times_may_be_partial_or_open() -> None:
    assert [str(d) for d in (resource_facts({"time": "2024-02"}).dates[0].last,)] == ["2024-02-29"]
    assert resource_facts({"time": ["2024", None]}).dates[0].last is None
    assert resource_facts({"time": ["?", "?"]}).dates == ()


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"colour": 1}, InvalidDocument),
        ({"at": "now"}, InvalidDocument),
        ({"at": None}, InvalidDocument),
        ({"known_as_of": "?"}, InvalidDocument),
        ({"actor": []}, InvalidDocument),
        ({"actor": {"org": [1]}}, InvalidDocument),
        ({"actor": {"colour": ["x"]}}, InvalidDocument),
        ({"actor": {"treating": "yes"}}, InvalidDocument),
        ({"action": ["dance"]}, UnknownCode),
        ({"resource": {"category": ["colours"]}}, UnknownCode),
        ({"resource": {"time": ["2025-02-01", "2025-01-01"]}}, InvalidDocument),
        ({"resource": {"time": ["a", "b"]}}, InvalidDocument),
        ({"resource": {"time": [1, 2]}}, InvalidDocument),
        ({"resource": {"time": ["2025"]}}, InvalidDocument),
        ({"resource": {"instance": 5}}, InvalidDocument),
        ({"resource": {"shoe": 5}}, InvalidDocument),
        ({"resource": 5}, InvalidDocument),
        ({"research": {"ethics": "yes"}}, InvalidDocument),
        ({"research": {"colour": True}}, InvalidDocument),
        ({"research": [1]}, InvalidDocument),
        ({"purpose": [""]}, InvalidDocument),
    ],
)
def test_what_is_not_of_this_shape_is_refused(changed: dict[str, Any], error: type[ConsentError]) -> None:
    with pytest.raises(error):
        asked_of(question(**changed))
    with pytest.raises(InvalidDocument):
        parse_question(b'{"at":"2026-06-01","at":"2026-06-01","resource":"?"}')


def plain(*records: Any, **members: Any) -> bytes:
    return json.dumps({"subject": "s", "records": list(records)} | members).encode()


GRANT: dict[str, Any] = {
    "hash": "g1",
    "kind": "grant",
    "id": "g",
    "at": "2026-01-01",
    "period": ["2026-01-01", "2027-01-01"],
    "rules": [
        {
            "effect": "permit",
            "actor": [["org", "ura:00000123"]],
            "purpose": ["TREAT"],
            "action": ["view"],
            "category": ["labs"],
            "sensitivity": [],
            "deidentification": "none",
        }
    ],
}
STOP: dict[str, Any] = {"hash": "w1", "kind": "withdrawal", "at": "2026-02-01", "target": ["grant", "g"]}


def answer(log: bytes, **changed: Any) -> Decision:
    ledger = parse_log(log, signed=False)
    asked = asked_of(question(**changed))
    return decide(ledger, asked.question, at=asked.at, known_as_of=asked.known_as_of)


def test_plain_records_decide_by_what_they_had_seen() -> None:
    assert isinstance(answer(plain(GRANT)), Permit)
    stopped = answer(plain(GRANT, STOP))
    assert isinstance(stopped, Deny)
    assert stopped.reason is Reason.WITHDRAWN
    again = GRANT | {"hash": "g2", "seen": ["g1", "w1"], "at": "2026-03-01"}
    assert isinstance(answer(plain(GRANT, STOP, again)), Permit)
    replay = answer(plain(GRANT, STOP), known_as_of="2026-01-15")
    assert isinstance(replay, Permit)


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (plain(GRANT, GRANT | {"id": "other"}), NotTrusted),
        (plain(GRANT | {"seen": ["g1"]}), NotTrusted),
        (plain(GRANT | {"subject": "t"}), NotTrusted),
        (plain(GRANT | {"hash": ""}), InvalidDocument),
        (plain({k: v for k, v in GRANT.items() if k != "hash"}), InvalidDocument),
        (plain(GRANT | {"colour": 1}), InvalidDocument),
        (plain(GRANT | {"position": -1}), InvalidDocument),
        (plain(GRANT | {"seen": "g0"}), InvalidDocument),
        (plain("text"), InvalidDocument),
        (plain(GRANT, colour=1), InvalidDocument),
        (plain(GRANT, subject=""), InvalidDocument),
        (plain(GRANT, records="x"), InvalidDocument),
        (b"{", InvalidDocument),
    ],
)
def test_a_plain_log_that_is_not_right_is_refused(log: bytes, error: type[ConsentError]) -> None:
    with pytest.raises(error):
        parse_log(log, signed=False)


MENTOR: dict[str, Any] = {
    "hash": "a1",
    "kind": "authority",
    "id": "mentor-of-s",
    "at": "2026-01-01",
    "representative": "k2",
    "basis": "mentor",
    "period": ["2026-01-01", "2026-07-01"],
}
COSIGNED: dict[str, Any] = {"hash": "c1", "kind": "cosignature", "at": "2026-01-02", "target": "g1"}


def test_a_representative_needs_an_authority_that_holds() -> None:
    by = {"kid": "k2", "role": "representative", "authority": "mentor-of-s"}
    signed = GRANT | {"by": by, "seen": ["a1"]}
    assert isinstance(answer(plain(MENTOR, signed)), Permit)
    late = answer(plain(MENTOR, signed), at="2026-08-01")
    assert isinstance(late, Deny)
    assert late.reason is Reason.AUTHORITY_LAPSED
    alone = answer(plain(GRANT | {"by": by}))
    assert isinstance(alone, Deny)
    assert alone.reason is Reason.AUTHORITY_LAPSED


def test_a_cosignature_names_what_it_signs_under() -> None:
    ledger = parse_log(plain(GRANT, COSIGNED | {"seen": ["g1"]}), signed=False)
    assert ledger.heads == ("c1",)
    with pytest.raises(InvalidDocument, match="cosignature_unseen"):
        parse_log(plain(GRANT, COSIGNED), signed=False)


def test_the_place_of_a_bad_record_is_told() -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_log(plain(GRANT, STOP | {"target": ["moon"]}), signed=False)
    assert caught.value.position == 1


def test_signed_and_plain_logs_give_the_same_answers() -> None:
    records = chained(a_grant(), a_grant(a_permit(category=[Category.PROBLEMS]), grant_id="g2"))
    tokens = [record.token for record in records]
    signed = parse_log(plain(*tokens, subject=SUBJECT, keys=[KEY.public.text]))
    bare = [record_to_json(record.record) | {"hash": record.hash} for record in records]
    unsigned = parse_log(plain(*bare, subject=SUBJECT), signed=False)
    for category in ("labs", "problems", "genetics"):
        asked = asked_of(question(resource={"category": [category], "security_label": []}))
        one = decide(signed, asked.question, at=asked.at)
        other = decide(unsigned, asked.question, at=asked.at)
        assert type(one) is type(other)
        assert one.basis == other.basis


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"keys": [SECOND_KEY.public.text]}, NotTrusted),
        ({"keys": ["AAAA"]}, NotTrusted),
        ({"keys": [b"\x01".decode() * 43]}, NotTrusted),
        ({"keys": "all"}, InvalidDocument),
        ({"subject": "another"}, NotTrusted),
        ({"records": [1]}, InvalidDocument),
        ({"records": ["x.y.z"]}, NotTrusted),
    ],
)
def test_a_signed_log_that_does_not_hold_is_refused(
    members: dict[str, Any], error: type[ConsentError]
) -> None:
    (signed,) = chained(a_grant())
    said: dict[str, Any] = {"keys": [KEY.public.text], "subject": SUBJECT, "records": [signed.token]}
    parse_log(plain(**said))
    with pytest.raises(error):
        parse_log(plain(**(said | members)))


def test_two_records_for_one_place_are_a_split_in_either_form() -> None:
    one, other = chained(a_grant())[0], chained(a_grant(grant_id="h"))[0]
    assert parse_log(plain(one.token, other.token, keys=[KEY.public.text], subject=SUBJECT)).splits
    twice = [{**record_to_json(r.record), "hash": r.hash, "position": 0} for r in (one, other)]
    assert parse_log(plain(*twice, subject=SUBJECT), signed=False).splits == {KEY.public.id: 0}
    del twice[1]["position"]
    assert not parse_log(plain(*twice, subject=SUBJECT), signed=False).splits


MEMBERS = ("actor", "purpose", "action", "resource", "research")
FACTS = ("category", "security_label", "code", "time", "author", "instance")
DENY: dict[str, Any] = {
    "hash": "d1",
    "kind": "grant",
    "id": "d",
    "at": "2026-01-01",
    "period": ["2026-01-01", "2027-01-01"],
}
DENIES = st.sampled_from(
    [
        {"actor": [["person", "big:9"]]},
        {"actor": [["registry", "x"]]},
        {"actor": [["treating_role", "99"]]},
        {"security_label": ["mental"]},
        {"category": ["documents"]},
        {"code": ["http://loinc.org|4548-4"]},
        {"data_period": [None, "2020-01-01"]},
        {"author": ["Practitioner/p2"]},
        {"instance": ["Observation/o2"]},
    ]
)


@given(DENIES, st.sets(st.sampled_from(MEMBERS)), st.sets(st.sampled_from(FACTS)))
def test_not_knowing_never_turns_a_deny_into_a_permit(
    deny: dict[str, Any], unknown: set[str], unknown_facts: set[str]
) -> None:
    """Law L13 over the format: what is permitted with "?" is permitted with the fact known."""
    log = plain(GRANT, DENY | {"rules": [{"effect": "deny", **deny}]})
    full = question()
    vague: dict[str, Any] = {**full, **dict.fromkeys(unknown, "?")}
    if "resource" not in unknown:
        vague["resource"] = full["resource"] | dict.fromkeys(unknown_facts, "?")
    if isinstance(answer(log, **vague), Permit):
        assert isinstance(answer(log), Permit)


def test_the_command_tells_by_its_exit_code(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    log, ask, bad = tmp_path / "log", tmp_path / "ask", tmp_path / "bad"
    log.write_bytes(plain(GRANT))
    ask.write_text(json.dumps(question()) + "\n\n", encoding="utf-8")
    bad.write_text("{}\n" + "x" * 3_000_000 + "\n" + json.dumps(question()), encoding="utf-8")
    words = ["consent", "decide", "--log", str(log), "--unsigned", "--ask"]
    assert main([*words, str(ask)]) == 0
    assert [json.loads(line)["decision"] for line in capsys.readouterr().out.splitlines()] == ["PERMIT"]
    assert main([*words, str(bad)]) == 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("decision") for line in lines] == [None, None, "PERMIT"]
    assert [line.get("line") for line in lines] == [1, 2, None]
    assert main(["consent", "decide", "--log", str(ask), "--ask", str(ask)]) == 3
    assert main(["consent", "import", str(log)]) == 3
    assert main(["consent", "import", str(tmp_path / "absent")]) == 3


def test_words_are_told_for_every_kind_of_answer() -> None:
    permit = answer(plain(GRANT))
    assert isinstance(permit, Permit)
    duties = replace(permit, obligations=frozenset({"DELAU", "MOR:2030-01-01", "ODD"}))
    text = explain_decision("nl", 1, duties)
    assert text.startswith("1. Toegestaan.")
    assert "2030-01-01" in text
    assert "ODD" in text
    assert "[" not in text
    assert CLINIC.value not in text


def test_words_of_an_import_name_rules_and_doubts() -> None:
    from consent.fhir_import import Directive, Proposal, Review

    grant = a_grant(a_permit(sensitivity=[Sensitivity.HIV]))
    text = explain_outcome("en", 1, Proposal(Dialect.GENERIC, grant.rules, grant.period))
    assert "ura:00000123" in text
    assert "hiv" in text
    for doubt in Doubt:
        assert "[" not in explain_outcome("nl", 1, Review(Dialect.GENERIC, (doubt,), ()))
    assert "[" not in explain_outcome("nl", 1, Directive())
