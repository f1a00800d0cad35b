"""Decisions: what the laws do not name one by one."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from consent.classify import classify
from consent.codes import (
    DENY_ACTIONS,
    DENY_CLOSURE,
    PERMIT_CLOSURE,
    RESEARCH_PURPOSES,
    Action,
    Deidentification,
)
from consent.dates import DateInterval
from consent.decision import (
    Decision,
    Deny,
    GrantState,
    Missing,
    Permit,
    Question,
    Reason,
    decide,
    grant_state,
    grants_in_force,
)
from consent.document import SignedRecord
from consent.effective import _Changes, effective
from consent.ledger import Ledger
from consent.matching import MAYBE, NO, YES, Asker, bind, date_relation, match, relate
from consent.model import (
    ANY,
    ActorRef,
    By,
    Category,
    DatePeriod,
    KeyRecord,
    Period,
    Record,
    ResearchUse,
    Sensitivity,
    Target,
    deny_rule,
)
from consent.plan import compile_plan, preview
from tests.support.consent_builders import (
    CLINIC,
    DOCTOR,
    KEY,
    NOW,
    OTHER,
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


def ask(ledger: Ledger, **members: Any) -> Decision:
    said: dict[str, Any] = {
        "actor": frozenset({CLINIC}),
        "purpose": frozenset({"TREAT"}),
        "action": frozenset({Action.VIEW}),
        "facts": facts(),
    }
    at = members.pop("at", NOW)
    return decide(ledger, Question(**(said | members)), at=at)


def reason_of(decision: Decision) -> Reason | None:
    return decision.reason if isinstance(decision, Deny) else None


def of_two_devices(first: Record, second: Record) -> Ledger:
    by = By(SECOND_KEY.public.id)
    return Ledger.of_verified(
        [*chained(first), *chained(replace(second, by=by), key=SECOND_KEY)], subject=SUBJECT
    )


def test_neither_outcome_has_a_truth_value() -> None:
    for decision in (ask(a_ledger(a_grant())), ask(a_ledger())):
        with pytest.raises(TypeError):
            bool(decision)


def test_a_grant_signed_by_a_distrusted_key_permits_nothing_from_that_place_on() -> None:
    revoke = KeyRecord(
        action="revoke",
        kid=KEY.public.id,
        from_position=0,
        subject=SUBJECT,
        by=By(KEY.public.id),
        at=instant(2026),
    )
    ledger = of_two_devices(a_grant(), revoke)
    assert reason_of(ask(ledger)) is Reason.SIGNATURE
    later = of_two_devices(a_grant(), replace(revoke, from_position=1))
    assert isinstance(ask(later), Permit)
    denied = of_two_devices(a_grant(deny_rule()), revoke)
    assert reason_of(ask(denied)) is Reason.DENIED
    add = KeyRecord(
        action="add", kid="k", key="AAAA", subject=SUBJECT, by=By(KEY.public.id), at=instant(2026)
    )
    assert isinstance(ask(of_two_devices(a_grant(), add)), Permit)


def test_a_representative_permits_nothing_without_authority_and_may_deny() -> None:
    by = By(KEY.public.id, "representative")
    assert reason_of(ask(a_ledger(a_grant(by=by)))) is Reason.AUTHORITY_LAPSED
    assert reason_of(ask(a_ledger(a_grant(), a_grant(deny_rule(), by=by, grant_id="n")))) is Reason.DENIED
    lift = a_withdrawal(Target("lift", ("n",)), by=by)
    assert reason_of(ask(a_ledger(a_grant(), a_grant(deny_rule(), grant_id="n"), lift))) is Reason.DENIED


def test_withdrawing_an_actor_leaves_the_others() -> None:
    grant = a_grant(a_permit(actor=[CLINIC, OTHER]))
    ledger = of_two_devices(grant, a_withdrawal(Target("actor", (CLINIC.kind, CLINIC.value))))
    assert reason_of(ask(ledger)) is Reason.WITHDRAWN
    assert isinstance(ask(ledger, actor=frozenset({OTHER})), Permit)
    assert reason_of(ask(ledger, actor=frozenset({OTHER, CLINIC}))) is Reason.WITHDRAWN


def test_withdrawing_a_purpose_leaves_the_others() -> None:
    grant = a_grant(a_permit(purpose=["TREAT", "CAREMGT"]))
    ledger = of_two_devices(grant, a_withdrawal(Target("purpose", ("TREAT",))))
    assert reason_of(ask(ledger)) is Reason.WITHDRAWN
    assert isinstance(ask(ledger, purpose=frozenset({"CAREMGT"})), Permit)


def test_states_of_a_grant() -> None:
    ledger = a_ledger(a_grant(at=instant(2024)))
    states = [grant_state(ledger, "g1", instant(year)) for year in (2025, 2026, 2028)]
    assert states == [GrantState.NOT_YET, GrantState.IN_FORCE, GrantState.EXPIRED]
    assert grant_state(ledger, "g2", NOW) is GrantState.UNKNOWN
    gone = a_ledger(a_grant(), a_withdrawal(Target("grant", ("g1",))))
    assert grant_state(gone, "g1", NOW) is GrantState.WITHDRAWN
    both = of_two_devices(a_grant(), a_grant(period=Period(instant(2025), instant(2026, 2))))
    assert grant_state(both, "g1", NOW) is GrantState.UNKNOWN
    assert grants_in_force(both, NOW) == ()
    assert [grant.id for grant in grants_in_force(ledger, NOW)] == ["g1"]
    lost = a_ledger(a_grant(seen=frozenset({"sha256:" + "1" * 64})))
    assert grant_state(lost, "g1", NOW) is GrantState.UNKNOWN
    assert grant_state(a_ledger(a_grant(deny_rule())), "g1", NOW) is GrantState.IN_FORCE


def test_a_denied_answer_names_what_the_nearest_grant_lacks() -> None:
    ledger = a_ledger(a_grant(a_permit(category=[Category.LABS]), a_permit(actor=[OTHER], category=ANY)))
    match ask(ledger, facts=facts([Category.PROBLEMS, Category.LABS]), action=frozenset({Action.WRITE})):
        case Deny() as deny:
            assert deny.reason is Reason.ACTION
            assert deny.missing == (
                Missing("action", ("write",), ("copy",)),
                Missing("category", ("labs", "problems"), ("labs",)),
            )
            assert deny.basis == ledger.heads
        case other:
            pytest.fail(f"permitted: {other}")


def test_every_kind_of_lack_is_told() -> None:
    rule = a_permit(
        code=["http://loinc.org|1-1"],
        instance=["Observation/9"],
        data_period=DatePeriod(date(2030, 1, 1), None),
        exception=[deny_rule(category=[Category.LABS])],
    )
    match ask(
        a_ledger(a_grant(rule)),
        actor=frozenset({OTHER}),
        purpose=frozenset({"HRESCH"}),
        facts=facts(sensitivity=frozenset({Sensitivity.HIV})),
    ):
        case Deny(missing=missing):
            assert [miss.dimension for miss in missing] == [
                *("actor", "purpose", "sensitivity", "code", "instance", "data_period", "exception")
            ]
            assert missing[0] == Missing("actor", ("org:ura:00000456",), ("org:ura:00000123",))
        case other:
            pytest.fail(f"permitted: {other}")


def test_asking_the_patient_makes_sense_only_for_research_beyond_a_grant() -> None:
    rule = a_permit(
        actor=[REGISTRY], purpose=["HRESCH"], action=[Action.EXTRACT], deidentification=Deidentification.DEID
    )
    waiting = a_ledger(a_grant(replace(rule, research_use=ResearchUse(topics=frozenset({"E11"})))))
    research = {"actor": frozenset({REGISTRY}), "action": frozenset({Action.EXTRACT})}
    match ask(waiting, purpose=frozenset({"DSRCH"}), **research):
        case Deny(reason=Reason.TOPIC, ask=wants):
            assert wants
        case other:
            pytest.fail(str(other))
    match ask(a_ledger(a_grant()), purpose=frozenset({"COC", "BTG"})):
        case Deny(reason=Reason.PURPOSE, ask=wants):
            assert not wants
        case other:
            pytest.fail(str(other))


def test_valid_until_is_the_next_change_of_what_was_matched() -> None:
    reviewed = a_ledger(a_grant(review_by=instant(2026, 9)))
    coming = a_ledger(
        a_grant(),
        a_grant(deny_rule(actor=[OTHER]), grant_id="n", period=Period(instant(2026, 8), instant(2027))),
    )
    for ledger, until in (
        (a_ledger(a_grant()), YEAR.until_at),
        (reviewed, instant(2026, 9)),
        (coming, instant(2026, 8)),
    ):
        decision = ask(ledger)
        assert isinstance(decision, Permit)
        assert decision.valid_until == until
        assert decision.head == ledger.head_hash


def test_an_empty_question_matches_no_permit_and_every_deny() -> None:
    nobody: dict[str, Any] = {"actor": frozenset(), "purpose": frozenset(), "action": frozenset()}
    assert isinstance(ask(a_ledger(a_grant()), **nobody), Deny)
    only = a_ledger(
        a_grant(), a_grant(deny_rule(actor=[OTHER], purpose=["HMARKT"], action=[Action.WRITE]), grant_id="n")
    )
    assert reason_of(ask(only, **nobody)) is Reason.DENIED


def test_an_unsaid_organisation_leaves_a_deny_open_but_a_registry_is_no_clinician() -> None:
    deny = a_grant(deny_rule(actor=[DOCTOR]), grant_id="n")
    assert reason_of(ask(a_ledger(a_grant(), deny))) is Reason.DENIED
    said = frozenset({CLINIC, ActorRef("person", "big:2")})
    assert isinstance(ask(a_ledger(a_grant(), deny), actor=said), Permit)
    research = a_grant(
        a_permit(
            actor=[REGISTRY],
            purpose=["HRESCH"],
            action=[Action.EXTRACT],
            deidentification=Deidentification.DEID,
        )
    )
    decision = ask(
        a_ledger(research, deny),
        actor=frozenset({REGISTRY}),
        purpose=frozenset({"HRESCH"}),
        action=frozenset({Action.EXTRACT}),
    )
    assert isinstance(decision, Permit)
    assert decision.obligations == {"NORELINK"}


@pytest.mark.parametrize(
    ("code", "wanted", "answer"),
    [
        ("http://hl7.org/fhir/sid/icd-10|E11.9", "http://hl7.org/fhir/sid/icd-10|E10-E14", YES),
        ("http://hl7.org/fhir/sid/icd-10-cm|E119", "http://hl7.org/fhir/sid/icd-10|E11", YES),
        ("http://hl7.org/fhir/sid/icd-10|E1", "http://hl7.org/fhir/sid/icd-10|E11", MAYBE),
        ("http://hl7.org/fhir/sid/icd-10|E10-E14", "http://hl7.org/fhir/sid/icd-10|E11", MAYBE),
        ("http://hl7.org/fhir/sid/icd-10|E15", "http://hl7.org/fhir/sid/icd-10|E10-E14", NO),
        ("http://hl7.org/fhir/sid/icd-10|I10", "http://hl7.org/fhir/sid/icd-10|E11", NO),
        ("http://www.whocc.no/atc|A10BA02", "http://www.whocc.no/atc|A10", YES),
        ("http://www.whocc.no/atc|A10", "http://www.whocc.no/atc|A10BA02", MAYBE),
        ("http://loinc.org|4548-4", "http://loinc.org|4548-4", YES),
        ("urn:oid:2.16.840.1.113883.6.1|4548-4", "http://loinc.org|4548-4", YES),
        ("http://loinc.org|4548-4", "http://loinc.org|1-1", MAYBE),
        ("http://snomed.info/sct|44054006", "http://hl7.org/fhir/sid/icd-10|E11", MAYBE),
    ],
)
def test_codes_relate(code: str, wanted: str, answer: int) -> None:
    assert relate(code, wanted) == answer


def test_dates_relate_to_a_period() -> None:
    period = DatePeriod(date(2020, 1, 1), date(2020, 12, 31))
    inside, before = DateInterval(date(2020, 5, 1), date(2020, 5, 1)), DateInterval(None, date(2019, 1, 1))
    across = DateInterval(date(2019, 6, 1), date(2020, 6, 1))
    late = DateInterval(date(2021, 1, 1), None)
    for dates, covers, touches in (
        ((), MAYBE, MAYBE),
        ((inside,), YES, YES),
        ((before,), NO, NO),
        ((late,), NO, NO),
        ((across,), MAYBE, MAYBE),
        ((inside, across), MAYBE, YES),
        ((inside, before), NO, YES),
    ):
        assert date_relation(period, dates, covers=True) == covers
        assert date_relation(period, dates, covers=False) == touches


def test_the_remaining_dimensions() -> None:
    asker = Asker(frozenset({CLINIC}), frozenset({"TREAT"}), frozenset({Action.VIEW}))
    rule = replace(a_permit(), encounter=frozenset({"Encounter/e1"}), author=frozenset({"Practitioner/p1"}))
    assert match(bind(rule, asker), facts()) == YES
    assert match(bind(rule, asker), facts(encounter=frozenset())) == MAYBE
    assert match(bind(rule, asker), facts(author=frozenset({"Practitioner/p2"}))) == NO
    named = a_permit(instance=["Observation/o1"], code=["http://loinc.org|4548-4"])
    assert match(bind(named, asker), facts()) == YES
    assert match(bind(named, asker), facts(reference=None)) == MAYBE
    assert match(bind(named, asker), facts(codes=frozenset())) == MAYBE
    label = deny_rule(security_label=[Sensitivity.GENETIC])
    assert match(bind(label, asker), facts([Category.GENETICS])) == YES
    assert match(bind(label, asker), facts(possible_categories=frozenset({Category.GENETICS}))) == MAYBE
    assert match(bind(deny_rule(category=[Category.LABS]), asker), facts([])) == MAYBE


def test_code_traps_of_the_published_hierarchy() -> None:
    """Guide consent.md section 1.4."""
    assert not PERMIT_CLOSURE["TREAT"] & {"CLINTRL", "POPHLTH", "TREATDS", "BTG"}
    assert PERMIT_CLOSURE["TREAT"] == {"TREAT", "COC", "ETREAT", "ERTREAT"}
    assert PERMIT_CLOSURE["HRESCH"] == {"HRESCH", "BIORCH", "DSRCH", "TRANSRCH"}
    assert DENY_CLOSURE["TREAT"] >= {"CLINTRL", "BTG", "POPHLTH"}
    assert {"CLINTRL", "MLTRAINING", "CLINTRCHNPC", "POARCH"} <= RESEARCH_PURPOSES
    assert DENY_ACTIONS[Action.VIEW] == {Action.VIEW, Action.COPY}


@pytest.mark.parametrize("seconds", [0.3])
def test_ten_thousand_resources_are_previewed_well_within_the_bar(seconds: float) -> None:
    """Guide consent.md section 6: plan + 10 000 resources < 0.3 s (CPU time here: the machine is shared)."""
    permits = [
        a_grant(a_permit(data_period=DatePeriod(date(2000 + n, 1, 1), None), code=None), grant_id=f"g{n}")
        for n in range(20)
    ]
    deny = a_grant(deny_rule(instance=["Observation/3"]), grant_id="deny")
    ledger = a_ledger(*permits, deny)
    many = [
        facts(
            reference=f"Observation/{n % 500}",
            days=[(date(1990 + n % 36, 1 + n % 12, 1), date(1990 + n % 36, 1 + n % 12, 1))],
        )
        for n in range(10_000)
    ]
    started = time.process_time()
    plan = compile_plan(ledger, actor=[CLINIC], purpose=["TREAT"], action=[Action.VIEW], at=NOW)
    seen = preview(plan, many)
    took = time.process_time() - started
    assert seen.total == 10_000
    assert seen.held_back[Reason.DENIED] == 20
    assert seen.permitted + sum(seen.held_back.values()) == seen.total
    assert seen.by_category == {Category.LABS: (seen.permitted, 10_000)}
    assert took < seconds


def test_only_grants_have_heads() -> None:
    signed: SignedRecord = chained(a_withdrawal(Target("all")))[0]
    with pytest.raises(TypeError):
        _Changes(a_ledger()).head(signed, NOW)
    assert effective(a_ledger(), NOW).lineages == ()


def test_facts_of_a_plain_observation_flow_into_a_decision() -> None:
    resource = {
        "resourceType": "Observation",
        "id": "o",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    }
    assert isinstance(
        ask(a_ledger(a_grant(a_permit(category=[Category.VITALS]))), facts=classify(resource)), Permit
    )
