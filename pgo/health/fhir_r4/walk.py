"""Go through a resource element by element and name every issue.

The thorough way: it looks only at what it is given, reads the facts of R4 as they stand in the tables, and
does not care about speed. It is the only part that names issues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pgo.health.fhir_r4.facts import (
    ELEMENT,
    Element,
    choices_of,
    codes_of,
    elements_of,
    required_choices,
    resource_types,
    words_of,
)
from pgo.health.fhir_r4.issue import Issue, Rule
from pgo.health.fhir_r4.lexical import broken_rule

Object = Mapping[str, Any]
Judge = Callable[[Object], tuple[Issue, ...]]


class Walk:
    """One walk through one resource."""

    def __init__(self, judge: Judge) -> None:
        """Keep who judges a resource inside this one."""
        self._judge = judge
        self._found: list[Issue] = []

    def resource(self, body: Object) -> tuple[Issue, ...]:
        """Name every issue of a resource."""
        kind = body.get("resourceType")
        if not isinstance(kind, str) or kind not in resource_types():
            return (Issue("resourceType", Rule.NOT_A_RESOURCE),)
        self._object(kind, {name: value for name, value in body.items() if name != "resourceType"}, kind)
        return tuple(self._found)

    def _say(self, path: str, rule: Rule) -> None:
        self._found.append(Issue(path, rule))

    def _object(self, kind: str, body: Object, path: str) -> None:
        elements = elements_of(kind)
        for name, value in body.items():
            self._named(elements, name, value, body, path)
        self._absent(kind, elements, body, path)

    def _named(
        self, elements: Mapping[str, Element], name: str, value: object, body: Object, path: str
    ) -> None:
        where = f"{path}.{name}"
        if (element := elements.get(name)) is not None:
            self._member(element, value, where, twin=body.get(f"_{name}"))
        elif name[:1] == "_" and (element := elements.get(name[1:])) is not None and element.primitive:
            self._twin(element, value, where, of=body.get(element.name))
        else:
            self._say(where, Rule.UNKNOWN_ELEMENT)

    def _absent(self, kind: str, elements: Mapping[str, Element], body: Object, path: str) -> None:
        """Rules about which members an object has: required ones, one of a choice, extensions."""
        for element in elements.values():
            if element.required and not _has(body, element.name):
                self._say(f"{path}.{element.name}", Rule.MISSING)
        for choice, names in choices_of(kind).items():
            there = sum(_has(body, name) for name in names)
            if there > 1:
                self._say(f"{path}.{choice}[x]", Rule.TWO_CHOICES)
            elif not there and names in required_choices(kind):
                self._say(f"{path}.{choice}[x]", Rule.MISSING)
        if kind == "Extension":
            value = any(_has(body, name) for name in choices_of(kind)["value"])
            if value == ("extension" in body):
                self._say(path, Rule.EXTENSION)

    def _member(self, element: Element, value: object, path: str, *, twin: object) -> None:
        if isinstance(value, list) is not element.many:
            self._say(path, Rule.EMPTY if value is None else Rule.WRONG_FORM)
        elif not isinstance(value, list):
            self._single(element, value, path)
        elif not value:
            self._say(path, Rule.EMPTY)
        else:
            twins = twin if isinstance(twin, list) else []
            for index, item in enumerate(value):
                stands_in = index < len(twins) and isinstance(twins[index], Mapping)
                if item is not None or not stands_in:
                    self._single(element, item, f"{path}[{index}]")

    def _single(self, element: Element, value: object, path: str) -> None:
        if value is None:
            self._say(path, Rule.EMPTY)
        elif isinstance(value, list) or isinstance(value, Mapping) is element.primitive:
            self._say(path, Rule.WRONG_FORM)
        elif not isinstance(value, Mapping):
            self._primitive(element, value, path)
        elif element.kind == "Resource":
            self._inside(value, path, contained=element.name == "contained")
        elif not value:
            self._say(path, Rule.EMPTY)
        else:
            self._object(element.kind, value, path)
            if element.value_set and codes_of(element.value_set).isdisjoint(_codings(value)):
                self._say(path, Rule.UNKNOWN_CODE)

    def _primitive(self, element: Element, value: object, path: str) -> None:
        rule = broken_rule(element.kind, value)
        if rule is not None:
            self._say(path, Rule.BAD_ID if element.kind == "id" else rule)
        elif element.value_set and value not in words_of(element.value_set):
            self._say(path, Rule.UNKNOWN_CODE)

    def _twin(self, element: Element, value: object, path: str, *, of: object) -> None:
        if isinstance(value, list) is not element.many:
            self._say(path, Rule.TWIN)
            return
        twins = value if isinstance(value, list) else [value]
        if isinstance(of, list) and len(of) != len(twins):
            self._say(path, Rule.TWIN)
        if not any(twins):
            self._say(path, Rule.EMPTY)
        for index, twin in enumerate(twins):
            where = f"{path}[{index}]" if element.many else path
            if isinstance(twin, Mapping):
                self._object(ELEMENT, twin, where)
            elif twin is not None:
                self._say(where, Rule.TWIN)

    def _inside(self, body: Object, path: str, *, contained: bool) -> None:
        if contained and "contained" in body:
            self._say(path, Rule.CONTAINED)
        for issue in self._judge(body):
            _, dot, rest = issue.path.partition(".")
            self._found.append(Issue(f"{path}{dot}{rest}", issue.rule))


def _has(body: Object, name: str) -> bool:
    return name in body or f"_{name}" in body


def _codings(value: Object) -> Iterator[tuple[str, str]]:
    """Give (system, code) of a Coding, or of each coding of a CodeableConcept."""
    listed = value.get("coding", [value])
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, Mapping):
            system, code = one.get("system"), one.get("code")
            if isinstance(system, str) and isinstance(code, str):
                yield system, code
