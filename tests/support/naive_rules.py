"""Three-valued matching, written a second time from guide consent.md sections 2.1 and 2.2.

Shares no code with the engine: own tables for purposes, actions, actors and topics of the test
universe, plain lists of answers, worst and best of them. Only the record types are the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from consent.dates import DateInterval
from consent.decision import Question
from consent.model import (
    Action,
    ActorRef,
    Category,
    DatePeriod,
    Effect,
    ResearchUse,
    ResourceFacts,
    Rule,
    Sensitivity,
    Study,
)

NO, MAYBE, YES = "no", "maybe", "yes"
# 2.2, `why`: what a permit of a purpose covers; what a deny of it covers.
COVERED = {
    "TREAT": {"TREAT", "COC", "ETREAT", "ERTREAT"},
    "HRESCH": {"HRESCH", "BIORCH", "DSRCH", "TRANSRCH"},
}
STRUCK = {
    "TREAT": {"TREAT", "COC", "ETREAT", "ERTREAT", "BTG", "CLINTRL", "POPHLTH", "TREATDS"},
    "ETREAT": {"ETREAT", "ERTREAT", "BTG"},
    "HRESCH": {"HRESCH", "BIORCH", "DSRCH", "TRANSRCH", "POARCH", "CLINTRCH", "CLINTRCHNPC", "CLINTRCHPC"}
    | {"PRECLINTRCH", "CLINTRL", "MLTRAINING"},
}
RESEARCH = STRUCK["HRESCH"]
# 2.2, `do`: view < copy, extract < reuse.
BELOW = {Action.COPY: {Action.COPY, Action.VIEW}, Action.REUSE: {Action.REUSE, Action.EXTRACT}}
ABOVE = {Action.VIEW: {Action.COPY, Action.VIEW}, Action.EXTRACT: {Action.REUSE, Action.EXTRACT}}
# 2.2, `who`: kinds that one asker can be at once.
CLINICIAN, RESEARCHER = {"person", "org", "treating_role", "orgtype", "careteam"}, {"registry", "project"}
# 2.10 for the universe of the tests: (asked, granted). What is not here is another branch.
TREE = {
    ("E11.9", "E11"): YES,
    ("E11.9", "E10-E14"): YES,
    ("E11", "E10-E14"): YES,
    ("E11", "E11.9"): MAYBE,
    ("E10-E14", "E11"): MAYBE,
    ("E10-E14", "E11.9"): MAYBE,
}
PLACES = {("NL", "EU"): YES, ("EU", "NL"): MAYBE}
FLIP = {YES: NO, NO: YES, MAYBE: MAYBE}


def worst(answers: Iterable[str]) -> str:
    found = list(answers)
    return NO if NO in found else MAYBE if MAYBE in found else YES


def best(answers: Iterable[str]) -> str:
    found = list(answers)
    return YES if YES in found else MAYBE if MAYBE in found else NO


def known(fact: bool | None) -> str:
    return MAYBE if fact is None else YES if fact else NO


def matches(rule: Rule, question: Question, *, inner: bool = False) -> str:
    """The whole rule: every dimension, then the carve-outs turned round."""
    permit = rule.effect is Effect.PERMIT
    facts = question.facts
    answers = [
        actor(rule.actor, question.actor),
        listed(rule.purpose, question.purpose, COVERED if permit else STRUCK, permit=permit),
        listed(rule.action, question.action, BELOW if permit else ABOVE, permit=permit),
        category(rule, facts, permit=permit),
        sensitivity(rule, facts, permit=permit),
        about(rule.code, facts.codes),
        dates(rule.data_period, facts, permit=permit),
        research(rule.research_use, question, permit=permit, inner=inner),
    ]
    if rule.instance is not None:
        answers.append(MAYBE if facts.reference is None else YES if facts.reference in rule.instance else NO)
    if rule.author is not None:
        answers.append(MAYBE if not facts.author else YES if rule.author & facts.author else NO)
    if permit and rule.unknown:
        answers.append(MAYBE)
    answers += [FLIP[matches(child, question, inner=True)] for child in rule.exception]
    return worst(answers)


def actor(named: frozenset[ActorRef] | None, asking: frozenset[ActorRef]) -> str:
    if named is None:
        return YES
    answers = [one_actor(wanted, asking) for wanted in named]
    return best(answers)


def one_actor(wanted: ActorRef, asking: frozenset[ActorRef]) -> str:
    if wanted in asking:
        return YES
    kinds = {ref.kind for ref in asking}
    if wanted.kind in kinds:
        return NO
    families = [family for family in (CLINICIAN, RESEARCHER) if wanted.kind in family]
    return MAYBE if not kinds or any(kinds & family for family in families) else NO


def listed(named: object, asked: Iterable[object], closure: object, *, permit: bool) -> str:
    if named is None:
        return YES
    wanted = list(asked)
    if not wanted:
        return MAYBE
    reach = {code for name in named for code in closure.get(name, {name})}  # type: ignore[attr-defined]
    inside = [code in reach for code in wanted]
    return YES if (all(inside) if permit else any(inside)) else NO


def category(rule: Rule, facts: ResourceFacts, *, permit: bool) -> str:
    if rule.category is None or rule.category == "any":
        return YES
    certain = [item in rule.category for item in facts.categories]
    possible = [item in rule.category for item in facts.possible_categories]
    if permit:
        if not all(certain):
            return NO
        return YES if all(possible) and certain + possible else MAYBE
    if any(certain):
        return YES
    return MAYBE if any(possible) or not certain + possible else NO


def sensitivity(rule: Rule, facts: ResourceFacts, *, permit: bool) -> str:
    clusters = set(facts.sensitivity)
    unknown = {Sensitivity.GENETIC} if Category.GENETICS in facts.possible_categories else set()
    if Category.GENETICS in facts.categories:
        clusters.add(Sensitivity.GENETIC)
    if permit:
        if rule.sensitivity is None or rule.sensitivity == "any":
            return YES
        if not clusters <= rule.sensitivity:
            return NO
        return MAYBE if facts.sensitivity_unknown or not unknown <= rule.sensitivity else YES
    if rule.security_label is None:
        return YES
    if clusters & rule.security_label:
        return YES
    return MAYBE if facts.sensitivity_unknown or unknown & rule.security_label else NO


def about(named: frozenset[str] | None, codes: frozenset[str]) -> str:
    if named is None:
        return YES
    if not codes:
        return MAYBE
    return best(topic(code, wanted) for code in codes for wanted in named)


def topic(asked: str, granted: str) -> str:
    asked, granted = asked.split("|")[-1], granted.split("|")[-1]
    return YES if asked == granted else TREE.get((asked, granted), NO)


def dates(period: DatePeriod | None, facts: ResourceFacts, *, permit: bool) -> str:
    if period is None:
        return YES
    if not facts.dates:
        return MAYBE
    answers = [one_date(period, day) for day in facts.dates]
    return worst(answers) if permit else best(answers)


def one_date(period: DatePeriod, day: DateInterval) -> str:
    first, last = period.first, period.last
    if (first and day.last and day.last < first) or (last and day.first and day.first > last):
        return NO
    if first and not (day.first and day.first >= first):
        return MAYBE
    if last and not (day.last and day.last <= last):
        return MAYBE
    return YES


def research(use: ResearchUse | None, question: Question, *, permit: bool, inner: bool) -> str:
    """2.2, `use`: speaks of research only; in a permit silence on an opt-in is no."""
    if question.purpose and not question.purpose & RESEARCH:
        return YES if permit or use is None else NO
    study = question.study or Study(topics=None, regions=None, nonprofit=None, ethics=None)
    if use is None:
        return YES if inner or not permit else opt_ins(ResearchUse(), study)
    answers = [] if permit else [known(v) for v, on in flags(use, study) if on]
    if permit:
        answers.append(opt_ins(use, study))
    if use.nonprofit_only:
        answers.append(known(study.nonprofit))
    if use.ethics_required:
        answers.append(known(study.ethics))
    if use.regions:
        answers.append(regions(use.regions, study.regions, permit=permit))
    if use.topics:
        answers.append(topics(use.topics, study.topics, permit=permit))
    return worst(answers)


def flags(use: ResearchUse, study: Study) -> list[tuple[bool | None, bool]]:
    return [
        (study.methods, use.methods),
        (study.commercial, use.commercial),
        (study.poa, use.poa),
        (study.train_models, use.train_models),
    ]


def opt_ins(use: ResearchUse, study: Study) -> str:
    return worst(YES if granted else FLIP[known(asked)] for asked, granted in flags(use, study))


def topics(granted: frozenset[str], asked: frozenset[str] | None, *, permit: bool) -> str:
    if asked is None:
        return MAYBE
    if not asked:
        return NO if permit else MAYBE
    answers = [best(topic(one, name) for name in granted) for one in asked]
    return worst(answers) if permit else best(answers)


def regions(granted: frozenset[str], asked: frozenset[str] | None, *, permit: bool) -> str:
    if not asked:
        return MAYBE
    answers = [best(YES if a == g else PLACES.get((a, g), NO) for g in granted) for a in asked]
    return worst(answers) if permit else best(answers)
