"""From a request to the permit that answers it: as narrow as it can be, widened only by a yes for each thing.

1. `narrowest` starts from what is asked and leaves out whatever needs a yes of its own: sensitive clusters,
   the opt-ins of research, keeping a copy where looking will do, reusing, passing on, writing, being
   contacted again. What the request says of itself (ethics approval, no profit, region) becomes a condition.
2. `answer` adds what the person said yes to, one by one, and takes away kinds, codes, topics and days. It is
   never wider than what was asked, whatever it is handed: who wants to give more makes a grant, no answer.
3. A request that asks for nothing but what needs a yes of its own has no narrowest answer.

Source: guide consent.md sections 2.2 (`use`), 2.8 (answers may be narrower than asked) and 2.11.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from consent.attenuation import attenuates
from consent.codes import PERMIT_ACTIONS, Action, Category, Deidentification, Sensitivity
from consent.errors import InvalidDocument
from consent.floors import floor_for
from consent.request import Request
from consent.research import OPT_INS, ResearchUse, Study
from consent.rules import DatePeriod, Rule, check_rule, is_research

# The least action of a kind; whoever asks for more is answered with this one first.
_LEAST: Final = (Action.VIEW, Action.EXTRACT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yes:
    """What a person said yes to, and to how much of it; None keeps all that is asked.

    Attributes:
        opt_ins: uses of research, of `consent.research.OPT_INS`.
        actions: actions beyond the least one.
        sensitivity: clusters, by name.
        category: kinds of data.
        code: conditions and treatments the data are about; narrower codes than asked will do.
        topics: what the research is about; narrower ones will do.
        data_from: nothing from before this day.
    """

    opt_ins: frozenset[str] = frozenset()
    actions: frozenset[Action] = frozenset()
    sensitivity: frozenset[Sensitivity] = frozenset()
    category: frozenset[Category] | None = None
    code: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    data_from: date | None = None


def narrowest(request: Request) -> tuple[Rule, ...]:
    """Return the least permit that answers each wanted rule, in the order of the request."""
    found = (_narrowest(rule, request) for rule in request.wanted)
    return tuple(rule for rule in found if rule is not None)


def answer(request: Request, wanted: Rule, yes: Yes) -> Rule:
    """Return the permit for one wanted rule with what the person said yes to.

    Args:
        request: as verified.
        wanted: one of its rules.
        yes: what was said yes to.

    Raises:
        InvalidDocument: `wider_than_asked`; or the rule is no permit any more (nothing left of a member,
            research that nothing delimits), as `check_rule`.
    """
    least = _narrowest(wanted, request) or replace(wanted, action=frozenset(), sensitivity=frozenset())
    use = _use_with(least.research_use, yes)
    found = replace(
        least,
        action=(least.action or frozenset()) | yes.actions,
        sensitivity=yes.sensitivity,
        category=least.category if yes.category is None else yes.category,
        code=least.code if yes.code is None else yes.code,
        data_period=_days_with(least.data_period, yes.data_from),
        research_use=use,
    )
    check_rule(found)
    if not attenuates(found, wanted):
        raise InvalidDocument("wider_than_asked")
    return found


def _narrowest(wanted: Rule, request: Request) -> Rule | None:
    asked = frozenset[Action]().union(*(PERMIT_ACTIONS[action] for action in wanted.action or ()))
    action = asked & frozenset(_LEAST)
    if not action:
        return None
    level, floor = wanted.deidentification or Deidentification.NONE, floor_for(wanted.purpose or ())
    return replace(
        wanted,
        action=action,
        sensitivity=frozenset[Sensitivity](),
        deidentification=max(level, floor.deidentification, key=lambda one: one.rank),
        research_use=_conditions(wanted, request) if is_research(wanted.purpose or ()) else None,
    )


def _conditions(wanted: Rule, request: Request) -> ResearchUse:
    """The limits asked for without opt-ins, held to what the request says of the study."""
    use, study = wanted.research_use or ResearchUse(), request.study or Study()
    closed: dict[str, Any] = dict.fromkeys(OPT_INS, False)
    return replace(
        use,
        **closed,
        ethics_required=use.ethics_required or bool(request.ethics) or study.ethics is True,
        nonprofit_only=use.nonprofit_only or study.nonprofit is True,
        regions=use.regions or study.regions or frozenset(),
    )


def _use_with(use: ResearchUse | None, yes: Yes) -> ResearchUse | None:
    if use is None:
        if yes.opt_ins or yes.topics is not None:
            raise InvalidDocument("wider_than_asked")
        return None
    if not yes.opt_ins <= frozenset(OPT_INS):
        raise InvalidDocument("wider_than_asked")
    opened: dict[str, Any] = dict.fromkeys(yes.opt_ins, True)
    return replace(use, topics=use.topics if yes.topics is None else yes.topics, **opened)


def _days_with(asked: DatePeriod | None, first: date | None) -> DatePeriod | None:
    if first is None:
        return asked
    return DatePeriod(first, None if asked is None else asked.last)
