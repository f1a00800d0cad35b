"""From a request to choices: all that is asked, where an answer starts, and whether an answer stays within.

Rules:
1. An answer starts without anything that needs a yes of its own: sensitive subjects, a copy, extra uses of
   research (``consent.answer.narrowest``). What the study says of itself is a condition from the start.
2. What this app never gives (passing on, using again, writing) is left out and named.
3. An answer is never wider than what was asked. Who wants to give more makes a share of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from consent.answer import narrowest
from consent.attenuation import attenuates
from consent.codes import ANY, PERMIT_ACTIONS, Action, Category, Deidentification, Sensitivity
from consent.request import Request
from consent.research import OPT_INS, ResearchUse
from consent.rules import Rule, is_research
from pgo.usecases.choices import ACTION, CARE_ACTIONS, RESEARCH_ACTIONS, UNDATED, ShareChoice

_DAYS: Final = 90


def asked_choice(request: Request, recipient_id: str, *, today: date) -> ShareChoice | None:
    """All that is asked and can be given, as one choice; None when no choice can say it."""
    if len(request.wanted) != 1 or not _can_be_chosen(request.wanted[0]):
        return None
    return _choice(request.wanted[0], recipient_id, today=today)


def first_choice(request: Request, recipient_id: str, *, today: date) -> ShareChoice | None:
    """The same without anything that needs a yes of its own: where an answer starts (rule 1)."""
    if asked_choice(request, recipient_id, today=today) is None:
        return None
    (rule,) = narrowest(request)
    return _choice(rule, recipient_id, today=today)


def opt_ins(request: Request) -> tuple[str, ...]:
    """Uses of research that are asked and need a yes of their own."""
    research = [rule for rule in request.wanted if is_research(rule.purpose or ())]
    uses = [rule.research_use or ResearchUse() for rule in research]
    asked = [name for name in OPT_INS if any(getattr(use, name) for use in uses)]
    again = any(Action.RECONTACT in (rule.action or ()) for rule in research)
    return (*asked, *([Action.RECONTACT.value] if again else []))


def not_offered(request: Request) -> tuple[str, ...]:
    """Actions that are asked and never given here (rule 2)."""
    asked = frozenset[Action]().union(*(rule.action or () for rule in request.wanted))
    return tuple(sorted(asked - CARE_ACTIONS - RESEARCH_ACTIONS))


def is_within(rules: Iterable[Rule], request: Request) -> bool:
    """Whether a grant gives no more than was asked (rule 3).

    Kinds without a date of their own (a name, an allergy) are not cut by the days that were asked: with them
    they would never go, which nobody who asks for both means.
    """
    return all(
        any(
            attenuates(replace(rule, data_period=wanted.data_period) if _undated(rule) else rule, wanted)
            for wanted in request.wanted
        )
        for rule in rules
    )


def _undated(rule: Rule) -> bool:
    return isinstance(rule.category, frozenset) and rule.category <= UNDATED


def _choice(rule: Rule, recipient_id: str, *, today: date) -> ShareChoice:
    period, purposes = rule.data_period, rule.purpose or frozenset[str]()
    research = is_research(purposes)
    return ShareChoice(
        recipient_id=recipient_id,
        categories=frozenset(Category) if isinstance(rule.category, str) else rule.category or frozenset(),
        sensitivity=frozenset[Sensitivity]()
        if isinstance(rule.sensitivity, str)
        else rule.sensitivity or frozenset(),
        purpose=next(iter(purposes)),
        period=(today, today + timedelta(days=_DAYS)),
        data_from=None if period is None else period.first,
        data_until=None if period is None else period.last,
        actions=(rule.action or frozenset()) & (RESEARCH_ACTIONS if research else CARE_ACTIONS),
        codes=rule.code or frozenset(),
        research=(rule.research_use or ResearchUse()) if research else None,
    )


def _can_be_chosen(rule: Rule) -> bool:
    """Whether a choice can say this rule; one that asks for every sensitive subject unnamed cannot be."""
    limits = (rule.instance, rule.author, rule.encounter)
    purposes, use = rule.purpose or frozenset[str](), rule.research_use
    about = rule.code or (use.topics if use else None)
    delimited = bool(about) and rule.deidentification is not Deidentification.AGGREGATE
    least = Action.EXTRACT if is_research(purposes) else ACTION
    return (
        all(limit is None for limit in limits)
        and not rule.exception
        and not rule.obligation
        and rule.sensitivity != ANY
        and len(purposes) == 1
        and (delimited if is_research(purposes) else use is None)
        and any(least in PERMIT_ACTIONS[action] for action in rule.action or ())
    )
