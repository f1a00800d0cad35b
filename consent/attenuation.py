"""Is one permit no wider than another, for every question that could be asked?

Structural and one-sided: `attenuates` says yes only when every member of the child is at least as
narrow as that of the parent and the child keeps all carve-outs of the parent. A no may be wrong, a yes
never is. Several permits are no wider than several others when **each** of them is inside one of those:
one branch that fits does not carry the others.

Source: guide consent.md sections 1.2 (attenuation hole) and 2.7, law L10.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from consent.codes import ANY, PERMIT_ACTIONS, PERMIT_CLOSURE, Effect
from consent.research import CONDITIONS, OPT_INS, ResearchUse
from consent.rules import DatePeriod, Rule
from consent.topics import inside
from consent.tri import YES

_LISTS: Final = ("actor", "instance", "author", "encounter")


def attenuates(child: Rule, parent: Rule) -> bool:
    """Say whether everything `child` permits is permitted by `parent`."""
    if not child.effect is parent.effect is Effect.PERMIT or parent.unknown:
        return False
    lists = all(_within(getattr(child, name), getattr(parent, name)) for name in _LISTS)
    reach = _reach(child.purpose, PERMIT_CLOSURE) <= _reach(parent.purpose, PERMIT_CLOSURE)
    actions = _reach(child.action, PERMIT_ACTIONS) <= _reach(parent.action, PERMIT_ACTIONS)
    kinds = _within(child.category, parent.category) and _within(child.sensitivity, parent.sensitivity)
    codes = _codes_within(child.code, parent.code)
    days = _days_within(child.data_period, parent.data_period)
    kept = frozenset(parent.exception) <= frozenset(child.exception)
    use = _use_within(child.research_use, parent.research_use)
    return lists and reach and actions and kinds and codes and days and kept and use


def attenuate(children: Iterable[Rule], parents: Iterable[Rule]) -> bool:
    """Say whether every one of the children lies inside one of the parents."""
    known = tuple(parents)
    return all(any(attenuates(child, parent) for parent in known) for child in children)


def _within(child: Any, parent: Any) -> bool:
    if parent is None or parent == ANY:
        return True
    return child is not None and child != ANY and child <= parent


def _reach(named: Any, closure: Any) -> frozenset[Any]:
    return frozenset[Any]().union(*(closure[code] for code in named or ()))


def _codes_within(child: frozenset[str] | None, parent: frozenset[str] | None) -> bool:
    if parent is None:
        return True
    return child is not None and all(any(inside(code, wide) == YES for wide in parent) for code in child)


def _days_within(child: DatePeriod | None, parent: DatePeriod | None) -> bool:
    if parent is None or (parent.first is None and parent.last is None and child is not None):
        return True
    if child is None:
        return False
    starts = parent.first is None or (child.first is not None and child.first >= parent.first)
    ends = parent.last is None or (child.last is not None and child.last <= parent.last)
    return starts and ends


def _use_within(child: ResearchUse | None, parent: ResearchUse | None) -> bool:
    own, limits = child or ResearchUse(), parent or ResearchUse()
    opted = all(getattr(limits, name) or not getattr(own, name) for name in OPT_INS)
    conditions = all(getattr(own, name) or not getattr(limits, name) for name in CONDITIONS)
    topics = not limits.topics or (
        bool(own.topics)
        and all(any(inside(topic, wide) == YES for wide in limits.topics) for topic in own.topics)
    )
    regions = not limits.regions or (bool(own.regions) and own.regions <= limits.regions)
    return opted and conditions and topics and regions
