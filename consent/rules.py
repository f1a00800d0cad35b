"""Rules: what one permit or deny says, as values.

1. A permit names every dimension: actor, purpose, action, category, sensitivity and
   deidentification. There is no "not mentioned means all"; whoever means all of a kind says `ANY`.
2. In a deny an absent member (`None`) is no limit, so it denies more.
3. Carve-outs (`exception`) have the opposite effect of the rule they cut, and may nest.
4. A research permit is delimited (a condition, a topic, or a named registry or project), never says
   sensitivity `ANY`, and always strips identity.
5. `unknown` names members or codes this version cannot read; they void a permit.

>>> rule = permit_rule(actor=[ActorRef("org", "ura:00000123")], purpose=["TREAT"],
...                    action=[Action.VIEW], category=[Category.LABS])
>>> rule.effect
<Effect.PERMIT: 'permit'>
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from consent.codes import (
    ANY,
    PURPOSES,
    RESEARCH_PURPOSES,
    Action,
    ActorKind,
    AnyOf,
    Category,
    Deidentification,
    Effect,
    Sensitivity,
)
from consent.duties import is_obligation
from consent.errors import InvalidDocument, UnknownCode
from consent.research import ResearchUse

MAX_EXCEPTION_DEPTH = 4
_ACTOR_KINDS = frozenset(kind.value for kind in ActorKind)


@dataclass(frozen=True, slots=True, order=True)
class ActorRef:
    """One way of naming who asks: a kind of `codes.ActorKind` and an identifier.

    A `treating_role` in a *question* asserts the treatment relationship as well; who asks the
    question answers for that.
    """

    kind: str
    value: str

    def __post_init__(self) -> None:
        if not self.value or self.kind not in _ACTOR_KINDS:
            raise UnknownCode("actor_kind")


@dataclass(frozen=True, slots=True)
class Period:
    """When a grant works: start included, end excluded. Both sides are required."""

    from_at: datetime
    until_at: datetime

    def __post_init__(self) -> None:
        if self.from_at.utcoffset() is None or self.until_at.utcoffset() is None:
            raise InvalidDocument("period_without_zone")
        if self.from_at >= self.until_at:
            raise InvalidDocument("empty_period")


@dataclass(frozen=True, slots=True)
class DatePeriod:
    """Which clinical dates: closed days, None is open on that side."""

    first: date | None
    last: date | None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise InvalidDocument("empty_data_period")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One permit, deny or carve-out; None is a member that is absent."""

    effect: Effect
    actor: frozenset[ActorRef] | None = None
    purpose: frozenset[str] | None = None
    action: frozenset[Action] | None = None
    category: frozenset[Category] | AnyOf | None = None
    sensitivity: frozenset[Sensitivity] | AnyOf | None = None
    security_label: frozenset[Sensitivity] | None = None
    code: frozenset[str] | None = None
    data_period: DatePeriod | None = None
    instance: frozenset[str] | None = None
    author: frozenset[str] | None = None
    encounter: frozenset[str] | None = None
    research_use: ResearchUse | None = None
    deidentification: Deidentification | None = None
    obligation: frozenset[str] = frozenset()
    exception: tuple[Rule, ...] = ()
    unknown: frozenset[str] = frozenset()


_REQUIRED_IN_PERMIT = ("actor", "purpose", "action", "category", "sensitivity", "deidentification")
_MAY_BE_EMPTY = frozenset({"sensitivity"})
_LISTS = (
    *("actor", "purpose", "action", "category", "sensitivity", "security_label"),
    *("code", "instance", "author", "encounter"),
)


def check_rule(rule: Rule) -> None:
    """Check one rule of a grant, with its carve-outs.

    Raises:
        InvalidDocument: a required member is absent or empty, a member stands where it has no
            meaning, or a research permit is not delimited.
        UnknownCode: a purpose or obligation outside the closed lists.
    """
    _check_members(rule)
    if rule.effect is Effect.PERMIT:
        for name in _REQUIRED_IN_PERMIT:
            if getattr(rule, name) is None and not _void(rule, name):
                raise InvalidDocument(f"permit_without_{name}")
        _check_research(rule)
    for child in rule.exception:
        _check_exception(child, rule.effect, 1)


def _void(rule: Rule, name: str) -> bool:
    """Say whether the member could not be read at all, which voids the rule anyway."""
    return any(word.split(":")[0] == name for word in rule.unknown)


