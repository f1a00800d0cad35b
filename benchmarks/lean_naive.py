"""The leanest decision one would write by hand: for each record, look at each rule. The yardstick of a ratio.

It answers yes or no and nothing else, for the grants of ``consent_bench`` only: all in force, no withdrawals,
no carve-outs, no research, one asker. No reasons, no near misses, no basis. For those grants its answers are
those of the engine; the benchmark compares them before it times anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consent.codes import Action, Category, Effect, Sensitivity
from consent.dates import DateInterval
from consent.model import ActorRef, DatePeriod, ResourceFacts, Rule

Asked = tuple[ActorRef, str, Action]


def allowed(rules: Iterable[Rule], asked: Asked, facts: ResourceFacts) -> bool:
    """Say yes when a permit covers the record for certain and no deny may touch it."""
    actor, purpose, action = asked
    permitted = False
    for rule in rules:
        if rule.actor is not None and actor not in rule.actor:
            continue
        if rule.effect is Effect.DENY:
            if _denies(rule, facts):
                return False
        elif not permitted and purpose in (rule.purpose or ()) and action in (rule.action or ()):
            permitted = _permits(rule, facts)
    return permitted


def _permits(rule: Rule, facts: ResourceFacts) -> bool:
    categories, open_to = rule.category, rule.sensitivity
    if not isinstance(categories, frozenset) or not isinstance(open_to, frozenset):
        return False
    if not facts.categories or not facts.categories <= categories or facts.sensitivity_unknown:
        return False
    if not _clusters(facts) <= open_to:
        return False
    return rule.data_period is None or _inside(rule.data_period, facts.dates)


def _denies(rule: Rule, facts: ResourceFacts) -> bool:
    if isinstance(rule.category, frozenset) and facts.categories and not facts.categories & rule.category:
        return False
    label = rule.security_label
    if label is not None and not facts.sensitivity_unknown and not _clusters(facts) & label:
        return False
    return rule.data_period is None or _touches(rule.data_period, facts.dates)


def _clusters(facts: ResourceFacts) -> frozenset[Sensitivity]:
    genetic = Category.GENETICS in facts.categories
    return facts.sensitivity | {Sensitivity.GENETIC} if genetic else facts.sensitivity


def _inside(period: DatePeriod, dates: Sequence[DateInterval]) -> bool:
    return bool(dates) and all(
        (period.first is None or (day.first is not None and day.first >= period.first))
        and (period.last is None or (day.last is not None and day.last <= period.last))
        for day in dates
    )


def _touches(period: DatePeriod, dates: Sequence[DateInterval]) -> bool:
    return not dates or any(
        (period.last is None or day.first is None or day.first <= period.last)
        and (period.first is None or day.last is None or day.last >= period.first)
        for day in dates
    )
