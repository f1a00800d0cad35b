"""How fast is a consent decision? Our compiled plan beside everything it must agree with.

Run: ``python -m benchmarks.consent_bench [--rounds 9] [--records 100000]``

Fifty grants of one person (permits and denies, categories, sensitive clusters, clinical periods, several
recipients), 100,000 records, one recipient asking. Every variant decides in every round, in turning order;
the ratio is taken inside the round; the figure is the median. CPU time of the process, not wall time. Slow
variants decide a sample; all answers of a sample are compared with the plan before anything is timed.

Goals: guide performance.md section 12 (G10) and consent.md section 6.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from benchmarks.goals import Goal, print_goals
from benchmarks.lean_naive import allowed
from consent.catalog import Catalog
from consent.codes import Action, Category, Sensitivity
from consent.dates import DateInterval
from consent.decision import Question
from consent.document import SignedRecord
from consent.ledger import Ledger
from consent.model import ActorRef, DatePeriod, Grant, ResourceFacts, Rule, deny_rule, permit_rule
from consent.plan import Plan, compile_plan, preview
from crypto.keys import SigningKey
from tests.support.consent_builders import NOW, SUBJECT, a_grant, chained
from tests.support.naive_consent import Naive

GRANTS, KINDS, FIRST_DAY, DAYS = 50, 244, date(2015, 1, 1), 4_000
ORGANISATIONS = [ActorRef("org", f"ura:{number:08}") for number in range(6)]
ASKER, PURPOSE, ACTION = ORGANISATIONS[0], "TREAT", Action.COPY
Variants = dict[str, tuple[Callable[[], object], int]]


def grants(random: Random) -> list[Grant]:
    """Fifty grants of one person; every fifth is an objection."""
    made: list[Grant] = []
    for number in range(GRANTS):
        rule = _deny(random) if number % 5 == 4 else _permit(random)
        made.append(a_grant(rule, grant_id=f"g{number}"))
    return made


def _permit(random: Random) -> Rule:
    first = FIRST_DAY + timedelta(days=random.randrange(DAYS))
    last = first + timedelta(days=random.randrange(200, 1500))
    return permit_rule(
        actor=random.sample(ORGANISATIONS, 5),
        purpose=["TREAT"],
        action=[Action.COPY],
        category=random.sample(sorted(Category), random.randrange(2, 9)),
        sensitivity=random.sample(sorted(Sensitivity), random.choice([0, 0, 2, 5])),
        data_period=DatePeriod(first, last) if random.random() < 0.7 else None,
    )


def _deny(random: Random) -> Rule:
    first = FIRST_DAY + timedelta(days=random.randrange(DAYS))
    return deny_rule(
        actor=random.sample(ORGANISATIONS, 4),
        category=random.sample(sorted(Category), 2),
        security_label=random.sample(sorted(Sensitivity), 2) if random.random() < 0.5 else None,
        data_period=DatePeriod(first, first + timedelta(days=300)) if random.random() < 0.5 else None,
    )


def records(random: Random, count: int) -> list[ResourceFacts]:
    """Records in a few hundred kinds over eleven years; one in ten has no single certain day."""
    kinds = sorted({_kind(random): None for _ in range(3 * KINDS)}, key=repr)[:KINDS]
    return [
        replace(random.choice(kinds), reference=f"Observation/o{number}", dates=_dates(random))
        for number in range(count)
    ]


def _kind(random: Random) -> ResourceFacts:
    sensitive = random.sample(sorted(Sensitivity), random.choice([0, 0, 0, 0, 1, 2]))
    return ResourceFacts(
        resource_type="Observation",
        categories=frozenset(random.sample(sorted(Category), random.choice([1, 1, 1, 2]))),
        sensitivity=frozenset(sensitive),
        sensitivity_unknown=random.random() < 0.03,
    )


def _dates(random: Random) -> tuple[DateInterval, ...]:
    day = FIRST_DAY + timedelta(days=random.randrange(DAYS))
    chance = random.random()
    if chance < 0.02:
        return ()
    if chance < 0.06:
        return (DateInterval(date(day.year, 1, 1), date(day.year, 12, 31)),)
    if chance < 0.1:
        later = day + timedelta(days=random.randrange(1, 400))
        return (DateInterval(day, day), DateInterval(later, later))
    return (DateInterval(day, day),)


class Bench:
    """One person, one recipient, all variants."""

    def __init__(self, count: int) -> None:
        random = Random(20261122)
        self.signed: list[SignedRecord] = chained(*grants(random))
        self.ledger = Ledger.of_verified(self.signed, subject=SUBJECT)
        self.facts = records(random, count)
        self.catalog = Catalog(self.facts)
        self.plan = self.compiled()
        self.answers = self.plan.permits(self.catalog)

    def compiled(self) -> Plan:
        """A plan of the ledger as it is, as after every change of a grant."""
        return _compiled(self.ledger)

    def recompile(self) -> object:
        """All the work between a changed grant and the first sweep, without the sweep itself."""
        plan = self.compiled()
        plan.prepare(self.catalog)
        return plan

    def variants(self) -> Variants:
        """Name to (work, number of decisions)."""
        naive, engine = Naive(self.signed), self.plan.evaluator
        some, few = self.facts[:400], self.facts[:25]
        asked = [Question(frozenset({ASKER}), frozenset({PURPOSE}), frozenset({ACTION}), f) for f in few]
        wanted = [answer is not None for answer in self.answers]
        rules = [rule for signed in self.signed for rule in _rules(signed)]
        lean = [allowed(rules, (ASKER, PURPOSE, ACTION), one) for one in self.facts]
        if lean != wanted:
            raise SystemExit("the lean evaluator and the plan disagree")
        assert [naive.permitted(question, NOW) is not None for question in asked] == wanted[:25]
        assert [self.plan.decide(one) for one in some] == [engine.answer(one) for one in some]
        found: Variants = {
            "compiled plan": (lambda: self.plan.permits(self.catalog), len(self.facts)),
            "compiled, with reasons": (lambda: self.plan.outcomes(self.catalog), len(self.facts)),
            "recompile": (self.recompile, 1),
            "preview of 10,000, reasons": (lambda: preview(self.compiled(), self.facts[:10_000]), 1),
            "engine, rules bound": (lambda: [engine.answer(one) for one in some], len(some)),
            "lean, yes or no": (
                lambda: [allowed(rules, (ASKER, PURPOSE, ACTION), one) for one in self.facts[:5_000]],
                5_000,
            ),
            "naive evaluator": (lambda: [naive.permitted(question, NOW) for question in asked], len(asked)),
        }
        return found | self._cedar()

    def _cedar(self) -> Variants:
        try:
            from tests.support import cedar_oracle as cedar
        except ImportError:
            print("cedarpy is not installed: no comparison with Cedar")
            return {}
        known = [
            (one, answer is not None)
            for one, answer in zip(self.facts[:2_000], self.answers, strict=False)
            if len(one.dates) == 1 and one.dates[0].first == one.dates[0].last and not one.sensitivity_unknown
        ][:500]
        rules = [rule for grant in self.signed for rule in _rules(grant)]
        policies, resources = cedar.policy_set(rules), cedar.entities([one for one, _ in known])
        asked = cedar.requests(len(known), actor=ASKER, purpose=PURPOSE, action=ACTION.value)
        assert cedar.allowed(asked, policies, resources) == [permitted for _, permitted in known]
        return {"cedarpy, batch": (lambda: cedar.allowed(asked, policies, resources), len(asked))}


def _compiled(ledger: Ledger) -> Plan:
    return compile_plan(ledger, actor=[ASKER], purpose=[PURPOSE], action=[ACTION], at=NOW)


def _rules(signed: SignedRecord) -> tuple[Rule, ...]:
    return signed.record.rules if isinstance(signed.record, Grant) else ()


def measure(variants: Variants, rounds: int) -> dict[str, list[float]]:
    """CPU seconds per decision of every variant in every round."""
    names = list(variants)
    taken: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.freeze()  # 100,000 records of the benchmark itself would be walked again and again
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            work, count = variants[name]
            start = time.process_time()
            work()
            taken[name].append((time.process_time() - start) / count)
    return taken


def once(work: Callable[[], object], rounds: int) -> float:
    """Median CPU seconds of one piece of work."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def ratio(taken: dict[str, list[float]], slow: str, fast: str) -> float:
    """Median over rounds of how many times faster one is than the other."""
    return statistics.median(a / b for a, b in zip(taken[slow], taken[fast], strict=True))