def _check_members(rule: Rule) -> None:
    for name in _LISTS:
        value = getattr(rule, name)
        if value is not None and not value and name not in _MAY_BE_EMPTY and not _void(rule, name):
            raise InvalidDocument(f"empty_{name}")
    if rule.purpose is not None and not rule.purpose <= PURPOSES:
        raise UnknownCode("purpose")
    if not all(map(is_obligation, rule.obligation)):
        raise UnknownCode("obligation")
    misplaced = rule.security_label if rule.effect is Effect.PERMIT else rule.sensitivity
    if misplaced is not None:
        # A permit opts in by `sensitivity`, a deny strikes by `security_label`: one word, one thing.
        raise InvalidDocument("misplaced_sensitivity")


def _check_exception(rule: Rule, parent: Effect, depth: int) -> None:
    if rule.effect is parent:
        raise InvalidDocument("exception_effect")
    if depth > MAX_EXCEPTION_DEPTH:
        raise InvalidDocument("exception_depth")
    if rule.obligation or rule.deidentification is not None:
        raise InvalidDocument("exception_duty")
    _check_members(rule)
    if not rule.exception and not rule.unknown and all(getattr(rule, n) is None for n in _LIMITS):
        raise InvalidDocument("exception_without_limit")
    for child in rule.exception:
        _check_exception(child, rule.effect, depth + 1)


_LIMITS = (*_LISTS, "data_period", "research_use")


def is_purpose(code: str) -> bool:
    """Say whether this is a purpose of the closed list."""
    return code in PURPOSES


def is_research(purpose: Iterable[str]) -> bool:
    """Say whether any of these purposes is research, under whatever name it is filed."""
    return not RESEARCH_PURPOSES.isdisjoint(purpose)


def _check_research(rule: Rule) -> None:
    if not is_research(rule.purpose or ()):
        return
    named = any(ref.kind in (ActorKind.REGISTRY, ActorKind.PROJECT) for ref in rule.actor or ())
    topics = rule.research_use is not None and rule.research_use.topics
    if not (named or topics or rule.code):
        raise InvalidDocument("research_not_delimited")
    if rule.sensitivity == ANY:
        raise InvalidDocument("research_sensitivity_any")
    if rule.deidentification is Deidentification.NONE:
        raise InvalidDocument("research_identified")


def permit_rule(
    *,
    actor: Collection[ActorRef],
    purpose: Collection[str],
    action: Collection[Action],
    category: Collection[Category] | AnyOf,
    sensitivity: Collection[Sensitivity] | AnyOf = (),
    deidentification: Deidentification = Deidentification.NONE,
    data_period: DatePeriod | None = None,
    code: Collection[str] | None = None,
    instance: Collection[str] | None = None,
    author: Collection[str] | None = None,
    research_use: ResearchUse | None = None,
    obligation: Collection[str] = (),
    exception: Collection[Rule] = (),
) -> Rule:
    """Build a checked permit; no cluster is opted in and identity stays unless said otherwise.

    Raises:
        InvalidDocument: as `check_rule`.
    """
    rule = Rule(
        effect=Effect.PERMIT,
        actor=frozenset(actor),
        purpose=frozenset(purpose),
        action=frozenset(action),
        category=_set_or_any(category),
        sensitivity=_set_or_any(sensitivity),
        deidentification=deidentification,
        data_period=data_period,
        code=_set(code),
        instance=_set(instance),
        author=_set(author),
        research_use=research_use,
        obligation=frozenset(obligation),
        exception=tuple(exception),
    )
    check_rule(rule)
    return rule


def deny_rule(
    *,
    actor: Collection[ActorRef] | None = None,
    purpose: Collection[str] | None = None,
    action: Collection[Action] | None = None,
    category: Collection[Category] | AnyOf | None = None,
    security_label: Collection[Sensitivity] | None = None,
    data_period: DatePeriod | None = None,
    code: Collection[str] | None = None,
    instance: Collection[str] | None = None,
    author: Collection[str] | None = None,
    research_use: ResearchUse | None = None,
    exception: Collection[Rule] = (),
) -> Rule:
    """Build a checked deny; a member left out is no limit, so the rule denies more.

    Raises:
        InvalidDocument: as `check_rule`.
    """
    rule = Rule(
        effect=Effect.DENY,
        actor=_set(actor),
        purpose=_set(purpose),
        action=_set(action),
        category=None if category is None else _set_or_any(category),
        security_label=_set(security_label),
        data_period=data_period,
        code=_set(code),
        instance=_set(instance),
        author=_set(author),
        research_use=research_use,
        exception=tuple(exception),
    )
    check_rule(rule)
    return rule


T = TypeVar("T")


def _set(values: Collection[T] | None) -> frozenset[T] | None:
    return None if values is None else frozenset(values)


def _set_or_any(values: Collection[T] | AnyOf) -> frozenset[T] | AnyOf:
    return ANY if isinstance(values, str) else frozenset(values)
