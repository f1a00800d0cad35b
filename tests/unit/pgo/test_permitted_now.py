"""Everything a recipient may see now, by one join: the same records as asking the plan one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from consent.codes import Action, Category, Sensitivity
from consent.errors import InvalidDocument
from consent.model import ANY, DatePeriod, ResourceFacts, Rule, deny_rule
from consent.outcome import Permit
from consent.plan import Plan, compile_plan
from consent.plan_cells import cells_of, key_of
from pgo.health.demo import demo_bundle
from pgo.store.consent_keys import _JOIN
from pgo.store.vault import Vault
from pgo.usecases import medicate
from pgo.usecases.collect import collect
from pgo.usecases.facts import all_facts, permitted_now
from pgo.usecases.session import Session
from tests.support.consent_builders import CLINIC, NOW, a_grant, a_ledger, a_permit
from tests.support.vaults import START, Home, a_bundle

LEDGERS = 40


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = Home(tmp_path).open_new()
    collect(opened, demo_bundle(START.date()), name="demo.json")
    yield opened
    opened.lock()


def plan_of(*rules: Rule) -> Plan:
    ledger = a_ledger(*(a_grant(rule, grant_id=f"g{number}") for number, rule in enumerate(rules)))
    return compile_plan(ledger, actor=[CLINIC], purpose=["TREAT"], action=[Action.COPY], at=NOW)


def one_by_one(session: Session, plan: Plan) -> dict[int, Permit]:
    answers = ((number, plan.decide(facts)) for number, facts in all_facts(session))
    return {number: answer for number, answer in answers if isinstance(answer, Permit)}


def random_rules(session: Session, random: Random) -> list[Rule]:
    """Permits and denies that name what the records of this vault really have."""
    facts = [one for _, one in all_facts(session)]
    rules: list[Rule] = []
    for _ in range(random.randrange(1, 5)):
        sample, first = random.choice(facts), START.date() - timedelta(days=random.randrange(4000))
        limits: list[dict[str, Any]] = [
            {},
            {"data_period": DatePeriod(first, random.choice([None, first + timedelta(days=700)]))},
            {"data_period": DatePeriod(None, first)},
            {"code": sorted(sample.codes)[:1] or None},
            {"instance": [sample.reference] if sample.reference else None},
            {"author": sorted(sample.author)[:1] or None},
        ]
        category: Any = random.choice([ANY, sorted(sample.categories) or [Category.LABS]])
        if random.random() < 0.65 or not rules:
            cut = [deny_rule(category=[Category.LABS], data_period=DatePeriod(first, None))]
            rules.append(
                a_permit(
                    category=category,
                    sensitivity=random.choice([ANY, (), sorted(Sensitivity)]),
                    exception=random.choice([(), (), cut]),
                    **random.choice(limits),
                )
            )
        else:
            rules.append(deny_rule(category=category, **random.choice(limits)))
    return rules


def test_the_join_finds_what_the_plan_permits_one_by_one_and_nothing_else(session: Session) -> None:
    random, sizes = Random(4), set()
    for _ in range(LEDGERS):
        plan = plan_of(*random_rules(session, random))
        found = permitted_now(session, plan)
        assert found == one_by_one(session, plan)
        sizes.add(len(found))
    assert len(sizes) > LEDGERS // 4, "these ledgers hardly differ"
    assert max(sizes) > 200


def test_a_hidden_record_stays_out_whatever_the_join_finds(session: Session) -> None:
    everything = a_permit(category=ANY, sensitivity=ANY)
    number, name = next((n, facts.reference) for n, facts in all_facts(session) if facts.reference)
    hidden = plan_of(everything, deny_rule(instance=[name]))
    assert number not in permitted_now(session, hidden)
    assert number in permitted_now(session, plan_of(everything))


def test_the_trash_is_never_found_and_a_restored_record_is(session: Session) -> None:
    plan = plan_of(a_permit(category=ANY, sensitivity=ANY))
    number = min(permitted_now(session, plan))
    medicate.remove(session, number)
    assert number not in permitted_now(session, plan)
    medicate.restore(session, number)
    assert number in permitted_now(session, plan)


def test_a_record_that_changes_is_found_by_its_new_day(session: Session) -> None:
    def weight(day: str) -> bytes:
        code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
        subject = {"reference": "Patient/demo-patient"}
        body = {"resourceType": "Observation", "id": "w-1", "status": "final", "code": code}
        return a_bundle(body | {"subject": subject, "effectiveDateTime": day})

    plan = plan_of(a_permit(category=ANY, data_period=DatePeriod(date(2010, 1, 1), date(2010, 12, 31))))
    collect(session, weight("2010-06-01"), name="a.json", accept_person=True)
    assert len(permitted_now(session, plan)) == 1
    collect(session, weight("2019-06-01"), name="b.json", accept_person=True)
    assert permitted_now(session, plan) == {}


def test_records_of_an_older_program_get_their_keys_when_first_asked(session: Session) -> None:
    plan = plan_of(a_permit(category=ANY, sensitivity=ANY))
    wanted = permitted_now(session, plan)
    assert isinstance(session.store, Vault)
    engine = session.store.records._engine
    with session.store.write(START):
        engine.run("UPDATE record SET consent_kind = NULL, first_day = '', last_day = ''")
        engine.run('UPDATE record SET facts = replace(facts, \'"table":"\', \'"table":"older-\')')
    assert permitted_now(session, plan) == wanted
    assert session.store.records.consent.missing() == {}


def test_a_new_table_of_codes_remakes_facts_and_keys_when_next_asked(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(a_permit(category=ANY, sensitivity=ANY))
    before = permitted_now(session, plan)
    assert before
    monkeypatch.setattr("consent.facts.TABLE_VERSION", "cat-9999.1")
    with pytest.raises(InvalidDocument, match="stale_table"):
        ResourceFacts.from_json(session.store.records.facts()[0][1])
    assert permitted_now(session, plan).keys() == before.keys()
    assert all("cat-9999.1" in text for _, text in session.store.records.facts())
    assert all("cat-9999.1" in text for _, text in session.store.records.consent.kinds())


def test_a_record_that_was_in_the_trash_when_the_table_changed_is_made_anew_when_it_comes_back(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(a_permit(category=ANY, sensitivity=ANY))
    number = min(permitted_now(session, plan))
    medicate.remove(session, number)
    monkeypatch.setattr("consent.facts.TABLE_VERSION", "cat-9999.1")
    assert number not in permitted_now(session, plan)
    medicate.restore(session, number)
    assert permitted_now(session, plan) == one_by_one(session, plan)
    assert number in permitted_now(session, plan)


def test_a_kind_numbered_in_an_undone_transaction_means_nothing_afterwards(session: Session) -> None:
    plan = plan_of(a_permit(category=[Category.LABS]))
    records, wanted = session.store.records, permitted_now(session, plan)
    number = min(wanted)
    (facts,) = records.consent.facts_of([number]).values()
    directive = replace(facts, categories=frozenset({Category.DIRECTIVES})).to_json()
    both = replace(facts, categories=frozenset({Category.CAREPLANS, Category.LABS})).to_json()

    def give_up() -> None:
        with session.store.write(START):
            records.set_facts({number: directive})
            records.set_facts({number: directive})
            raise LookupError

    with pytest.raises(LookupError):
        give_up()
    for text in (both, directive):
        with session.store.write(START):
            records.set_facts({number: text})
    newest = dict(records.consent.kinds())[max(dict(records.consent.kinds()))]
    assert newest == key_of(ResourceFacts.from_json(directive)).kind
    assert set(permitted_now(session, plan)) == set(wanted) - {number}


def test_the_join_reads_nothing_but_the_index(session: Session) -> None:
    plan = plan_of(a_permit(category=ANY, sensitivity=ANY))
    permitted_now(session, plan)
    assert isinstance(session.store, Vault)
    engine = session.store.records._engine
    steps = [row[3] for row in engine.rows(f"EXPLAIN QUERY PLAN {_JOIN}", ("[]",))]
    wanted = "COVERING INDEX record_consent (consent_kind=? AND first_day>? AND first_day<?"
    assert any(wanted in step for step in steps), steps


def test_a_plan_that_permits_nothing_has_no_cells(session: Session) -> None:
    plan = plan_of(a_permit(actor=[CLINIC], purpose=["PUBHLTH"]))
    assert cells_of(plan, [(1, facts) for _, facts in all_facts(session)]) == []
    assert permitted_now(session, plan) == {}
