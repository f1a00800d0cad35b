"""Statements: each numbered step refuses for its own reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consent.codes import Deidentification, Erase
from consent.decision import Deny, Permit, Reason
from consent.errors import (
    ConsentError,
    ExpiredDocument,
    Forked,
    InvalidDocument,
    NotTrusted,
    RolledBack,
    UnknownCode,
)
from consent.ledger import Ledger
from consent.model import (
    ANY,
    Action,
    ActorRef,
    Category,
    DatePeriod,
    Grant,
    Period,
    ResearchUse,
    Rule,
    Sensitivity,
    Target,
    deny_rule,
)
from consent.statement import (
    Statement,
    basis_name,
    build_statement,
    decide_under,
    open_statement,
    reread_statement,
    sign_statement,
    statement_hash,
    verify_statement,
)
from consent.statement_json import statement_from_json, statement_to_json
from crypto.canonical import canonical_bytes
from crypto.signing import sign_jws
from tests.support.consent_builders import (
    CLINIC,
    DOCTOR,
    KEY,
    NOW,
    OTHER,
    REGISTRY,
    SECOND_KEY,
    YEAR,
    a_grant,
    a_ledger,
    a_permit,
    a_withdrawal,
    chained,
    facts,
    instant,
    unsigned,
)

ME = "ura:00000123"


def a_statement(ledger: Ledger, *, audience: ActorRef = CLINIC, **members: Any) -> Statement:
    said: dict[str, Any] = {
        "audience_actor": audience,
        "audience_id": ME,
        "subject": KEY.public.text,
        "reply_key": "reply",
        "sequence": 1,
        "previous": None,
        "at": NOW,
    }
    return build_statement(ledger, **(said | members))


def verify(token: str, **members: Any) -> Statement:
    said: dict[str, Any] = {"audience": ME, "at": NOW, "highest_seen": 0, "previous_hash": None}
    key = members.pop("key", KEY.public)
    return verify_statement(token, key, **(said | members))


GRANTED = a_ledger(a_grant())


def test_a_sound_statement_verifies_to_what_was_built() -> None:
    built = a_statement(GRANTED)
    token = sign_statement(built, KEY)
    assert verify(token) == built == open_statement(token, KEY.public) == reread_statement(token)
    assert built.next_update_at == NOW + timedelta(days=30)
    assert built.until_at == YEAR.until_at


def test_statement_for_a_registry_is_fresh_for_a_week() -> None:
    rule = a_permit(
        actor=[REGISTRY], purpose=["HRESCH"], action=[Action.EXTRACT], deidentification=Deidentification.DEID
    )
    built = a_statement(a_ledger(a_grant(rule)), audience=REGISTRY)
    assert built.next_update_at == NOW + timedelta(days=7)


SECOND = sign_statement(a_statement(GRANTED, sequence=2, previous="sha256:before"), KEY)
FIRST = sign_statement(a_statement(GRANTED), KEY)
DUTY = sign_statement(a_statement(a_ledger(a_grant(a_permit(obligation=["DELAU"])))), KEY)

REFUSALS: list[tuple[str, str, dict[str, Any], type[ConsentError], str]] = [
    ("step 1: another key", FIRST, {"key": SECOND_KEY.public}, NotTrusted, "signature"),
    ("step 3: another type", sign_jws(b"{}", KEY, typ="pgo-grant+jws"), {}, NotTrusted, "signature"),
    ("step 4: not my name", FIRST, {"audience": "ura:9"}, NotTrusted, "audience"),
    ("step 5: seen before", FIRST, {"highest_seen": 1}, RolledBack, "sequence"),
    ("step 5: gap", SECOND, {}, NotTrusted, "gap"),
    ("step 5: other past", SECOND, {"highest_seen": 1, "previous_hash": "sha256:x"}, Forked, "previous"),
    ("step 6: stale", FIRST, {"at": NOW + timedelta(days=30)}, ExpiredDocument, "next_update"),
    ("step 6: future", FIRST, {"at": NOW - timedelta(hours=1)}, NotTrusted, "from_the_future"),
    ("step 9: duty", DUTY, {"honours": {"AUDIT"}}, NotTrusted, "duty"),
    ("step 10: not JSON", sign_jws(b"no", KEY, typ="pgo-statement+jws"), {}, InvalidDocument, "malformed"),
]


@pytest.mark.parametrize(
    ("name", "token", "members", "error", "reason"), REFUSALS, ids=[row[0] for row in REFUSALS]
)
def test_verification_refuses(
    name: str, token: str, members: dict[str, Any], error: type[ConsentError], reason: str
) -> None:
    with pytest.raises(error) as caught:
        verify(token, **members)
    assert caught.value.reason == reason


def test_step_4_the_issuer_must_be_the_pinned_key() -> None:
    foreign = replace(a_statement(GRANTED), issuer=SECOND_KEY.public.text)
    token = sign_jws(canonical_bytes(statement_to_json(foreign)), KEY, typ="pgo-statement+jws")
    with pytest.raises(NotTrusted, match="issuer"):
        open_statement(token, KEY.public)
    with pytest.raises(ValueError, match="issuer"):
        sign_statement(foreign, KEY)


def test_step_5_the_next_statement_names_the_one_before() -> None:
    second = sign_statement(a_statement(GRANTED, sequence=2, previous=statement_hash(FIRST)), KEY)
    assert verify(second, highest_seen=1, previous_hash=statement_hash(FIRST)).sequence == 2


def change(**members: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.update(members)


BROKEN: list[tuple[str, Callable[[dict[str, Any]], None], type[ConsentError]]] = [
    ("version", change(version=3), InvalidDocument),
    ("version true", change(version=True), InvalidDocument),
    ("version 1 with a basis", change(version=1), InvalidDocument),
    ("basis empty", change(basis=[]), InvalidDocument),
    ("basis without a scope", change(scope=[], duties=[]), InvalidDocument),
    ("basis in another order", change(basis=["sha256:b", "sha256:a"]), InvalidDocument),
    ("basis twice", change(basis=["sha256:a", "sha256:a"]), InvalidDocument),
    ("basis no text", change(basis=[1]), InvalidDocument),
    ("unknown member", change(colour="red"), InvalidDocument),
    ("member absent", lambda value: value.pop("duties"), InvalidDocument),
    ("newer engine", change(engine_min=2), InvalidDocument),
    ("sequence true", change(sequence=True), InvalidDocument),
    ("sequence zero", change(sequence=0), InvalidDocument),
    ("first with a past", change(previous="sha256:x"), InvalidDocument),
    ("previous number", change(previous=1), InvalidDocument),
    ("times turned", change(next_update_at="2020-01-01T00:00:00Z"), InvalidDocument),
    ("no reply key", change(reply_key=""), InvalidDocument),
    ("scope no list", change(scope={}), InvalidDocument),
    ("unknown erase", change(erase="burn"), UnknownCode),
    ("unknown duty", change(duties=["DANCE"]), UnknownCode),
    ("deny in scope", change(scope=[{"effect": "deny", "category": ["labs"]}]), InvalidDocument),
    ("unknown limit in scope", lambda value: value["scope"][0].update(colour="red"), UnknownCode),
]


@pytest.mark.parametrize(("name", "spoil", "error"), BROKEN, ids=[row[0] for row in BROKEN])
def test_step_10_refuses(
    name: str, spoil: Callable[[dict[str, Any]], None], error: type[ConsentError]
) -> None:
    value = json.loads(canonical_bytes(statement_to_json(a_statement(GRANTED))))
    assert statement_from_json(value)
    spoil(value)
    with pytest.raises(error):
        statement_from_json(value)


def test_a_statement_names_the_grants_it_rests_on_for_the_patient_alone() -> None:
    other = a_grant(grant_id="grant-other")
    elsewhere = a_grant(a_permit(actor=[OTHER]), grant_id="grant-elsewhere")
    built = a_statement(a_ledger(a_grant(), other, elsewhere))
    issuer = KEY.public.text
    assert built.basis == {basis_name(issuer, a_grant().id), basis_name(issuer, other.id)}
    assert len(built.scope) == 1, "both permit the same"
    assert basis_name(SECOND_KEY.public.text, a_grant().id) not in built.basis, (
        "two cannot be laid side by side"
    )
    text = canonical_bytes(statement_to_json(built)).decode()
    assert not any(grant.id in text for grant in (other, elsewhere))


def test_one_of_version_1_is_read_and_what_permits_nothing_is_written_so() -> None:
    value = statement_to_json(a_statement(GRANTED))
    former = {name: part for name, part in value.items() if name != "basis"} | {"version": 1}
    read = statement_from_json(former)
    assert read == replace(a_statement(GRANTED), basis=None)
    assert statement_to_json(read) == former
    nothing = statement_to_json(a_statement(a_ledger()))
    assert (nothing["scope"], nothing["version"], "basis" in nothing) == ([], 1, False)


def test_statement_needs_its_parties() -> None:
    with pytest.raises(InvalidDocument):
        replace(a_statement(GRANTED), audience="")


def test_reread_refuses_what_is_no_token() -> None:
    with pytest.raises(InvalidDocument):
        reread_statement("nothing")


def as_if_verified(*grants: Grant) -> Ledger:
    records = [unsigned(grant, f"u{place}", kid=f"k{place}") for place, grant in enumerate(grants)]
    return Ledger.of_verified(records, subject="synthetic-person")


def test_too_long_a_scope_is_not_signed() -> None:
    rule = a_permit(instance=[f"Observation/{number:060d}" for number in range(1000)])
    with pytest.raises(InvalidDocument, match="too_large"):
        sign_statement(a_statement(as_if_verified(a_grant(rule))), KEY)


def test_withdrawal_gives_an_empty_scope_with_its_erase_order() -> None:
    grant = a_grant()
    signed = chained(grant)
    others = [
        a_withdrawal(Target("actor", (OTHER.kind, OTHER.value)), erase=Erase.DELETE),
        a_withdrawal(Target("grant", ("g1",)), erase=Erase.DELETE_UNLOCKED, seen=frozenset({signed[0].hash})),
    ]
    built = a_statement(a_ledger(grant, *others))
    assert (built.scope, built.erase, built.duties) == ((), Erase.DELETE_UNLOCKED, frozenset())
    everything = a_statement(a_ledger(grant, *others, a_withdrawal(Target("all"), erase=Erase.DELETE)))
    assert everything.erase is Erase.DELETE


def ask(statement: Statement, **members: Any) -> Permit | Deny:
    said: dict[str, Any] = {
        "actor": [CLINIC],
        "purpose": ["TREAT"],
        "action": [Action.VIEW],
        "facts": facts(),
        "at": NOW,
    }
    return decide_under(statement, **(said | members))


def test_decide_under_permits_inside_the_scope_and_nothing_else() -> None:
    built = a_statement(GRANTED)
    assert isinstance(ask(built), Permit)
    assert isinstance(
        ask(built, at=NOW - timedelta(days=5)), Permit
    )  # a clock behind the issue counts as then
    for members, reason in (
        ({"at": built.next_update_at}, Reason.STALE_STATUS),
        ({"purpose": ["HRESCH"]}, Reason.PURPOSE),
        ({"actor": [OTHER]}, Reason.RECIPIENT),
        ({"facts": facts([Category.PROBLEMS])}, Reason.CATEGORY),
    ):
        outcome = ask(built, **members)
        assert isinstance(outcome, Deny)
        assert outcome.reason is reason
    empty = ask(a_statement(a_ledger()))
    assert isinstance(empty, Deny)
    assert empty.reason is Reason.NO_GRANT


def scope_of(*rules: Rule, audience: ActorRef = CLINIC) -> tuple[Rule, ...]:
    permits = [rule for rule in rules if rule.effect.value == "permit"]
    denies = [rule for rule in rules if rule.effect.value == "deny"]
    grants = [a_grant(*permits)] + ([a_grant(*denies, grant_id="d")] if denies else [])
    return a_statement(a_ledger(*grants), audience=audience).scope


def test_scope_names_nobody_else() -> None:
    (rule,) = scope_of(a_permit(actor=[CLINIC, OTHER, DOCTOR]))
    assert rule.actor == frozenset({CLINIC})
    assert scope_of(a_permit(actor=[OTHER])) == ()


def test_scope_is_cut_by_denies_without_listing_them() -> None:
    wide = a_permit(category=ANY, sensitivity=ANY, data_period=DatePeriod(instant(2020).date(), None))
    (by_category,) = scope_of(wide, deny_rule(category=[Category.GENETICS]))
    assert by_category.category == frozenset(Category) - {Category.GENETICS}
    (by_label,) = scope_of(wide, deny_rule(security_label=[Sensitivity.HIV]))
    assert by_label.sensitivity == frozenset(Sensitivity) - {Sensitivity.HIV}
    before, after = scope_of(
        wide, deny_rule(data_period=DatePeriod(instant(2022).date(), instant(2023).date()))
    )
    assert (before.data_period, after.data_period) == (
        DatePeriod(instant(2020).date(), instant(2021, 12, 31).date()),
        DatePeriod(instant(2023, 1, 2).date(), None),
    )
    (by_action,) = scope_of(wide, deny_rule(action=[Action.COPY]))
    assert by_action.action == frozenset({Action.VIEW})
    (by_purpose,) = scope_of(wide, deny_rule(purpose=["ETREAT"]))
    assert by_purpose.purpose == frozenset({"COC"})


def test_scope_gives_nothing_where_a_deny_has_no_positive_complement() -> None:
    assert scope_of(a_permit(), deny_rule(instance=["Observation/o9"])) == ()
    assert scope_of(a_permit(), deny_rule(actor=[CLINIC])) == ()
    assert scope_of(a_permit(), deny_rule(category=[Category.LABS])) == ()
    assert scope_of(a_permit(), deny_rule(action=[Action.VIEW])) == ()
    assert scope_of(a_permit(), deny_rule(purpose=["TREAT"])) == ()
    assert len(scope_of(a_permit(), deny_rule(actor=[OTHER]))) == 1


def test_scope_takes_carve_outs_out() -> None:
    cut = deny_rule(category=[Category.GENETICS])
    (rule,) = scope_of(a_permit(category=[Category.LABS, Category.GENETICS], exception=[cut]))
    assert rule.category == frozenset({Category.LABS})
    assert rule.exception == ()


def test_scope_leaves_out_a_period_that_is_wholly_denied() -> None:
    period = DatePeriod(instant(2022).date(), instant(2023).date())
    assert scope_of(a_permit(data_period=period), deny_rule(data_period=period)) == ()


def test_scope_leaves_out_rules_with_unknown_limits_and_forks() -> None:
    unreadable = as_if_verified(a_grant(replace(a_permit(), unknown=frozenset({"colour"}))))
    assert a_statement(unreadable).scope == ()
    one = chained(a_grant(a_permit()))
    two = chained(
        replace(a_grant(a_permit()), by=replace(a_grant().by, kid=SECOND_KEY.public.id)), key=SECOND_KEY
    )
    assert a_statement(Ledger.of_verified([*one, *two], subject="synthetic-person")).scope == ()


def test_scope_for_another_actor_keeps_no_research_delimited_by_a_registry() -> None:
    rule = a_permit(
        actor=[REGISTRY, CLINIC],
        purpose=["HRESCH"],
        action=[Action.EXTRACT],
        deidentification=Deidentification.DEID,
    )
    assert scope_of(rule) == ()
    assert len(scope_of(rule, audience=REGISTRY)) == 1
    by_topic = replace(rule, research_use=ResearchUse(topics=frozenset({"E11"})))
    assert len(scope_of(by_topic)) == 1


def test_scope_too_finely_cut_is_refused() -> None:
    cuts = [
        deny_rule(
            category=[list(Category)[number]],
            data_period=DatePeriod(instant(2000 + number, 2).date(), instant(2000 + number, 3).date()),
        )
        for number in range(12)
    ]
    with pytest.raises(InvalidDocument, match="scope_too_large"):
        scope_of(a_permit(category=ANY), *cuts)


def test_statement_ends_when_the_first_of_its_grants_ends_or_a_deny_starts() -> None:
    short = a_grant(grant_id="short", period=Period(instant(2026), instant(2026, 6, 10)))
    assert a_statement(a_ledger(a_grant(), short)).until_at == instant(2026, 6, 10)
    later = a_grant(deny_rule(), grant_id="deny", period=Period(instant(2026, 6, 5), instant(2027)))
    assert a_statement(a_ledger(a_grant(), later)).until_at == instant(2026, 6, 5)


def test_a_withdrawn_actor_gets_no_scope() -> None:
    gone = a_withdrawal(Target("actor", (CLINIC.kind, CLINIC.value)))
    assert (
        a_statement(a_ledger(gone, a_grant(a_permit(actor=[CLINIC, DOCTOR])))).scope != ()
    )  # chain: it has seen it
    other = replace(gone, by=replace(gone.by, kid=SECOND_KEY.public.id))
    records = [*chained(a_grant(a_permit(actor=[CLINIC, DOCTOR]))), *chained(other, key=SECOND_KEY)]
    assert a_statement(Ledger.of_verified(records, subject="synthetic-person")).scope == ()
