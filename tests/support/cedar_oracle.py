"""Cedar as a second opinion, for the part of consent it can express.

Cedar combines as we do (forbid wins, nothing permits by itself), but has no three-valued unknowns, no
versions, no withdrawals, no duties and no code trees. So a rule is written for it only when the resource
is fully known: one clinical day, certain categories, labels looked for. One asker, one purpose, one action.

Source: Cedar policy language, https://docs.cedarpolicy.com (operators contains, containsAll, containsAny).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import cedarpy

from consent.codes import DENY_ACTIONS, DENY_CLOSURE, PERMIT_ACTIONS, PERMIT_CLOSURE
from consent.model import ANY, ActorRef, Category, Effect, ResourceFacts, Rule


def policy_set(rules: Iterable[Rule]) -> cedarpy.PolicySet:
    """All rules as one parsed policy set, the fastest form cedarpy takes."""
    return cedarpy.PolicySet.from_str("\n".join(policy_of(rule) for rule in rules))


def policy_of(rule: Rule) -> str:
    """One permit or deny without carve-outs as a Cedar policy."""
    permit = rule.effect is Effect.PERMIT
    every = "containsAll" if permit else "containsAny"
    tests: list[str] = []
    if rule.actor is not None:
        tests.append(f"[{', '.join(_entity('Actor', _name(ref)) for ref in rule.actor)}].contains(principal)")
    if rule.purpose is not None:
        closure = PERMIT_CLOSURE if permit else DENY_CLOSURE
        reach = {code for named in rule.purpose for code in closure[named]}
        tests.append(f"{_texts(reach)}.contains(context.purpose)")
    if rule.action is not None:
        actions = PERMIT_ACTIONS if permit else DENY_ACTIONS
        reached = {code.value for named in rule.action for code in actions[named]}
        tests.append(f"[{', '.join(_entity('Action', code) for code in sorted(reached))}].contains(action)")
    if rule.category is not None and rule.category != ANY:
        tests.append(f"{_texts(rule.category)}.{every}(resource.category)")
    if rule.sensitivity is not None and rule.sensitivity != ANY:
        tests.append(f"{_texts(rule.sensitivity)}.containsAll(resource.sensitivity)")
    if rule.security_label is not None:
        tests.append(f"{_texts(rule.security_label)}.containsAny(resource.sensitivity)")
    if rule.data_period is not None:
        first, last = rule.data_period.first, rule.data_period.last
        tests += [f"resource.day >= {first.toordinal()}"] if first else []
        tests += [f"resource.day <= {last.toordinal()}"] if last else []
    head = "permit" if permit else "forbid"
    when = f" when {{ {' && '.join(tests)} }}" if tests else ""
    return f"{head} (principal, action, resource){when};"


def entities(facts: Sequence[ResourceFacts]) -> cedarpy.Entities:
    """Resources as Cedar entities named by their place; each must have exactly one known day."""
    return cedarpy.Entities.from_json_str(json.dumps([_resource(n, one) for n, one in enumerate(facts)]))


def requests(count: int, *, actor: ActorRef, purpose: str, action: str) -> list[dict[str, object]]:
    """One request per entity of `entities`."""
    return [
        {
            "principal": _entity("Actor", _name(actor)),
            "action": _entity("Action", action),
            "resource": _entity("Resource", str(number)),
            "context": {"purpose": purpose},
        }
        for number in range(count)
    ]


def allowed(
    asked: list[dict[str, object]], policies: cedarpy.PolicySet, known: cedarpy.Entities
) -> list[bool]:
    """Ask Cedar all at once; an error inside Cedar would otherwise pass as a silent no."""
    results = cedarpy.is_authorized_batch(asked, policies, known)
    problems = [error for result in results for error in result.diagnostics.errors]
    assert not problems, problems[0]
    return [result.allowed for result in results]


def _resource(number: int, facts: ResourceFacts) -> dict[str, object]:
    (interval,) = facts.dates
    assert interval.first is not None
    assert interval.first == interval.last
    genetic = {"genetic"} if Category.GENETICS in facts.categories else set()
    attributes = {
        "category": sorted(facts.categories),
        "sensitivity": sorted({str(cluster) for cluster in facts.sensitivity} | genetic),
        "day": interval.first.toordinal(),
    }
    return {"uid": {"type": "Resource", "id": str(number)}, "attrs": attributes, "parents": []}


def _name(ref: ActorRef) -> str:
    return f"{ref.kind}:{ref.value}"


def _entity(kind: str, name: str) -> str:
    return f"{kind}::{json.dumps(name)}"


def _texts(values: Iterable[str]) -> str:
    return json.dumps(sorted(str(value) for value in values))
