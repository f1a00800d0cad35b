"""Read and write one rule as JSON, strictly.

1. Member names are FHIR's words (guide, table of names). A known member of the wrong shape is
   `InvalidDocument`.
2. A member or code this version does not know is kept by name in `Rule.unknown`: it voids a permit.
   In a deny it only removes the limit it stood for, so the deny says more, not less.
3. What is written here is read back to the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from consent.codes import (
    ANY,
    PURPOSES,
    Action,
    AnyOf,
    Category,
    Deidentification,
    Effect,
    Sensitivity,
)
from consent.dates import parse_day
from consent.duties import read_obligation
from consent.errors import InvalidDocument, UnknownCode
from consent.research import FLAGS, ResearchUse
from consent.rules import ActorRef, DatePeriod, Rule

E = TypeVar("E", bound=Enum)
H = TypeVar("H")
MAX_ITEMS = 1000
MAX_DEPTH = 8

_MEMBERS = frozenset(
    {"effect", "actor", "purpose", "action", "category", "sensitivity", "security_label", "code"}
    | {"data_period", "instance", "author", "encounter", "research_use", "deidentification"}
    | {"obligation", "exception"}
)


def rule_from_json(value: object, *, depth: int = 0) -> Rule:
    """Read one rule. Whether its members are complete is `rules.check_rule`'s question.

    Raises:
        InvalidDocument: a member has the wrong shape.
        UnknownCode: the effect is neither permit nor deny; nothing could be said about such a rule.
    """
    if not isinstance(value, Mapping) or depth > MAX_DEPTH:
        raise InvalidDocument("rule")
    reader = _Reader(value)
    try:
        effect = Effect(reader.text("effect"))
    except ValueError as exc:
        raise UnknownCode("effect") from exc
    return Rule(
        effect=effect,
        actor=reader.each("actor", _actor),
        purpose=reader.each("purpose", _known(PURPOSES)),
        action=reader.each("action", Action),
        category=reader.each_or_any("category", Category),
        sensitivity=reader.each_or_any("sensitivity", Sensitivity),
        security_label=reader.each("security_label", Sensitivity),
        code=reader.each("code", str),
        data_period=_data_period(value.get("data_period")),
        instance=reader.each("instance", str),
        author=reader.each("author", str),
        encounter=reader.each("encounter", str),
        research_use=_research_use(value.get("research_use"), reader.unknown),
        deidentification=reader.one("deidentification", Deidentification),
        obligation=reader.each("obligation", read_obligation) or frozenset(),
        exception=tuple(rule_from_json(child, depth=depth + 1) for child in reader.list("exception")),
        unknown=frozenset(reader.unknown | {str(name) for name in value.keys() - _MEMBERS}),
    )


class _Reader:
    """Reads members of one rule and remembers what it could not understand."""

    def __init__(self, value: Mapping[str, object]) -> None:
        self.value = value
        self.unknown: set[str] = set()

    def text(self, name: str) -> str:
        found = self.value.get(name)
        if not isinstance(found, str):
            raise InvalidDocument(f"not_text_{name}")
        return found

    def list(self, name: str) -> list[object]:
        found = self.value.get(name, [])
        if not isinstance(found, list) or len(found) > MAX_ITEMS:
            raise InvalidDocument(f"not_a_list_{name}")
        return found

    def each(self, name: str, read: Callable[[str], H]) -> frozenset[H] | None:
        """Read a list of codes; a list with an unknown code is no list we can hold to."""
        if name not in self.value:
            return None
        found: set[H] = set()
        for item in self.list(name):
            text = item if isinstance(item, str) else _pair(item, name)
            try:
                found.add(read(text))
            except (ValueError, UnknownCode):
                self.unknown.add(f"{name}:{text}")
        return None if any(word.startswith(f"{name}:") for word in self.unknown) else frozenset(found)

    def each_or_any(self, name: str, read: Callable[[str], H]) -> frozenset[H] | AnyOf | None:
        return ANY if self.value.get(name) == ANY else self.each(name, read)

    def one(self, name: str, read: Callable[[str], E]) -> E | None:
        if name not in self.value:
            return None
        try:
            return read(self.text(name))
        except ValueError:
            self.unknown.add(f"{name}:{self.text(name)}")
            return None


def _pair(item: object, name: str) -> str:
    """Join the two texts of an actor; every other list holds plain texts."""
    if (
        name == "actor"
        and isinstance(item, list)
        and len(item) == 2
        and all(isinstance(x, str) for x in item)
    ):
        return "\0".join(item)
    raise InvalidDocument(f"not_text_{name}")


def _actor(text: str) -> ActorRef:
    kind, separator, value = text.partition("\0")
    if not separator:
        raise InvalidDocument("actor")
    return ActorRef(kind, value)


def _known(codes: frozenset[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in codes:
            raise UnknownCode("code")
        return text

    return read


def _data_period(value: object) -> DatePeriod | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise InvalidDocument("data_period")
    first, last = (None if day is None else parse_day(day) for day in value)
    return DatePeriod(first, last)


_USE_LISTS = ("topics", "regions")


def _research_use(value: object, unknown: set[str]) -> ResearchUse | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidDocument("research_use")
    members: dict[str, Any] = {}
    for name, item in value.items():
        if name in _USE_LISTS:
            if not isinstance(item, list) or not all(isinstance(text, str) and text for text in item):
                raise InvalidDocument("research_use")
            members[name] = frozenset(item)
        elif name in FLAGS:
            if not isinstance(item, bool):
                raise InvalidDocument("research_use")
            members[name] = item
        elif name == "moratorium":
            members[name] = parse_day(item)
        else:
            unknown.add(f"research_use:{name}")
    return ResearchUse(**members)


def research_use_from_json(value: object) -> ResearchUse:
    """Read research limits that stand alone.

    Raises:
        InvalidDocument: no object, or a member that is not known.
    """
    unknown: set[str] = set()
    use = _research_use(value, unknown)
    if use is None or unknown:
        raise InvalidDocument("research_use")
    return use


def research_use_to_json(use: ResearchUse) -> dict[str, Any]:
    """Give the JSON value of research limits; only what is said."""
    value: dict[str, Any] = {name: sorted(getattr(use, name)) for name in _USE_LISTS if getattr(use, name)}
    value |= {name: True for name in FLAGS if getattr(use, name)}
    if use.moratorium is not None:
        value["moratorium"] = use.moratorium.isoformat()
    return value


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """Write one rule; lists sorted, absent members left out.

    Raises:
        InvalidDocument: the rule came from a newer version; it can be kept as signed, not rewritten.
    """
    if rule.unknown:
        raise InvalidDocument("unknown_member")
    value: dict[str, Any] = {"effect": rule.effect.value}
    if rule.actor is not None:
        value["actor"] = sorted([ref.kind, ref.value] for ref in rule.actor)
    for name in ("purpose", "action", "category", "sensitivity", "security_label"):
        _put(value, name, getattr(rule, name))
    for name in ("code", "instance", "author", "encounter"):
        _put(value, name, getattr(rule, name))
    if rule.data_period is not None:
        days = (rule.data_period.first, rule.data_period.last)
        value["data_period"] = [None if day is None else day.isoformat() for day in days]
    if rule.research_use is not None:
        value["research_use"] = research_use_to_json(rule.research_use)
    if rule.deidentification is not None:
        value["deidentification"] = rule.deidentification.value
    if rule.obligation:
        value["obligation"] = sorted(rule.obligation)
    if rule.exception:
        value["exception"] = [rule_to_json(child) for child in rule.exception]
    return value


def _put(value: dict[str, Any], name: str, items: Iterable[str] | None) -> None:
    if items is not None:
        value[name] = items if isinstance(items, str) else sorted(str(item) for item in items)
