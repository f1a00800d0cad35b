"""What a request adds to what is granted, and the request that a DENY-ASK calls for.

1. `request_delta` compares each wanted permit with the nearest one in force for that recipient, and
   names per dimension what is not granted yet ("also: topic C50; also: data before 2020").
2. `reconsent_request` takes the nearest permit of a refusal and widens exactly the dimensions that
   failed by exactly what was asked. Granting it turns the refusal into a permit.

Source: guide consent.md sections 2.3 (DENY-ASK) and 2.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from consent.codes import ANY, RESEARCH_FLOOR, Deidentification, Effect
from consent.decision import Question, decide, grants_in_force
from consent.effective import effective
from consent.errors import InvalidDocument
from consent.evaluator import Evaluator
from consent.ledger import Ledger
from consent.matching import Asker, needed_clusters
from consent.outcome import Deny
from consent.request import Request
from consent.research import CONDITIONS, OPT_INS, ResearchUse, Study
from consent.rules import ActorRef, DatePeriod, Rule


@dataclass(frozen=True, slots=True)
class Delta:
    """One wanted permit beside what is in force.

    Attributes:
        wanted: the rule asked for.
        nearest: the permit in force that is most like it, None when there is none.
        also: per member of a rule, the words that are not granted yet; empty when all is granted.
    """

    wanted: Rule
    nearest: Rule | None
    also: Mapping[str, tuple[str, ...]]


_SETS = ("purpose", "action", "category", "sensitivity", "code", "instance", "author", "encounter")


def request_delta(ledger: Ledger, request: Request, *, at: datetime) -> tuple[Delta, ...]:
    """Compare each wanted permit with what is in force, in the order of the request."""
    held = [
        rule
        for grant in grants_in_force(ledger, at)
        for rule in grant.rules
        if rule.effect is Effect.PERMIT and not rule.unknown
        if rule.actor is not None and request.recipient in rule.actor
    ]
    return tuple(_delta(wanted, held) for wanted in request.wanted)


def _delta(wanted: Rule, held: Iterable[Rule]) -> Delta:
    found = [(rule, _also(wanted, rule)) for rule in held]
    if not found:
        return Delta(wanted, None, _whole(wanted))
    nearest, also = min(found, key=lambda pair: sum(map(len, pair[1].values())))
    return Delta(wanted, nearest, also)


def _whole(wanted: Rule) -> dict[str, tuple[str, ...]]:
    """Name everything a rule asks: nothing of it is granted yet."""
    found = {name: _words(getattr(wanted, name)) for name in _SETS if getattr(wanted, name)}
    use = wanted.research_use or ResearchUse()
    found |= {"topic": _words(use.topics), "use_condition": tuple(n for n in OPT_INS if getattr(use, n))}
    return {name: words for name, words in found.items() if words}


def _also(wanted: Rule, held: Rule) -> dict[str, tuple[str, ...]]:
    also = {name: _beyond(getattr(wanted, name), getattr(held, name)) for name in _SETS}
    also["data_period"] = _days_beyond(wanted.data_period, held.data_period)
    also["topic"], also["use_condition"] = _use_beyond(wanted.research_use, held.research_use)
    asked, given = (rule.deidentification or Deidentification.NONE for rule in (wanted, held))
    also["deidentification"] = (asked.value,) if asked.rank < given.rank else ()
    return {name: words for name, words in also.items() if words}


def _beyond(wanted: Any, held: Any) -> tuple[str, ...]:
    """Name what is wanted and not held; no limit on the one side is everything."""
    if held is None or held == ANY:
        return ()
    if wanted is None or wanted == ANY:
        return (ANY,)
    return _words(wanted - held)


def _words(values: Any) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(sorted(str(value) for value in values))


def _days_beyond(wanted: DatePeriod | None, held: DatePeriod | None) -> tuple[str, ...]:
    if held is None:
        return ()
    first, last = (None, None) if wanted is None else (wanted.first, wanted.last)
    words = []
    if held.first is not None and (first is None or first < held.first):
        words.append(f"before {held.first.isoformat()}")
    if held.last is not None and (last is None or last > held.last):
        words.append(f"after {held.last.isoformat()}")
    return tuple(words)


def _use_beyond(wanted: ResearchUse | None, held: ResearchUse | None) -> tuple[tuple[str, ...], ...]:
    asks, has = wanted or ResearchUse(), held or ResearchUse()
    topics: tuple[str, ...] = ()
    if has.topics:
        topics = _words(asks.topics - has.topics) if asks.topics else (ANY,)
    uses = [name for name in OPT_INS if getattr(asks, name) and not getattr(has, name)]
    uses += [f"not {name}" for name in CONDITIONS if getattr(has, name) and not getattr(asks, name)]
    return topics, tuple(uses)


def reconsent_request(
    ledger: Ledger, question: Question, *, at: datetime, request_id: str, answer_by: datetime
) -> Request | None:
    """Build the smallest request that would turn a DENY-ASK into a permit.

    Returns:
        None when the answer is no DENY-ASK, or when what is asked cannot be said in a grant.
    """
    match decide(ledger, question, at=at):
        case Deny(ask=True) as refusal:
            pass
        case _:
            return None
    asker = Asker(question.actor, question.purpose, question.action, question.study)
    found = Evaluator(effective(ledger, at), asker).nearest(question.facts)
    recipient = _recipient(found[1] if found else None, question.actor)
    if found is None or recipient is None or found[1].unknown:
        return None
    dimensions = {missing.dimension for missing in refusal.missing}
    wanted = replace(found[1], actor=frozenset({recipient}))
    if "purpose" in dimensions:
        wanted = _for_research(wanted, question)
    if dimensions & {"topic", "research_use"}:
        if question.study is None or not _is_told(question.study):
            return None
        wanted = replace(wanted, research_use=_widened(wanted.research_use, question.study))
    try:
        return Request(
            id=request_id,
            recipient=recipient,
            at=at,
            answer_by=answer_by,
            wanted=(wanted,),
            study=question.study,
        )
    except InvalidDocument:
        # Research that nothing delimits may not be asked for either.
        return None


def _for_research(rule: Rule, question: Question) -> Rule:
    """The same data for the purposes asked: stripped of identity, with clusters by name."""
    level = max(rule.deidentification or RESEARCH_FLOOR, RESEARCH_FLOOR, key=lambda item: item.rank)
    named = needed_clusters(question.facts) if rule.sensitivity == ANY else rule.sensitivity
    return replace(rule, purpose=question.purpose, deidentification=level, sensitivity=named)


def _recipient(rule: Rule | None, asking: frozenset[ActorRef]) -> ActorRef | None:
    named = sorted((rule.actor or frozenset()) & asking) if rule is not None else []
    return named[0] if named else None


def _is_told(study: Study) -> bool:
    """Say whether a grant could name all of it: what is unknown, or about no topic, it cannot."""
    facts = (study.topics or None, *(getattr(study, name) for name in OPT_INS))
    return None not in facts


def _widened(use: ResearchUse | None, study: Study) -> ResearchUse:
    """Widen research limits by what this study asks and nothing else."""
    limits = use or ResearchUse()
    return replace(
        limits,
        topics=limits.topics | (study.topics or frozenset()) if limits.topics else limits.topics,
        regions=limits.regions | study.regions if limits.regions and study.regions else frozenset(),
        nonprofit_only=limits.nonprofit_only and study.nonprofit is True,
        ethics_required=limits.ethics_required and study.ethics is True,
        methods=limits.methods or study.methods is True,
        commercial=limits.commercial or study.commercial is True,
        poa=limits.poa or study.poa is True,
        train_models=limits.train_models or study.train_models is True,
    )
