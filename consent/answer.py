"""From a request to the permit that answers it, as narrow as it can be: where an answer starts.

1. Whatever needs a yes of its own is left out: sensitive clusters, the opt-ins of research, keeping a copy
   where looking will do, reusing, passing on, writing, being contacted again.
2. What the request says of itself (ethics approval, no profit, region) becomes a condition.
3. A wanted rule that asks for nothing but what needs a yes of its own has no narrowest answer.

What a person adds to it is a choice of theirs; `consent.attenuation.attenuates` says whether the result is
still no wider than what was asked.

Source: guide consent.md sections 2.2 (`use`), 2.8 (answers may be narrower than asked) and 2.11.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from consent.codes import PERMIT_ACTIONS, Action, Deidentification, Sensitivity
from consent.floors import floor_for
from consent.request import Request
from consent.research import OPT_INS, ResearchUse, Study
from consent.rules import Rule, is_research

# The least action of a kind; whoever asks for more is answered with this one first.
_LEAST: Final = frozenset({Action.VIEW, Action.EXTRACT})


def narrowest(request: Request) -> tuple[Rule, ...]:
    """Return the least permit that answers each wanted rule, in the order of the request."""
    found = (_narrowest(rule, request) for rule in request.wanted)
    return tuple(rule for rule in found if rule is not None)


def _narrowest(wanted: Rule, request: Request) -> Rule | None:
    asked = frozenset[Action]().union(*(PERMIT_ACTIONS[action] for action in wanted.action or ()))
    if not asked & _LEAST:
        return None
    level, floor = wanted.deidentification or Deidentification.NONE, floor_for(wanted.purpose or ())
    return replace(
        wanted,
        action=asked & _LEAST,
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
