"""Turn a ledger into the positive scope of one recipient: what it may, and nothing about the rest.

A statement must not reveal what is withheld or who else is trusted, so denies and carve-outs are
taken out of the permits instead of being listed:

1. only permits that name this recipient, with the actor narrowed to it alone;
2. permit minus deny = the union, over the members of the deny, of the permit reduced in that one
   member (not(A and B) = not A or not B);
3. a member whose complement cannot be said positively (this record, this author, this code) gives
   no region, so the scope may be narrower than the ledger, never wider;
4. unless the sender says which resources the recipient holds: then such a deny names those of them
   it bites, by reference, as the one carve-out a region may have. It reveals nothing, since the
   recipient has them; what it does not have is not named and never sent, because the sender decides
   with the ledger;
5. a forked lineage gives no region until it is healed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, TypeAlias

from consent.attenuation import attenuate
from consent.codes import (
    ANY,
    DENY_ACTIONS,
    DENY_CLOSURE,
    PERMIT_ACTIONS,
    PERMIT_CLOSURE,
    Category,
    Effect,
    Sensitivity,
)
from consent.effective import Effective, Head, HeadState
from consent.errors import InvalidDocument
from consent.facts import ResourceFacts
from consent.matching import NO, Asker, Dimension, bind, match
from consent.rules import ActorRef, DatePeriod, Rule, check_rule

MAX_REGIONS: Final = 200
MAX_NAMED: Final = 500
"""References one statement may name (rule 4); more would not fit its size limit."""

_NAMELESS: Final = "Basic/nameless"
"""A resource without a reference cannot be named, but a carve-out by name is undecided on it, and that
cuts it; so it is enough that there is one."""

_UNSAYABLE: Final = ("instance", "author", "encounter", "code", "research_use")
Bitten: TypeAlias = Callable[[Rule], frozenset[str] | None]


def positive_scope(
    state: Effective, audience: ActorRef, *, held: Collection[ResourceFacts] | None = None
) -> tuple[tuple[Head, Rule], ...]:
    """Return the regions this recipient may act in, each with the grant head it rests on.

    Args:
        state: what holds now.
        audience: the recipient, as grants name it.
        held: everything the recipient may have (rule 4); None when nobody knows, then by rule 3.

    Raises:
        InvalidDocument: the denies cut the permits into more regions than a statement can hold.
    """
    asker = Asker(frozenset({audience}), frozenset(), frozenset())

    def bitten(deny: Rule) -> frozenset[str] | None:
        return None if held is None else _bitten(deny, asker, held)

    denies = [rule for _, rule in state.denies if _concerns(rule, asker)]
    found: list[tuple[Head, Rule]] = []
    for line in state.lineages:
        head = line.heads[0]
        if len(line.heads) != 1 or head.state is not HeadState.IN_FORCE or audience in head.barred_actors:
            continue
        for rule in head.permits:
            if rule.unknown or rule.actor is None or audience not in rule.actor:
                continue
            if head.scope and not attenuate([rule], head.scope):
                # Beyond the signer's authority, or not surely within: said to nobody.
                continue
            cuts = [child for child in rule.exception if _concerns(child, asker)]
            narrowed = replace(rule, actor=frozenset({audience}), exception=())
            regions = _without(narrowed, (*denies, *cuts), bitten)
            found.extend(
                (head, part)
                for region in regions
                for part in _unbarred(region, head.barred_purposes | head.lapsed_purposes)
            )
    return tuple(found)


def _concerns(rule: Rule, asker: Asker) -> bool:
    """Say whether a deny or carve-out could bite this recipient; only a sure no lets it go."""
    return dict(bind(rule, asker).asker)[Dimension.ACTOR] != NO


def _bitten(deny: Rule, asker: Asker, held: Collection[ResourceFacts]) -> frozenset[str] | None:
    """References of held resources a deny may bite for whatever use; None for more than fit."""
    bound = bind(deny, asker)
    names = frozenset(facts.reference or _NAMELESS for facts in held if match(bound, facts) != NO)
    return None if len(names) > MAX_NAMED else names


def _without(rule: Rule, denies: Iterable[Rule], bitten: Bitten) -> list[Rule]:
    regions = [rule]
    for deny in denies:
        names = bitten(deny) if any(getattr(deny, name) is not None for name in _UNSAYABLE) else None
        if names is not None:
            regions = [_except(region, names) for region in regions]
            continue
        regions = list(dict.fromkeys(part for region in regions for part in _minus(region, deny)))
        if len(regions) > MAX_REGIONS:
            raise InvalidDocument("scope_too_large")
    return [region for region in regions if _is_whole(region)]


def _except(region: Rule, names: frozenset[str]) -> Rule:
    """Leave named resources out of a region; several denies name theirs together."""
    if not names:
        return region
    named = names.union(*(child.instance or () for child in region.exception))
    return replace(region, exception=(Rule(effect=Effect.DENY, instance=named),))


def _is_whole(rule: Rule) -> bool:
    """A region that lost what delimits it (research by a registry's name) says too much."""
    try:
        check_rule(rule)
    except InvalidDocument:
        return False
    return True


def _minus(region: Rule, deny: Rule) -> Iterable[Rule]:
    """Yield the parts of a region that a deny leaves; its own carve-outs are not given back."""
    if deny.category is not None and deny.category != ANY:
        whole = frozenset(Category) if region.category is None or region.category == ANY else region.category
        if rest := whole - deny.category:
            yield replace(region, category=rest)
    if deny.security_label is not None:
        open_to = region.sensitivity
        clusters = frozenset(Sensitivity) if open_to is None or open_to == ANY else open_to
        yield replace(region, sensitivity=clusters - deny.security_label)
    if deny.purpose is not None:
        barred = frozenset[str]().union(*(DENY_CLOSURE[code] for code in deny.purpose))
        yield from _unbarred(region, barred)
    if deny.action is not None:
        stopped = frozenset().union(*(DENY_ACTIONS[code] for code in deny.action))
        reach = frozenset().union(*(PERMIT_ACTIONS[code] for code in region.action or ()))
        if left := frozenset(code for code in reach if stopped.isdisjoint(PERMIT_ACTIONS[code])):
            yield replace(region, action=left)
    if deny.data_period is not None:
        for part in _outside(deny.data_period, region.data_period):
            yield replace(region, data_period=part)


def _unbarred(region: Rule, barred: frozenset[str]) -> Iterable[Rule]:
    """Yield the region for the purposes that reach nothing barred."""
    if not barred:
        yield region
        return
    reach = frozenset[str]().union(*(PERMIT_CLOSURE[code] for code in region.purpose or ()))
    if left := frozenset(code for code in reach if barred.isdisjoint(PERMIT_CLOSURE[code])):
        yield replace(region, purpose=left)


def _outside(cut: DatePeriod, within: DatePeriod | None) -> Iterable[DatePeriod]:
    first = None if within is None else within.first
    last = None if within is None else within.last
    one = timedelta(days=1)
    if cut.first is not None and cut.first > date.min:
        end = cut.first - one if last is None else min(last, cut.first - one)
        if first is None or first <= end:
            yield DatePeriod(first, end)
    if cut.last is not None and cut.last < date.max:
        start = cut.last + one if first is None else max(first, cut.last + one)
        if last is None or start <= last:
            yield DatePeriod(start, last)
