"""Does the fast plan answer as the slow engine does? Random logs, askers and resources, counted.

Run: ``python -m tests.support.plan_agreement --cases 1000000``

Worlds, askers and moments come from the strategies of the consent laws. The resources of one world are a few
drawn ones, some of this module's own, and crossings of their members, so that every member of the facts
(new ones too) takes part in every mixture. The reference is `Evaluator.answer`, of which `decide` is the
one-question form; every so often `decide` itself and the naive evaluator of the tests are asked as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.catalog import Catalog
from consent.dates import DateInterval
from consent.decision import Decision, Permit, Question, decide
from consent.effective import effective
from consent.evaluator import Evaluator
from consent.facts import ResourceFacts
from consent.matching import Asker
from consent.plan import Plan
from consent.plan_cells import cells_of, is_certain, key_of
from tests.support.consent_strategies import DAYS, World, likely, moments, resource_facts, worlds
from tests.support.naive_consent import Naive

ROWS_PER_WORLD = 200
_TOGETHER = ("categories", "possible_categories")
_OWN_DATES = (
    (),
    (DateInterval(date(2020, 1, 1), date(2020, 12, 31)),),
    (DateInterval(DAYS[0], None),),
    (DateInterval(None, DAYS[2]),),
    (DateInterval(DAYS[0], DAYS[0]), DateInterval(DAYS[3], DAYS[3])),
    (DateInterval(date(2022, 5, 5), date(2022, 5, 5)),),
)
_OWN_CODES = (
    frozenset({"http://hl7.org/fhir/sid/icd-10|E11"}),
    frozenset({"http://hl7.org/fhir/sid/icd-10|C50", "http://loinc.org|4548-4"}),
)


@dataclass
class Tally:
    """Cases compared, and how many of them were permitted."""

    worlds: int = 0
    cases: int = 0
    permits: int = 0


def plan_for(world: World, question: Question, at: datetime) -> Plan:
    """The plan of whoever asks this question."""
    return Plan(Evaluator(effective(world.ledger, at), asker_of(question)))


def asker_of(question: Question) -> Asker:
    """Everything of a question that is not the resource."""
    return Asker(**{field.name: getattr(question, field.name) for field in fields(Asker)})


def crossings(pool: Sequence[ResourceFacts], count: int, seed: int) -> list[ResourceFacts]:
    """Resources whose members come from different ones of the pool, after the pool itself."""
    random = Random(seed)
    found = list(pool)
    while len(found) < count:
        made = random.choice(pool)
        for field in fields(ResourceFacts):
            if field.name not in _TOGETHER and random.random() < 0.4:
                made = replace(made, **{field.name: getattr(random.choice(pool), field.name)})
        found.append(made)
    return found[:count]


def own_variants(facts: ResourceFacts) -> list[ResourceFacts]:
    """The asked resource with dates and codes that the strategies do not draw."""
    dated = [replace(facts, dates=dates) for dates in _OWN_DATES]
    coded = [replace(facts, codes=codes) for codes in _OWN_CODES]
    return [facts, *dated, *coded, replace(facts, encounter=frozenset({"Encounter/e1"}))]


def compare(world: World, question: Question, at: datetime, rows: list[ResourceFacts]) -> int:
    """Compare all ways of asking over these resources. Returns how many are permitted."""
    reference = Evaluator(effective(world.ledger, at), asker_of(question))
    wanted = [reference.answer(facts) for facts in rows]
    plan, catalog = plan_for(world, question, at), Catalog(rows)
    assert plan.permits(catalog) == [_permit(answer) for answer in wanted]
    assert list(map(_unquoted, plan.outcomes(catalog))) == list(map(_unquoted, wanted))
    assert [plan.decide(facts) for facts in rows] == wanted
    assert joined(plan, rows) == plan.permits(catalog)
    for index in (0, len(rows) // 2):
        asked = replace(question, facts=rows[index])
        assert decide(world.ledger, asked, at=at) == wanted[index] == plan.decide(rows[index])
        opinion = Naive(world.records).permitted(asked, at)
        assert (opinion is not None) == isinstance(wanted[index], Permit)
    return sum(isinstance(answer, Permit) for answer in wanted)


def _unquoted(answer: Decision) -> Decision:
    """An answer without what a refusal quotes of the resource."""
    if isinstance(answer, Permit):
        return answer
    return replace(answer, missing=tuple(replace(miss, asked=()) for miss in answer.missing))


def joined(plan: Plan, rows: Sequence[ResourceFacts]) -> list[Permit | None]:
    """What a database finds by joining its record keys with the cells of the plan, done by hand."""
    keys = [key_of(facts) for facts in rows]
    numbers = {kind: number for number, kind in enumerate({key.kind for key in keys})}
    cells = cells_of(plan, [(number, ResourceFacts.from_json(kind)) for kind, number in numbers.items()])
    found: list[Permit | None] = []
    for key, facts in zip(keys, rows, strict=True):
        own = [c for c in cells if c.kind == numbers[key.kind] and c.first <= key.first <= c.last]
        assert len(own) <= 1
        if facts.reference in plan.named or (own and not is_certain(own[0], key.first, key.last)):
            found.append(_permit(plan.decide(facts)))
        else:
            found.append(own[0].permit if own else None)
    return found


def _permit(answer: Decision) -> Permit | None:
    return answer if isinstance(answer, Permit) else None


def agree(cases: int, *, derandomize: bool = True) -> Tally:
    """Compare at least this many cases; an AssertionError shows the smallest world that differs."""
    tally = Tally()

    @settings(
        max_examples=-(-cases // ROWS_PER_WORLD),
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        world, at = data.draw(worlds()), data.draw(moments())
        question = data.draw(likely(world))
        pool = [*own_variants(question.facts), *data.draw(st.lists(resource_facts(), max_size=5))]
        rows = crossings(pool, ROWS_PER_WORLD, data.draw(st.integers(0, 2**16)))
        tally.permits += compare(world, question, at, rows)
        tally.worlds += 1
        tally.cases += len(rows)

    run()
    return tally


def main() -> None:
    """Compare, and print the figures."""
    parser = argparse.ArgumentParser(description="Compare the fast plan with the engine on random cases.")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--fresh", action="store_true", help="other cases than last time")
    chosen = parser.parse_args()
    tally = agree(chosen.cases, derandomize=not chosen.fresh)
    share = tally.permits / tally.cases
    print(f"{tally.cases} cases in {tally.worlds} worlds, {share:.0%} permitted, 0 differences")


if __name__ == "__main__":
    main()