def signatures(rounds: int) -> float:
    """CPU seconds to verify a ledger of 1,000 signed records."""
    key = SigningKey.generate()
    made = [
        replace(a_grant(grant_id=f"g{n}"), by=replace(a_grant().by, kid=key.public.id)) for n in range(1000)
    ]
    tokens = [signed.token for signed in chained(*made, key=key)]
    return once(lambda: Ledger.of(tokens, keys=[key.public], subject=SUBJECT), rounds)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description="Measure consent decisions.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--records", type=int, default=100_000)
    chosen = parser.parse_args()
    bench = Bench(chosen.records)
    taken = measure(bench.variants(), chosen.rounds)
    share = sum(answer is not None for answer in bench.answers) / len(bench.answers)
    print(
        f"{GRANTS} grants, {chosen.records} records, {share:.1%} permitted, {chosen.rounds} rounds, CPU time"
    )
    for name, seconds in taken.items():
        print(f"  {name:24} {statistics.median(seconds) * 1e6:12.3f} us")
    print_goals(_goals(bench, taken, chosen.rounds))


def _goals(bench: Bench, taken: dict[str, list[float]], rounds: int) -> list[Goal]:
    def share(slow: str) -> float:
        pairs = zip(taken["recompile"], taken[slow], strict=True)
        return statistics.median(new / (one * 1e5) for new, one in pairs) * 100

    ten = bench.facts[:10_000]
    draft = Ledger.of_verified(bench.signed[:1], subject=SUBJECT)

    def times(slow: str) -> float:
        return ratio(taken, slow, "compiled plan")

    goals = [
        Goal("decision, times faster than a lean yes or no", 40, times("lean, yes or no"), True, "G10b"),
        Goal("decision, times faster than all the rules", 40, times("naive evaluator"), True, "G10c"),
        Goal("recompile, % of a pass of all the rules", 1, share("naive evaluator"), code="G10d"),
        Goal("recompile, % of a lean pass", 1, share("lean, yes or no"), code="G10f"),
        Goal("1,000 signatures verified, s", 0.2, signatures(rounds), code="G10e"),
        Goal("decision, us", 0.14, statistics.median(taken["compiled plan"]) * 1e6),
        Goal("plan + 10,000 records, s", 0.3, once(lambda: bench.compiled().permits(Catalog(ten)), 3)),
        Goal("preview of 10,000, one draft, s", 0.1, once(lambda: preview(_compiled(draft), ten), 3)),
    ]
    if "cedarpy, batch" in taken:
        goals.insert(
            0, Goal("decision, times faster than cedarpy", 1000, times("cedarpy, batch"), True, "G10")
        )
    return goals


if __name__ == "__main__":
    main()
