"""Dutch precedence compiled to plain rules: the more specific statement wins, an objection wins ties.

The Dutch generic function Consent orders statements by how specific they are; our engine lets a deny
win always. This module turns the one into the other, so that the engine stays as it is:

1. A permit holds against an objection only when the objection is strictly less specific on every axis
   that either of them limits. Axes that neither limits do not count; equal is not less.
2. Axes: a named organisation or person is more specific than a category of them, on the side of the
   user (`actor`) and of the holder (`author`); with a context (`encounter`) more than without; with
   named resources (`instance`, `code`) more than without.
3. permit P becomes `P except {objections P does not beat}`; objection O becomes `O except {permits that
   beat O}`. The compiled rules permit exactly what the direct reading permits.

An objection without any limit is a rule about everything: a permit that does not beat it can never
work and is left out.

Source: Dutch generic function Consent, precedence of consents
(https://minvws.github.io/generiekefuncties-docs/); guide consent.md section 2.3, end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from consent.codes import ActorKind, Effect
from consent.rules import Rule

_CATEGORIES_OF_ACTOR: Final = frozenset({ActorKind.ORGTYPE, ActorKind.TREATING_ROLE})


def _user(rule: Rule) -> int:
    if rule.actor is None:
        return 0
    # A list is as specific as its least specific member.
    return min((1 if ref.kind in _CATEGORIES_OF_ACTOR else 2 for ref in rule.actor), default=0)


AXES: Final[tuple[tuple[str, Callable[[Rule], int]], ...]] = (
    ("user", _user),
    ("holder", lambda rule: 0 if rule.author is None else 2),
    ("context", lambda rule: 0 if rule.encounter is None else 1),
    ("resources", lambda rule: 0 if rule.instance is None and rule.code is None else 1),
)


def beats(permit: Rule, objection: Rule) -> bool:
    """Say whether a permit holds against an objection that applies as well (rule 1)."""
    levels = [(axis(permit), axis(objection)) for _, axis in AXES]
    limited = [(own, other) for own, other in levels if own or other]
    return bool(limited) and all(own > other for own, other in limited)


def compile_precedence(statements: Iterable[Rule]) -> tuple[Rule, ...]:
    """Compile statements into rules for an engine in which a deny always wins.

    Args:
        statements: permits and objections as the person made them, in any order.

    Returns:
        Rules to sign into one grant; permits first.
    """
    rules = tuple(dict.fromkeys(statements))
    permits = [rule for rule in rules if rule.effect is Effect.PERMIT]
    objections = [rule for rule in rules if rule.effect is Effect.DENY]
    compiled = [_permit(permit, objections) for permit in permits]
    kept = [rule for rule in compiled if rule is not None]
    return (*kept, *(_objection(objection, permits) for objection in objections))


def _permit(permit: Rule, objections: Sequence[Rule]) -> Rule | None:
    stronger = tuple(objection for objection in objections if not beats(permit, objection))
    if any(_limitless(objection) for objection in stronger):
        return None
    return replace(permit, exception=(*permit.exception, *stronger))


def _objection(objection: Rule, permits: Sequence[Rule]) -> Rule:
    winners = tuple(
        replace(permit, obligation=frozenset(), deidentification=None)
        for permit in permits
        if beats(permit, objection)
    )
    return replace(objection, exception=(*objection.exception, *winners))


def _limitless(objection: Rule) -> bool:
    return objection == Rule(effect=Effect.DENY)
